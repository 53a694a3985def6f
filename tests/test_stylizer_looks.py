"""The chain in different looks and colours."""

from dataclasses import replace

import numpy as np
import pytest
from clips import write_raw

from vidstyle import Settings, Stylizer
from vidstyle.carrying import DRY_FRAMES
from vidstyle.coverage import Coverage
from vidstyle.recolouring import palette_of, with_colours_of

QUICK = {"iterations": 4, "first_iterations": 6, "precision": "float32", "device": "cpu"}


def picture(seed, height=48, width=64):
    """Returns coloured blobs, `(H, W, 3)` uint8 RGB: smooth enough to be content."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(small, np.ones((8, 8, 1), np.uint8)))


@pytest.fixture
def stylizer():
    return Stylizer(picture(99, 64, 64), Settings(**QUICK))


def test_strength_leads_from_the_content_to_full_paint():
    content = picture(1)
    painted = [Stylizer(picture(99, 64, 64), Settings(**QUICK, strength=s)).paint(content) for s in (0, 0.5, 1)]
    assert np.array_equal(painted[0].image, content)
    assert painted[0].evaluations == 0
    far = [np.abs(each.image.astype(int) - content).mean() for each in painted]
    assert far[0] < far[1] < far[2]


def test_a_frame_that_is_repeated_in_another_look_is_painted(stylizer):
    content = picture(1)
    looks = [replace(stylizer.look, strength=s) for s in (1, 1, 0.5)]
    for _ in range(DRY_FRAMES):
        stylizer.paint(content, look=looks[0])
    assert [stylizer.paint(content, look=look).evaluations > 1 for look in looks] == [False, False, True]


def test_the_contents_colours_are_given_to_what_is_delivered_only():
    frames = [picture(1), np.roll(picture(1), 2, axis=1)]
    plain, kept = (Stylizer(picture(99, 64, 64), Settings(**QUICK, color=color)) for color in ("style", "content"))
    for frame in frames:
        painted, recoloured = plain.paint(frame), kept.paint(frame)
        assert np.array_equal(painted.paint, painted.image)
        assert np.array_equal(recoloured.paint, painted.image)
        assert np.array_equal(recoloured.image, with_colours_of(frame, painted.image))


def test_a_style_is_matched_to_a_shots_first_frame():
    style, shots = picture(99, 64, 64), (picture(1) // 2, 255 - picture(2) // 3)
    settings = Settings(**QUICK, color="match")
    stylizer = Stylizer(style, settings)
    for first in shots:
        stylizer.restart()
        by_hand = Stylizer(palette_of(first).given_to(style), Settings(**QUICK))
        for frame in (first, np.roll(first, 2, axis=0)):
            assert np.array_equal(stylizer(frame), by_hand(frame))
    stylizer.restart(palette_from=shots[0])
    assert not np.array_equal(stylizer(shots[1]), Stylizer(style, settings)(shots[1]))


def test_paint_fades_with_its_strength():
    content, looks = picture(1), []
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK, temporal_weight=500))
    looks = [replace(stylizer.look, strength=strength) for strength in (1, 0.75, 0.5, 0.25, 0)]
    painted = [stylizer.paint(content, look=look).image.astype(float) for look in looks]
    far = [np.abs(each - content).mean() for each in painted]
    assert far == sorted(far, reverse=True)
    assert far[4] == 0
    # The last step is not larger than those before it.
    assert far[3] < 0.5 * far[0]


def test_a_region_is_painted_beside_a_blend_of_styles(tmp_path):
    files = [str(write_raw(tmp_path / f"{name}.png", picture(seed, 64, 64))) for name, seed in (("m", 5), ("d", 98))]
    shares = np.stack([np.tile(np.linspace(side, 1 - side, 64, dtype=np.float32), (48, 1)) for side in (0, 1)])
    coverage = Coverage(np.full((48, 64), 255, np.uint8), shares)
    settings, styles = Settings(**QUICK, region=("=".join(files),)), [picture(99, 64, 64), picture(97, 64, 64)]
    first, both = (
        Stylizer(styles, replace(settings, style_blend=blend)).paint(picture(1), coverage).image
        for blend in ((1, 0), (0.7, 0.3))
    )
    assert np.array_equal(first, Stylizer(styles[0], settings).paint(picture(1), coverage).image)
    assert not np.array_equal(first, both)
