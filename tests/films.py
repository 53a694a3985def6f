"""Films with side streams of every kind, and what a file holds of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import cv2
import numpy as np
from av.stream import Disposition
from clips import AUDIO_OPTIONS, VideoWriter, made_once, picture

from vidstyle.frames import ClipInfo, Frame
from vidstyle.media.read.open_source import open_source
from vidstyle.media.streams.side_streams import StreamSelection
from vidstyle.media.write.joining import join_video
from vidstyle.media.write.segments import SEGMENT_SUFFIX

_PICTURES: dict[Any, tuple[ClipInfo, list[Frame]]] = {}
_SEGMENTS: dict[Any, list[bytes]] = {}
MS = Fraction(1, 1000)
RATE = 25
CLICK_FIRST_S, CLICK_EVERY_S = 0.1, 0.25
STYLES = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n"
TAGS = {"title": "A film", "artist": "me", "creation_time": "2020-01-02T03:04:05.000000Z", "location": "+48.85+002.29/"}


@dataclass
class Sub:
    """One subtitle track: events of (payload, start, duration) in milliseconds."""

    codec: str
    events: Sequence[tuple[bytes, int, int]] = ((b"hello", 200, 300),)
    language: str = "fra"
    title: str = "Texte"
    header: bytes | None = None
    disposition: Disposition = Disposition.default


@dataclass
class Film:
    """The side streams that `make_film` adds to 25 frames."""

    subs: Sequence[Sub] = ()
    chapters: Sequence[tuple[int, int, str]] = ()
    tags: dict[str, str] = field(default_factory=dict)
    video_tags: dict[str, str] = field(default_factory=dict)
    fonts: Sequence[str] = ()
    cover: bool = False
    data: str = ""
    codec: str = "libx264"
    sound: bool = False
    start: int = 0
    options: dict[str, str] = field(default_factory=dict)


def cover_picture() -> bytes:
    return bytes(cv2.imencode(".jpg", picture(3))[1].tobytes())


@made_once
def make_film(path: Path, film: Film, frames: int = 25) -> Path:
    """Writes a film of `frames` frames at 25 per second, the first at `film.start` frames."""
    with av.open(str(path), "w", options=film.options) as output:
        video = output.add_stream(film.codec, rate=RATE)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.metadata.update(film.video_tags)
        sound = output.add_stream("aac", rate=48000, options=AUDIO_OPTIONS["aac"]) if film.sound else None
        later: list[tuple[int, av.Packet[Any]]] = []
        for sub in film.subs:
            stream = output.add_mux_stream(sub.codec) if sub.header is None else _styled(output, sub)
            stream.metadata.update(language=sub.language, title=sub.title)
            stream.disposition = sub.disposition
            later += [(start, _packet(stream, data, start, length)) for data, start, length in sub.events]
        for name in film.fonts:
            output.add_attachment(name, "application/x-truetype-font", name.encode() * 30)
        _add_cover(output, path, film, later)
        if film.data:
            data = output.add_data_stream(film.data)
            later += [(start, _packet(data, b"position", start, 400)) for start in (0, 400, 800)]
        output.metadata.update(film.tags)
        output.set_chapters(
            [
                {"id": k + 1, "start": a, "end": b, "time_base": MS, "metadata": {"title": title}}
                for k, (a, b, title) in enumerate(film.chapters)
            ]
        )
        later.sort(key=lambda pair: pair[0])
        for index in range(frames):
            output.mux(video.encode(_frame(index, index + film.start)))
            if sound is not None:
                output.mux(sound.encode(_silence(index)))
            while later and later[0][0] <= index * 40:
                output.mux(later.pop(0)[1])
        output.mux(video.encode(None))
        if sound is not None:
            output.mux(sound.encode(None))
    return path


def _styled(output: Any, sub: Sub) -> Any:
    stream = output.add_stream(sub.codec)
    stream.codec_context.subtitle_header, stream.codec_context.time_base = sub.header, MS
    return stream


def _add_cover(output: Any, path: Path, film: Film, later: list[tuple[int, av.Packet[Any]]]) -> None:
    if film.cover and path.suffix == ".mkv":
        output.add_attachment("cover.jpg", "image/jpeg", cover_picture())
    elif film.cover:
        stream = output.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.disposition = Disposition.attached_pic
        packet = _packet(stream, cover_picture(), 0, 0)
        packet.is_keyframe = True
        later.append((0, packet))


def _packet(stream: Any, data: bytes, start_ms: int, duration_ms: int) -> av.Packet[Any]:
    packet = av.Packet(data)
    packet.stream, packet.time_base, packet.duration = stream, MS, duration_ms
    packet.pts = packet.dts = start_ms
    return packet


def _frame(index: int, pts: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture(index), "rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = pts, Fraction(1, RATE)
    return frame


def _silence(index: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((2, 1920), np.float32), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, index * 1920, Fraction(1, 48000)
    return frame


def passed_through(
    source: Path, output: Path, frames: tuple[int, int | None] = (0, None), **selection: Any
) -> list[str]:
    """Reads and writes without stylizing, and returns the notes; the same pictures are read and encoded once only."""
    read = sha256(source.read_bytes()).hexdigest(), frames
    if read not in _PICTURES:
        with open_source(source, frames=frames) as opened:
            _PICTURES[read] = opened.info, list(opened)
    info, pictures = _PICTURES[read]
    quick = {} if output.suffix in (".gif", ".webp") else {"preset": "ultrafast"}
    writer = VideoWriter(output, replace(info, path=source), **quick)
    for frame in pictures:
        writer.write(frame)
    encoded = *read, writer.spec.encoding, writer.spec.time_base, writer.spec.kind.constant_rate
    with TemporaryDirectory() as folder:
        if encoded not in _SEGMENTS:
            _SEGMENTS[encoded] = [path.read_bytes() for path in writer.segments(Path(folder), 16)]
        segments = [Path(folder) / f"{number}{SEGMENT_SUFFIX}" for number in range(len(_SEGMENTS[encoded]))]
        for path, data in zip(segments, _SEGMENTS[encoded], strict=True):
            path.write_bytes(data)
        return join_video(output, writer.info, writer.spec, segments, writer.timestamps, StreamSelection(**selection))


def texts(path: Path, track: int = 0) -> list[tuple[float, float, str]]:
    """(start after the first picture, duration, text) of every subtitle that shows something, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[track]
        events = []
        for packet in container.demux(stream):
            if packet.size:
                shown = [event.dialogue.decode() for event in packet.decode()]
                events += [(packet.pts * packet.time_base, packet.duration * packet.time_base, text) for text in shown]
    first = first_picture_s(path)
    return [(float(start - first), float(duration), text) for start, duration, text in events]


def first_picture_s(path: Path) -> Fraction:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.pts * frame.time_base


def chapters(path: Path) -> list[tuple[float, float, str]]:
    """(start after the first picture, end, title) of every chapter, in seconds."""
    first = first_picture_s(path)
    with av.open(str(path)) as container:
        return [
            (
                round(float(chapter["start"] * chapter["time_base"] - first), 3),
                round(float(chapter["end"] * chapter["time_base"] - first), 3),
                chapter["metadata"].get("title", ""),
            )
            for chapter in container.chapters()
        ]


def tags(path: Path) -> dict[str, str]:
    """A container's tags by their names in small letters."""
    with av.open(str(path)) as container:
        return {key.lower(): value for key, value in container.metadata.items()}


@made_once
def make_clicks(
    path: Path,
    codec: str = "aac",
    video: str = "libx264",
    frames: int = 40,
    rate: int = 48000,
    delay_s: float = 0.0,
    early_s: float = 0.0,
    first_frame: int = 0,
    holes_s: Sequence[tuple[float, float]] = (),
    layout: str = "stereo",
) -> Path:
    """Writes a film that clicks every quarter of a second from 0.1 s on.

    Args:
        delay_s: sound starts so late. early_s: or before 0. first_frame: pictures start so many frames late.
        holes_s: packets of sound that start within them are left out.
        layout: of the channels, all of which click.
    """
    with av.open(str(path), "w") as output:
        pictures = output.add_stream(video, rate=RATE, options={"g": "10"})
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, RATE)
        sound = output.add_stream(codec, rate=rate, options=AUDIO_OPTIONS.get(codec, {}))
        sound.layout, sound.format = layout, sound.codec_context.codec.audio_formats[0].name
        sound.codec_context.open()
        chunk, start_s = sound.codec_context.frame_size or 1024, delay_s - early_s
        count = int((frames / RATE - start_s) * rate)
        work: list[tuple[float, bool, Any]] = [(k / RATE, False, _frame(k, k + first_frame)) for k in range(frames)]
        for first in range(0, count, chunk):
            time_s = np.arange(first, first + chunk) / rate + start_s
            wave = np.where((time_s - CLICK_FIRST_S) % CLICK_EVERY_S < 0.001, 0.95, 0.02 * np.sin(1885 * time_s))
            work.append((float(time_s[0]), True, _wave(wave, sound, rate, first + round(start_s * rate))))
        for _, is_sound, frame in sorted(work, key=lambda item: item[:2]):
            packets = sound.encode(frame) if is_sound else pictures.encode(frame)
            output.mux([p for p in packets if not is_sound or not _is_in(p, holes_s)])
        output.mux([*pictures.encode(None), *sound.encode(None)])
    return path


def spliced(first: Path, second: Path, path: Path, at_s: float) -> Path:
    """Writes a film whose sound is that of one film and, from a time on, that of another, in one stream."""
    with av.open(str(first)) as one, av.open(str(second)) as two, av.open(str(path), "w") as output:
        streams = {s.index: output.add_stream_from_template(s) for s in one.streams}
        sound = one.streams.audio[0].index
        before = [p for p in one.demux() if p.size and (p.stream.index != sound or p.pts * p.time_base < at_s)]
        after = [p for p in two.demux(two.streams.audio[0]) if p.size and p.pts * p.time_base >= at_s]
        for packet in (*before, *after):
            packet.stream = streams[sound if packet.stream.type == "audio" else packet.stream.index]
            output.mux(packet)
    return path


def _is_in(packet: av.Packet[Any], holes_s: Sequence[tuple[float, float]]) -> bool:
    return any(begin <= packet.pts * packet.time_base < end for begin, end in holes_s)


def _wave(wave: np.ndarray, sound: Any, rate: int, pts: int) -> av.AudioFrame:
    kind = sound.codec_context.format
    layout = sound.codec_context.layout
    stereo = np.stack([wave] * layout.nb_channels)
    if kind.name.startswith("s"):
        largest = np.iinfo(np.int16 if kind.name.startswith("s16") else np.int32)
        stereo = (stereo * (largest.max * 0.99)).astype(largest.dtype)
    stereo = stereo if kind.name.startswith("s") else stereo.astype(np.float32)
    if not kind.is_planar:
        stereo = stereo.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo), format=kind.name, layout=layout.name)
    frame.sample_rate, frame.pts, frame.time_base = rate, pts, Fraction(1, rate)
    return frame


def clicks_s(path: Path) -> list[float]:
    """When the clicks of `make_clicks` are heard, in seconds after the first picture."""
    # FFmpeg reads H.264 in AVI one frame late.
    first_s = 0.0 if path.suffix == ".avi" else float(first_picture_s(path))
    heard: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            wave = frame.to_ndarray().astype(float)
            if not frame.format.is_planar:
                wave = wave.reshape(-1, frame.layout.nb_channels).T
            loud = np.abs(wave[0]) / (32767 if frame.format.name.startswith("s16") else 1)
            for hit in np.flatnonzero(loud > 0.45):
                time_s = float(frame.pts * frame.time_base) + hit / frame.sample_rate - first_s
                if not heard or time_s - heard[-1] > 0.1:
                    heard.append(time_s)
    return heard
