"""Every picture once, in order, at its own time, whatever holds it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import level, make_video, picture

from vidstyle.media.read.open_source import open_source

# FFmpeg's names of container and encoder by suffix; the first five have no times of their own.
CONTAINERS = {
    "h264": ("h264", "libx264"), "m2v": ("mpeg2video", "mpeg2video"), "m4v": ("m4v", "mpeg4"),
    "y4m": ("yuv4mpegpipe", "wrapped_avframe"), "ivf": ("ivf", "libvpx-vp9"), "mpg": ("mpeg", "mpeg2video"),
    "vob": ("vob", "mpeg2video"), "ts": ("mpegts", "libx264"), "flv": ("flv", "libx264"), "nut": ("nut", "libx264"),
    "wmv": ("asf", "wmv2"), "3gp": ("3gp", "libx264"), "mxf": ("mxf", "mpeg2video"), "mov": ("mov", "libx264"),
    "avi": ("avi", "mpeg4"), "webm": ("webm", "libvpx-vp9"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_every_container_gives_every_frame_at_its_time(tmp_path: Path, suffix: str) -> None:
    name, codec = CONTAINERS[suffix]
    path = tmp_path / f"a.{suffix}"
    options = {"bf": "2", "b": "8000000"} if codec in ("libx264", "mpeg2video", "mpeg4") else {}
    with av.open(str(path), "w", format=name) as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pts in range(15):
            frame = av.VideoFrame.from_ndarray(picture(pts), "rgb24").reformat(format="yuv420p")
            frame.pts = pts
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with open_source(path) as source:
        frames = list(source)
        assert source.info.rate == 25
        assert source.notes == []
    if codec != "wmv2":  # too coarse for the levels to tell
        assert [level(frame.image) for frame in frames] == list(range(15))
    first = frames[0].pts * frames[0].time_base
    assert [f.pts * f.time_base - first for f in frames] == [Fraction(number, 25) for number in range(15)]


@pytest.mark.parametrize(("suffix", "count"), [("mkv", 12), ("mp4", 9)])
def test_frames_before_zero(tmp_path: Path, suffix: str, count: int) -> None:
    """An MP4's edit list leaves out what lies before 0, in players as well."""
    path = make_video(tmp_path / f"a.{suffix}", pts=list(range(-3, 9)))
    with open_source(path) as source:
        frames = list(source)
    assert [level(frame.image) for frame in frames] == list(range(12))[-count:]
    steps = {b.pts * b.time_base - a.pts * a.time_base for a, b in pairwise(frames)}
    assert steps == {Fraction(1, 25)}


def test_a_packet_lost_before_decoding_takes_no_other_frames_time_in_avi(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", codec="mpeg4", options={"bf": "2", "b": "8000000", "g": "1"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"idx1") - 60])
    with open_source(path, keep_going=True) as source:
        frames = list(source)
    assert [level(frame.image) for frame in frames] == list(range(11))
    assert [f.pts * f.time_base for f in frames] == [Fraction(number, 25) for number in range(11)]


def test_frames_that_give_no_picture_are_told(tmp_path: Path) -> None:
    images = [np.random.default_rng(k).integers(0, 256, (96, 128, 3), np.uint8) for k in range(20)]
    options = {"x265-params": "log-level=none:pools=none:frame-threads=1"}
    path = make_video(tmp_path / "a.mp4", images=images, size=(128, 96), codec="libx265", options=options)
    with av.open(str(path)) as container:
        entry = container.streams.video[0].index_entries[8]
        place, size = entry.pos, entry.size
    data = bytearray(path.read_bytes())
    data[place : place + size] = bytes(size)
    path.write_bytes(data)
    with open_source(path, keep_going=True) as source:
        count = len(list(source))
        assert source.notes[-1].endswith(f"{count} of 20 could be decoded")
    assert count < 20
