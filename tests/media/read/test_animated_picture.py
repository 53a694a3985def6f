"""Animated WebP, PNG and AVIF as clips."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import cut, level, picture, write_raw
from PIL import Image

from vidstyle.errors import DamagedSourceError, SettingsError, SourceError
from vidstyle.frames import Frame
from vidstyle.media.read.animated_picture import AnimatedPictureSource, is_animated
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
def test_alpha_comes_along(tmp_path: Path, suffix: str) -> None:
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


def test_glances_are_small(tmp_path: Path) -> None:
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
