"""Animated WebP, PNG and AVIF as clips; PNG composed as FFmpeg and browsers do, with exact times."""

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
from clips import cut, level, picture, write_raw
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidstyle.errors import DamagedSourceError, SettingsError, SourceError, VidstyleError
from vidstyle.frames import Frame
from vidstyle.media.read.animated_picture import AnimatedPictureSource, AnimatedPng, is_animated
from vidstyle.media.read.open_source import open_source

DURATIONS_MS = [40, 80, 120, 33, 100, 20]
STARTS_MS = [0, 40, 120, 240, 273, 373]
EXACT = [".webp", ".png", ".apng"]


def animated(path: Path, alpha: np.ndarray | None = None, count: int = 6) -> Path:
    layers = [picture(k) if alpha is None else np.dstack([picture(k), np.roll(alpha, k)]) for k in range(count)]
    first, *others = [Image.fromarray(layer) for layer in layers]
    options = {"lossless": True, "exact": True} if path.suffix == ".webp" else {}
    kind = "PNG" if path.suffix == ".apng" else None
    first.save(path, kind, save_all=True, append_images=others, duration=DURATIONS_MS[:count], **options)
    return path


def frames_of(path: Path, **options: object) -> list[Frame]:
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        assert isinstance(source, AnimatedPictureSource)
        return list(source)


@pytest.mark.parametrize("suffix", [*EXACT, ".avif"])
def test_every_frame_at_its_own_time(tmp_path: Path, suffix: str) -> None:
    with open_source(animated(tmp_path / f"a{suffix}")) as source:
        assert source.info.kind == "animation"
        assert (source.info.width, source.info.height, source.info.frame_count) == (64, 48, 6)
        assert source.info.rate == Fraction(6 * 1000, 393)
        assert source.info.last_duration_s == Fraction(20, 1000)
        frames = list(source)
        assert source.notes == []
        assert next(source, None) is None
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.pts for frame in frames] == STARTS_MS
    assert {frame.time_base for frame in frames} == {Fraction(1, 1000)}
    assert [level(frame.image) for frame in frames] == list(range(6))
    if suffix in EXACT:
        assert all(np.array_equal(frame.image, picture(frame.index)) for frame in frames)


@pytest.mark.parametrize("suffix", EXACT)
def test_ranges_and_skipping_keep_the_times(tmp_path: Path, suffix: str) -> None:
    path = animated(tmp_path / f"a{suffix}")
    assert [(f.index, f.pts, level(f.image)) for f in frames_of(path, frames=(2, 4))] == [(2, 120, 2), (3, 240, 3)]
    with open_source(path) as source:
        source.skip()
        source.skip()
        assert next(source).pts == 120
    with pytest.raises(SourceError, match=r"has 6 frames \(0 to 5\), so none from 6 on"):
        open_source(path, frames=(6, None))


@pytest.mark.parametrize("suffix", EXACT)
def test_alpha_is_read(tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[10:30, 10:50] = 255
    with open_source(animated(tmp_path / f"a{suffix}", alpha)) as source:
        frames = list(source)
        assert source.is_transparent
    for frame in frames:
        want = np.roll(alpha, frame.index)
        assert frame.alpha is not None
        assert np.array_equal(frame.alpha, want)
        assert np.array_equal(frame.image[want > 0], picture(frame.index)[want > 0])


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_turned_as_exif_says(tmp_path: Path, suffix: str) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    frames = [Image.fromarray(picture(k)) for k in range(3)]
    options = {"lossless": True} if suffix == ".webp" else {}
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], duration=90, exif=tags, **options)
    with open_source(tmp_path / f"a{suffix}") as source:
        assert (source.info.width, source.info.height) == (48, 64)
        for frame in source:
            assert np.array_equal(frame.image, np.rot90(picture(frame.index), 3))


def test_frames_for_an_analysis_are_small(tmp_path: Path) -> None:
    assert frames_of(animated(tmp_path / "a.webp"), largest_side_px=32)[0].image.shape == (24, 32, 3)


def test_a_still_that_stands_before_the_first_frame_does_not_count(tmp_path: Path) -> None:
    frames = [Image.fromarray(picture(k)) for k in range(3)]
    frames[2].save(tmp_path / "a.png", save_all=True, append_images=frames[:2], default_image=True, duration=[40, 60])
    assert [(f.pts, level(f.image)) for f in frames_of(tmp_path / "a.png")] == [(0, 0), (40, 1)]


def test_a_frame_without_a_duration_is_shown_as_browsers_do(tmp_path: Path) -> None:
    first, second = (Image.fromarray(picture(k)) for k in range(2))
    first.save(tmp_path / "a.png", save_all=True, append_images=[second], duration=[0, 0])
    assert [f.pts for f in frames_of(tmp_path / "a.png")] == [0, 100]


def test_stills_are_not_animated(tmp_path: Path) -> None:
    for suffix in (".webp", ".png", ".jpg", ".avif"):
        path = write_raw(tmp_path / f"a{suffix}", picture(0))
        assert not is_animated(path)
        with open_source(path) as source:
            assert source.info.kind == "still"


def test_damage(tmp_path: Path) -> None:
    path = cut(animated(tmp_path / "a.png"), 0.7)
    with pytest.raises(DamagedSourceError, match=r"a\.png: cut off.* \(frame \d, 0\.\d{3} s; --keep-going"):
        frames_of(path)
    with open_source(path, keep_going=True) as source:
        frames = list(source)
        assert 0 < len(frames) < 6
        assert [level(frame.image) for frame in frames] == list(range(len(frames)))
        assert len(source.notes) == 1
        assert "and what follows are missing" in source.notes[0]
    webp = cut(animated(tmp_path / "b.webp"), 0.5)
    for path in (webp, cut(animated(tmp_path / "c.avif"), 0.9)):
        with pytest.raises(SourceError, match=f"{path.name}: the picture is cut off"), open_source(path):
            pass


def test_what_does_not_fit(tmp_path: Path) -> None:
    path = animated(tmp_path / "a.webp")
    with pytest.raises(SettingsError, match="has its own timing"):
        open_source(path, fps=Fraction(25))
    for suffix in (".webp", ".apng"):
        with pytest.raises(SettingsError, match=r"stream: .* holds pictures"):
            open_source(animated(tmp_path / f"c{suffix}"), stream=7)
    first, second = (Image.fromarray(picture(k, (15, 40))) for k in range(2))
    first.save(tmp_path / "b.webp", save_all=True, append_images=[second])
    with pytest.raises(SourceError, match=r"too small \(15x40"):
        open_source(tmp_path / "b.webp")


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


def noise(height: int = 40, width: int = 48, layers: int = 4) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, layers), dtype=np.uint8)


@pytest.mark.parametrize(("disposal", "blend"), list(product((0, 1, 2), (0, 1))))
def test_frames_are_composed_as_ffmpeg_does(tmp_path: Path, disposal: int, blend: int) -> None:
    parts = [Part(noise(), disposal=disposal, blend=blend)]
    parts += [Part(noise(20, 24), 4 * k, 3 * k, disposal=disposal, blend=blend) for k in range(4)]
    path = written(tmp_path / "a.png", parts)
    with av.open(str(path)) as container:
        expected = [frame.to_ndarray(format="rgba").astype(int) for frame in container.decode(video=0)]
    got = frames_of(path)
    assert len(got) == len(expected) == 5
    for frame, want in zip(got, expected, strict=True):
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
