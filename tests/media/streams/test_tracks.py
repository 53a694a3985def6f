"""Packets that go on as they are, though their time does not."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from clips import end_to_end
from films import clicks_s, make_clicks, passed_through


def sound_of(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        return [(p.dts * p.time_base, bytes(p)) for p in container.demux(container.streams.audio[0]) if p.size]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_recordings_put_end_to_end_keep_their_sound(tmp_path: Path, suffix: str) -> None:
    """The first packets of the second one come before the pictures that tell that the clock has jumped."""
    part = make_clicks(tmp_path / "part.ts", "mp2", video="mpeg2video", frames=50)
    whole = end_to_end(part, part, tmp_path / "in.ts")
    assert passed_through(whole, tmp_path / f"out{suffix}") == []
    once, heard = clicks_s(part), clicks_s(tmp_path / f"out{suffix}")
    assert heard[: len(once)] == pytest.approx(once, abs=0.005)
    assert heard[-len(once) + 1 :] == pytest.approx([time_s + 2 for time_s in once[1:]], abs=0.03)
    assert all(a < b for a, b in pairwise(dts for dts, _ in sound_of(tmp_path / f"out{suffix}")))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_was_heard_already_does_not_make_the_rest_late(tmp_path: Path, suffix: str) -> None:
    made = make_clicks(tmp_path / "made.mkv", "ac3")
    source = tmp_path / "in.mkv"
    with av.open(str(made)) as container, av.open(str(source), "w") as output:
        streams = {s.index: output.add_stream_from_template(s) for s in container.streams}
        for packet in container.demux():
            if packet.size:
                again = av.Packet(bytes(packet))
                again.pts, again.dts, again.time_base = packet.pts, packet.dts, packet.time_base
                packet.stream = again.stream = streams[packet.stream.index]
                output.mux(packet)
                if packet.stream.type == "audio" and 600 < again.pts < 1000:
                    output.mux(again)
    assert len(sound_of(source)) > len(sound_of(made)) + 10
    passed_through(source, tmp_path / f"out{suffix}")
    assert sound_of(tmp_path / f"out{suffix}") == sound_of(made)
