"""ICC profiles against the formulas of the color spaces, notes on colors without a profile, and EXIF."""

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
from PIL.TiffImagePlugin import IFDRational
from profiles import cmyk_profile, gray_profile, rgb_profile, to_srgb

from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import read_still, write_image
from vidstyle.media.stills.metadata import color_note, lab_to_srgb, without_location
from vidstyle.media.stills.metadata import to_srgb as converted

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


PHOTO, PLACE, THUMBNAIL = 0x8769, 0x8825, 1


def photograph(path: Path, orientation: int = 6) -> Path:
    tags = Image.Exif()
    tags.update({0x0112: orientation, 0x010F: "Maker", 0x0110: "Model", 0x0132: "2024:05:06 07:08:09", 0x0131: "App"})
    tags.get_ifd(PHOTO).update({0x9003: "2024:05:06 07:08:09", 0x829D: IFDRational(28, 10), 0x927C: b"secret" * 9})
    tags.get_ifd(PLACE).update({1: "N", 2: (IFDRational(48), IFDRational(12), IFDRational(5, 2))})
    Image.fromarray(picture(3)).save(path, exif=tags)
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_date_camera_and_place_are_kept_and_the_picture_is_upright(tmp_path: Path, suffix: str) -> None:
    still = read_still(photograph(tmp_path / "a.jpg"))
    write_image(tmp_path / f"b{suffix}", still.image, None, still.exif)
    with Image.open(tmp_path / f"b{suffix}") as stylized:
        tags = stylized.getexif()
        assert stylized.size == (48, 64)
        assert tags.get(0x0112, 1) == 1
        assert [tags.get(tag) for tag in (0x010F, 0x0110, 0x0132)] == ["Maker", "Model", "2024:05:06 07:08:09"]
        assert tags.get(0x0131) is None
        assert tags.get_ifd(PHOTO)[0x829D] == 2.8
        assert 0x927C not in tags.get_ifd(PHOTO)
        assert tags.get_ifd(PLACE)[2] == (48, 12, 2.5)
    difference = np.abs(read_still(tmp_path / f"b{suffix}").image.astype(int) - still.image)
    assert difference.max() == 0 if suffix != ".jpg" else difference.mean() < 3


def test_alpha_and_exif_together(tmp_path: Path) -> None:
    exif = read_still(photograph(tmp_path / "a.jpg")).exif
    alpha = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
    for suffix in (".png", ".webp", ".tif"):
        write_image(tmp_path / f"b{suffix}", picture(0), alpha, exif)
        still = read_still(tmp_path / f"b{suffix}")
        assert still.alpha is not None
        assert np.array_equal(still.alpha, alpha)
        assert bool(still.exif) == (suffix != ".tif")


@pytest.mark.parametrize("suffix", [".bmp", ".ppm", ".tif"])
def test_formats_that_take_no_exif_are_written_without(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"b{suffix}", picture(0), None, read_still(photograph(tmp_path / "a.jpg")).exif)
    assert np.array_equal(read_still(tmp_path / f"b{suffix}").image, picture(0))


def test_the_place_alone_can_be_left_out(tmp_path: Path) -> None:
    kept = without_location(read_still(photograph(tmp_path / "a.jpg")).exif)
    tags = Image.Exif()
    tags.load(kept)
    assert (tags[0x0110], tags.get_ifd(PHOTO)[0x829D], tags.get_ifd(PLACE)) == ("Model", 2.8, {})
    alone = Image.Exif()
    alone.get_ifd(PLACE).update({1: "N"})
    Image.fromarray(picture(3)).save(tmp_path / "b.jpg", exif=alone)
    exif = read_still(tmp_path / "b.jpg").exif
    assert exif
    assert without_location(exif) == without_location(b"") == b""


def test_nothing_to_keep_is_nothing(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags.update({0x0112: 3, 0x0131: "App"})
    buffer = BytesIO()
    Image.fromarray(picture(0)).save(buffer, "JPEG", exif=tags)
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    assert read_still(tmp_path / "a.jpg").exif == b""
    (tmp_path / "b.jpg").write_bytes(buffer.getvalue().replace(b"II*\0", b"II*\xff", 1))
    assert read_still(tmp_path / "b.jpg").exif == b""
