"""Side streams of every kind, together."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import pytest
from clips import VideoWriter, audio_digest, audio_packets, make_folder, make_video
from films import (
    STYLES,
    TAGS,
    Film,
    Sub,
    clicks_s,
    first_picture_s,
    make_clicks,
    make_film,
    passed_through,
    tags,
    texts,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidstyle.media.read.open_source import open_source
from vidstyle.media.streams.side_streams import side_streams_of

SYNC_S = 0.005
FULL = Film(
    subs=[Sub("subrip"), Sub("ass", [(b"0,0,Default,,0,0,0,,hi", 100, 100)], header=STYLES)],
    chapters=[(0, 400, "one"), (400, 1000, "two")],
    tags=TAGS | {"director": "she"},
    video_tags={"timecode": "10:00:00:00", "language": "ita"},
    fonts=["a.ttf"],
    cover=True,
    sound=True,
)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("full") / "in.mkv", FULL)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif"])
def test_the_same_bytes_twice(tmp_path: Path, full: Path, suffix: str) -> None:
    outputs = [tmp_path / f"{name}{suffix}" for name in "ab"]
    notes = [passed_through(full, output) for output in outputs]
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    assert notes[0] == notes[1]
    assert len(set(notes[0])) == len(notes[0])


def test_everything_goes_from_mkv_to_mkv(tmp_path: Path, full: Path) -> None:
    assert passed_through(full, tmp_path / "out.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container, av.open(str(full)) as source:
        assert [(s.type, s.name) for s in container.streams] == [(s.type, s.name) for s in source.streams]
    assert passed_through(tmp_path / "out.mkv", tmp_path / "again.mkv") == []
    assert tags(tmp_path / "again.mkv") == tags(tmp_path / "out.mkv")
    assert texts(tmp_path / "again.mkv", 1) == texts(full, 1)


def test_each_thing_that_gif_does_not_hold_is_noted_once(tmp_path: Path, full: Path) -> None:
    assert passed_through(full, tmp_path / "out.gif") == [
        "in.mkv: the sound was left out, GIF holds none",
        "in.mkv: 2 subtitle tracks were left out, GIF does not take such (ass, subrip)",
        "in.mkv: the attached files (a.ttf) were left out, GIF holds none",
        "in.mkv: the cover pictures were left out, GIF holds none",
        "in.mkv: the chapters were left out, GIF holds none",
        "in.mkv: tags left out, since GIF has no place for them: artist, creation_time, director, location, timecode, "
        "title",
    ]


def test_what_a_folder_of_frames_does_not_hold(tmp_path: Path, full: Path) -> None:
    with open_source(full) as source:
        assert side_streams_of(source.info) == ["sound", "subtitles", "chapters", "attached files"]
        assert side_streams_of(source.info, sound=False) == ["subtitles", "chapters", "attached files"]
    with open_source(make_folder(tmp_path / "f", ["a.png"])) as source:
        assert side_streams_of(source.info) == []


def test_a_range_without_sound_in_it(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=30, audio="aac", audio_s=0.3)
    for suffix in (".mp4", ".mov", ".mkv"):
        assert passed_through(source, tmp_path / f"out{suffix}", (20, 30)) == []


MADE = {
    "aac": (".mp4", ".mkv", ".ts", ".flv"), "libopus": (".webm", ".mp4", ".mkv"), "libmp3lame": (".mp4", ".mkv"),
    "flac": (".mkv",), "pcm_s16le": (".mov", ".mkv"), "ac3": (".mkv", ".mp4"),
}  # fmt: skip


def agrees(source: Path, output: Path, start: int = 0, stop: int | None = None) -> bool:
    """Tells whether every click of the source that is in the range is heard at its time, and no other."""
    begin_s, end_s = start / 25, 99.0 if stop is None else stop / 25
    # Packets are cut nowhere, and MP3's first ones lack what they borrow from those before.
    edge_s = 0.15
    first_s = edge_s if start else 0.0
    expected = [time_s - begin_s for time_s in clicks_s(source) if begin_s + first_s <= time_s < end_s - edge_s]
    heard = [t for t in clicks_s(output) if first_s <= t < end_s - begin_s - edge_s]
    return len(heard) == len(expected) and all(abs(a - b) < SYNC_S for a, b in zip(heard, expected, strict=True))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_clicks_stay_where_they_are(tmp_path: Path, data: st.DataObject) -> None:
    codec = data.draw(st.sampled_from(sorted(MADE)))
    made = data.draw(st.sampled_from(MADE[codec]))
    suffix = data.draw(st.sampled_from([".mp4", ".mkv", ".mov", ".webm", ".avi"]))
    start = data.draw(st.sampled_from([0, 7, 13]))
    stop = data.draw(st.sampled_from([None, 33]))
    source = make_clicks(
        tmp_path / f"in{made}",
        codec,
        video="libvpx-vp9" if made == ".webm" else "libx264",
        rate=48000 if codec in ("libopus", "flac") or made == ".flv" else data.draw(st.sampled_from([44100, 48000])),
        delay_s=data.draw(st.sampled_from([0.0, 0.013, 0.3])),
    ) if made != ".flv" else make_clicks(tmp_path / "in.flv", rate=44100)  # fmt: skip
    taken = {"libopus": (".mp4", ".mkv", ".webm"), "aac": (".mp4", ".mkv", ".mov")}
    audio = data.draw(st.sampled_from(["auto", *(name for name in ("aac",) if suffix in taken["aac"])]))
    passed_through(source, tmp_path / f"out{suffix}", (start, stop), audio=audio)
    assert agrees(source, tmp_path / f"out{suffix}", start, stop)


def test_a_range_that_is_converted_has_its_first_sounds(tmp_path: Path) -> None:
    source = make_clicks(tmp_path / "in.mp4", "libmp3lame")
    passed_through(source, tmp_path / "out.webm", (7, None))
    expected = [time_s - 0.28 for time_s in clicks_s(source) if time_s > 0.28]
    assert clicks_s(tmp_path / "out.webm") == pytest.approx(expected, abs=SYNC_S)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *(("aac", kind) for kind in (".mp4", ".mkv", ".mov", ".webm", ".avi")),
        ("pcm_s16le", ".mov"),
        ("pcm_s16le", ".avi"),
    ],
)
def test_sound_that_an_edit_list_hides_stays_hidden(tmp_path: Path, codec: str, suffix: str) -> None:
    source = make_clicks(tmp_path / "in.mov", codec, early_s=0.5)
    assert clicks_s(source)[0] == pytest.approx(0.1, abs=SYNC_S)
    output = tmp_path / f"out{suffix}"
    passed_through(source, output)
    expected = clicks_s(source)
    assert clicks_s(output)[-len(expected) :] == pytest.approx(expected, abs=SYNC_S)
    with av.open(str(output)) as container:
        start_s = min(s.start_time * s.time_base for s in container.streams if s.start_time is not None)
        video = container.streams.video[0]
        assert Fraction(video.start_time * video.time_base) - start_s <= Fraction(13, 100)


@pytest.mark.parametrize(
    ("hole_s", "audio"), [((0.6, 0.9), "auto"), ((0.6, 0.9), "aac"), ((0.6, 0.63), "aac"), ((0.6, 0.65), "aac")]
)
def test_gaps_stay_as_long_as_they_are(tmp_path: Path, hole_s: tuple[float, float], audio: str) -> None:
    source = make_clicks(tmp_path / "in.mkv", "flac", holes_s=[hole_s], frames=50)
    passed_through(source, tmp_path / "out.mkv", audio=audio)
    expected, heard = clicks_s(source), clicks_s(tmp_path / "out.mkv")
    assert heard[-3:] == pytest.approx(expected[-3:], abs=SYNC_S)
    assert len(heard) == len(expected)


def test_time_that_runs_back_does_not_make_sound_late(tmp_path: Path) -> None:
    source = make_clicks(tmp_path / "whole.mkv", "flac", frames=60)
    overlapped = tmp_path / "in.mkv"
    with av.open(str(source)) as whole, av.open(str(overlapped), "w") as output:
        streams = {s.index: output.add_stream_from_template(s) for s in whole.streams}
        for packet in whole.demux():
            if packet.size:
                if packet.stream.type == "audio" and packet.pts > 1000:
                    packet.pts, packet.dts = packet.pts - 50, packet.dts - 50
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
    passed_through(overlapped, tmp_path / "out.mkv", audio="aac")
    assert clicks_s(tmp_path / "out.mkv")[-3:] == pytest.approx(clicks_s(overlapped)[-3:], abs=SYNC_S)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_sound_before_the_first_picture_of_a_range_is_left_out(tmp_path: Path, suffix: str) -> None:
    source = make_clicks(tmp_path / "in.mp4", first_frame=30)
    whole, output = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    passed_through(source, whole)
    assert first_picture_s(whole) == pytest.approx(1.2, abs=0.03)
    passed_through(source, output, (0, 10))
    assert first_picture_s(output) == 0
    assert min(time_s for time_s, _ in audio_packets(output)) >= -0.03
    assert agrees(source, output, 0, 10)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_range_from_the_start_keeps_what_the_encoder_put_first(tmp_path: Path, suffix: str) -> None:
    source = make_clicks(tmp_path / "in.mp4")
    passed_through(source, tmp_path / f"out{suffix}", (0, 20))
    kept = audio_packets(tmp_path / f"out{suffix}")
    assert [data for _, data in kept] == [data for _, data in audio_packets(source)][: len(kept)]


def test_other_videos_are_noted(tmp_path: Path) -> None:
    parts = [make_video(tmp_path / f"{side}.mkv", size=(side, 48)) for side in (64, 48, 32)]
    with ExitStack() as stack:
        output = stack.enter_context(av.open(str(tmp_path / "in.mkv"), "w"))
        sources = [stack.enter_context(av.open(str(part))) for part in parts]
        streams = [output.add_stream_from_template(source.streams.video[0]) for source in sources]
        for source, stream in zip(sources, streams, strict=True):
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    note = "in.mkv: 2 other video tracks were left out (streams 1, 2); choose another with --stream 1"
    assert passed_through(tmp_path / "in.mkv", tmp_path / "out.mkv") == [note]
    with open_source(tmp_path / "in.mkv", stream=1) as source:
        frames, chosen = list(source), source.info
    writer = VideoWriter(tmp_path / "chosen.mkv", chosen, 48, 48)
    with writer:
        for frame in frames:
            writer.write(frame)
    assert writer.notes == []


def test_no_sound_on_request(tmp_path: Path, full: Path) -> None:
    assert passed_through(full, tmp_path / "out.mkv", audio="none") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert len(container.streams.audio) == 0
    passed_through(full, tmp_path / "copy.mkv", audio="copy")
    assert audio_digest(tmp_path / "copy.mkv") == audio_digest(full)
