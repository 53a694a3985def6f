"""Sound and time: what a joined video carries from the source's container."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from clips import VideoWriter, audio_digest, audio_packets, click_s, cut, make_video, times_s

from vidstyle.media.read.open_source import open_source

SYNC_S = 0.005
NO_LANGUAGE = ["in.mov: tags left out, since AVI has no place for them: language eng"]


def convert(
    source: Path, output: Path, frames: tuple[int, int | None] = (0, None), keep_going: bool = False
) -> VideoWriter:
    """Reads and writes without painting."""
    with open_source(source, frames=frames, keep_going=keep_going) as opened:
        width, height = opened.info.width // 2 * 2, opened.info.height // 2 * 2
        with VideoWriter(output, opened.info, width, height) as writer:
            for frame in opened:
                writer.write(frame)
    return writer


def starts(path: Path) -> list[Fraction]:
    """When each audio stream starts after the first picture, in seconds."""
    with av.open(str(path)) as container:
        count = len(container.streams.audio)
    return [audio_packets(path, i)[0][0] - times_s(path)[0] for i in range(count)]


@pytest.mark.parametrize(
    ("codec", "made", "suffix"),
    [
        ("aac", ".mp4", ".mp4"), ("aac", ".mp4", ".mkv"), ("aac", ".mkv", ".mov"), ("libmp3lame", ".mkv", ".mp4"),
        ("libmp3lame", ".mkv", ".mov"), ("ac3", ".mkv", ".mkv"), ("ac3", ".mkv", ".mp4"), ("alac", ".mov", ".mkv"),
    ],
)  # fmt: skip
def test_audio_is_copied_untouched(tmp_path: Path, codec: str, made: str, suffix: str) -> None:
    path = make_video(tmp_path / f"in{made}", audio=codec, frames=14)
    writer = convert(path, tmp_path / f"out{suffix}")
    assert writer.notes == []
    assert audio_digest(tmp_path / f"out{suffix}") == audio_digest(path)
    assert abs(click_s(tmp_path / f"out{suffix}") - click_s(path)) < SYNC_S


@pytest.mark.parametrize(
    ("codec", "made", "suffix"),
    [
        ("libopus", ".mkv", ".webm"), ("libopus", ".webm", ".webm"), ("libopus", ".webm", ".mp4"),
        ("libopus", ".webm", ".mkv"), ("flac", ".mkv", ".mp4"), ("flac", ".mkv", ".mkv"),
        ("pcm_s16le", ".mkv", ".mov"), ("pcm_s16le", ".mov", ".mkv"), ("pcm_s16le", ".mov", ".avi"),
        ("libmp3lame", ".avi", ".avi"), ("libmp3lame", ".avi", ".mkv"),
    ],
)  # fmt: skip
def test_audio_is_copied_where_it_fits(tmp_path: Path, codec: str, made: str, suffix: str) -> None:
    source = "libvpx-vp9" if made == ".webm" else "libx264"
    path = make_video(tmp_path / f"in{made}", audio=codec, codec=source, frames=14)
    output = tmp_path / f"out{suffix}"
    writer = convert(path, output)
    if (codec, suffix) != ("libmp3lame", ".avi"):
        assert writer.notes == (NO_LANGUAGE if suffix == ".avi" else [])
        assert audio_digest(output) == audio_digest(path)
    assert len(times_s(output)) == 14


@pytest.mark.parametrize(
    ("codec", "made", "suffix", "becomes", "delay_s"),
    [
        ("aac", ".mp4", ".webm", "opus", 0.2), ("aac", ".mp4", ".avi", "pcm_s16le", 0.2),
        ("flac", ".mkv", ".webm", "opus", 0.0), ("libopus", ".mkv", ".mov", "aac", 0.2),
        ("flac", ".mkv", ".mov", "aac", 0.0), ("pcm_s16le", ".mov", ".mp4", "aac", 0.2),
        ("libopus", ".mkv", ".avi", "pcm_s16le", 0.0), ("libopus", ".mkv", ".avi", "pcm_s16le", 0.2),
    ],
)  # fmt: skip
def test_audio_is_converted_in_sync(
    tmp_path: Path, codec: str, made: str, suffix: str, becomes: str, delay_s: float
) -> None:
    path = make_video(tmp_path / f"in{made}", audio=codec, frames=20, audio_delay_s=delay_s)
    output = tmp_path / f"out{suffix}"
    writer = convert(path, output)
    assert f"converted to {becomes}" in writer.notes[0]
    assert [note[2 + len(path.name) :] for note in writer.notes[1:]] == [
        note[2 + len("in.mov") :] for note in NO_LANGUAGE if suffix == ".avi"
    ]
    with av.open(str(output)) as container:
        assert [s.codec_context.codec.canonical_name for s in container.streams.audio] == [becomes]
    heard, expected = click_s(output), click_s(path)
    if suffix == ".avi":
        heard += float(times_s(output)[0])  # FFmpeg reads H.264 in AVI one frame late
    assert abs(expected - delay_s) < SYNC_S
    assert abs(heard - expected) < SYNC_S


@pytest.mark.parametrize(("suffix", "delay_s"), [(".mp4", 0.1), (".mp4", 0.3), (".mkv", 0.1), (".mov", 0.3)])
def test_late_audio_stays_late(tmp_path: Path, suffix: str, delay_s: float) -> None:
    path = make_video(tmp_path / "in.mp4", audio="aac", audio_delay_s=delay_s, frames=20)
    convert(path, tmp_path / f"out{suffix}")
    assert abs(click_s(path) - delay_s) < SYNC_S
    assert abs(click_s(tmp_path / f"out{suffix}") - delay_s) < SYNC_S
    assert abs(starts(tmp_path / f"out{suffix}")[0] - starts(path)[0]) < SYNC_S


@pytest.mark.parametrize("delay_s", [0.05, 0.2])  # the first by twice MP3's priming samples
def test_late_mp3_into_avi_is_padded(tmp_path: Path, delay_s: float) -> None:
    path = make_video(tmp_path / "in.mkv", audio="libmp3lame", audio_delay_s=delay_s, frames=20)
    writer = convert(path, tmp_path / "out.avi")
    assert "converted to pcm_s16le" in writer.notes[0]
    heard = click_s(tmp_path / "out.avi") + float(times_s(tmp_path / "out.avi")[0])
    assert abs(heard - click_s(path)) < SYNC_S


@pytest.mark.parametrize(("suffix", "codec"), [(".webm", "opus"), (".mp4", "aac"), (".avi", "pcm_s16le")])
@pytest.mark.parametrize("layout", ["mono", "2.1", "5.1", "7.1"])
def test_channels_survive_conversion(tmp_path: Path, suffix: str, codec: str, layout: str) -> None:
    path = tmp_path / "in.mkv"
    count = av.AudioLayout(layout).nb_channels
    with av.open(str(path), "w") as output:
        video = output.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = output.add_stream("flac" if suffix != ".mp4" else "pcm_s16le", rate=32000)
        audio.layout, audio.format = layout, "s16"
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24").reformat(format="yuv420p")
        frame.pts = 0
        output.mux(video.encode(frame))
        wave = av.AudioFrame.from_ndarray(np.zeros((1, 4096 * count), np.int16), format="s16", layout=layout)
        wave.sample_rate, wave.pts, wave.time_base = 32000, 0, Fraction(1, 32000)
        output.mux(audio.encode(wave))
        output.mux([*video.encode(None), *audio.encode(None)])
    convert(path, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        context = container.streams.audio[0].codec_context
        assert context.codec.canonical_name == codec
        assert context.sample_rate == (48000 if codec == "opus" else 32000)
        assert context.layout.nb_channels == (2 if layout == "2.1" else count)


def test_several_tracks_and_languages(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", audio="aac", audio_tracks=3)
    for suffix in (".mp4", ".mkv", ".webm"):
        convert(path, tmp_path / f"out{suffix}")
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            assert [s.metadata.get("language") for s in container.streams.audio] == ["eng", "deu", "fra"]
    for track in range(3):
        assert audio_digest(tmp_path / "out.mp4", track) == audio_digest(path, track)
        assert audio_digest(tmp_path / "out.mkv", track) == audio_digest(path, track)


def test_sound_longer_than_the_picture_is_kept(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", audio="aac", audio_s=1.5)
    convert(path, tmp_path / "out.mp4")
    assert audio_digest(tmp_path / "out.mp4") == audio_digest(path)


def test_gif_says_that_it_has_no_sound(tmp_path: Path, clip: Path) -> None:
    writer = convert(clip, tmp_path / "out.gif")
    assert writer.notes == ["clip.mp4: the sound was left out, GIF holds none"]
    with av.open(str(tmp_path / "out.gif")) as container:
        assert len(container.streams.audio) == 0


def test_metadata_and_its_date_are_kept(tmp_path: Path, clip: Path) -> None:
    with av.open(str(clip)) as source, av.open(str(tmp_path / "in.mp4"), "w") as output:
        streams = {s.index: output.add_stream_from_template(s) for s in source.streams}
        output.metadata.update({"title": "A film", "comment": "mine", "creation_time": "2020-01-01T00:00:00Z"})
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
    convert(tmp_path / "in.mp4", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        kept = {k.lower(): v for k, v in container.metadata.items()}
    assert kept["title"] == "A film"
    assert kept["comment"] == "mine"
    assert kept["creation_time"] == "2020-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_exact_times_24000_1001(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / "in.mp4", rate=Fraction(24000, 1001), audio="aac")
    convert(path, tmp_path / f"out{suffix}")
    assert times_s(tmp_path / f"out{suffix}") == [Fraction(1001 * i, 24000) for i in range(12)]
    with open_source(tmp_path / f"out{suffix}") as source:
        assert source.info.rate == Fraction(24000, 1001)
        assert source.info.frame_count == 12


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".avi"])
def test_close_times_24000_1001(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / "in.mp4", rate=Fraction(24000, 1001))
    convert(path, tmp_path / f"out{suffix}")
    times = times_s(tmp_path / f"out{suffix}")
    gaps = [abs(t - times[0] - Fraction(1001 * i, 24000)) for i, t in enumerate(times)]
    assert len(times) == 12
    assert max(gaps) <= Fraction(1, 1000)


VFR = [0, 20, 40, 100, 101, 500, 520, 700, 710, 1000]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_variable_rate_is_kept(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / "in.mp4", frames=10, pts=VFR, time_base=Fraction(1, 1000), audio="aac")
    writer = convert(path, tmp_path / f"out{suffix}")
    times = times_s(tmp_path / f"out{suffix}")
    assert [t - times[0] for t in times] == [Fraction(p, 1000) for p in VFR]
    if suffix != ".webm":
        assert writer.notes == []
        assert audio_digest(tmp_path / f"out{suffix}") == audio_digest(path)


def test_variable_rate_into_gif_and_avi(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mkv", frames=5, pts=[0, 40, 80, 400, 440], time_base=Fraction(1, 1000))
    convert(path, tmp_path / "out.gif")
    assert times_s(tmp_path / "out.gif") == [Fraction(p, 100) for p in (0, 4, 8, 40, 44)]
    convert(path, tmp_path / "out.avi")
    with open_source(tmp_path / "out.avi") as source:
        assert len(list(source)) == 5


@pytest.mark.parametrize(("third_ms", "what"), [(4, "2 frames were"), (20, "1 frame was")])
def test_times_too_close_for_gif_are_moved_with_a_note(tmp_path: Path, third_ms: int, what: str) -> None:
    path = make_video(tmp_path / "in.mkv", frames=4, pts=[0, 2, third_ms, 50], time_base=Fraction(1, 1000))
    writer = convert(path, tmp_path / "out.gif")
    assert times_s(tmp_path / "out.gif") == [Fraction(p, 100) for p in (0, 1, 2, 5)]
    assert f"out.gif: {what} moved: GIF cannot hold times so close together" in writer.notes


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_start_of_the_container_is_subtracted(tmp_path: Path, suffix: str) -> None:
    pts = [i * 40 + 5000 for i in range(20)]
    path = make_video(tmp_path / "in.mkv", pts=pts, frames=20, time_base=Fraction(1, 1000), audio="aac",
                      audio_delay_s=5.1, audio_s=0.7)  # fmt: skip
    convert(path, tmp_path / f"out{suffix}")
    assert times_s(tmp_path / f"out{suffix}")[0] == 0
    assert abs(click_s(tmp_path / f"out{suffix}") - click_s(path)) < SYNC_S
    assert audio_digest(tmp_path / f"out{suffix}") == audio_digest(path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
def test_transport_stream_with_late_start(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / "in.ts", audio="aac", frames=25, audio_delay_s=2.0,
                      audio_s=1.0, pts=[i + 50 for i in range(25)])  # fmt: skip
    assert times_s(path)[0] >= 2
    convert(path, tmp_path / f"out{suffix}")
    assert len(times_s(tmp_path / f"out{suffix}")) == 25
    heard = click_s(tmp_path / f"out{suffix}")
    if suffix == ".avi":
        heard += float(times_s(tmp_path / "out.avi")[0])
    assert abs(heard - click_s(path)) < SYNC_S


@pytest.mark.parametrize(
    ("suffix", "start", "stop"),
    [
        *product((".mp4", ".mkv"), (10,), (20, None)), *product((".mp4", ".mkv"), (0,), (20,)), (".mp4", 29, 30),
        (".webm", 10, 20), (".webm", 0, 20), (".webm", 10, None), (".webm", 29, 30), (".avi", 10, 20), (".gif", 10, 20),
    ],
)  # fmt: skip
def test_range_takes_its_own_sound(tmp_path: Path, suffix: str, start: int, stop: int | None) -> None:
    path = make_video(tmp_path / "in.mp4", audio="aac", frames=30)
    output = tmp_path / f"out{suffix}"
    convert(path, output, frames=(start, stop))
    count = (30 if stop is None else stop) - start
    times = times_s(output)
    assert [t - times[0] for t in times] == pytest.approx([i / 25 for i in range(count)], abs=0.006)
    if suffix in (".mp4", ".mkv"):
        begin, end = Fraction(start, 25), Fraction(start + count, 25)
        expected = [d for t, d in audio_packets(path) if (start == 0 or t >= begin) and (stop is None or t < end)]
        got = audio_packets(output)
        assert [d for _, d in got] == expected
        first = next(t for t, d in audio_packets(path) if d == expected[0])
        assert abs((got[0][0] - times[0]) - (first - begin)) < SYNC_S
    if suffix == ".webm" and count > 1:
        with av.open(str(output)) as container:
            length = sum(f.samples for f in container.decode(audio=0)) / 48000
        assert abs(length - count / 25) < 0.05


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(5)])
def test_last_frame_keeps_its_duration(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    path = make_video(tmp_path / "in.mp4", frames=10, rate=rate)
    convert(path, tmp_path / f"out{suffix}")
    with av.open(str(path)) as container:
        expected = container.duration
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert abs(container.duration - expected) <= 1000


def test_shape_of_pixels_is_kept(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", aspect=Fraction(16, 11))
    for suffix in (".mp4", ".mkv", ".mov", ".avi"):
        convert(path, tmp_path / f"out{suffix}")
        with open_source(tmp_path / f"out{suffix}") as source:
            assert source.info.sample_aspect_ratio == Fraction(16, 11)
    for suffix in (".webm", ".gif"):
        writer = convert(path, tmp_path / f"out{suffix}")
        assert writer.notes == [f"out{suffix}: scaled to 94x48, since its pixels can only be square"]
        with open_source(tmp_path / f"out{suffix}") as source:
            assert (source.info.width, source.info.height, source.info.sample_aspect_ratio) == (94, 48, 1)


def test_colors_are_tagged(tmp_path: Path, silent_clip: Path) -> None:
    for suffix in (".mp4", ".mkv", ".mov", ".webm", ".avi"):
        convert(silent_clip, tmp_path / f"out{suffix}")
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            frame = next(container.decode(video=0))
            context = container.streams.video[0].codec_context
            assert (frame.colorspace, frame.color_range) == (1, 1)
            if suffix != ".webm" or context.color_trc != 2:
                assert (context.color_primaries, context.color_trc) == (1, 1)
            assert frame.format.name == "yuv420p"


def test_mp4_index_comes_first(tmp_path: Path, silent_clip: Path) -> None:
    convert(silent_clip, tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_rotated_source_is_written_upright(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", rotation=90)
    convert(path, tmp_path / "out.mp4")
    with open_source(tmp_path / "out.mp4") as source:
        assert (source.info.width, source.info.height) == (48, 64)
        assert next(source).image.shape == (64, 48, 3)


def test_cut_off_source_keep_going(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", frames=15, audio="aac", options={"g": "1", "bf": "0"},
                      container={"movflags": "+faststart"})  # fmt: skip
    cut(path, 0.6)
    writer = convert(path, tmp_path / "out.mp4", keep_going=True)
    assert len(times_s(tmp_path / "out.mp4")) == len(writer.images) > 2
