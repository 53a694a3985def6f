"""Pictures come turned, mirrored and cropped as their file asks."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_video, picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidstyle.media.read.geometry import Crop, Orientation, crop_of, from_matrix
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


LOSSLESS = {"qp": "0"}
SIDES = Crop(left=4, top=6, right=10, bottom=2)


def _grown(data: bytes, at: int, by: int) -> bytes:
    """Changes the EBML size that stands at `at`."""
    length = 9 - data[at].bit_length()
    return (
        data[:at] + (int.from_bytes(data[at : at + length], "big") + by).to_bytes(length, "big") + data[at + length :]
    )


def _matroska(path: Path, crop: Crop) -> Path:
    """Adds PixelCrop elements to the first video track and takes the room from the Void in front of it."""
    data = make_video(path, options=LOSSLESS).read_bytes()
    sides = {0xAA: crop.bottom, 0xBB: crop.top, 0xCC: crop.left, 0xDD: crop.right}
    new = b"".join(bytes([0x54, name, 0x81, side]) for name, side in sides.items())
    void = data.index(b"\xec\x01\x00")
    tracks = data.index(b"\x16\x54\xae\x6b", void)
    entry = data.index(b"\xae\x01\x00", tracks + 4)
    video = data.index(b"\xe0", data.index(b"V_MPEG4", entry))
    for at in (video + 1, entry + 1, tracks + 4):
        data = _grown(data, at, len(new))
    body = video + 1 + 9 - data[video + 1].bit_length()
    data = _grown(data[:body] + new + data[body:], void + 1, -len(new))
    path.write_bytes(data[: void + 9] + data[void + 9 + len(new) :])
    return path


def _mp4(path: Path, crop: Crop) -> Path:
    """Adds a clean aperture to the sample description; the index lies at the end, so that no frame moves."""
    data = make_video(path, options=LOSSLESS).read_bytes()
    wide, high = crop.size(64, 48)
    across, down = crop.left - crop.right, crop.top - crop.bottom
    clap = struct.pack(">I4s8i", 40, b"clap", wide, 1, high, 1, across, 2, down, 2)
    at = 0
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = data.index(name, at)
        size = int.from_bytes(data[at - 4 : at], "big")
        data = data[: at - 4] + (size + len(clap)).to_bytes(4, "big") + data[at:]
    end = at - 4 + size
    path.write_bytes(data[:end] + clap + data[end:])
    return path


MAKERS = {".mkv": _matroska, ".mp4": _mp4, ".mov": _mp4}


@pytest.mark.parametrize("suffix", MAKERS)
def test_what_is_cropped_is_not_there(tmp_path: Path, suffix: str) -> None:
    path = MAKERS[suffix](tmp_path / f"a{suffix}", SIDES)
    with open_source(path) as source:
        frames = list(source)
        assert (source.info.width, source.info.height) == (50, 40)
        assert source.info.sample_aspect_ratio == 1
        assert source.notes == []
    assert len(frames) == 12
    for number, frame in enumerate(frames):
        assert frame.image.shape == (40, 50, 3)
        assert frame.image.flags.c_contiguous
        assert np.abs(frame.image.astype(int) - picture(number)[6:46, 4:54]).mean() < 2
    with open_source(path, largest_side_px=25) as source:
        height, width = next(source).image.shape[:2]
        assert max(width, height) <= 25
        assert width / height == pytest.approx(50 / 40, rel=0.1)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("crop", [Crop(40, 0, 30, 0), Crop(-2, 0, 0, 0)])
def test_a_crop_that_leaves_nothing_or_adds_something_is_none(tmp_path: Path, suffix: str, crop: Crop) -> None:
    with open_source(MAKERS[suffix](tmp_path / f"a{suffix}", crop)) as source:
        assert (source.info.width, source.info.height) == (64, 48)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A cropped file of each kind, by FFmpeg's name of the container."""
    folder = tmp_path_factory.mktemp("whole")
    return {
        "matroska,webm": _matroska(folder / "a.mkv", SIDES).read_bytes(),
        "mov,mp4,m4a,3gp,3g2,mj2": _mp4(folder / "a.mp4", SIDES).read_bytes(),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=300), place=st.integers(0, 2000), from_end=st.booleans(), is_mp4=st.booleans())
def test_rubbish_in_the_header_does_no_harm(
    tmp_path: Path, whole: dict[str, bytes], data: bytes, place: int, from_end: bool, is_mp4: bool
) -> None:
    name = sorted(whole)[is_mp4]
    content = whole[name]
    at = max(len(content) - place, 0) if from_end else place
    path = tmp_path / "a"
    path.write_bytes(content[:at] + data + content[at + len(data) :])
    assert crop_of(path, name, 0, 64, 48).fits(64, 48)
