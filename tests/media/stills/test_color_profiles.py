"""ICC profiles, against the formulas of the color spaces."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from profiles import cmyk_profile, gray_profile, rgb_profile, to_srgb

from vidstyle.media.stills.color import lab_to_srgb
from vidstyle.media.stills.color import to_srgb as converted

RAMP = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize("name", ["sRGB-like", "P3", "Adobe RGB"])
def test_display_profiles(name: str) -> None:
    colors = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    got = converted(Image.fromarray(colors), rgb_profile(name))
    assert got is not None
    assert np.abs(np.asarray(got) - to_srgb(colors, name)).max() < 0.8


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_gray_profiles_are_right_in_the_dark_too(gamma: float) -> None:
    got = converted(Image.fromarray(RAMP[None]), gray_profile(gamma))
    assert got is not None
    want = to_srgb(np.stack([RAMP] * 3, 1), "sRGB-like", gamma)
    assert np.abs(np.asarray(got)[0] - want).max() < 0.8


def test_a_gray_picture_may_have_a_display_profile() -> None:
    got = converted(Image.fromarray(RAMP[None]), rgb_profile("P3"))
    assert got is not None
    assert np.abs(np.asarray(got)[0] - to_srgb(np.stack([RAMP] * 3, 1), "P3")).max() < 0.8


def test_a_printing_profile_says_what_inks_look_like() -> None:
    inks = Image.frombytes("CMYK", (3, 1), bytes([0, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 0]))
    got = converted(inks, cmyk_profile())
    assert got is not None
    white, black, red = np.asarray(got)[0].astype(int)
    assert white.min() == 255
    assert black.max() == 0
    assert red[0] > 240
    assert red[2] < 20


@pytest.mark.parametrize("profile", [b"", b"nonsense" * 40, rgb_profile("P3")[:200], cmyk_profile(), gray_profile(2)])
def test_what_is_damaged_or_for_other_colors_is_none(profile: bytes) -> None:
    assert converted(Image.new("RGB", (4, 4)), profile) is None


def test_lab() -> None:
    lab = Image.frombytes("LAB", (3, 1), bytes([255, 0, 0, 0, 0, 0, 136, 0, 0]))
    got = np.asarray(lab_to_srgb(lab))[0].astype(int)
    assert np.abs(got - np.array([[255] * 3, [0] * 3, [127] * 3])).max() <= 1  # L* of 53.3 is sRGB's 127.4
