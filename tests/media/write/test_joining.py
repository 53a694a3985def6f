"""Segments joined to a video: every frame in order, the same bytes, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from errno import EINVAL, ENOSPC
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import VideoWriter, frames_of, info_of, level, make_sound, make_video, picture, times_s, video_to, write_raw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vidstyle.errors import OutputError
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.headers import frame_durations_ms
from vidstyle.media.stills.images import read_image
from vidstyle.media.streams.side_streams import SideStreams
from vidstyle.media.write.codecs import EncodeOptions
from vidstyle.media.write.joining import check_video, join_video
from vidstyle.media.write.segments import ffmpeg_reported, output_times, segment_packets, video_spec, write_segment


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.mov", "o.webm", "o.avi"])
def test_color_round_trip(place: Path, inputs: Path, name: str) -> None:
    solid = np.zeros((48, 64, 3), np.uint8)
    solid[:] = (200, 60, 90)
    smooth = picture(0)
    smooth[:, :, 2] = 255 - smooth[:, :, 0]
    with video_to(place / name, inputs) as writer:
        for i, image in enumerate((solid, smooth, solid[:, :, ::-1])):
            writer.write(replace(frames_of()[i], image=np.ascontiguousarray(image)))
    with open_source(place / name) as source:
        for frame, want in zip(source, (solid, smooth, solid[:, :, ::-1]), strict=True):
            assert np.abs(frame.image.astype(int) - want).mean() < 2
            assert np.abs((frame.image.astype(int) - want).mean((0, 1))).max() < (2.0 if name == "o.webm" else 1.1)


def test_gif_colors(place: Path, inputs: Path) -> None:
    with video_to(place / "o.gif", inputs) as writer:
        writer.write(frames_of()[5])
    with open_source(place / "o.gif") as source:
        assert np.abs(next(source).image.astype(int) - picture(5)).mean() < 6


def test_gif_takes_odd_sizes(place: Path, inputs: Path) -> None:
    with VideoWriter(place / "o.gif", info_of(inputs), 65, 49) as writer:
        writer.write(replace(frames_of()[0], image=picture(0, (65, 49))))
    with open_source(place / "o.gif") as source:
        assert (source.info.width, source.info.height) == (65, 49)


def test_still_source_as_video(place: Path, still: Path) -> None:
    with open_source(still) as source, VideoWriter(place / "o.mp4", source.info) as writer:
        for frame in source:
            writer.write(frame)
    assert times_s(place / "o.mp4") == [0]


@pytest.mark.parametrize("frames", [(0, None), (0, 3)])
def test_an_animations_last_frame_is_shown_as_long_as_it_was(place: Path, frames: tuple[int, int | None]) -> None:
    durations_ms = [100, 100, 700, 3000][: frames[1]]
    pictures = [Image.fromarray(picture(k)) for k in range(4)]
    pictures[0].save(place / "a.png", save_all=True, append_images=pictures[1:], duration=[100, 100, 700, 3000])
    for name in ("o.mkv", "o.webp"):
        with open_source(place / "a.png", frames=frames) as source, VideoWriter(place / name, source.info) as writer:
            for frame in source:
                writer.write(frame)
    assert frame_durations_ms(place / "o.webp") == durations_ms
    with av.open(str(place / "o.mkv")) as container:
        last = max((p for p in container.demux(video=0) if p.size), key=lambda packet: packet.pts or 0)
        assert last.duration * last.time_base == Fraction(durations_ms[-1], 1000)


def test_crf_chooses_the_quality(place: Path, inputs: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (48, 64, 3), np.uint8)
    for suffix in (".mp4", ".webm"):
        sizes = []
        for crf in (5, 40):
            output = place / f"{crf}{suffix}"
            with VideoWriter(output, info_of(inputs), crf=crf) as writer:
                writer.write(replace(frames_of()[0], image=noise))
            sizes.append(output.stat().st_size)
        assert sizes[0] > 1.5 * sizes[1]


def test_write_raw_helper_is_lossless(tmp_path: Path) -> None:
    assert np.array_equal(read_image(write_raw(tmp_path / "a.png", picture(1))), picture(1))


def test_silent_video_source(place: Path, tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4")
    with open_source(path) as source, VideoWriter(place / "o.mp4", source.info) as writer:
        for frame in source:
            writer.write(frame)
    assert writer.notes == []
    assert times_s(place / "o.mp4") == [Fraction(i, 25) for i in range(12)]


ALL = ["o.mp4", "o.mkv", "o.mov", "o.webm", "o.avi", "o.gif"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_every_frame_is_there_in_order(place: Path, inputs: Path, name: str, count: int) -> None:
    with video_to(place / name, inputs) as writer:
        for frame in frames_of(count):
            writer.write(frame)
    assert writer.notes == []
    with open_source(place / name) as source:
        levels = [level(frame.image) for frame in source]
    assert len(levels) == count
    assert all(abs(got - i) <= (name == "o.gif") for i, got in enumerate(levels))
    assert [p.name for p in place.iterdir()] == [name]


@pytest.mark.parametrize("name", ALL)
def test_joining_changes_no_picture(place: Path, inputs: Path, name: str) -> None:
    decoded = []
    for each_frames in (4, 12):
        output = place / f"{each_frames}{name}"
        writer = video_to(output, inputs)
        for frame in frames_of():
            writer.write(frame)
        segments = writer.segments(inputs, each_frames)
        join_video(output, writer.info, writer.spec, segments, writer.timestamps)
        with av.open(str(output)) as joined:
            decoded.append([frame.to_ndarray(format="rgb24") for frame in joined.decode(video=0)])
        apart = []
        for segment in segments:
            with av.open(str(segment)) as container:
                apart += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert all(np.array_equal(a, b) for a, b in zip(decoded[-1], apart, strict=True))
    times = [times_s(place / f"{n}{name}") for n in (4, 12)]
    assert times[0] == times[1]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(1, 400), max_size=17), first=st.integers(0, 10**6), each=st.integers(1, 7))
def test_irregular_times_survive_joining(tmp_path: Path, inputs: Path, steps: list[int], first: int, each: int) -> None:
    stamps = [first + sum(steps[:k]) for k in range(len(steps) + 1)]
    writer = video_to(tmp_path / "o.mp4", inputs, time_base=Fraction(1, 1000))
    for k, pts in enumerate(stamps):
        writer.write(replace(frames_of(1)[0], image=picture(k), pts=pts))
    join_video(writer.output, writer.info, writer.spec, writer.segments(inputs, each), stamps)
    assert times_s(writer.output) == [Fraction(pts - first, 1000) for pts in stamps]


def test_a_missing_frame_or_a_shifted_one_is_noticed(place: Path, inputs: Path) -> None:
    writer = video_to(place / "o.mp4", inputs)
    for frame in frames_of():
        writer.write(frame)
    segments = writer.segments(inputs, 5)
    with pytest.raises(OutputError, match="hold 5 of 12 frames"):
        join_video(writer.output, writer.info, writer.spec, segments[:1], writer.timestamps)
    join_video(writer.output, writer.info, writer.spec, segments, writer.timestamps)
    times, _ = output_times(writer.timestamps, writer.spec, 0)
    check_video(writer.output, writer.spec, times, [])
    with pytest.raises(OutputError, match="holds 12 of 13 frames"):
        check_video(writer.output, writer.spec, [*times, 99], [])
    with pytest.raises(OutputError, match=r"0\.040 s from their time"):
        check_video(writer.output, writer.spec, [*times[:-1], times[-1] + 1], [])
    with pytest.raises(OutputError, match="0 of 1 audio"):
        check_video(writer.output, writer.spec, times, [Fraction(1)])


def test_what_cannot_be_written_names_the_file(place: Path, inputs: Path) -> None:
    writer = video_to(place / "none" / "o.mp4", inputs)
    writer.write(frames_of()[0])
    segments = writer.segments(inputs)
    with pytest.raises(OutputError, match=r"o\.mp4.*No such file"):
        join_video(writer.output, writer.info, writer.spec, segments, writer.timestamps)
    with pytest.raises(OutputError, match=r"0\.segment.*cannot be written"):
        writer.segments(place / "none")


def test_a_segment_is_written_whole_or_not_at_all(place: Path, inputs: Path) -> None:
    writer = video_to(place / "o.mp4", inputs)
    with pytest.raises(ValueError, match="is 32x48, not 64x48"):
        write_segment(place / "a.nut", writer.spec, [picture(0), picture(1, (32, 48))], [0, 1, 2])
    with pytest.raises(ValueError, match="argument"):
        write_segment(place / "a.nut", writer.spec, [picture(0)], [0, 1, 2])
    assert list(place.iterdir()) == []


def test_odd_sides_are_for_gif_only(place: Path, inputs: Path) -> None:
    for size in ((65, 48), (64, 47)):
        with pytest.raises(ValueError, match="even"):
            VideoWriter(place / "a.mp4", info_of(inputs), *size)


def test_the_same_segments_have_the_same_bytes(place: Path, inputs: Path) -> None:
    for name in ALL:
        contents = []
        for _ in range(2):
            writer = video_to(place / name, inputs)
            for frame in frames_of():
                writer.write(frame)
            contents.append([segment.read_bytes() for segment in writer.segments(inputs)])
        assert contents[0] == contents[1]


def test_sound_is_held_for_moments_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "in.mp4", frames=200, size=(16, 16), audio="aac")
    held = []
    carry = SideStreams.write_until

    def watched(self: SideStreams, time_s: Fraction) -> None:
        carry(self, time_s)
        held.append(len(self._pending) + len(self._durations))

    monkeypatch.setattr(SideStreams, "write_until", watched)
    with open_source(path) as source, VideoWriter(tmp_path / "o.mp4", source.info, 16, 16) as writer:
        for frame in source:
            writer.write(frame)
    # 200 frames have 375 packets of sound; two seconds are read ahead.
    assert len(held) == 200
    assert max(held) < 250


def test_times_of_an_animation_are_added_up_in_one_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched(list[int]):
        looked_at = 0

        def __getitem__(self, key: Any) -> Any:
            found = super().__getitem__(key)
            Watched.looked_at += len(found) if isinstance(key, slice) else 1
            return found

    durations = Watched([40] * 1000)
    monkeypatch.setattr("vidstyle.media.write.joining.frame_durations_ms", lambda _: durations)
    spec = video_spec(tmp_path / "o.webp", info_of(tmp_path), 64, 48, EncodeOptions())
    check_video(tmp_path / "o.webp", spec, range(0, 40_000, 40), [])
    assert Watched.looked_at <= len(durations)


@pytest.mark.parametrize(
    ("name", "error", "advice"),
    [
        ("o.mp4", av.ArgumentError(EINVAL, "Invalid argument"), "try .mkv"),
        ("o.mp4", OverflowError("value too large"), "try .mkv"),
        ("o.mov", ValueError("no such stream"), "try .mkv"),
        ("o.mkv", av.ArgumentError(EINVAL, "Invalid argument"), "run the same command again"),
        ("0.segment", av.ArgumentError(EINVAL, "Invalid argument"), "run the same command again"),
        ("0.segment", OverflowError("value too large"), "run the same command again"),
        ("o.mp4", av.InvalidDataError(-1094995529, "Invalid data"), "run the same command again"),
        ("o.mp4", MemoryError("no memory"), "run the same command again"),
        ("o.mp4", OSError(ENOSPC, "No space left"), "make room, then run the same command again"),
    ],
)
def test_advice_is_what_may_help(name: str, error: Exception, advice: str) -> None:
    with pytest.raises(OutputError) as caught, ffmpeg_reported(Path(name)):
        raise error
    assert str(caught.value).startswith(f"{name}: cannot be written or read back (")
    assert str(caught.value).endswith(f"); {advice}")


@pytest.mark.parametrize(("name", "error"), [("0.segment", ValueError("ours")), ("o.mp4", IndexError("ours"))])
def test_faults_of_ours_stay_what_they_are(name: str, error: Exception) -> None:
    with pytest.raises(type(error), match="ours"), ffmpeg_reported(Path(name)):
        raise error


def test_a_segment_without_pictures_is_an_error(tmp_path: Path, inputs: Path) -> None:
    spec = video_to(tmp_path / "o.mp4", inputs).spec
    sound = make_sound(tmp_path / "sound.nut")
    with pytest.raises(OutputError, match="holds no pictures; run the same command again"):
        list(segment_packets(sound, spec))
