"""What a frame is optimized for."""

import numpy as np
import pytest
import torch
from objectives import NETWORK, noise

from vidstyle import Settings
from vidstyle.looks.styles import Style, load_styles
from vidstyle.method.look import Look
from vidstyle.method.losses import mixture
from vidstyle.method.objective import style_targets, to_tensor
from vidstyle.method.targets import FrameTargets, StyleTargetCache, mixed_targets


def cache(settings, *pictures):
    """Returns the targets of styles, each of one picture."""
    styles = load_styles([*pictures], settings)
    return StyleTargetCache(NETWORK, styles, settings.options)


def assert_grams(targets, expected):
    assert len(targets.grams) == len(expected)
    for grams, others in zip(targets.grams, expected, strict=True):
        assert grams.keys() == others.keys()
        assert all(torch.allclose(grams[layer], others[layer], rtol=1e-4) for layer in grams)


def test_a_style_is_measured_once_for_each_size():
    styles = cache(Settings(), noise(80, 80, 2))
    assert styles.at(64, 48) is styles.at(64, 48)
    assert len(styles.at(64, 48, levels=2).grams) == 2
    before = styles.at(64, 48)
    styles.forget()
    assert styles.at(64, 48) is not before


def test_a_style_is_measured_again_for_another_palette_only():
    styles = cache(Settings(), noise(80, 80, 2))
    plain = styles.at(64, 48)
    styles.match(noise(48, 64, 3) // 2)
    matched = styles.at(64, 48)
    assert matched is not plain
    styles.match((noise(48, 64, 3) // 2)[::-1])
    assert styles.at(64, 48) is matched
    styles.match(noise(48, 64, 3) // 3)
    assert styles.at(64, 48) is not matched


def test_at_full_strength_the_style_alone_counts():
    styles = cache(Settings(), noise(80, 80, 2))
    assert FrameTargets(styles, Look(1.0, (1.0,), 1.0), noise(48, 64, 1)).style_targets(64, 48) is styles.at(64, 48)


def test_without_strength_nothing_is_better_than_the_content():
    settings, content = Settings(levels=2, tv_weight=0), noise(48, 64, 1)
    frame_targets = FrameTargets(cache(settings, noise(80, 80, 2)), Look(0.0, (1.0,), 1.0), content)
    assert float(frame_targets.objective(64, 48)(to_tensor(content))) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("strength", [0.25, 0.6])
def test_strength_mixes_the_styles_grams_with_the_contents(strength):
    settings, content, style = Settings(), noise(48, 64, 1), noise(48, 64, 2)
    frame_targets = FrameTargets(cache(settings, style), Look(strength, (1.0,), 1.0), content)
    ours, theirs = (style_targets(NETWORK, each, 64, 48, settings.options).grams for each in (content, style))
    expected = [
        {n: mixture([(1 - strength, a[n]), (strength, b[n])]) for n in a} for a, b in zip(ours, theirs, strict=True)
    ]
    assert_grams(frame_targets.style_targets(64, 48), expected)


def test_styles_are_blended_by_their_shares():
    settings, one, two = Settings(), noise(48, 64, 1), noise(90, 30, 2)
    first, second = (style_targets(NETWORK, each, 64, 48, settings.options).grams for each in (one, two))
    expected = [{n: mixture([(0.7, a[n]), (0.3, b[n])]) for n in a} for a, b in zip(first, second, strict=True)]
    assert_grams(cache(settings, one, two).at(64, 48, (0.7, 0.3)), expected)
    assert_grams(cache(settings, one, two).at(64, 48, blend=(0, 1)), second)


def test_the_pictures_of_one_style_count_alike():
    settings, pictures = Settings(), [noise(48, 64, seed) for seed in (1, 2, 3)]
    every = [style_targets(NETWORK, each, 64, 48, settings.options).grams for each in pictures]
    expected = [
        {n: mixture([(1 / 3, each[n]) for each in (a, b, c)]) for n in a} for a, b, c in zip(*every, strict=True)
    ]
    assert_grams(cache(settings, Style("three", tuple(pictures))).at(64, 48), expected)


def test_a_part_of_a_style_keeps_its_strokes():
    # The right half, at the size that it has in a picture as large as the frame.
    settings, style = Settings(levels=1, style_crop=(0.5, 0, 0.5, 1)), noise(48, 64, 2)
    (expected,) = style_targets(NETWORK, np.ascontiguousarray(style[:, 32:]), 32, 48, settings.options).grams
    assert_grams(cache(settings, style).at(64, 48), [expected])


def test_the_size_of_a_style_is_relative_to_the_frame():
    style = noise(48, 64, 2)
    (expected,) = style_targets(NETWORK, style, 32, 24, Settings(levels=1).options).grams
    assert_grams(cache(Settings(levels=1, style_size=0.5), style).at(64, 48), [expected])


def test_mixed_targets_keep_their_size():
    targets = style_targets(NETWORK, noise(48, 64, 2), 64, 48, Settings().options)
    again = mixed_targets([(0.5, targets), (0.5, targets)])
    assert (again.width, again.height) == (64, 48)
    assert_grams(again, targets.grams)
