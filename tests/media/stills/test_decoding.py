"""Picture files of every kind that cameras and editors write."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from profiles import cmyk_profile, rgb_profile, to_srgb

from vidstyle.errors import SourceError
from vidstyle.media.stills.decoding import Still, decoded_still, still_header

NAME = Path("a.png")
RNG = np.random.default_rng(5)
COLORS = RNG.integers(0, 256, (24, 40, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (24, 40), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (24, 40, 3), dtype=np.uint16)
# The corners of an upright picture of 3x2 pixels as they are stored for each of EXIF's orientations.
STORED = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[3, 6], [2, 5], [1, 4]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[4, 1], [5, 2], [6, 3]],
}
LOSSLESS: dict[str, dict[str, Any]] = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}}


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data: bytes) -> Still:
    return decoded_still(data, NAME)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def png(depth: int, color_type: int, rows: list[bytes], width: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file of kinds that libraries read but do not write."""
    head = struct.pack(">IIBBBBB", width, len(rows), depth, color_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", head), *chunks, (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def tiff(
    values: np.ndarray,
    photometric: int,
    planes: int = 1,
    order: str = "<",
    orientation: int = 1,
    extra: int | None = None,
) -> bytes:
    """An uncompressed TIFF file of 16 bits, of kinds that libraries read but do not write."""
    layers = np.atleast_3d(values).astype(f"{order}u2")
    height, width, count = layers.shape
    parts = [layers.tobytes()] if planes == 1 else [layers[..., k].tobytes() for k in range(count)]
    starts = [512 + sum(map(len, parts[:k])) for k in range(len(parts))]
    tags: list[tuple[int, str, list[int]]] = [(256, "I", [width]), (257, "I", [height]), (258, "H", [16] * count)]
    tags += [(259, "H", [1]), (262, "H", [photometric]), (273, "I", starts), (274, "H", [orientation])]
    tags += [(277, "H", [count]), (278, "I", [height]), (279, "I", [len(part) for part in parts]), (284, "H", [planes])]
    tags += [] if extra is None else [(338, "H", [extra])]
    directory, outside = struct.pack(f"{order}H", len(tags)), b""
    for tag, letter, numbers in tags:
        content = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
        if len(content) > 4:
            content, outside = struct.pack(f"{order}I", 256 + len(outside)), outside + content
        directory += struct.pack(f"{order}HHI", tag, {"H": 3, "I": 4}[letter], len(numbers)) + content.ljust(4, b"\0")
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8) + directory
    return (head.ljust(256, b"\0") + outside).ljust(512, b"\0") + b"".join(parts)


@pytest.mark.parametrize("kind", [*LOSSLESS, "JPEG", "AVIF"])
@pytest.mark.parametrize("orientation", STORED)
def test_orientation(tmp_path: Path, kind: str, orientation: int) -> None:
    levels = np.kron(np.array(STORED[orientation], np.uint8) * 40, np.ones((16, 16), np.uint8))
    options = LOSSLESS.get(kind, {"quality": 95})
    data = saved(Image.fromarray(levels).convert("RGB"), kind, exif=exif(orientation), **options)
    (tmp_path / "a").write_bytes(data)
    image = read(data).image
    assert image.shape == (32, 48, 3)
    assert np.rint(image[8::16, 8::16, 1] / 40).tolist() == STORED[1]
    header = still_header(tmp_path / "a")
    assert header is not None
    assert (header.width, header.height) == (48, 32)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(list(STORED)), st.sampled_from(list(LOSSLESS)))
def test_orientation_of_any_size_turns_alpha_too(width: int, height: int, orientation: int, kind: str) -> None:
    shape = (height, width) if orientation < 5 else (width, height)
    values = np.arange(width * height, dtype=np.uint32).reshape(shape)
    layers = np.stack([values % 251, values // 7 % 256, values * 3 % 256, 128 + values % 128], 2).astype(np.uint8)
    still = read(saved(Image.fromarray(layers), kind, exif=exif(orientation), **LOSSLESS[kind]))
    assert still.alpha is not None
    assert still.image.shape == (height, width, 3)
    got = np.dstack([still.image, still.alpha])
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[orientation]
    mirrored = layers[:, ::-1] if orientation in (2, 4, 5, 7) else layers
    assert np.array_equal(got, np.rot90(mirrored, turns))


def test_orientation_after_the_pixels_of_a_png() -> None:
    data = saved(Image.fromarray(COLORS))
    tags = exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(tags)) + b"eXIf" + tags + struct.pack(">I", zlib.crc32(b"eXIf" + tags))
    late = data[:-12] + chunk + data[-12:]
    assert np.array_equal(read(late).image, np.rot90(COLORS, 3))
    deep = cv2.imencode(".png", DEEP)[1].tobytes()
    assert read(deep[:-12] + chunk + deep[-12:]).image.shape == (40, 24, 3)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("planes", [1, 2])
def test_orientation_of_16_bit_tiff(orientation: int, planes: int) -> None:
    levels = np.kron(np.array(STORED[orientation], np.uint16) * 10280, np.ones((16, 16), np.uint16))
    still = read(tiff(np.dstack([levels, levels // 2, levels // 4]), 2, planes=planes, orientation=orientation))
    assert still.image[::16, ::16, 0].tolist() == [[40, 80, 120], [160, 200, 240]]


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_impossible_orientation_is_none(value: int) -> None:
    assert np.array_equal(read(saved(Image.fromarray(COLORS), exif=exif(value))).image, COLORS)


def test_gray_palette_and_one_bit() -> None:
    gray = Image.fromarray(COLORS[..., 0])
    assert np.array_equal(read(saved(gray)).image, np.stack([COLORS[..., 0]] * 3, 2))
    palette = Image.fromarray(COLORS).quantize(64)
    assert np.array_equal(read(saved(palette)).image, np.asarray(palette.convert("RGB")))
    bits = COLORS[..., 0] > 99
    for kind in ("PNG", "TIFF", "BMP", "PPM"):
        assert np.array_equal(read(saved(Image.fromarray(bits), kind)).image[..., 1], np.where(bits, 255, 0)), kind
    two_bits = png(2, 0, [bytes([0b00011011] * 4)] * 16, 16)
    assert read(two_bits).image[0, :4, 0].tolist() == [0, 85, 170, 255]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_exact(kind: str) -> None:
    still = read(saved(Image.fromarray(np.dstack([COLORS, ALPHA])), kind, **LOSSLESS[kind]))
    assert still.alpha is not None
    assert np.array_equal(still.alpha, ALPHA)
    assert np.array_equal(still.image[ALPHA > 127], COLORS[ALPHA > 127])


def test_gray_with_alpha_and_palettes_with_transparency() -> None:
    still = read(saved(Image.fromarray(np.dstack([COLORS[..., 0], ALPHA]))))
    assert still.alpha is not None
    assert np.array_equal(still.alpha, ALPHA)
    assert np.array_equal(still.image[ALPHA > 127, 2], COLORS[ALPHA > 127, 0])
    palette = Image.fromarray(COLORS // 64 * 64).quantize(64)
    levels = np.asarray(palette)
    still = read(saved(palette, transparency=bytes(range(64))))
    assert still.alpha is not None
    assert np.array_equal(still.alpha, levels)
    one = read(saved(palette, transparency=3)).alpha
    assert one is not None
    assert np.array_equal(one, np.where(levels == 3, 0, 255))


def test_a_color_that_stands_for_transparent() -> None:
    gray = [bytes([0, 9] * 8)] * 16
    for depth, color_type, rows, key in (
        (8, 0, gray, b"\0\x09"),
        (8, 2, [bytes([0, 0, 0, 9, 9, 9] * 8)] * 16, b"\0\x09" * 3),
        (1, 0, [bytes([0b01010101] * 2)] * 16, b"\0\1"),
        (2, 0, [bytes([0b00010001] * 4)] * 16, b"\0\1"),
        (4, 0, [bytes([0x05] * 8)] * 16, b"\0\5"),
        (16, 0, [struct.pack(">HH", 7, 40000) * 8] * 16, struct.pack(">H", 40000)),
        (16, 2, [struct.pack(">6H", 7, 7, 7, 1, 40000, 5) * 8] * 16, struct.pack(">3H", 1, 40000, 5)),
    ):
        alpha = read(png(depth, color_type, rows, 16, (b"tRNS", key))).alpha
        assert alpha is not None
        assert alpha[0, :4].tolist() == [255, 0, 255, 0], (depth, color_type)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_are_rounded(suffix: str) -> None:
    assert np.array_equal(read(cv2.imencode(suffix, DEEP)[1].tobytes()).image, np.rint(DEEP[..., ::-1] / 257))
    edges = np.array([[0, 128, 129, 255, 32639, 65406, 65407, 65535]] * 16, np.uint16)
    gray = read(cv2.imencode(suffix, edges)[1].tobytes())
    assert gray.image[0, :, 0].tolist() == [0, 0, 1, 1, 127, 254, 255, 255]
    deep = np.dstack([DEEP, np.full(DEEP.shape[:2], 65407, np.uint16)])
    still = read(cv2.imencode(suffix, deep)[1].tobytes())
    assert still.alpha is not None
    assert np.unique(still.alpha).tolist() == [255]
    assert np.array_equal(still.image, np.rint(DEEP[..., ::-1] / 257))


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_tiff_in_planes(order: str) -> None:
    # Pillow reads them, and cuts.
    assert np.array_equal(read(tiff(DEEP, 2, planes=2, order=order)).image, DEEP >> 8)
    deep = np.dstack([DEEP, np.full(DEEP.shape[:2], 65407, np.uint16)])
    still = read(tiff(deep, 2, planes=2, order=order, extra=2))
    assert still.alpha is not None
    assert np.array_equal(still.image, DEEP >> 8)
    assert np.unique(still.alpha).tolist() == [255]


def test_gray_16_bit_tiff_from_white_to_black() -> None:
    gray = DEEP[..., 0]
    assert np.array_equal(read(tiff(gray, 1)).image[..., 1], np.rint(gray / 257))
    assert np.array_equal(read(tiff(gray, 0)).image[..., 1], 255 - np.rint(gray / 257))


def test_12_bit_gray_tiff_reaches_white() -> None:
    data = tiff(np.full((16, 16), 0xFFFF, np.uint16), 1).replace(
        struct.pack("<HHIH", 258, 3, 1, 16), struct.pack("<HHIH", 258, 3, 1, 12)
    )
    assert read(data).image.min() == 255


def test_16_bits_of_many_rows_are_rounded_in_little_memory() -> None:
    deep = RNG.integers(0, 65536, (1000, 400, 3), dtype=np.uint16)
    data = cv2.imencode(".png", deep, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    tracemalloc.start()
    still = read(data)
    peak = tracemalloc.get_traced_memory()[1] / (1000 * 400)
    tracemalloc.stop()
    assert np.array_equal(still.image, np.rint(deep[..., ::-1] / 257))
    # Bytes a pixel, six of them as decoded; wider numbers for all would be twelve more.
    assert peak < 18


def test_16_bit_gray_with_alpha_and_netpbm() -> None:
    still = read(png(16, 4, [struct.pack(">HH", 65407, 40000) * 16] * 16, 16))
    assert still.alpha is not None
    assert (still.image[0, 0].tolist(), still.alpha[0, 0]) == ([255] * 3, 156)
    assert read(b"P6 4 4 1023\n" + struct.pack(">HHH", 1023, 512, 0) * 16).image[0, 0].tolist() == [255, 128, 0]
    assert read(b"P5 4 4 1023\n" + struct.pack(">H", 512) * 16).image[0, 0].tolist() == [128] * 3


def test_16_bit_tiff_with_multiplied_alpha() -> None:
    data = bytearray(saved(Image.fromarray(np.dstack([COLORS, ALPHA])), "TIFF"))
    still = read(bytes(data))
    at = data.index(struct.pack("<HHI", 338, 3, 1)) + 8
    data[at] = 1
    multiplied = read(bytes(data))
    assert still.alpha is not None
    assert multiplied.alpha is not None
    where = ALPHA > 127
    want = np.minimum(255, COLORS.astype(int) * 255 // ALPHA[..., None].clip(1))[where]
    assert np.abs(multiplied.image[where].astype(int) - want).max() <= 1
    deep = cv2.imencode(".tif", np.dstack([DEEP // 2, np.full(DEEP.shape[:2], 32768, np.uint16)]))[1].tobytes()
    assert read(deep).alpha is not None


def test_cmyk_jpeg_with_and_without_adobes_mark() -> None:
    data = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    at = data.index(b"\xff\xee")
    unmarked = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert read(data).image[3, 3].tolist() == [255, 0, 0]
    # What Adobe's mark says is the complement is then taken as it stands: all ink.
    assert read(unmarked).image[3, 3].tolist() == [0, 0, 0]
    assert read(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "TIFF")).image[3, 3].tolist() == [255, 0, 0]
    profiled = saved(Image.new("CMYK", (16, 16), (0, 0, 0, 255)), "JPEG", icc_profile=cmyk_profile())
    assert read(profiled).image.max() == 0


def test_profiles_are_converted() -> None:
    for kind in ("PNG", "TIFF", "WEBP"):
        still = read(saved(Image.fromarray(COLORS), kind, icc_profile=rgb_profile("P3"), **LOSSLESS[kind]))
        assert np.abs(still.image - to_srgb(COLORS, "P3")).max() < 0.8
        assert still.notes == ()
    still = read(saved(Image.fromarray(np.dstack([COLORS, ALPHA])), icc_profile=rgb_profile("Adobe RGB")))
    assert still.alpha is not None
    assert np.array_equal(still.alpha, ALPHA)
    assert np.abs(still.image - to_srgb(COLORS, "Adobe RGB"))[ALPHA > 127].max() < 0.8


def test_profiles_larger_than_pillow_takes_from_a_png() -> None:
    profile = rgb_profile("P3")
    still = read(saved(Image.fromarray(COLORS), icc_profile=profile + b"\0" * (2 << 20)))
    assert np.abs(still.image - to_srgb(COLORS, "P3")).max() < 0.8


def test_a_broken_profile_is_said() -> None:
    still = read(saved(Image.fromarray(COLORS), icc_profile=b"nonsense" * 40))
    assert still.notes == ("its color profile is damaged or for other colors, and was left out",)
    assert np.array_equal(still.image, COLORS)


def test_progressive_jpeg() -> None:
    image = picture(2, (80, 48))
    got = read(saved(Image.fromarray(image), "JPEG", quality=95, progressive=True)).image
    assert np.abs(got.astype(int) - image).mean() < 2


def test_several_pages_are_said() -> None:
    pages = [Image.fromarray(picture(k)) for k in range(3)]
    still = read(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert np.array_equal(still.image, picture(0))
    assert still.notes == ("holds 3 pictures; the first was taken",)


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 3)])
def test_floating_point_tiff_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SourceError, match=r"32-bit numbers.*export it as 16-bit"):
        read(cv2.imencode(".tif", np.zeros(shape, np.float32))[1].tobytes())


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "JPEG"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_cut_off_is_an_error(kind: str, share: float) -> None:
    data = saved(Image.fromarray(COLORS), kind)
    with pytest.raises(SourceError, match=r"a\.png: "):
        read(data[: int(len(data) * share)])


def test_cut_off_16_bits_are_an_error() -> None:
    for suffix in (".png", ".tif"):
        data = cv2.imencode(suffix, DEEP)[1].tobytes()
        with pytest.raises(SourceError):
            read(data[: len(data) // 2])


@pytest.mark.parametrize("kind", ["TIFF", "BMP"])
def test_a_huge_size_is_refused_before_anything_is_allocated(kind: str) -> None:
    data = bytearray(saved(Image.fromarray(COLORS), kind))
    if kind == "BMP":
        data[18:26] = struct.pack("<ii", 60000, 60000)
    else:
        for tag, value in ((256, 60000), (257, 60000)):
            at = data.index(struct.pack("<H", tag), 8)
            data[at + 2 : at + 12] = struct.pack("<HII", 4, 1, value)
    with pytest.raises(SourceError, match=r"too large .60000x60000"):
        read(bytes(data))


def test_large_pictures_below_the_limit_make_no_warning() -> None:
    # Pillow itself warns from 89 megapixels on, and fails from 179.
    with pytest.raises(SourceError, match="cut off"):
        read(png(1, 0, [b""] * 14000, 14000))


@given(st.binary(max_size=60), st.integers(0, 300), st.sampled_from(["PNG", "WEBP", "TIFF", "JPEG", "BMP"]))
def test_damage_never_escapes_as_anything_else(noise: bytes, at: int, kind: str) -> None:
    data = bytearray(saved(Image.fromarray(COLORS[:16, :16]), kind, exif=exif(6)) if kind != "BMP" else b"BM" + noise)
    data[at : at + len(noise)] = noise
    with suppress(SourceError):
        assert read(bytes(data)).image.shape[2] == 3
