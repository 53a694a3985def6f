"""Video files written property by property, through PyAV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet

from media_files.drawing import Color, Levels, scene, to_av, turned
from media_files.sound import Sound, SoundWriter

Scene = Callable[[int, int, int], Levels]
# x264 without loss and without choices of its own; the second one with as many B-frames as it can have.
LOSSLESS = {"qp": "0", "preset": "veryfast"}
REORDERED = {"qp": "2", "preset": "veryfast", "bf": "3", "x264-params": "b-adapt=0:scenecut=0:keyint=12"}


@dataclass(frozen=True)
class Video:
    """One video stream.

    Attributes:
        size: width and height in pixels as stored. pts: in ticks of `base`; None: a frame every 1/rate.
        rotation: degrees counterclockwise by which players turn it; frames are drawn so that they end upright.
        field_order: "tff" or "bff" where frames are woven.
        muxed_pts: what packets are stamped with instead, for codecs that store frames as they are shown.
    """

    frames: int = 10
    size: tuple[int, int] = (96, 64)
    rate: Fraction = Fraction(25)
    pts: Sequence[int] | None = None
    base: Fraction | None = None
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: dict(LOSSLESS))
    rotation: int = 0
    aspect: Fraction | None = None
    color: Color = Color()
    scene: Scene = scene
    first_scene: int = 0
    field_order: str = ""
    muxed_pts: Sequence[int] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    is_default: bool = True

    @property
    def ticks(self) -> list[int]:
        """When frames are shown, in `time_base`."""
        return list(self.pts) if self.pts is not None else list(range(self.frames))

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        return self.base or 1 / self.rate

    def shown(self, index: int) -> Levels:
        """Returns a frame as it is to be seen: upright."""
        width, height = self.size if self.rotation % 180 == 0 else self.size[::-1]
        return self.scene(self.first_scene + index, width, height)


@dataclass(frozen=True)
class Cue:
    """A subtitle; times in seconds."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Subtitles:
    """One subtitle stream."""

    codec: str = "subrip"
    language: str = "eng"
    cues: tuple[Cue, ...] = (Cue(0.04, 0.2, "One"), Cue(0.24, 0.36, "Two"))


@dataclass(frozen=True)
class Extras:
    """What else a container holds: chapters as (start, end, title) in seconds, attachments as (name, type, bytes)."""

    chapters: tuple[tuple[float, float, str], ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    attachments: tuple[tuple[str, str, bytes], ...] = ()
    cover: bool = False
    options: dict[str, str] = field(default_factory=dict)


def write_clip(
    path: Path,
    videos: Sequence[Video] = (Video(),),
    sounds: Sequence[Sound] = (),
    subtitles: Sequence[Subtitles] = (),
    extras: Extras | None = None,
) -> Path:
    """Writes a media file; the suffix chooses the container.

    Raises:
        av.FFmpegError, ValueError: the container or codec does not take it.
    """
    extras = extras or Extras()
    with av.open(str(path), "w", options=dict(extras.options)) as output:
        output.metadata.update(extras.metadata)
        if extras.chapters:
            output.set_chapters([_chapter(number, *chapter) for number, chapter in enumerate(extras.chapters)])
        pictures = [(video, _video_stream(output, video)) for video in videos]
        tracks = [SoundWriter(output, sound) for sound in sounds]
        texts = [(track, _subtitle_stream(output, track)) for track in subtitles]
        for attachment in extras.attachments:
            output.add_attachment(*attachment)
        cover = _cover_stream(output) if extras.cover else None
        output.start_encoding()
        for video, stream in pictures:
            _write_video(output, video, stream)
        origin_s = videos[0].ticks[0] * videos[0].time_base if videos else Fraction(0)
        length_s = _length_s(videos[0]) if videos else Fraction(1, 2)
        for sound in tracks:
            sound.write(origin_s, length_s)
        for track, stream in texts:
            _write_subtitles(output, track, stream, origin_s)
        if cover is not None:
            _write_cover(output, cover)
    return path


def _chapter(number: int, start_s: float, end_s: float, title: str) -> dict[str, Any]:
    times = {"start": round(start_s * 1000), "end": round(end_s * 1000), "time_base": Fraction(1, 1000)}
    return {"id": number, **times, "metadata": {"title": title}}


def _length_s(video: Video) -> Fraction:
    return (video.ticks[-1] - video.ticks[0]) * video.time_base + 1 / video.rate


def _video_stream(output: Any, video: Video) -> Any:
    stream = output.add_stream(video.codec, rate=video.rate, options=dict(video.options))
    stream.width, stream.height = video.size
    stream.pix_fmt = video.pix_fmt
    context, color = stream.codec_context, video.color
    stream.time_base = context.time_base = video.time_base
    context.thread_count = 1
    if video.aspect is not None:
        context.sample_aspect_ratio = video.aspect
    context.colorspace, context.color_primaries, context.color_trc = color.matrix, color.primaries, color.transfer
    context.color_range = 2 if color.full else 1
    if video.rotation:
        stream.set_display_rotation(video.rotation)
    stream.metadata.update(video.metadata)
    if video.is_default:
        stream.disposition = Disposition.default
    return stream


def _write_video(output: Any, video: Video, stream: Any) -> None:
    packets = []
    marker = _field_marker(video) if video.field_order else None
    for index, stamp in enumerate(video.ticks):
        frame = to_av(turned(video.shown(index), -video.rotation), video.pix_fmt, video.color)
        frame.pts, frame.time_base = stamp, video.time_base
        if marker is not None:
            marker.vpush(frame)
            frame = marker.vpull()
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet, stamp in zip(packets, video.muxed_pts or [None] * len(packets), strict=True):
        if stamp is not None:
            packet.pts = packet.dts = stamp
        output.mux(packet)


def _field_marker(video: Video) -> Graph:
    """PyAV cannot say which field comes first; a filter of libavfilter can."""
    graph = Graph()
    source = graph.add_buffer(
        width=video.size[0], height=video.size[1], format=video.pix_fmt, time_base=video.time_base
    )
    marker = graph.add("setfield", f"mode={video.field_order}")
    graph.link_nodes(source, marker, graph.add("buffersink")).configure()
    return graph


_SUBTITLE_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname, Fontsize\r\n"
    b"Style: Default,Arial,16\r\n\r\n[Events]\r\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, "
    b"MarginV, Effect, Text\r\n"
)


def _subtitle_stream(output: Any, track: Subtitles) -> Any:
    stream = output.add_stream(track.codec)
    stream.metadata["language"] = track.language
    stream.codec_context.subtitle_header = _SUBTITLE_HEADER
    stream.codec_context.time_base = Fraction(1, 1000)
    return stream


def _write_subtitles(output: Any, track: Subtitles, stream: Any, origin_s: Fraction) -> None:
    for number, cue in enumerate(track.cues):
        text = f"{number},0,Default,,0,0,0,,{cue.text}".encode()
        start_ms, length_ms = round((float(origin_s) + cue.start_s) * 1000), round((cue.end_s - cue.start_s) * 1000)
        packet = stream.codec_context.encode_subtitle(SubtitleSet.create(text, 0, length_ms, start_ms * 1000, 1))
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = start_ms
        packet.duration = length_ms
        output.mux(packet)


def _cover_stream(output: Any) -> Any:
    art = output.add_stream("mjpeg", rate=25)
    art.width, art.height, art.pix_fmt = 48, 48, "yuvj420p"
    art.disposition = Disposition.attached_pic
    return art


def _write_cover(output: Any, stream: Any) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((48, 48, 3), 200, np.uint8), "rgb24")
    frame.pts = 0
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def refiltered(path: Path, target: Path, filters: str) -> Path:
    """Copies the video of a file through a bitstream filter, which changes what stands in its headers."""
    with av.open(str(path)) as stored, av.open(str(target), "w") as output:
        source = stored.streams.video[0]
        stream = output.add_stream_from_template(source)
        changing = av.BitStreamFilterContext(filters, source, stream)
        for packet in stored.demux(source):
            for changed in changing.filter(packet if packet.size else None):
                changed.stream = stream
                output.mux(changed)
    return target
