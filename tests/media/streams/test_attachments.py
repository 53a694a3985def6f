"""Fonts, cover pictures and data tracks."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from films import Film, cover_picture, make_film, passed_through

from vidstyle.media.streams.metadata import is_cover


def covers_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams.video if is_cover(stream)]
        return [bytes(p) for p in container.demux(*streams) if p.size] if streams else []


def test_fonts_go_to_mkv_and_are_missed_aloud_elsewhere(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", Film(fonts=["a.ttf", "b.ttf"]))
    assert passed_through(source, tmp_path / "out.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        found = [(s.name, s.mimetype, s.data) for s in container.streams.attachments]
    mimetype = "application/x-truetype-font"
    assert found == [("a.ttf", mimetype, b"a.ttf" * 30), ("b.ttf", mimetype, b"b.ttf" * 30)]
    for suffix, word in ((".mp4", "MP4"), (".mov", "MOV"), (".webm", "WEBM"), (".avi", "AVI"), (".gif", "GIF")):
        notes = passed_through(source, tmp_path / f"out{suffix}")
        assert notes == [f"in.mkv: the attached files (a.ttf, b.ttf) were left out, {word} holds none"]


@pytest.mark.parametrize("made", [".mkv", ".mp4"])
@pytest.mark.parametrize("frames", [(0, None), (5, 9)])
def test_the_cover_is_carried(tmp_path: Path, made: str, frames: tuple[int, int | None]) -> None:
    source = make_film(tmp_path / f"in{made}", Film(cover=True, tags={"title": "x"}))
    assert covers_of(source) == [cover_picture()]
    for suffix in (".mkv", ".mp4"):
        assert passed_through(source, tmp_path / f"out{suffix}", frames) == []
        assert covers_of(tmp_path / f"out{suffix}") == [cover_picture()]
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            shown = sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
        assert shown == (25 if frames[1] is None else 4)
    for suffix, word in ((".mov", "MOV"), (".webm", "WEBM")):
        notes = passed_through(source, tmp_path / f"out{suffix}", frames)
        assert notes == [f"in{made}: the cover pictures were left out, {word} holds none"]


def data_of(path: Path) -> list[tuple[float, float, bytes]]:
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.data[0]) if p.size]
        return [(float(p.pts * p.time_base), float(p.duration * p.time_base), bytes(p)) for p in packets]


def test_data_goes_along_in_mp4_and_mov(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", Film(data="bin_data"))
    assert [start for start, *_ in data_of(source)] == [0, 0.4, 0.8]
    for suffix in (".mp4", ".mov"):
        output = tmp_path / f"out{suffix}"
        assert passed_through(source, output) == []
        assert data_of(output) == data_of(source)
        passed_through(source, output, (5, 15))
        assert data_of(output) == [(0.0, 0.2, b"position"), (0.2, 0.2, b"position")]
        notes = passed_through(source, output, location=False)
        assert notes == ["in.mp4: 1 data track was left out, which may tell places"]
        with av.open(str(output)) as container:
            assert len(container.streams.data) == 0


def test_data_elsewhere_is_missed_aloud(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.ts", Film(data="klv"))
    for suffix, word in ((".mkv", "MKV"), (".mp4", "MP4"), (".gif", "GIF")):
        notes = passed_through(source, tmp_path / f"out{suffix}")
        assert notes == [f"in.ts: 1 data track was left out, {word} does not take such"]


def test_a_cover_beside_a_telephones_tags_is_missed_aloud(tmp_path: Path) -> None:
    # FFmpeg has either QuickTime's tags or a cover in MP4.
    source = make_film(tmp_path / "in.mkv", Film(cover=True, tags={"com.apple.quicktime.make": "Apple"}))
    assert passed_through(source, tmp_path / "out.mp4") == ["in.mkv: the cover pictures were left out, MP4 holds none"]
    assert covers_of(tmp_path / "out.mp4") == []
