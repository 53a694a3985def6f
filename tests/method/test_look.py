"""The look of one frame."""

import pytest

from vidstyle import Settings
from vidstyle.errors import SettingsError
from vidstyle.looks.timeline import look_of
from vidstyle.method.look import Look, shares


def test_the_settings_own_look():
    assert look_of(Settings(strength=0.25, content_weight=2), 1) == Look(0.25, (1.0,), 2.0)


def test_a_look_brings_its_strength_and_content_weight():
    options = Settings().options
    assert look_of(Settings(), 1).applied(options) is options
    assert Look(0.5, (1.0,), 3.0).applied(options) == Settings(strength=0.5, content_weight=3).options


def test_shares_add_up_to_one():
    assert shares((7, 3), 2) == pytest.approx((0.7, 0.3))
    assert shares((), 4) == (0.25, 0.25, 0.25, 0.25)
    assert shares((0, 5), 2) == (0, 1)


@pytest.mark.parametrize(
    ("blend", "said"),
    [((1,), "1 weight for 2 styles"), ((-1, 2), "at least 0"), ((0, 0), "style_blend is 0 0")],
)
def test_a_blend_that_is_none_is_refused(blend, said):
    with pytest.raises(SettingsError, match=said):
        shares(blend, 2)
