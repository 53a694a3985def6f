"""Display matrices: turned and mirrored pictures stand upright."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from clips import picture
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.read.geometry import Orientation, from_matrix
from vidstyle.media.read.open_source import open_source

ONE = 1 << 16


def _matrix(a: float, b: float, c: float, d: float) -> tuple[int, ...]:
    return (round(a * ONE), round(b * ONE), 0, round(c * ONE), round(d * ONE), 0, 0, 0, 1 << 30)


@given(st.sampled_from([-1, 1]), st.sampled_from([-1, 1]), st.booleans(), st.integers(1, 5), st.integers(1, 5))
def test_points_go_where_the_matrix_sends_them(
    right: int, down: int, transposed: bool, width: int, height: int
) -> None:
    matrix = _matrix(0, down, right, 0) if transposed else _matrix(right, 0, 0, down)
    stored = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    shown = from_matrix(matrix).upright(stored)
    a, b, _, c, d = (value // ONE for value in matrix[:5])
    for q in range(height):
        for p in range(width):
            x, y = a * p + c * q, b * p + d * q
            # What comes out left of or above the corner is moved into view.
            x += shown.shape[1] - 1 if right < 0 else 0
            y += shown.shape[0] - 1 if down < 0 else 0
            assert np.array_equal(shown[y, x], stored[q, p])


@given(st.floats(-180, 180), st.floats(0.1, 4))
def test_odd_angles_go_to_the_nearest_quarter_and_are_told(degrees: float, scale: float) -> None:
    cos, sin = (scale * f(math.radians(degrees)) for f in (math.cos, math.sin))
    found = from_matrix(_matrix(cos, sin, -sin, cos))
    off = abs(degrees - 90 * round(degrees / 90))
    if 1.1 < off < 44.9:
        assert found.askew_degrees == pytest.approx(off, abs=0.1)
        exact = from_matrix(_matrix(*(round(f(math.radians(90 * round(degrees / 90)))) for f in
                                      (math.cos, math.sin, lambda x: -math.sin(x), math.cos))))  # fmt: skip
        assert (found.transposed, found.mirrored, found.flipped) == (exact.transposed, exact.mirrored, exact.flipped)
    elif off < 0.9:
        assert found.askew_degrees == 0


@pytest.mark.parametrize("matrix", [(0,) * 9, _matrix(1, 0, 0, 0), _matrix(1, 1, 1, 1)])
def test_matrices_without_sense_do_nothing(matrix: tuple[int, ...]) -> None:
    assert from_matrix(matrix) == Orientation()


TURNS: dict[tuple[float, bool, bool], Callable[[np.ndarray], np.ndarray]] = {
    (0, True, False): lambda image: image[:, ::-1],
    (0, False, True): lambda image: image[::-1],
    (90, False, False): lambda image: np.rot90(image, 1),
    (180, False, False): lambda image: np.rot90(image, 2),
    (-90, False, False): lambda image: np.rot90(image, 3),
    (30, False, False): lambda image: image,
    (75, False, False): lambda image: np.rot90(image, 1),
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_video_comes_upright(tmp_path: Path, turn: tuple[float, bool, bool], suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        frame = av.VideoFrame.from_ndarray(picture(3), "rgb24").reformat(format="yuv444p")
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    want = TURNS[turn](picture(3))
    with open_source(path) as source:
        image = next(source).image
        assert image.shape[:2] == want.shape[:2] == (source.info.height, source.info.width)
        assert image.flags.c_contiguous
        list(source)
        notes = source.notes
    if suffix == ".mkv" and turn[0] % 90:
        return  # Matroska has its own way to write angles
    assert np.abs(image.astype(int) - want).mean() < 3
    assert bool(notes) == bool(turn[0] % 90)
