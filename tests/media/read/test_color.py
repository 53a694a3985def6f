"""Pictures of all formats to RGB, against the formulas of H.273."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_video

from vidstyle.media.read.color import to_rgb
from vidstyle.media.read.open_source import open_source

# H.273's KR and KB by matrix code.
MATRICES = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087),
            9: (0.2627, 0.0593)}  # fmt: skip
# Bits, and how many columns and rows share a chroma sample.
FORMATS = {
    "yuv420p": (8, 2, 2), "yuv422p": (8, 2, 1), "yuv444p": (8, 1, 1), "yuv411p": (8, 4, 1), "yuv440p": (8, 1, 2),
    "yuv420p10le": (10, 2, 2), "yuv422p10le": (10, 2, 1), "yuv444p10le": (10, 1, 1), "yuv420p12le": (12, 2, 2),
    "yuv444p12le": (12, 1, 1),
}  # fmt: skip
WIDTH, HEIGHT = 160, 96


def _gradients(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Luma and chroma at places of 0 to 1, on the scale of 8 bits; within limited and full range."""
    return 50 + 120 * x, 128 + 30 * (x - 0.5) + 24 * (y - 0.5), 128 - 20 * (x - 0.5) + 36 * (y - 0.5)


def _yuv_frame(name: str) -> av.VideoFrame:
    bits, columns, rows = FORMATS[name]
    frame = av.VideoFrame(WIDTH, HEIGHT, name)
    for number, plane in enumerate(frame.planes):
        across, down = (columns, rows) if number else (1, 1)
        # On the left of the columns that share it, between the rows: where untagged chroma lies.
        x = np.arange(plane.width) * across / (WIDTH - 1)
        y = (np.arange(plane.height) * down + (down - 1) / 2) / (HEIGHT - 1)
        values = np.rint(_gradients(*np.meshgrid(x, y))[number] * (1 << (bits - 8)))
        dtype = np.dtype("<u2" if bits > 8 else np.uint8)
        padded = np.zeros((plane.height, plane.line_size // dtype.itemsize), dtype)
        padded[:, : plane.width] = values
        plane.update(padded.tobytes())
    return frame


def _exact(bits: int, kr: float, kb: float, full: bool) -> np.ndarray:
    y, cb, cr = _gradients(*np.meshgrid(np.arange(WIDTH) / (WIDTH - 1), np.arange(HEIGHT) / (HEIGHT - 1)))
    peak = ((1 << bits) - 1) / (1 << (bits - 8))
    luma, blue, red = (y / peak, (cb - 128) / peak, (cr - 128) / peak) if full else (
        (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224)  # fmt: skip
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    return 255 * np.clip(np.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b], axis=-1), 0, 1)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("name", FORMATS)
def test_yuv_by_the_formula(name: str, matrix: int, full: bool) -> None:
    frame = _yuv_frame(name)
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    error = to_rgb(frame, WIDTH, HEIGHT) - _exact(FORMATS[name][0], *MATRICES[matrix], full)
    assert np.abs(error).mean() < 0.6
    # swscale takes 4:1:1 to lie between the columns, which nothing in a frame can say otherwise.
    assert np.abs(error.mean((0, 1))).max() < (0.7 if name == "yuv411p" else 0.5)
    assert np.abs(error).max() < 3


@pytest.mark.parametrize(
    ("size", "primaries", "matrix"),
    [((720, 576), 2, 6), ((720, 480), 2, 6), ((1280, 534), 2, 1), ((1920, 1080), 2, 1), ((720, 1280), 2, 1),
     ((64, 48), 9, 9), ((64, 48), 1, 1), ((1920, 1080), 5, 6)],
)  # fmt: skip
def test_what_untagged_pictures_are_taken_for(size: tuple[int, int], primaries: int, matrix: int) -> None:
    frame = av.VideoFrame(*size, "yuv444p")
    for plane, value in zip(frame.planes, (120, 100, 160), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.color_primaries = primaries
    untagged = to_rgb(frame, 16, 16)
    frame.colorspace, frame.color_range = matrix, 1
    assert np.array_equal(to_rgb(frame, 16, 16), untagged)


RGB_FORMATS = ["rgb24", "bgr24", "rgba", "bgra", "argb", "gbrp", "gbrp10le", "gbrp12le", "gbrap", "gbrap12le",
               "rgb48le", "rgba64le"]  # fmt: skip


@pytest.mark.parametrize("name", RGB_FORMATS)
def test_rgb_is_taken_as_it_is(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=name)
    assert np.array_equal(to_rgb(frame, 64, 48), image)


@pytest.mark.parametrize(("color_range", "want"), [(0, [16, 235]), (1, [0, 255]), (2, [16, 235])])
def test_gray_has_the_full_range_unless_it_says_otherwise(color_range: int, want: list[int]) -> None:
    image = np.full((48, 64), 16, np.uint8)
    image[:, 32:] = 235
    frame = av.VideoFrame.from_ndarray(image, "gray")
    frame.color_range = color_range
    assert to_rgb(frame, 64, 48)[10, [10, 50]].tolist() == [[value] * 3 for value in want]


@pytest.mark.parametrize("name", ["rgba", "gbrap", "yuva444p"])
def test_transparent_parts_show_the_background(name: str) -> None:
    rgba = np.full((48, 64, 4), (200, 100, 50, 255), np.uint8)
    rgba[:, 20:40, 3], rgba[:, 40:, 3] = 128, 0
    frame = av.VideoFrame.from_ndarray(rgba, "rgba")
    if name != "rgba":
        frame = frame.reformat(format=name, dst_colorspace=5, dst_color_range=1 if name[0] == "y" else 2)
    for background in (0, 255):
        shown = to_rgb(frame, 64, 48, background=background)[24, [10, 30, 50]].astype(int)
        half = (np.array([200, 100, 50]) * 128 + background * 127) / 255
        assert np.abs(shown - [[200, 100, 50], half, [background] * 3]).max() < 1.2


@pytest.mark.parametrize(("location", "shift_px"), [(0, 0.0), (1, -0.5), (2, 0.0)])
def test_chroma_lies_where_the_file_says(tmp_path: Path, location: int, shift_px: float) -> None:
    """A ramp of Cb whose samples stand for the left of their columns; 1 says that they lie between them."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        options = {"qp": "0", "preset": "ultrafast", "x264-params": f"chromaloc={location}"}
        stream = output.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.colorspace = 1
        frame = av.VideoFrame(128, 96, "yuv420p")
        for plane, ramp in zip(
            frame.planes, (np.full(128, 120), np.arange(64) * 2 + 64, np.full(64, 128)), strict=True
        ):
            row = np.zeros(plane.line_size, np.uint8)
            row[: len(ramp)] = ramp
            plane.update(row.tobytes() * plane.height)
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with open_source(path) as source:
        blue = next(source).image[48, 48:80, 2].astype(float)
    per_px = 255 * 2 * (1 - 0.0722) / 224
    exact = (120 - 16) / 219 * 255 + per_px * (np.arange(48, 80) - 64)
    assert (blue - exact).mean() / per_px == pytest.approx(shift_px, abs=0.1)


def test_an_unknown_matrix_is_said(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", options={"x264-params": "colormatrix=YCgCo"})
    with open_source(path) as source:
        list(source)
        assert source.notes == ["a.mkv: color matrix 8 is not known here; colors may be wrong"]
