"""What is asked for in `--audio`, and refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import info_of, make_video, picture
from films import clicks_s, make_clicks, passed_through, spliced

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo
from vidstyle.media.read.open_source import open_source
from vidstyle.media.streams.side_streams import side_streams_of
from vidstyle.media.streams.sound import check_sound


def info(path: Path, frames: tuple[int, int | None] = (0, None)) -> ClipInfo:
    with open_source(path, frames=frames) as source:
        return source.info


@pytest.mark.parametrize(
    ("audio", "suffix"),
    [("aac", ".mp4"), ("aac", ".mkv"), ("aac", ".mov"), ("opus", ".mp4"), ("opus", ".mkv"), ("opus", ".webm")],
)
@pytest.mark.parametrize("codec", ["aac", "libopus"])
def test_sound_becomes_what_was_asked_for(tmp_path: Path, audio: str, suffix: str, codec: str) -> None:
    source = make_clicks(tmp_path / "in.mkv", codec)
    output = tmp_path / f"out{suffix}"
    check_sound(output, info(source), audio)
    assert passed_through(source, output, audio=audio) == []
    with av.open(str(output)) as container:
        assert [s.codec_context.codec.canonical_name for s in container.streams.audio] == [audio]
    assert clicks_s(output) == pytest.approx(clicks_s(source), abs=0.005)


@pytest.mark.parametrize(
    ("audio", "suffix", "takers"),
    [
        ("aac", ".webm", ".mp4, .mkv, .mov"), ("aac", ".avi", ".mp4, .mkv, .mov"), ("aac", ".gif", ".mp4, .mkv, .mov"),
        ("opus", ".mov", ".mp4, .mkv, .webm"), ("opus", ".avi", ".mp4, .mkv, .webm"),
    ],
)  # fmt: skip
def test_what_a_container_does_not_take_is_refused(tmp_path: Path, audio: str, suffix: str, takers: str) -> None:
    with pytest.raises(OutputError) as caught:
        check_sound(tmp_path / f"o{suffix}", info_of(tmp_path), audio)
    assert str(caught.value) == (
        f"{tmp_path / f'o{suffix}'}: does not take {audio} sound; end the output in {takers}, or use --audio auto, "
        "which converts what has to be"
    )


def test_copies_are_refused_where_they_cannot_be(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mkv", audio="libopus")
    for suffix in (".mp4", ".mkv", ".webm"):
        check_sound(tmp_path / f"o{suffix}", info(source), "copy")
    for suffix in (".mov", ".avi", ".gif"):
        with pytest.raises(OutputError, match=r"as it is \(opus\); end the output in \.mp4, \.mkv, \.webm, or use"):
            check_sound(tmp_path / f"o{suffix}", info(source), "copy")
    pcm = make_video(tmp_path / "in.mov", audio="pcm_s16le")
    check_sound(tmp_path / "o.avi", info(pcm), "copy")
    with pytest.raises(OutputError, match=r"\(pcm_s16le\); end the output in \.mkv, \.mov, or"):
        check_sound(tmp_path / "o.avi", info(pcm, (3, 9)), "copy")


def test_silent_sources_refuse_nothing(tmp_path: Path) -> None:
    check_sound(tmp_path / "o.gif", info(make_video(tmp_path / "in.mp4")), "copy")
    check_sound(tmp_path / "o.gif", info_of(tmp_path), "copy")
    check_sound(tmp_path / "o.gif", info(make_video(tmp_path / "in.mp4", audio="aac")), "auto")


@pytest.mark.parametrize("made", [".ts", ".mkv"])
def test_sound_whose_rate_changes_is_no_copy_where_packets_are_counted(tmp_path: Path, made: str) -> None:
    # Late by what the encoder puts first, so that the sound begins with the pictures.
    parts = [make_clicks(tmp_path / f"{rate}.mkv", "mp2", rate=rate, delay_s=0.01) for rate in (48000, 32000)]
    source = spliced(*parts, tmp_path / f"in{made}", 0.68)
    notes = passed_through(source, tmp_path / "out.avi")
    assert notes[0] == f"in{made}: AVI does not take its sound as it is (mp2); converted to pcm_s16le"
    heard = [time_s for time_s in clicks_s(tmp_path / "out.avi") if not 0.7 < time_s < 1]
    assert heard[:4] == pytest.approx([time_s for time_s in clicks_s(source) if not 0.7 < time_s < 1][:4], abs=0.006)
    with pytest.raises(OutputError, match=r"\(mp2\); end the output in \.mp4, \.mkv, \.mov, or"):
        check_sound(tmp_path / "o.avi", info(source), "copy")


def make_broadcast(path: Path, frames: int, first_sound: int) -> Path:
    """Writes a recording whose sound, AC-3 and MP2, is announced at once and sent from a frame on."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg2video", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tracks = [output.add_stream(codec, rate=48000, layout="stereo") for codec in ("ac3", "mp2")]
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(video.encode(frame))
            for track in tracks if number >= first_sound else []:
                wave = np.zeros((2, 1920), np.float32 if track.format.name == "fltp" else np.int16)
                wave = wave if track.format.is_planar else wave.reshape(1, -1)
                silence = av.AudioFrame.from_ndarray(wave, format=track.format.name, layout="stereo")
                silence.sample_rate, silence.pts, silence.time_base = 48000, number * 1920, Fraction(1, 48000)
                output.mux(track.encode(silence))
        for stream in [video, *(tracks if first_sound < frames else [])]:
            output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi", ".gif"])
def test_sound_that_is_announced_only_is_nothing(tmp_path: Path, suffix: str) -> None:
    source = make_broadcast(tmp_path / "in.ts", 5, 5)
    check_sound(tmp_path / f"o{suffix}", info(source), "copy")
    assert passed_through(source, tmp_path / f"out{suffix}") == []
    assert side_streams_of(info(source)) == []
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert len(container.streams.audio) == 0


def test_sound_that_begins_where_nobody_looks_for_it_is_kept(tmp_path: Path) -> None:
    source = make_broadcast(tmp_path / "in.ts", 250, 240)
    with av.open(str(source)) as container:
        assert [stream.sample_rate for stream in container.streams.audio] == [0, 0]
    for suffix in (".avi", ".mkv"):
        notes = passed_through(source, tmp_path / f"out{suffix}")
        assert notes[0].startswith(f"in.ts: {suffix[1:].upper()} does not take its sound as it is (ac3, mp")
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            assert [stream.sample_rate for stream in container.streams.audio] == [48000, 48000]
            assert [p.pts for p in container.demux(container.streams.audio[1]) if p.size]
