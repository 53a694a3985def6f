"""Frames by their position are those that reading through gives, wherever one begins."""

import random
from fractions import Fraction

import numpy as np
import pytest
from clips import make_video

from vidstyle.errors import SourceError
from vidstyle.media.read import frame_reader
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.media.read.open_source import open_source
from vidstyle.media.read.video import VideoSource

FRAMES = 60
RNG = np.random.default_rng(2)
NOISE = RNG.integers(0, 256, (48 + FRAMES, 64 + FRAMES, 3), dtype=np.uint8)
IMAGES = [np.ascontiguousarray(NOISE[f // 2 : f // 2 + 48, f : f + 64]) for f in range(FRAMES)]
# Names and what makes them hard: pictures stored out of order, and key pictures that the ones before lean on.
CODERS = {
    "closed.mp4": ("libx264", {"g": "12", "bf": "3"}),
    "open.mkv": ("libx264", {"g": "12", "bf": "3", "x264-params": "open-gop=1"}),
    "refresh.mp4": ("libx264", {"g": "12", "x264-params": "intra-refresh=1"}),
    "hevc.mp4": ("libx265", {"x265-params": "keyint=12:open-gop=1:log-level=none"}),
    "mpeg4.mp4": ("mpeg4", {"g": "12", "bf": "2"}),
    "vp9.webm": ("libvpx-vp9", {"g": "12", "cpu-used": "8", "deadline": "realtime"}),
    "stream.ts": ("libx264", {"g": "12"}),
    "old.avi": ("mpeg4", {"g": "12"}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clip of each kind."""
    place = tmp_path_factory.mktemp("inputs")
    for name, (codec, options) in CODERS.items():
        make_video(place / name, images=IMAGES, codec=codec, options=options)
    return place


@pytest.mark.parametrize("name", CODERS)
@pytest.mark.parametrize("frames", [(0, None), (17, 50)])
def test_any_order_gives_the_frames_of_reading_through(folder, name, frames, monkeypatch):
    with open_source(folder / name, frames=frames) as source:
        through = list(source)
        first_pts = source.first_pts
    opens = []

    def open_anew():
        opens.append(1)
        return open_source(folder / name, frames=frames)

    monkeypatch.setattr(frame_reader, "FAR_FRAMES", 5)
    draw = random.Random(name)
    with FrameReader(open_anew, [frame.pts for frame in through]) as reader:
        for position in [*draw.sample(range(len(through)), 9), 3, 3, 4, len(through) - 1]:
            frame = reader.frame(position)
            assert (frame.index, frame.pts) == (through[position].index, through[position].pts)
            assert np.array_equal(frame.image, through[position].image)
        assert reader.first_pts == first_pts


def test_a_far_frame_is_sought_where_that_is_exact(folder, monkeypatch):
    decoded = []
    stamp = VideoSource._stamp
    monkeypatch.setattr(VideoSource, "_stamp", lambda self, frame: decoded.append(1) or stamp(self, frame))
    monkeypatch.setattr(frame_reader, "FAR_FRAMES", 5)
    with FrameReader(lambda: open_source(folder / "closed.mp4"), range(0, 512 * FRAMES, 512)) as reader:
        assert reader.frame(30).index == 30
        assert reader.frame(31).index == 31
        assert reader.frame(50).index == 50
    assert len(decoded) < 6


def test_a_file_with_other_times_is_an_error(folder):
    with FrameReader(lambda: open_source(folder / "closed.mp4"), range(FRAMES)) as reader:
        with pytest.raises(SourceError, match="another time than before"):
            reader.frame(2)
        with pytest.raises(SourceError, match="ends earlier"):
            reader.frame(FRAMES)


def test_a_late_start_and_uneven_times_are_sought_too(tmp_path, monkeypatch):
    pts = [1000 + k * k // 4 + 3 * k for k in range(FRAMES)]
    make_video(tmp_path / "in.mkv", images=IMAGES, pts=pts, time_base=Fraction(1, 1000), options={"g": "10"})
    with open_source(tmp_path / "in.mkv") as source:
        through = list(source)
    monkeypatch.setattr(frame_reader, "FAR_FRAMES", 5)
    with FrameReader(lambda: open_source(tmp_path / "in.mkv"), [frame.pts for frame in through]) as reader:
        for position in (30, 55, 10, 59):
            assert np.array_equal(reader.frame(position).image, through[position].image)
