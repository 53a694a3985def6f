"""Still pictures in and out, whole or not at all, and what their bytes say undecoded."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import cut, picture, write_raw
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import OutputError, SourceError
from vidstyle.frames import resize
from vidstyle.media.stills.decoding import is_intact_png
from vidstyle.media.stills.headers import frame_durations_ms, is_cut_off, pictures_in_a_row
from vidstyle.media.stills.images import IMAGE_SUFFIXES, natural_key, read_image, write_image


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tif", ".tiff", ".webp"])
def test_write_then_read_lossless(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    write_image(path, picture(2))
    assert np.array_equal(read_image(path), picture(2))


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_write_then_read_jpeg_is_close(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    write_image(path, picture(2))
    assert np.abs(read_image(path).astype(int) - picture(2)).mean() < 3


def test_write_same_bytes_twice(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture(1))
    write_image(tmp_path / "b.png", picture(1))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_write_leaves_nothing_else(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture(1))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_write_replaces(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture(1))
    write_image(tmp_path / "a.png", picture(5))
    assert np.array_equal(read_image(tmp_path / "a.png"), picture(5))


def test_write_unknown_suffix_lists_known_ones(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_image(tmp_path / "a.xyz", picture(1))
    assert all(suffix in str(caught.value) for suffix in IMAGE_SUFFIXES)


def test_write_into_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_image(tmp_path / "none" / "a.png", picture(1))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (0, 8, 3)])
def test_write_wrong_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        write_image(tmp_path / "a.png", np.zeros(shape, np.uint8))


def test_read_unicode_name(tmp_path: Path) -> None:
    path = tmp_path / "Grüße 雪 🎬.png"
    write_image(path, picture(4))
    assert np.array_equal(read_image(path), picture(4))


def test_read_gray(tmp_path: Path) -> None:
    write_raw(tmp_path / "gray.png", np.full((20, 30), 77, np.uint8))
    assert np.array_equal(read_image(tmp_path / "gray.png"), np.full((20, 30, 3), 77, np.uint8))


def test_read_alpha_is_dropped(tmp_path: Path) -> None:
    bgra = np.zeros((20, 30, 4), np.uint8)
    bgra[:] = (10, 20, 30, 128)
    write_raw(tmp_path / "alpha.png", bgra)
    image = read_image(tmp_path / "alpha.png")
    assert image.shape == (20, 30, 3)
    assert image[0, 0].tolist() == [30, 20, 10]


def test_read_16_bit(tmp_path: Path) -> None:
    bgr = np.zeros((20, 30, 3), np.uint16)
    bgr[:] = (0x1000, 0x8000, 0xFFFF)
    (tmp_path / "deep.png").write_bytes(cv2.imencode(".png", bgr)[1].tobytes())
    image = read_image(tmp_path / "deep.png")
    assert image.dtype == np.uint8
    assert np.abs(image[0, 0].astype(int) - [255, 128, 16]).max() <= 1


def _with_orientation(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + b"\x00" * 4
    body = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def test_read_applies_exif_orientation(tmp_path: Path) -> None:
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, :32] = 255
    path = write_raw(tmp_path / "turned.jpg", image)
    path.write_bytes(_with_orientation(path.read_bytes(), 6))  # 6: turn by 90 degrees clockwise to show
    shown = read_image(path)
    assert shown.shape == (64, 32, 3)
    assert shown[5, 16, 0] > 250
    assert shown[60, 16, 0] < 5


def test_read_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_image(tmp_path / "none.png")


def test_read_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a folder, and one picture is needed; name a file in it$"):
        read_image(tmp_path)


def test_read_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(SourceError, match="empty"):
        read_image(tmp_path / "empty.png")


def test_read_text(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(SourceError, match="not a picture"):
        read_image(tmp_path / "text.png")


def test_read_nul_in_name() -> None:
    with pytest.raises(SourceError):
        read_image(Path("a\0b.png"))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_read_cut_off(tmp_path: Path, suffix: str, share: float) -> None:
    rng = np.random.default_rng(0)
    path = write_raw(tmp_path / f"cut{suffix}", rng.integers(0, 255, (64, 64, 3), np.uint8))
    cut(path, share)
    with pytest.raises(SourceError, match="cut off"):
        read_image(path)


def test_read_too_large(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + b"\0\0\0\0IDAT\0\0\0\0IEND"
    )
    (tmp_path / "huge.png").write_bytes(png)
    with pytest.raises(SourceError, match=r"too large .100000x100000"):
        read_image(tmp_path / "huge.png")


def test_cut_off_ignores_what_follows_the_picture(tmp_path: Path) -> None:
    data = write_raw(tmp_path / "a.jpg", picture(0)).read_bytes()
    assert not is_cut_off(data + b"\xff\xda appended film without an end")


def test_one_wrong_or_missing_byte_makes_a_png_damaged(tmp_path: Path) -> None:
    data = write_raw(tmp_path / "a.png", picture(0, (20, 16))).read_bytes()
    assert is_intact_png(data)
    assert is_intact_png(data, (20, 16))
    assert not is_intact_png(data, (16, 20))
    for at in range(len(data)):
        assert not is_intact_png(data[:at])
        assert not is_intact_png(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@given(st.binary(max_size=200))
def test_headers_survive_anything(tail: bytes) -> None:
    for magic in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        assert is_cut_off(magic + tail) in (True, False)


def test_resize_same_size_is_the_same_object() -> None:
    image = picture(0)
    assert resize(image, 64, 48) is image


def test_resize_shrinks_by_area() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, ::2] = 200
    assert np.array_equal(resize(image, 16, 16), np.full((16, 16, 3), 100, np.uint8))


def test_resize_enlarges() -> None:
    assert resize(picture(0), 128, 90).shape == (90, 128, 3)


def test_natural_key_counts() -> None:
    names = ["f10.png", "f2.png", "F1.png", "f1b.png", "f.png", "f02.png", "f100000000000000000000000.png"]
    ordered = sorted((Path(n) for n in names), key=natural_key)
    assert [p.name for p in ordered] == [
        "f.png", "F1.png", "f1b.png", "f02.png", "f2.png", "f10.png", "f100000000000000000000000.png",
    ]  # fmt: skip


@given(st.lists(st.integers(0, 10**30), unique=True, min_size=1))
def test_natural_key_orders_numbers(numbers: list[int]) -> None:
    ordered = sorted((Path(f"shot{n}.png") for n in numbers), key=natural_key)
    assert [p.stem for p in ordered] == [f"shot{n}" for n in sorted(numbers)]


@given(st.lists(st.text("aB01 .é", min_size=1, max_size=8), unique=True))
def test_natural_key_does_not_depend_on_the_order_of_arrival(stems: list[str]) -> None:
    paths = [Path(f"x{stem}.png") for stem in stems]
    backwards = paths[::-1]
    assert sorted(paths, key=natural_key) == sorted(backwards, key=natural_key)


def test_natural_key_takes_digits_without_limit() -> None:
    assert natural_key(Path("9" * 5000)) < natural_key(Path("1" + "0" * 5000))


def animation(path: Path, durations: list[int]) -> Path:
    made = cv2.Animation()
    made.frames = [np.full((16, 18, 4), 40 * k + 15, np.uint8) for k in range(len(durations))]
    made.durations = durations
    assert cv2.imwriteanimation(str(path), made)
    return path


def test_durations_are_those_that_another_writer_gave(tmp_path: Path) -> None:
    assert frame_durations_ms(animation(tmp_path / "a.webp", [40, 100, 7, 70000])) == [40, 100, 7, 70000]


def test_a_still_has_one_picture(tmp_path: Path) -> None:
    for quality in (50, 101):
        cv2.imwrite(str(tmp_path / "a.webp"), np.zeros((16, 16, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, quality])
        assert frame_durations_ms(tmp_path / "a.webp") == [0]


def test_what_is_no_whole_webp_is_an_error(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.webp", [40, 50])
    whole = path.read_bytes()
    for data in (b"", whole[:-9], b"GIF89a" + whole, whole[:11]):
        path.write_bytes(data)
        with pytest.raises(OSError, match="not a whole WebP"):
            frame_durations_ms(path)


def test_pictures_in_a_row_come_out_as_they_went_in(tmp_path: Path) -> None:
    pictures = [cv2.imencode(".webp", np.full((16, 16, 3), k, np.uint8))[1].tobytes() for k in range(3)]
    (tmp_path / "row").write_bytes(b"".join(pictures))
    assert list(pictures_in_a_row(tmp_path / "row")) == pictures
    (tmp_path / "row").write_bytes(b"".join(pictures)[:-1])
    with pytest.raises(OSError, match="in a row"):
        list(pictures_in_a_row(tmp_path / "row"))
