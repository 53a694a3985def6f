"""ICC profiles against the formulas of the color spaces, and notes on colors without a profile."""

from __future__ import annotations

import struct
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from clips import picture
from PIL import Image, PngImagePlugin
from profiles import cmyk_profile, gray_profile, rgb_profile, to_srgb

from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.color import color_note, lab_to_srgb
from vidstyle.media.stills.color import to_srgb as converted
from vidstyle.media.stills.images import read_still

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


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    buffer, extra = BytesIO(), PngImagePlugin.PngInfo()
    for name, data in chunks:
        extra.add(name, data)
    Image.fromarray(picture(1)).save(buffer, "PNG", pnginfo=extra)
    return buffer.getvalue()


def avif(path: Path, count: int, primaries: int, transfer: int) -> Path:
    with av.open(str(path), "w", format="avif") as container:
        stream = container.add_stream("libsvtav1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = primaries, transfer, 9, 2
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), "rgb24").reformat(
                format="yuv420p10le"
            )
            frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range = primaries, transfer, 9, 2
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("chunk", "note"),
    [
        ((b"cICP", bytes([9, 16, 0, 1])), "high dynamic range (BT.2020, PQ)"),
        ((b"cICP", bytes([12, 13, 0, 1])), "wide or unusual colors (Display P3)"),
        ((b"cICP", bytes([1, 8, 0, 1])), "wide or unusual colors (linear)"),
        ((b"gAMA", struct.pack(">I", 100_000)), "its brightness is coded with an exponent of 1;"),
    ],
)
def test_what_a_png_says(tmp_path: Path, chunk: tuple[bytes, bytes], note: str) -> None:
    (tmp_path / "a.png").write_bytes(png(chunk))
    notes = read_still(tmp_path / "a.png").notes
    assert len(notes) == 1
    assert notes[0].startswith(note)
    assert "taken for sRGB as it is" in notes[0]


def test_srgb_needs_no_note() -> None:
    assert color_note(png()) is None
    assert color_note(png((b"cICP", bytes([1, 13, 0, 1])))) is None
    assert color_note(png((b"gAMA", struct.pack(">I", 45455)))) is None
    assert color_note(png((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000)))) is None
    assert color_note(b"") is None
    for kind in ("AVIF", "JPEG"):
        buffer = BytesIO()
        Image.fromarray(picture(1)).save(buffer, kind)
        assert color_note(buffer.getvalue()) is None


def test_what_an_avif_says(tmp_path: Path) -> None:
    assert read_still(avif(tmp_path / "a.avif", 1, 9, 16)).notes[0].startswith("high dynamic range (BT.2020, PQ)")
    with open_source(avif(tmp_path / "b.avif", 3, 9, 18)) as source:
        list(source)
        assert source.notes == [
            "b.avif: high dynamic range (BT.2020, HLG), taken for sRGB as it is; export it as sRGB for its true colors"
        ]


def test_times_of_an_avif_do_not_drift(tmp_path: Path) -> None:
    with open_source(avif(tmp_path / "a.avif", 31, 1, 13)) as source:
        frames = list(source)
        assert source.info.rate == 30
        assert source.notes == []
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(k, 30) for k in range(31)]
