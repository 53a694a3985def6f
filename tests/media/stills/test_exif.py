"""EXIF: what a painting keeps of the photograph that it was painted from."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from clips import picture
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vidstyle.media.stills.exif import without_location
from vidstyle.media.stills.images import read_still, write_image

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
