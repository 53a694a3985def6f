"""The look in words."""

from pathlib import Path

from vidstyle.settings import Settings
from vidstyle.settings.summary import look_rows

STYLES = (Path("x/a.jpg"), Path("b.jpg"))


def test_only_what_is_not_as_ever_is_told():
    assert look_rows(Settings(), STYLES[:1], ()) == (("style", "a.jpg"),)
    assert look_rows(Settings(style_blend=(3,)), STYLES[:1], ()) == (("style", "a.jpg"),)
    assert look_rows(Settings(), STYLES, ()) == (("style", "a.jpg, b.jpg"),)


def test_all_that_makes_a_look_is_told():
    settings = Settings(
        style_blend=(7, 3),
        strength=0.5,
        mask="m/mask.png",
        region=("sky.png=c.jpg", "sea.png=d.jpg"),
        color="match",
        keyframes="k.csv",
    )
    assert look_rows(settings, STYLES, ("content_weight",)) == (
        ("style", "a.jpg 70 %, b.jpg 30 %"),
        ("strength", "0.5"),
        ("mask", "mask.png: what it shows white is painted"),
        ("region", "c.jpg where sky.png is white"),
        ("region", "d.jpg where sea.png is white"),
        ("color", "the style's, with the palette of each shot's first frame"),
        ("changes", "content-weight, as k.csv says"),
    )


def test_styles_over_time_are_told_with_their_moments():
    settings = Settings(style_at=("0:x/a.jpg", "12.5s:b.jpg"), color="content")
    rows = look_rows(settings, STYLES, ("style_blend",))
    assert rows == (("style", "a.jpg at 0, b.jpg at 12.5s"), ("color", "the content's"))
