"""Animated PNG, composed as FFmpeg and browsers do, with exact times."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidstyle.errors import SourceError, VidstyleError
from vidstyle.frames import Frame
from vidstyle.media.read.apng import AnimatedPng
from vidstyle.media.read.open_source import open_source

RNG = np.random.default_rng(3)


@dataclass
class Part:
    """One frame to be written: `(H, W, 3 or 4)`, uint8 or uint16."""

    pixels: np.ndarray
    left: int = 0
    top: int = 0
    delay: tuple[int, int] = (1, 25)
    disposal: int = 0
    blend: int = 0


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def written(path: Path, parts: list[Part], *extra: tuple[bytes, bytes]) -> Path:
    """The first part has the size of the whole."""
    height, width, layers = parts[0].pixels.shape
    bits = parts[0].pixels.itemsize * 8
    data = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, {3: 2, 4: 6}[layers], 0, 0, 0))
    data += b"".join(chunk(*pair) for pair in extra) + chunk(b"acTL", struct.pack(">II", len(parts), 0))
    number = 0
    for part in parts:
        height, width = part.pixels.shape[:2]
        how = (*part.delay, part.disposal, part.blend)
        data += chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, part.left, part.top, *how))
        rows = part.pixels.astype(">u2" if bits == 16 else np.uint8)
        body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
        data += chunk(b"fdAT", struct.pack(">I", number + 1) + body) if number else chunk(b"IDAT", body)
        number += 2 if number else 1
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b""))
    return path


def frames_of(path: Path) -> list[Frame]:
    with open_source(path) as source:
        return list(source)


def noise(height: int = 40, width: int = 48, layers: int = 4) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, layers), dtype=np.uint8)


@pytest.mark.parametrize(("disposal", "blend"), list(product((0, 1, 2), (0, 1))))
def test_frames_are_composed_as_ffmpeg_does(tmp_path: Path, disposal: int, blend: int) -> None:
    parts = [Part(noise(), disposal=disposal, blend=blend)]
    parts += [Part(noise(20, 24), 4 * k, 3 * k, disposal=disposal, blend=blend) for k in range(4)]
    path = written(tmp_path / "a.png", parts)
    with av.open(str(path)) as container:
        wanted = [frame.to_ndarray(format="rgba").astype(int) for frame in container.decode(video=0)]
    got = frames_of(path)
    assert len(got) == len(wanted) == 5
    for frame, want in zip(got, wanted, strict=True):
        assert frame.alpha is not None
        assert np.abs(frame.alpha - want[..., 3]).max() <= 1
        clear = want[..., 3] > 128
        # FFmpeg rounds down, four times over.
        assert np.abs(frame.image - want[..., :3])[clear].max() <= 4


def test_what_is_disposed_of_comes_back(tmp_path: Path) -> None:
    ground, patch = noise(), noise(20, 20)
    ground[..., 3], patch[..., 3] = 255, 255
    late = Part(patch[:16, :16], 30, 20)
    back = frames_of(written(tmp_path / "a.png", [Part(ground), Part(patch, disposal=2), late]))[2]
    want = ground.copy()
    want[20:36, 30:46] = patch[:16, :16]
    assert np.array_equal(back.image, want[..., :3])
    cleared = frames_of(written(tmp_path / "b.png", [Part(ground), Part(patch, disposal=1), late]))[2]
    assert cleared.alpha is not None
    assert (cleared.alpha == 0).sum() == 400
    assert not cleared.alpha[:20, :20].any()


def test_opaque_animations_have_no_alpha(tmp_path: Path) -> None:
    first, second = noise(layers=3), noise(layers=3)
    frames = frames_of(written(tmp_path / "a.png", [Part(first), Part(second)]))
    assert [frame.alpha for frame in frames] == [None, None]
    assert np.array_equal(frames[1].image, second)


def test_16_bits_are_rounded(tmp_path: Path) -> None:
    deep = RNG.integers(0, 65536, (32, 32, 3), dtype=np.uint16)
    frames = frames_of(written(tmp_path / "a.png", [Part(deep), Part(deep[::-1])]))
    assert np.array_equal(frames[0].image, np.rint(deep / 257))
    assert np.array_equal(frames[1].image, np.rint(deep[::-1] / 257))


@pytest.mark.parametrize("delay", [(1, 30), (1001, 24000), (1, 0), (7, 1000)])
def test_times_do_not_drift(tmp_path: Path, delay: tuple[int, int]) -> None:
    path = written(tmp_path / "a.png", [Part(np.zeros((16, 16, 3), np.uint8), delay=delay)] * 91)
    step_s = Fraction(delay[0], delay[1] or 100)
    with open_source(path) as source:
        frames = list(source)
        assert source.info.rate == 1 / step_s
        assert source.info.last_duration_s == step_s
    assert [frame.pts * frame.time_base for frame in frames] == [k * step_s for k in range(91)]


def test_a_wrong_number_of_frames_is_not_believed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", [Part(noise()), Part(noise())])
    path.write_bytes(path.read_bytes().replace(chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"acTL", b"\x7f" * 8)))
    assert len(frames_of(path)) == 2


@pytest.mark.parametrize("part", [Part(noise(20, 20), left=40), Part(noise(20, 20), top=1 << 31)])
def test_frames_beside_the_picture_are_refused(tmp_path: Path, part: Part) -> None:
    with pytest.raises(SourceError, match=r"a\.png: the animation is damaged"):
        frames_of(written(tmp_path / "a.png", [Part(noise()), part]))


def test_a_huge_size_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", [Part(noise()), Part(noise())])
    path.write_bytes(path.read_bytes().replace(struct.pack(">II", 48, 40), struct.pack(">II", 1 << 31, 1 << 31), 1))
    with path.open("rb") as file, pytest.raises(SourceError, match="too large"):
        AnimatedPng(file, path)


def test_damaged_data_is_found(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", [Part(noise()), Part(noise())])
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.png: the animation is damaged.* \(frame 1, 0\.040 s; --keep-going"):
        frames_of(path)


def test_gray_and_palettes(tmp_path: Path) -> None:
    for mode in ("L", "P", "1"):
        pictures = [Image.fromarray(noise(layers=3)).convert(mode) for _ in range(3)]
        pictures[0].save(tmp_path / "a.png", save_all=True, append_images=pictures[1:], duration=100)
        for frame, want in zip(frames_of(tmp_path / "a.png"), pictures, strict=True):
            assert np.array_equal(frame.image, np.asarray(want.convert("RGB"))), mode


@given(st.binary(min_size=1, max_size=40), st.integers(8, 1500))
def test_damage_never_escapes_as_anything_else(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.png"
    parts = [Part(np.zeros((16, 16, 4), np.uint8)), Part(np.zeros((8, 8, 4), np.uint8), disposal=2, blend=1)]
    data = bytearray(written(path, parts).read_bytes())
    at = 33 + at % (len(data) - 33)  # behind the size of the whole
    data[at : at + len(noise)] = noise
    path.write_bytes(data)
    try:
        with path.open("rb") as file:
            pictures = AnimatedPng(file, path)
            for index in range(min(pictures.count, 4)):
                pictures.load(index)
                assert pictures.layers()[0].size[0] > 0
    except VidstyleError:
        pass
