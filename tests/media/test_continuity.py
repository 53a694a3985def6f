"""Recordings whose clock jumps or wraps: every frame once, in order, and time goes on."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from clips import end_to_end, level, make_video, picture

from vidstyle.media.containers import continuous_packets
from vidstyle.media.read.open_source import open_source

TICKS = 90_000
WRAP_S = Fraction(2**33, TICKS)


def _recording(path: Path, start_s: Fraction, first: int = 0, codec: str = "libx264") -> Path:
    """Eight frames at 25 per second, from `start_s` on; the levels tell their numbers."""
    images = [picture(first + number) for number in range(8)]
    options = {"bf": "2", "g": "5", "b": "8000000"}
    # MPEG-2 knows few rates, and its frames no others.
    base = Fraction(1, 25) if codec == "mpeg2video" else Fraction(1, TICKS)
    stamps = [round(start_s / base) + round(number / 25 / base) for number in range(8)]
    return make_video(path, images=images, pts=stamps, time_base=base, codec=codec, options=options)


def _check(path: Path, count: int, gap: Fraction = Fraction(1, 25)) -> None:
    with open_source(path) as source:
        frames = list(source)
        assert source.notes == []
    assert [level(frame.image) for frame in frames] == list(range(count))
    times = [frame.pts * frame.time_base for frame in frames]
    steps = [b - a for a, b in pairwise(times)]
    assert steps.pop(7 if count > 8 else 0) == gap
    assert steps == [Fraction(1, 25)] * (count - 2)


def test_the_clock_of_a_transport_stream_wraps(tmp_path: Path) -> None:
    path = _recording(tmp_path / "a.ts", WRAP_S - Fraction(1, 5))
    stored = path.read_bytes()
    with av.open(str(path)) as container:
        assert [packet.pts < 0 for packet in container.demux(video=0) if packet.size].count(False) in range(2, 9)
    assert len(stored) % 188 == 0
    _check(path, 8)


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize("start_s", [3, 50, 103, 5000])
def test_recordings_joined_end_to_end_follow_each_other(tmp_path: Path, codec: str, start_s: int) -> None:
    one = _recording(tmp_path / "1.ts", Fraction(50), codec=codec)
    two = _recording(tmp_path / "2.ts", Fraction(start_s), 8, codec=codec)
    _check(end_to_end(one, two, tmp_path / "a.ts"), 16)


def test_a_gap_of_seconds_is_one(tmp_path: Path) -> None:
    one, two = _recording(tmp_path / "1.ts", Fraction(3)), _recording(tmp_path / "2.ts", Fraction(9), 8)
    _check(end_to_end(one, two, tmp_path / "a.ts"), 16, gap=Fraction(6) - Fraction(7, 25))


def test_sound_moves_with_the_pictures(tmp_path: Path) -> None:
    """All who read a file agree on when its packets are."""
    parts = [
        make_video(tmp_path / f"{number}.ts", frames=50, audio="mp2", options={"g": "5", "bf": "0"},
                   pts=list(range(start, start + 50)), audio_delay_s=start / 25, audio_s=2)
        for number, start in enumerate([2500, 0])
    ]  # fmt: skip
    path = end_to_end(*parts, tmp_path / "a.ts")
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        packets = [(p.stream.type, p.pts) for p in continuous_packets(container, [video, sound], video) if p.size]
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        alone = [packet.pts for packet in continuous_packets(container, [video], video) if packet.size]
    assert [pts for kind, pts in packets if kind == "video"] == alone
    assert [b - a for a, b in pairwise(alone)] == [3600] * 99
    heard = [pts for kind, pts in packets if kind == "audio"]
    assert heard[-1] - heard[0] == pytest.approx(4 * TICKS, abs=0.1 * TICKS)


def test_other_containers_pass_as_they_are(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", frames=4, pts=[0, 40, 60_000, 60_040], time_base=Fraction(1, 1000))
    with open_source(path) as source:
        assert [frame.pts for frame in source] == [0, 40, 60_000, 60_040]
