"""RGB in the pixel formats that are encoded, each number rounded once."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.media.write.codecs import LEGAL, depth_of
from vidstyle.media.write.encoders import coded_picture

FORMATS = sorted({name for codecs in LEGAL.values() for listed in codecs.values() for name in listed} - {"pal8"})
YUV = [name for name in FORMATS if name.startswith("yuv")]


def flat(color: tuple[int, int, int], size: tuple[int, int] = (18, 16)) -> np.ndarray:
    return np.full((size[1], size[0], 3), color, np.uint8)


def planes_of(frame: av.VideoFrame) -> list[np.ndarray]:
    planes = []
    for plane in frame.planes:
        kind = "<u2" if frame.format.components[0].bits > 8 else np.uint8
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size).view(kind)
        planes.append(rows[:, : plane.width * (4 if len(frame.planes) == 1 else 1)])
    return planes


# ITU-R BT.709-6 at 8 bits, from its formulas by hand.
KNOWN = {
    (0, 0, 0): (16, 128, 128),
    (255, 255, 255): (235, 128, 128),
    (255, 0, 0): (62.559, 102.336, 240),
    (0, 255, 0): (172.629, 41.664, 26.269),
    (0, 0, 255): (31.812, 240, 117.731),
}


@pytest.mark.parametrize("color", KNOWN)
@pytest.mark.parametrize("name", YUV)
def test_yuv_has_the_values_of_bt709_rounded_once(name: str, color: tuple[int, int, int]) -> None:
    step = 2 ** (depth_of(name) - 8)
    for plane, exact in zip(planes_of(coded_picture(flat(color), name)), KNOWN[color], strict=True):
        assert plane.min() == plane.max()
        assert abs(int(plane[0, 0]) - exact * step) <= 0.5 + 0.0006 * step


@pytest.mark.parametrize("name", ["gbrp", "gbrp10le", "gbrp12le"])
def test_rgb_has_its_full_range(name: str) -> None:
    most = 2 ** depth_of(name) - 1
    for color in ((0, 128, 255), (7, 8, 9)):
        green, blue, red = (int(plane[3, 3]) for plane in planes_of(coded_picture(flat(color), name)))
        assert [red, green, blue] == [round(value * most / 255) for value in color]


@pytest.mark.parametrize("name", ["bgr0", "bgra"])
def test_packed_rgb_is_untouched(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 18, 3), np.uint8)
    (packed,) = planes_of(coded_picture(image, name))
    pixels = packed.reshape(16, 18, 4)
    assert np.array_equal(pixels[:, :, 2::-1], image)
    assert (pixels[:, :, 3] == 255).all()


@pytest.mark.parametrize("name", YUV)
def test_chroma_lies_on_the_left_column_and_between_the_rows(name: str) -> None:
    image = flat((128, 128, 128))
    image[4, 6] = (255, 0, 0)
    luma, _, red = (plane.astype(int) for plane in planes_of(coded_picture(image, name)))
    wide, high = luma.shape[1] // red.shape[1], luma.shape[0] // red.shape[0]
    usual, step = red[0, 0], 2 ** (depth_of(name) - 8)
    # A column of its own has half the weight where columns are halved, a row half where rows are.
    pixel = {(1, 1): 1, (2, 1): 2, (2, 2): 4}[wide, high]
    assert abs((red[4 // high, 6 // wide] - usual) * pixel - 112 * step) <= pixel
    assert np.count_nonzero(red != usual) == 1
    image = flat((128, 128, 128))
    image[4, 7] = (255, 0, 0)
    red = planes_of(coded_picture(image, name))[2].astype(int)
    assert np.count_nonzero(red != usual) == (2 if wide == 2 else 1)  # seen from both sides


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(FORMATS), width=st.integers(1, 20), height=st.integers(1, 20), seed=st.integers(0, 99))
def test_any_size_is_filled_to_its_edges(name: str, width: int, height: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (2 * height, 2 * width, 3), np.uint8)
    frame = coded_picture(image, name)
    turned = coded_picture(image[::-1], name)
    for plane, other in zip(planes_of(frame), planes_of(turned), strict=True):
        # Sums taken in another order may round to the other side.
        assert np.abs(plane.astype(int) - other[::-1]).max() <= 1


@pytest.mark.parametrize("name", FORMATS)
def test_every_picture_is_tagged(name: str) -> None:
    frame = coded_picture(flat((1, 2, 3)), name)
    is_yuv = name in YUV
    assert (frame.colorspace, frame.color_range) == ((1, 1) if is_yuv else (0, 2))
    assert (frame.color_primaries, frame.color_trc) == (1, 1)
