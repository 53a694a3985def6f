"""Sound: what is copied, what becomes of the rest, and its time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import end_to_end, info_of, make_video, picture
from films import clicks_s, make_clicks, passed_through, spliced

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo
from vidstyle.media.containers import CONTAINERS
from vidstyle.media.read.open_source import open_source
from vidstyle.media.streams.side_streams import side_streams_of
from vidstyle.media.streams.sound import ConvertedSound, check_sound


def info(path: Path, frames: tuple[int, int | None] = (0, None)) -> ClipInfo:
    with open_source(path, frames=frames) as source:
        return source.info


@pytest.mark.parametrize(
    ("codec", "audio", "suffix"),
    [
        ("aac", "aac", ".mp4"), ("libopus", "aac", ".mkv"), ("aac", "aac", ".mov"), ("aac", "opus", ".mp4"),
        ("libopus", "opus", ".mkv"), ("aac", "opus", ".webm"),
    ],
)  # fmt: skip
def test_sound_becomes_what_was_asked_for(tmp_path: Path, codec: str, audio: str, suffix: str) -> None:
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
    notes = passed_through(source, tmp_path / "out.avi")
    assert notes[0].startswith("in.ts: AVI does not take its sound as it is (ac3, mp")
    with av.open(str(tmp_path / "out.avi")) as container:
        assert [stream.sample_rate for stream in container.streams.audio] == [48000, 48000]
        assert [p.pts for p in container.demux(container.streams.audio[1]) if p.size]


RATE = 48000
PIECE = 4800


def written(path: Path, starts: Sequence[int], rate: int = RATE) -> list[np.ndarray]:
    """Writes a film with pieces of noise that start at these samples, and returns the pieces."""
    rng = np.random.default_rng(1)
    pieces = [rng.integers(-9000, 9000, (1, PIECE), np.int16) for _ in starts]
    with av.open(str(path), "w") as output:
        video, sound = output.add_stream("libx264", rate=25), output.add_stream("pcm_s24le", rate=rate)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound.layout, sound.format = "mono", "s32"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24").reformat(format="yuv420p")
        picture.pts = 0
        output.mux([*video.encode(picture), *video.encode(None)])
        for start, piece in zip(starts, pieces, strict=True):
            frame = av.AudioFrame.from_ndarray(piece.astype(np.int32) << 16, format="s32", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return pieces


def heard(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])


@pytest.mark.parametrize(
    ("starts", "come"),
    [
        ([0, 4800, 19200, 24000], [0, 4800, 19200, 24000]),  # a break
        ([0, 4800 + 960], [0, 4800 + 960]),  # a short one
        ([0, 4800 + 48 * 3, 9600], [0, 4800, 9600]),  # jitter
        ([0, 4800 - 960, 9600], [0, 4800 - 960, 9600]),  # an overlap: what comes later is heard from its end on
        ([9600, 14400], [9600, 14400]),  # a late start
        ([0, 4800 + 3 * RATE + 480], [0, 4800 + 3 * RATE + 480]),  # a pause of seconds
    ],
)
def test_sound_keeps_its_time_to_the_sample(tmp_path: Path, starts: list[int], come: list[int]) -> None:
    pieces = written(tmp_path / "in.mkv", starts)
    notes = passed_through(tmp_path / "in.mkv", tmp_path / "out.avi")
    assert "converted to pcm_s16le" in notes[0]
    samples, end = heard(tmp_path / "out.avi"), 0
    for start, piece in zip(come, pieces, strict=True):
        assert not samples[end:start].any()
        begin = max(end, start)
        assert np.array_equal(samples[begin : start + PIECE], piece[0, begin - start :])
        end = start + PIECE
    assert len(samples) == end


def test_sound_goes_on_where_the_clock_runs_back(tmp_path: Path) -> None:
    pieces = written(tmp_path / "in.mkv", [0, 4 * RATE, 4 * RATE + PIECE])
    with av.open(str(tmp_path / "in.mkv")) as source, av.open(str(tmp_path / "out.wav"), "w") as output:
        converted = ConvertedSound(source.streams.audio[0], output, CONTAINERS[".avi"], "pcm_s16le", None)
        for number, packet in enumerate(source.demux(audio=0)):
            if packet.size:
                packet.pts = [0, 4000, 100][number]
                converted.send(packet)
        converted.finish()
    samples = heard(tmp_path / "out.wav")
    assert np.array_equal(samples[4 * RATE :], np.concatenate(pieces[1:], axis=1)[0])


@pytest.mark.parametrize(
    ("codec", "before", "after"),
    [
        ("ac3", ("stereo", 48000), ("mono", 48000)), ("ac3", ("mono", 48000), ("stereo", 48000)),
        ("ac3", ("stereo", 48000), ("5.1", 48000)), ("mp2", ("stereo", 48000), ("stereo", 32000)),
        ("mp2", ("stereo", 44100), ("mono", 48000)),
    ],
)  # fmt: skip
def test_channels_and_rate_may_change_on_the_way(
    tmp_path: Path, codec: str, before: tuple[str, int], after: tuple[str, int]
) -> None:
    parts = [
        make_clicks(tmp_path / f"{number}.mkv", codec, rate=rate, layout=layout)
        for number, (layout, rate) in enumerate([before, after])
    ]
    source = spliced(*parts, tmp_path / "in.mkv", 0.68)
    passed_through(source, tmp_path / "out.mp4", audio="aac")
    # FFmpeg gives the first frame of another rate the old one; what is apart by so little is set right after eight.
    heard = [time_s for time_s in clicks_s(tmp_path / "out.mp4") if not 0.7 < time_s < 1]
    assert heard[:4] == pytest.approx([0.1, 0.35, 0.6, 1.1], abs=0.006)


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
