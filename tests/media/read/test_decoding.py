"""Every picture once, in order, at its own time, whatever holds it, interlaced or not."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import level, make_video, picture, times_s

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


# Lossless, and coded as fields.
TOP_FIRST = {"x264-params": "tff=1", "qp": "0", "preset": "ultrafast"}
NOTE = "interlaced; deinterlaced with bwdif"


def _combed(count: int = 10, size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """A bar that moves between the two fields of a picture, too."""
    images = []
    for index in range(count):
        image = picture(index, size)
        for field in range(2):
            at = 4 + 4 * index + 2 * field
            image[field::2, at : at + 8, :2] = 230
        images.append(image)
    return images


def _comb(image: np.ndarray) -> float:
    """How much rows differ from the mean of their neighbors, in levels."""
    gray = image[:, :, 1].astype(float)
    return float(np.abs(gray[1:-1] - (gray[:-2] + gray[2:]) / 2).mean())


def _read(path: Path, **options: object) -> tuple[list[tuple[int, Fraction, bytes]], list[str]]:
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        frames = [(f.index, f.pts * f.time_base, f.image.tobytes()) for f in source]
        return frames, source.notes


MAKERS = {
    "h264.mp4": {"options": TOP_FIRST},
    "h264.mkv": {"options": {"x264-params": "bff=1", "qp": "0", "preset": "ultrafast", "bf": "2"}},
    "mpeg2.ts": {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme", "bf": "2", "b": "8000000"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"flags": "+ildct+ilme", "bf": "2", "b": "8000000"}},
    "prores.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "options": {"flags": "+ildct"}},
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_frame_comes_once_at_its_own_time(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, frames=15, **MAKERS[name])
    plain, plain_notes = _read(path, deinterlace=False)
    whole, notes = _read(path)
    assert [frame[:2] for frame in whole] == [frame[:2] for frame in plain]
    assert len(whole) == 15
    assert (plain_notes, notes) == ([], [f"{name}: {NOTE}"])
    if name != "mpeg4.avi":  # which has no times of its own
        assert [frame[1] for frame in whole] == times_s(path)


def test_combs_are_gone_and_pictures_stay_in_order(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", images=_combed(), options=TOP_FIRST)
    with open_source(path) as source, open_source(path, deinterlace=False) as stored:
        for frame, as_stored in zip(source, stored, strict=True):
            assert level(frame.image) == level(as_stored.image) == frame.index
            assert _comb(frame.image) < 0.4 * _comb(as_stored.image)


def test_odd_times_are_kept(tmp_path: Path) -> None:
    stamps = [7, 20, 40, 41, 900, 10_000]
    images = _combed(6)
    path = make_video(tmp_path / "a.mkv", images=images, pts=stamps, time_base=Fraction(1, 1000), options=TOP_FIRST)
    assert [time for _, time, _ in _read(path)[0]] == [Fraction(stamp, 1000) for stamp in stamps]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_clips(tmp_path: Path, count: int) -> None:
    path = make_video(tmp_path / "a.mp4", frames=count, options=TOP_FIRST)
    assert [index for index, _, _ in _read(path)[0]] == list(range(count))


def test_ranges_and_skipping_give_the_frames_of_one_pass(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", images=_combed(), options=TOP_FIRST)
    whole, _ = _read(path)
    assert _read(path, frames=(3, 7))[0] == whole[3:7]
    assert _read(path, keep_going=True)[0] == whole
    with open_source(path, frames=(2, None)) as source:
        source.skip()
        source.skip()
        frame = next(source)
        assert (frame.index, frame.image.tobytes()) == (4, whole[4][2])


def _joined(folder: Path, sizes: tuple[int, int] = (64, 64)) -> Path:
    """Progressive, interlaced, progressive pictures in one raw stream, seven each."""
    parts = []
    for number, options in enumerate([{"qp": "0"}, TOP_FIRST, {"qp": "0"}]):
        size = (sizes[number % 2], 48)
        parts.append(make_video(folder / f"{number}.h264", frames=7, size=size, options=options).read_bytes())
    path = folder / "joined.h264"
    path.write_bytes(b"".join(parts))
    return path


def test_progressive_pictures_of_a_mixed_stream_pass_untouched(tmp_path: Path) -> None:
    path = _joined(tmp_path)
    plain, whole = _read(path, deinterlace=False)[0], _read(path)[0]
    assert len(whole) == 21
    assert [a[:2] for a in whole] == [a[:2] for a in plain]
    same = [a == b for a, b in zip(whole, plain, strict=True)]
    assert all(same[:7])
    assert all(same[14:])
    assert not any(same[7:14])


def test_size_may_change_under_way(tmp_path: Path) -> None:
    frames, notes = _read(_joined(tmp_path, (64, 96)))
    assert [index for index, _, _ in frames] == list(range(21))
    assert len(notes) == 2
    assert NOTE in notes[0]
    assert "size changes (first: frame 7)" in notes[1]


def test_color_tags_survive(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", colorspace=1, options=TOP_FIRST)
    with open_source(path) as source, av.open(str(path)) as container:
        assert next(container.decode(video=0)).colorspace == 1
        assert np.abs(next(source).image.astype(int) - picture(0)).mean() < 2
