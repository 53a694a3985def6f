"""Every input that is none, each with its own message."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_sound, make_video, picture, write_raw

from vidstyle.errors import SourceError
from vidstyle.media.read.open_source import open_source


def _missing(folder: Path) -> Path:
    return folder / "none.mp4"


def _empty(folder: Path) -> Path:
    (folder / "a.mp4").touch()
    return folder / "a.mp4"


def _no_images(folder: Path) -> Path:
    (folder / "a.txt").write_text("x")
    return folder


def _garbage(folder: Path) -> Path:
    (folder / "a.mp4").write_bytes(np.random.default_rng(0).integers(0, 255, 5000, np.uint8).tobytes())
    return folder / "a.mp4"


def _text(folder: Path) -> Path:
    (folder / "a.txt").write_text("some text\n" * 50)
    return folder / "a.txt"


def _playlist(folder: Path) -> Path:
    clip = make_video(folder / "b.mp4")
    (folder / "a.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip.name}\n#EXT-X-ENDLIST\n")
    return folder / "a.m3u8"


def _picture_as_video(folder: Path) -> Path:
    return write_raw(folder / "a.png", picture(0)).rename(folder / "a.mp4")


def _sound(folder: Path) -> Path:
    return make_sound(folder / "a.m4a")


def _covered_sound(folder: Path) -> Path:
    return make_sound(folder / "a.mp4", cover=True)


def _small(folder: Path) -> Path:
    return make_video(folder / "a.mkv", size=(64, 14))


def _small_still(folder: Path) -> Path:
    return write_raw(folder / "a.png", picture(0, (15, 64)))


def _undecodable(folder: Path) -> Path:
    path = make_video(folder / "a.mp4", codec="mpeg4", options={"g": "1"})
    with av.open(str(path)) as container:
        places = [(e.pos, e.size) for e in container.streams.video[0].index_entries]
    data = bytearray(path.read_bytes())
    for pos, size in places:
        data[pos : pos + size] = b"\x55" * size
    path.write_bytes(bytes(data))
    return path


def _no_moov(folder: Path) -> Path:
    path = make_video(folder / "a.mp4", frames=25, size=(128, 96))
    path.write_bytes(path.read_bytes()[:-600])
    return path


BAD = [
    (_missing, "no such file"),
    (_empty, "empty"),
    (_no_images, "no image in this folder"),
    (_garbage, "not a video that can be read"),
    (_text, "not a video"),
    (_playlist, "not a video"),
    (_picture_as_video, "not a video"),
    (_sound, "holds sound but no video"),
    (_covered_sound, "holds sound but no video"),
    (_small, r"too small \(64x14 pixels; at least 16"),
    (_small_still, r"too small \(15x64 pixels; at least 16"),
    (_undecodable, "frame"),
    (_no_moov, "cut off before its index"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
@pytest.mark.parametrize("keep_going", [False, True])
def test_bad_input_has_its_own_message(
    tmp_path: Path, make: Callable[[Path], Path], message: str, keep_going: bool
) -> None:
    path = make(tmp_path)
    with pytest.raises(SourceError, match=message) as caught:
        open_source(path, keep_going=keep_going)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("name", ["-", "http://example.org/a.mp4", "https://example.org/a.mp4", "rtsp://x/y"])
def test_pipes_and_addresses(name: str) -> None:
    with pytest.raises(SourceError, match="pipes and addresses"):
        open_source(Path(name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_named_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        open_source(tmp_path / "pipe")
