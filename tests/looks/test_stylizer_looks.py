"""The chain in different looks and colors."""

from dataclasses import replace

import numpy as np
import pytest
from chains import QUICK, picture
from clips import write_raw

from vidstyle import Settings, Stylizer
from vidstyle.errors import SettingsError, SourceError
from vidstyle.looks.styles import load_styles
from vidstyle.method.coverage import Coverage, coverage_of
from vidstyle.method.objective import Objective, to_tensor
from vidstyle.method.recoloring import palette_of, with_colors_of
from vidstyle.method.targets import StyleTargetCache
from vidstyle.method.temporal import SETTLED_AFTER_FRAMES


def test_strength_leads_from_the_content_to_full_paint():
    content = picture(1)
    stylized = [Stylizer(picture(99, 64, 64), Settings(**QUICK, strength=s)).stylize(content) for s in (0, 0.5, 1)]
    assert np.array_equal(stylized[0].image, content)
    assert stylized[0].evaluations == 0
    far = [np.abs(each.image.astype(int) - content).mean() for each in stylized]
    assert far[0] < far[1] < far[2]


def test_a_frame_that_is_repeated_in_another_look_is_painted(stylizer):
    content = picture(1)
    looks = [replace(stylizer.look, strength=s) for s in (1, 1, 0.5)]
    for _ in range(SETTLED_AFTER_FRAMES):
        stylizer.stylize(content, look=looks[0])
    assert [stylizer.stylize(content, look=look).evaluations > 1 for look in looks] == [False, False, True]


def test_the_contents_colors_are_given_to_what_is_delivered_only():
    frames = [picture(1), np.roll(picture(1), 2, axis=1)]
    plain, kept = (Stylizer(picture(99, 64, 64), Settings(**QUICK, color=color)) for color in ("style", "content"))
    for frame in frames:
        stylized, recolored = plain.stylize(frame), kept.stylize(frame)
        assert np.array_equal(stylized.paint, stylized.image)
        assert np.array_equal(recolored.paint, stylized.image)
        assert np.array_equal(recolored.image, with_colors_of(frame, stylized.image))


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
    stylized = [stylizer.stylize(content, look=look).image.astype(float) for look in looks]
    far = [np.abs(each - content).mean() for each in stylized]
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
        Stylizer(styles, replace(settings, style_blend=blend)).stylize(picture(1), coverage).image
        for blend in ((1, 0), (0.7, 0.3))
    )
    assert np.array_equal(first, Stylizer(styles[0], settings).stylize(picture(1), coverage).image)
    assert not np.array_equal(first, both)


def style_loss(stylizer, style, image):
    """Returns how far a picture is from a style."""
    height, width = image.shape[:2]
    options = replace(stylizer.settings, content_weight=0, tv_weight=0).options
    target = StyleTargetCache(stylizer.network, load_styles(style, stylizer.settings), options).at(width, height)
    return float(Objective(stylizer.network, options, target, to_tensor(image))(to_tensor(image)))


@pytest.mark.parametrize("before", [{"strength": 0}, {"blend": (1, 0)}])
def test_paint_arrives_with_its_look(before):
    frames = [np.roll(picture(1, 32, 48), shift, axis=1) for shift in range(8)]
    styles = [picture(99, 64, 64), picture(7, 64, 64) // 2]
    stylizer = Stylizer(styles, Settings(**QUICK | {"iterations": 6}))
    end = replace(stylizer.look, blend=(0, 1))
    start = replace(end, **before)
    steady = [stylizer.stylize(frame, look=end).image for frame in frames]
    stylizer.restart()
    faded = [stylizer.stylize(frames[0], look=start).image]
    for number, frame in enumerate(frames[1:], 1):
        share = min(1, number / 4)
        blend = tuple((1 - share) * a + share * b for a, b in zip(start.blend, end.blend, strict=True))
        strength = (1 - share) * start.strength + share
        faded.append(stylizer.stylize(frame, look=replace(end, strength=strength, blend=blend)).image)
    assert style_loss(stylizer, styles[1], faded[-1]) < 1.3 * style_loss(stylizer, styles[1], steady[-1])


def test_rising_paint_is_even():
    content = picture(1)
    content[:, :32] = 90  # what is flat resembles the style less, and would be left for later
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK | {"iterations": 12}))
    for strength in (0, 0.1, 0.2, 0.3):
        partly = stylizer.stylize(content, look=replace(stylizer.look, strength=strength)).image
    for strength in (0.65, 1, 1, 1):
        wholly = stylizer.stylize(content, look=replace(stylizer.look, strength=strength)).image
    changes = (np.abs(each.astype(float) - content).mean(-1) for each in (partly, wholly))
    part, whole = (change.reshape(3, 16, 4, 16).mean((1, 3)) for change in changes)
    assert (part / whole).min() > 0.2
    assert (part / whole).max() < 0.35


@pytest.mark.parametrize("changes", [{"init": "previous"}, {"flow": "off"}, {}])
def test_rising_paint_leaves_no_old_content_behind(changes):
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK, **changes))
    stylizer.stylize(picture(1), look=replace(stylizer.look, strength=0))
    content = picture(2)
    stylized = stylizer.stylize(content, look=replace(stylizer.look, strength=0.1)).image
    assert np.abs(stylized.astype(float) - content).mean() < 20 < np.abs(picture(1).astype(float) - content).mean()


def test_a_loop_is_asked_for_the_looks_that_change_over_time(tmp_path):
    files = [write_raw(tmp_path / f"{name}.png", picture(seed, 64, 64)) for name, seed in (("a", 99), ("b", 97))]
    settings = Settings(**QUICK, style_at=(f"0:{files[0]}", f"2s:{files[1]}"))
    stylizer, content = Stylizer(settings=settings), picture(1)
    assert np.array_equal(Stylizer([], settings).look.blend, (1, 0))
    for call in (stylizer, stylizer.stylize, lambda image: stylizer.skip(image, image)):
        with pytest.raises(SettingsError, match=r"with style_at the look changes .*timeline\.look\(index, time_s\)"):
            call(content)
    blends = []
    for index in (0, 25, 50):
        look = stylizer.timeline.look(index, index / 25)
        blends.append(look.blend)
        stylizer.restart()
        last = stylizer.stylize(content, look=look).image
    assert blends == [(1, 0), (0.5, 0.5), (0, 1)]
    assert np.array_equal(last, Stylizer(files[1], Settings(**QUICK)).stylize(content).image)


def test_a_loop_is_asked_for_masks_that_the_settings_name(tmp_path):
    style, content = picture(99, 64, 64), picture(1)
    mask = np.zeros(content.shape[:2], np.uint8)
    mask[:, :32] = 255
    stylizer = Stylizer(style, Settings(**QUICK, mask=tmp_path / "m.png"))
    with pytest.raises(SettingsError, match=r"mask names files .*vidstyle\.coverage_of\(image\.shape\[:2\], mask\)"):
        stylizer(content)
    everywhere = Stylizer(style, Settings(**QUICK)).stylize(content).image
    assert np.array_equal(stylizer.stylize(content, None).image, everywhere)  # nothing is masked, which is said
    stylizer.restart()
    stylized = stylizer.stylize(content, coverage_of(content.shape[:2], mask)).image
    assert np.array_equal(stylized[:, 32:], content[:, 32:])
    assert not np.array_equal(stylized[:, :32], content[:, :32])


def test_a_loop_is_asked_for_as_many_regions_as_the_settings_name(tmp_path):
    other = write_raw(tmp_path / "b.png", picture(97, 64, 64))
    content, everywhere = picture(1), np.full((48, 64), 255, np.uint8)
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK, region=(f"m.png={other}",)))
    with pytest.raises(SettingsError, match="region names files"):
        stylizer(content)
    with pytest.raises(SettingsError, match="coverage is for 0 regions, and region names 1"):
        stylizer.stylize(content, coverage_of((48, 64), everywhere))
    stylizer.stylize(content, coverage_of((48, 64), None, [everywhere]))


@pytest.mark.parametrize("wrong", [np.zeros((48, 64, 3), np.uint8), np.zeros((48, 63), np.uint8), np.zeros((48, 64))])
def test_a_mask_that_is_none_is_said(wrong):
    for given in ({"mask": wrong}, {"regions": [wrong]}, {"alpha": wrong}):
        with pytest.raises(SourceError, match="give 64x48 levels"):
            coverage_of((48, 64), **given)
