"""How paint follows a look that changes."""

import numpy as np
import pytest

from vidstyle.method.look import Look
from vidstyle.method.transitions import LARGEST_SHARE, SETTLING_FRAMES, LookHistory, Transition, moved_on
from vidstyle.method.warping import WarpedFrame


def transitions(looks):
    """Returns how each frame of those looks follows."""
    history, found = LookHistory(), []
    for look in looks:
        found.append(history.transition(look))
        history.add(look)
    return found


def of_strength(*values):
    return [Look(value, (1.0,), 1.0) for value in values]


def test_a_look_that_does_not_change_needs_no_transition():
    assert transitions(of_strength(*[0.5] * 4)) == [None] * 4


def test_rising_strength_dissolves_into_full_paint():
    found = transitions(of_strength(0, 0.1, 0.2))
    full = Look(1.0, (1.0,), 1.0)
    assert found[1] == Transition(full, 0.1, 0.1, 1.0, True)
    assert found[2] == Transition(full, pytest.approx(1 / 9), 0.2, 0.9, True)


def test_a_look_settles_after_its_last_change():
    found = transitions(of_strength(0.9, *[1] * (SETTLING_FRAMES + 2)))
    full = Look(1, (1.0,), 1.0)
    assert found == [None, *[Transition(full, LARGEST_SHARE)] * SETTLING_FRAMES, None, None]
    half = transitions(of_strength(0.6, 0.5, 0.5))
    assert half == [None, None, Transition(Look(0.5, (1.0,), 1.0), LARGEST_SHARE, is_enough=True)]


def test_paint_that_vanishes_needs_no_transition():
    assert transitions(of_strength(1, 0, 0, 0)) == [None] * 4


def test_a_blend_goes_toward_where_one_style_is_gone():
    start, step = Look(1.0, (0.8, 0.2, 0.0), 1.0), Look(1.0, (0.6, 0.3, 0.1), 1.0)
    _, transition = transitions([start, step])
    assert transition.share == pytest.approx(0.25)
    assert transition.look.blend == pytest.approx((0, 0.6, 0.4))
    assert not transition.is_enough


def test_a_new_shot_has_no_looks_before_it():
    history = LookHistory()
    history.add(Look(0.2, (1.0,), 1.0))
    history.reset()
    assert history.last is None
    assert history.transition(Look(0.9, (1.0,), 1.0)) is None


def test_what_is_disoccluded_starts_from_the_content():
    content, ahead = np.full((8, 16, 3), 100, np.uint8), np.full((8, 16, 3), 200, np.float32)
    new = np.repeat(np.arange(16)[None] > 8, 8, 0)
    paint, ones = np.full((8, 16, 3), 40, np.float32), np.ones((8, 16), np.float32)
    warped = WarpedFrame(paint, paint, ones, new, new, 0.5)
    transition = Transition(Look(1.0, (1.0,), 1.0), 0.25, 0.7, 0.5, True)
    start, held = moved_on(transition, content, ahead, paint, warped)
    assert np.allclose(start[:, :6], 80)
    assert np.allclose(start[:, 11:], 170, atol=0.01)
    assert np.allclose(held.reference, 80)
    assert np.allclose(moved_on(transition, content, ahead, paint, None)[0], 80)
