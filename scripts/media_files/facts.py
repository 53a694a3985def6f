"""What a media file, a folder or a picture holds, read without any code of the package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.stream import Disposition
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from media_files.boxes import shown_s
from media_files.drawing import Levels, from_av, tick_s, turned
from media_files.sound import Wave, heard

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".exr")
# What AVI does not say, and FLAC in MP4: there, surround speakers are at the side.
_LAYOUTS = {"1 channels": "mono", "2 channels": "stereo", "5.1(side)": "5.1"}
# No language, and the other code of one, which QuickTime has.
_LANGUAGES = {"und": "", "ger": "deu", "fre": "fra"}
# A file that fails more often than this is not read on: a failing demuxer may fail for ever.
_MOST_LOST = 100


@dataclass
class Track:
    """One audio track; `wave` is what is heard and when, in seconds after the first picture."""

    codec: str
    rate: int
    layout: str
    language: str
    title: str
    packets: list[bytes]
    wave: tuple[Any, Wave]

    @property
    def digest(self) -> str:
        """Tells tracks of the same packets."""
        return sha256(b"".join(self.packets)).hexdigest()[:12]


@dataclass
class Facts:
    """All of it; times in seconds. `alpha` holds a plane for each picture that has one."""

    codec: str = ""
    pix_fmt: str = ""
    frames: list[Levels | None] = field(default_factory=list)
    times: list[Fraction] = field(default_factory=list)
    tick_s: Fraction = Fraction(1, 1000)
    last_duration_s: Fraction | None = None
    size: tuple[int, int] = (0, 0)
    rotation: int = 0
    aspect: Fraction = Fraction(1)
    color: tuple[str, str, str, str] = ("", "", "", "")
    interlaced: int = 0
    audio: list[Track] = field(default_factory=list)
    subtitles: list[tuple[str, str, list[tuple[float, str]]]] = field(default_factory=list)
    chapters: list[tuple[float, float, str]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    attachments: list[tuple[str, int]] = field(default_factory=list)
    videos: int = 0
    covers: int = 0
    names: list[str] = field(default_factory=list)
    alpha: list[Any] = field(default_factory=list)
    bits: int = 8
    lost: int = 0

    @property
    def displayed_px(self) -> tuple[int, int]:
        """Width and height as displayed, before the pixels' own shape counts."""
        return self.size if self.rotation % 180 == 0 else self.size[::-1]


def facts_of(path: Path, stream: int | None = None, every: int = 1) -> Facts:
    """Reads a video file (its default video stream, or the one of that number), a folder, or a picture.

    Args:
        every: of so many frames one is kept; the others are None in `frames`.
    """
    if path.is_dir() or (path.suffix.lower() in PICTURE_SUFFIXES and not is_animation(path)):
        return _of_pictures(path)
    if is_animation(path):
        return _of_webp(path)
    facts = Facts()
    with av.open(str(path), metadata_errors="replace") as container:
        _read_header(container, facts)
        moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        best = container.streams.best("video")
        chosen = moving[stream] if stream is not None else best if best in moving else moving[0]
        _read_pictures(container, chosen, facts, every)
        if "mp4" in container.format.name.split(",") and facts.times:
            length_s = shown_s(path)
            facts.last_duration_s = length_s and length_s - (facts.times[-1] - facts.times[0])
    for number in range(len(facts.audio)):
        _read_track(path, number, facts)
    _read_subtitles(path, facts)
    return facts


def is_animation(path: Path) -> bool:
    """Tells a WebP that moves."""
    return path.suffix.lower() == ".webp" and path.is_file() and b"ANIM" in path.read_bytes()[:64]


def _read_header(container: Any, facts: Facts) -> None:
    facts.metadata = {key.lower(): value for key, value in container.metadata.items()}
    for chapter in container.chapters():
        base = Fraction(chapter["time_base"])
        title = chapter["metadata"].get("title", "")
        facts.chapters.append((float(chapter["start"] * base), float(chapter["end"] * base), title))
    for stream in container.streams:
        if stream.type == "video" and stream.disposition & Disposition.attached_pic:
            facts.covers += 1
        elif stream.type == "video":
            facts.videos += 1
        elif stream.type == "attachment":
            facts.attachments.append((stream.metadata.get("filename", stream.name or ""), len(stream.data or b"")))
        elif stream.type == "audio":
            facts.audio.append(_track(stream))
        elif stream.type == "subtitle":
            facts.subtitles.append((stream.codec_context.name, stream.metadata.get("language", ""), []))


def _track(stream: Any) -> Track:
    """Returns what the header says of a track; its sound is read later."""
    context, tags = stream.codec_context, stream.metadata
    layout = _LAYOUTS.get(context.layout.name, context.layout.name)
    language = _LANGUAGES.get(tags.get("language", ""), tags.get("language", ""))
    silence = np.zeros(0), np.zeros((0, 0), np.float32)
    return Track(context.name, context.sample_rate, layout, language, tags.get("title", ""), [], silence)


def _read_pictures(container: Any, stream: Any, facts: Facts, every: int) -> None:
    context = stream.codec_context
    stream.thread_type = "NONE"
    facts.codec, facts.pix_fmt, facts.size = context.name, context.pix_fmt or "", (stream.width, stream.height)
    facts.tick_s = tick_s(stream.time_base)
    facts.aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
    for number, frame in enumerate(_decoded(container, stream, facts)):
        facts.rotation = int(frame.rotation or 0)
        facts.interlaced += bool(frame.interlaced_frame)
        facts.frames.append(None if number % every else turned(from_av(frame), facts.rotation))
        # AVI counts chunks: the first frame shown has the time of the first one, whatever FFmpeg makes of it.
        counted = frame.pts is None or container.format.name == "avi"
        facts.times.append(number / rate if counted else frame.pts * tick_s(frame.time_base))
        facts.last_duration_s = frame.duration * tick_s(frame.time_base) if frame.duration else None
        facts.color = (
            _name(ColorRange, frame.color_range),
            _name(Colorspace, frame.colorspace),
            _name(ColorPrimaries, frame.color_primaries),
            _name(ColorTrc, frame.color_trc),
        )
        facts.bits = frame.format.components[0].bits
        facts.size = (frame.width, frame.height)


def _decoded(container: Any, stream: Any, facts: Facts) -> Iterator[av.VideoFrame]:
    """Yields what can be decoded, and counts packets that cannot."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            yield from packet.decode() if packet is not None else ()
        except (av.FFmpegError, OSError):
            facts.lost += 1
            if facts.lost > _MOST_LOST:
                return
            continue
        if packet is None:
            return


def _name(kind: Any, value: Any) -> str:
    try:
        name = kind(int(value)).name.lower()
    except ValueError:
        return str(int(value))
    return "-" if name == "unspecified" else {"mpeg": "limited", "jpeg": "full"}.get(name, name)


def _read_track(path: Path, number: int, facts: Facts) -> None:
    origin_s = facts.times[0] if facts.times else Fraction(0)
    with av.open(str(path)) as container:
        stream = container.streams.audio[number]
        facts.audio[number].packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
    with av.open(str(path)) as container:
        facts.audio[number].wave = heard(list(container.decode(audio=number)), origin_s)


def _read_subtitles(path: Path, facts: Facts) -> None:
    origin_s = facts.times[0] if facts.times else Fraction(0)
    for number, (_, _, cues) in enumerate(facts.subtitles):
        with av.open(str(path)) as container:
            stream = container.streams.subtitles[number]
            for packet in container.demux(stream):
                if packet.size > 2 and packet.pts is not None:
                    start_s = float(packet.pts * tick_s(packet.time_base) - origin_s)
                    cues.append((round(start_s, 3), _text_of(stream, packet)))


def _text_of(stream: Any, packet: Any) -> str:
    data = bytes(packet)
    if stream.codec_context.name == "mov_text":
        data = data[2 : 2 + int.from_bytes(data[:2], "big")]
    text = data.decode("utf-8", "replace").split(",,")[-1]
    return re.sub(r"<[^>]*>|\{[^}]*\}", "", text).strip()


def _of_pictures(path: Path) -> Facts:
    """Reads pictures; alpha stays beside the colors."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES)
    facts = Facts(codec=files[0].suffix.lower() if files else "", names=[file.name for file in files])
    for number, file in enumerate(files):
        stored = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        if stored is None:
            raise ValueError(f"{file}: OpenCV cannot read it")
        most = 255.0 if stored.dtype == np.uint8 else 65535.0
        if stored.ndim == 2:
            stored = np.repeat(stored[..., None], 3, axis=2)
        levels = stored.astype(np.float32) * (255 / most)
        facts.frames.append(np.ascontiguousarray(levels[..., 2::-1]))
        facts.alpha.append(levels[..., 3] if levels.shape[2] == 4 else None)
        facts.bits = 8 * stored.dtype.itemsize
        facts.size = (stored.shape[1], stored.shape[0])
        facts.times.append(Fraction(number, 25))
    return facts


def _of_webp(path: Path) -> Facts:
    """Reads an animated WebP, which FFmpeg only writes."""
    from PIL import Image, ImageSequence

    facts = Facts(codec="webp", pix_fmt="rgba")
    start_ms = 0
    with Image.open(path) as animation:
        facts.size = animation.size
        for picture in ImageSequence.Iterator(animation):
            values = np.asarray(picture.convert("RGBA"), np.float32)
            facts.frames.append(np.ascontiguousarray(values[..., :3]))
            facts.alpha.append(values[..., 3] if values[..., 3].min() < 255 else None)
            facts.times.append(Fraction(start_ms, 1000))
            start_ms += picture.info["duration"]
            facts.last_duration_s = Fraction(picture.info["duration"], 1000)
    facts.videos = 1
    return facts
