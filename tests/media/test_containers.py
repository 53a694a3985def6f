"""Which of several video streams is read, and packets of recordings whose clock jumps on one timeline."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from clips import end_to_end, level, make_video, picture

from vidstyle import Settings, stylize
from vidstyle.errors import SettingsError, SourceError
from vidstyle.media.containers import continuous_packets
from vidstyle.media.read.open_source import open_source


def make_two_views(path: Path, default: int | None = None, cover: bool = False) -> Path:
    """Stream 0: 64x48, ten frames; 1: sound; 2: 96x64, five frames from level 5 on; perhaps 3: a cover picture."""
    with av.open(str(path), "w") as output:
        videos = [output.add_stream("libx264", rate=25, options={"qp": "0"})]
        sound = output.add_stream("pcm_s16le" if path.suffix == ".mkv" else "aac", rate=48000)
        sound.layout = "stereo"
        videos.append(output.add_stream("libx264", rate=10, options={"qp": "0"}))
        for stream, size in zip(videos, [(64, 48), (96, 64)], strict=True):
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if default is not None:
            for stream in videos:
                stream.disposition = av.stream.Disposition.default if stream.index == default else 0
        art = None
        if cover:
            art = output.add_stream("mjpeg", rate=25)
            art.width, art.height, art.pix_fmt = 320, 240, "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic
        for stream, rate, first, count in ((videos[0], 25, 0, 10), (videos[1], 10, 5, 5)):
            for pts in range(count):
                frame = av.VideoFrame.from_ndarray(picture(first + pts, (stream.width, stream.height)), "rgb24")
                frame.pts, frame.time_base = pts, Fraction(1, rate)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        silence = av.AudioFrame(format=sound.format.name, layout="stereo", samples=1024)
        silence.sample_rate, silence.pts = 48000, 0
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        output.mux(sound.encode(silence))
        output.mux(sound.encode(None))
        if art is not None:
            frame = av.VideoFrame.from_ndarray(picture(0, (320, 240)), "rgb24")
            frame.pts = 0
            output.mux(art.encode(frame))
            output.mux(art.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize(("stream", "levels"), [(0, range(10)), (2, range(5, 10))])
def test_the_stream_asked_for_is_read(tmp_path: Path, suffix: str, stream: int, levels: range) -> None:
    with open_source(make_two_views(tmp_path / f"a{suffix}"), stream=stream) as source:
        assert source.info.stream == stream
        frames = list(source)
        assert [level(frame.image) for frame in frames] == list(levels)
        assert frames[0].image.shape == ((48, 64, 3) if stream == 0 else (64, 96, 3))
        assert [f.pts * f.time_base for f in frames] == [
            Fraction(k, 25 if stream == 0 else 10) for k in range(len(levels))
        ]


@pytest.mark.parametrize("default", [0, 2])
def test_without_a_number_the_default_stream_is_read(tmp_path: Path, default: int) -> None:
    with open_source(make_two_views(tmp_path / "a.mkv", default)) as source:
        assert source.info.stream == default


@pytest.mark.parametrize("stream", [1, 3, 99])
def test_other_numbers_are_refused_with_a_list(tmp_path: Path, stream: int) -> None:
    path = make_two_views(tmp_path / "a.mkv")
    with pytest.raises(SourceError) as caught:
        open_source(path, stream=stream)
    assert str(caught.value) == f"{path}: stream {stream} is no video; choose 0 (h264, 64x48) or 2 (h264, 96x64)"


def test_cover_pictures_are_read_only_when_asked_for(tmp_path: Path) -> None:
    path = make_two_views(tmp_path / "a.mp4", cover=True)
    with open_source(path) as source:
        assert source.info.stream in (0, 2)
    with open_source(path, stream=3) as source:
        assert [frame.image.shape for frame in source] == [(240, 320, 3)]
    with pytest.raises(SourceError, match=r"3 \(mjpeg, 320x240, cover picture\)"):
        open_source(path, stream=1)


def test_a_stream_is_for_videos(frame_folder: Path, still: Path) -> None:
    for path in (frame_folder, still, frame_folder / "f%d.png"):
        with pytest.raises(SettingsError, match="stream"):
            open_source(path, stream=0)


def test_settings_reach_the_source(tmp_path: Path) -> None:
    path = make_two_views(tmp_path / "a.mkv")
    with open_source(path, stream=2) as source:
        assert (source.info.width, source.info.height, source.info.stream) == (96, 64, 2)


@pytest.mark.usefixtures("painting_scene")
def test_a_render_stylizes_the_stream_asked_for() -> None:
    source = make_two_views(Path("views.mkv"))
    Path("cuts.txt").write_text("2\n")
    content_share = {"iterations": 0, "first_iterations": 0, "size": "source", "device": "cpu", "cuts": "cuts.txt"}
    result = stylize(source, "style.png", "out.mkv", Settings(stream=2, **content_share))
    assert result.frames == 5
    with open_source(Path("out.mkv")) as stylized:
        frames = list(stylized)
    assert [level(frame.image) for frame in frames] == list(range(5, 10))
    assert [f.pts * f.time_base for f in frames] == [Fraction(k, 10) for k in range(5)]


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
