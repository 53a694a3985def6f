"""Folders of pictures: what is checked before the first is painted, their times, and their transparency."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_folder, picture, write_raw

from vidstyle.errors import SourceError
from vidstyle.media.read.frame_folder import FrameFolderSource
from vidstyle.media.read.open_source import open_source
from vidstyle.media.timestamps import TIMESTAMPS_NAME

NAMES = ["f1.png", "f2.png", "f10.png"]


def with_alpha(path: Path, index: int, alpha: np.ndarray) -> None:
    write_raw(path, np.dstack([picture(index)[..., ::-1], alpha]))


def times(folder: Path, *rows: str) -> Path:
    (folder / TIMESTAMPS_NAME).write_text("\n".join(["file,seconds", *rows]) + "\n")
    return folder


def test_times_of_a_folder(tmp_path: Path) -> None:
    folder = times(make_folder(tmp_path / "f", NAMES), "f1.png,5", "f2.png,5.04", "f10.png,6001/1000")
    with open_source(folder) as source:
        assert source.is_timed
        assert source.info.time_base == Fraction(1, 1000)
        assert source.info.rate == Fraction(2000, 1001)
        assert source.first_pts == 5000
        assert [(frame.pts, frame.name) for frame in source] == [(5000, "f1"), (5040, "f2"), (6001, "f10")]
        assert source.file_names([5040, 6001], ".jpg") == ["f2.jpg", "f10.jpg"]
        assert source.notes == []


def test_times_and_ranges(tmp_path: Path) -> None:
    folder = times(make_folder(tmp_path / "f", NAMES), "f1.png,0", "f2.png,1", "f10.png,3")
    with open_source(folder, frames=(1, 3)) as source:
        assert [(frame.index, frame.pts) for frame in source] == [(1, 1), (2, 3)]
    with open_source(folder / "f%d.png", frames=(1, 2)) as source:
        assert [frame.pts for frame in source] == [1]


def test_a_rate_that_is_asked_for_wins_and_says_so(tmp_path: Path) -> None:
    folder = times(make_folder(tmp_path / "f", NAMES), "f1.png,0", "f2.png,1", "f10.png,3")
    with open_source(folder, fps=Fraction(10)) as source:
        assert [frame.pts * frame.time_base for frame in source] == [0, Fraction(1, 10), Fraction(1, 5)]
        assert not source.is_timed
        assert f"{folder / TIMESTAMPS_NAME}: not used, since --fps gives the times" in source.notes


def test_times_belong_to_what_is_fingerprinted(tmp_path: Path) -> None:
    folder = times(make_folder(tmp_path / "f", NAMES), "f1.png,0", "f2.png,1", "f10.png,3")
    with open_source(folder) as source:
        assert isinstance(source, FrameFolderSource)
        assert [file.name for file in source.files] == [*NAMES, TIMESTAMPS_NAME]
    with open_source(folder, fps=Fraction(25)) as source:
        assert isinstance(source, FrameFolderSource)
        assert [file.name for file in source.files] == NAMES


def test_wrong_times_are_said_when_the_folder_is_opened(tmp_path: Path) -> None:
    folder = times(make_folder(tmp_path / "f", NAMES), "f1.png,0", "f2.png,1", "f3.png,2")
    with pytest.raises(SourceError, match=r"timestamps\.csv, line 4: there is no picture f3\.png"):
        open_source(folder)


def test_alpha_comes_with_its_frame(tmp_path: Path) -> None:
    alpha = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
    folder = make_folder(tmp_path / "f", NAMES)
    with_alpha(folder / "f2.png", 1, alpha)
    with open_source(folder) as source:
        first, second, third = source
        assert source.is_transparent
    assert first.alpha is None
    assert third.alpha is None
    assert second.alpha is not None
    assert np.array_equal(second.alpha, alpha)
    with open_source(folder, largest_side_px=32) as source:
        small = list(source)[1]
    assert small.alpha is not None
    assert np.array_equal(small.alpha, cv2.resize(alpha, (32, 24), interpolation=cv2.INTER_AREA))


def test_a_layer_of_alpha_that_is_opaque_throughout_is_not_transparent(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", NAMES)
    with_alpha(folder / "f2.png", 1, np.full((48, 64), 255, np.uint8))
    with open_source(folder) as source:
        assert next(source).alpha is None
        assert next(source).alpha is not None
        assert not source.is_transparent


def test_other_depths_and_colors_are_said_once(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", ["f1.png", "f4.png"])
    (folder / "f2.png").write_bytes(cv2.imencode(".png", picture(1)[..., ::-1].astype(np.uint16) * 257)[1].tobytes())
    write_raw(folder / "f3.png", picture(2)[..., 0])
    with open_source(folder) as source:
        frames = list(source)
        assert source.notes == ["f2.png: 16-bit color, while f1.png is 8-bit color; each frame is converted by itself"]
    assert np.array_equal(frames[1].image, picture(1))
    assert np.array_equal(frames[2].image[..., 2], picture(2)[..., 0])


def test_pictures_that_are_not_read_are_said(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", NAMES)
    (folder / "f3.exr").write_bytes(b"\x76\x2f\x31\x01")
    with open_source(folder) as source:
        assert f"{folder}: 1 files such as f3.exr are not read, and left out" in source.notes


@pytest.mark.parametrize(("name", "what"), [("a.exr", "OpenEXR"), ("a.HEIC", "HEIC"), ("a.cr2", "camera raw")])
def test_formats_that_are_known_and_not_read(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / name).write_bytes(b"\x76\x2f\x31\x01 whatever")
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(SourceError, match=rf"{name}: {what} is not read here; convert it to 16-bit PNG or TIFF"):
            open_source(path)


def test_avif_frames(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    for k in range(2):
        (folder / f"{k}.avif").write_bytes(cv2.imencode(".avif", picture(k)[..., ::-1])[1].tobytes())
    with open_source(folder) as source:
        for k, frame in enumerate(source):
            assert np.abs(frame.image.astype(int) - picture(k)).mean() < 3
