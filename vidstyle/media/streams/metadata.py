"""Tags, timecodes, chapters and attached files: what holds for a stylized film, in the form that a container has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import OutputContainer
from av.stream import AttachmentStream, Disposition, Stream
from av.video.stream import VideoStream

from vidstyle.media.containers import ContainerKind, open_media

if TYPE_CHECKING:
    from av.container.core import Chapter


# They describe the source file and its encoder, not the film.
_OF_THE_FILE = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "itunsmpb", "software", "timecode"}
)
_TRACK_TAGS = frozenset({"language", "title", "comment", "description"})
_LOCATION = re.compile(r"location|gps|geotag|latitude|longitude|altitude|\bxyz\b|\bloci\b", re.IGNORECASE)
# QuickTime keeps Macintosh's names of languages: mostly, but not always, the ones that ISO 639-2 calls B.
_QUICKTIME_LANGUAGES = {
    "deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb", "hye": "arm", "kat": "geo",
    "fre": "fra", "rum": "ron", "cze": "ces", "slo": "slk",
}  # fmt: skip
_LANGUAGE = re.compile(r"-[a-z]{3}$")
# At ten frames per second and less, FFmpeg writes one digit for the frame.
_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d+)")


def shown_name(kind: ContainerKind) -> str:
    """Returns the name of a container for messages."""
    return {"matroska": "MKV"}.get(kind.format, kind.format.upper())


def kept_tags(tags: Mapping[str, str], *, location: bool) -> dict[str, str]:
    """Returns a container's tags without those about the file itself, and without places unless `location`."""
    return {
        key: value
        for key, value in tags.items()
        if key.lower() not in _OF_THE_FILE and not key.startswith("_") and (location or not is_location(key))
    }


def is_location(key: str) -> bool:
    """Tells whether a tag holds the place of filming."""
    return _LOCATION.search(key) is not None


def track_tags(tags: Mapping[str, str], kind: ContainerKind) -> dict[str, str]:
    """Returns language, title and the like of a stream, under the names of the container that they are written to."""
    lower = {key.lower(): value for key, value in tags.items()}
    kept = {key: value for key, value in lower.items() if key in _TRACK_TAGS}
    # What Matroska calls the title of a track is its name in MP4.
    if "title" not in kept and lower.get("name"):
        kept["title"] = lower["name"]
    if kind.format in ("mp4", "mov") and "handler_name" in lower:
        kept["handler_name"] = lower["handler_name"]
    if kept.get("language") == "und":
        del kept["language"]
    if kind.format == "mov" and "language" in kept:
        kept["language"] = _QUICKTIME_LANGUAGES.get(kept["language"], kept["language"])
    return kept


def tag_options(tags: Iterable[str], kind: ContainerKind) -> dict[str, str]:
    """Returns the container options with which its muxer writes these tags.

    Names with dots are QuickTime's own, which cameras use. Files that have them get all tags in that form,
    although some players look for titles in the older one only.
    """
    if kind.format in ("mp4", "mov") and any("." in key for key in tags):
        return {"movflags": kind.options.get("movflags", "") + "+use_metadata_tags"}
    return {}


def lost_tags(expected: Iterable[str], written: Iterable[str]) -> list[str]:
    """Returns the names of the tags that were not written; case does not count."""
    present = {key.lower() for key in written}
    # FFmpeg reads a tag of MP4 twice, once with its language, and writes one of them.
    present |= {_LANGUAGE.sub("", key) for key in present}
    return sorted(key for key in {key.lower() for key in expected} if _LANGUAGE.sub("", key) not in present)


def timecode_of(*tags: Mapping[str, str]) -> str | None:
    """Returns the first SMPTE timecode among several sets of tags."""
    found = (value for some in tags for key, value in some.items() if key.lower() == "timecode")
    return next((value for value in found if _TIMECODE.fullmatch(value)), None)


def advanced_timecode(timecode: str, frames: int, rate: Fraction) -> str | None:
    """Returns an SMPTE timecode so many frames later, or None where it is none at that rate.

    Frames are counted at the nearest whole rate. With a semicolon or dot before the frames, two (at 60 frames
    per second four) numbers are left out at each minute that is no multiple of ten (SMPTE ST 12-1).
    """
    match = _TIMECODE.fullmatch(timecode)
    nominal = round(rate)
    if match is None or nominal < 1:
        return None
    hours, minutes, seconds, number = (int(match[k]) for k in (1, 2, 3, 5))
    drops = match[4] != ":"
    if number >= nominal or seconds > 59 or minutes > 59 or (drops and nominal not in (30, 60)):
        return None
    left_out = nominal // 15 if drops else 0
    in_minutes = 60 * hours + minutes
    total = (60 * in_minutes + seconds) * nominal + number - left_out * (in_minutes - in_minutes // 10) + frames
    ten_minutes = 600 * nominal - 9 * left_out
    total %= 144 * ten_minutes
    tens, rest = divmod(total, ten_minutes)
    if left_out and rest >= 60 * nominal:
        rest += left_out * (1 + (rest - 60 * nominal) // (60 * nominal - left_out))
    total = tens * 600 * nominal + rest
    seconds, number = divmod(total, nominal)
    shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{match[4]}"
    return f"{shown}{number:0{len(match[5])}}"


# -- chapters -------------------------------------------------------------------------------------

# Containers that have chapters; the others drop them without a word.
CHAPTER_FORMATS = frozenset({"mp4", "mov", "matroska", "webm"})
_TICK_S = Fraction(1, 10**6)


def cut_chapters(
    chapters: Sequence[Chapter], offset_s: Fraction, end_s: Fraction | None, delay_s: Fraction = Fraction(0)
) -> list[Chapter]:
    """Returns the chapters that lie at least in part between two times, in their order.

    Args:
        offset_s: the second of the source that becomes 0. end_s: the one that ends the output; None: no cut.
        delay_s: how much later everything is in the output.
    """
    kept: list[Chapter] = []
    for chapter in chapters:
        base = Fraction(chapter["time_base"] or _TICK_S)
        start_s, stop_s = chapter["start"] * base, chapter["end"] * base
        if stop_s <= offset_s or (end_s is not None and start_s >= end_s):
            continue
        stop_s = stop_s if end_s is None else min(stop_s, end_s)
        start_s = max(Fraction(0), start_s - offset_s) + delay_s
        kept.append(
            {
                "id": chapter["id"],
                "start": round(start_s / _TICK_S),
                "end": round((stop_s - offset_s + delay_s) / _TICK_S),
                "time_base": _TICK_S,
                "metadata": dict(chapter["metadata"]),
            }
        )
    return kept


# -- attached files and cover pictures ------------------------------------------------------------

_SUFFIXES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "bmp": ("bmp", "image/bmp")}


@dataclass(frozen=True)
class Cover:
    """A cover picture.

    Attributes:
        stream: of the source. data: a JPEG, PNG or BMP file.
    """

    stream: VideoStream
    data: bytes


def is_cover(stream: Stream) -> bool:
    """Tells whether a video stream is a cover picture."""
    marks = stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    return stream.type == "video" and marks == Disposition.attached_pic


def read_covers(path: Path, streams: Sequence[Stream]) -> list[Cover]:
    """Returns the cover pictures among a source's streams, as the files that they are."""
    covers = {stream.index: stream for stream in streams if isinstance(stream, VideoStream) and is_cover(stream)}
    if not covers:
        return []
    found: dict[int, bytes] = {}
    # Pictures come first, so that reading ends at once. In a container of its own: the other is read elsewhere.
    with open_media(path) as container:
        for packet in container.demux(*(container.streams[index] for index in covers)):
            if packet.size:
                found.setdefault(packet.stream.index, bytes(packet))
            if len(found) == len(covers):
                break
    return [Cover(covers[index], data) for index, data in sorted(found.items())]


class CoverWriter:
    """Puts cover pictures into an output: as attachments, or as streams of one packet.

    Attributes:
        left_out: how many the output does not take. count: how many are there as streams.
    """

    def __init__(self, covers: Sequence[Cover], output: OutputContainer, kind: ContainerKind) -> None:
        self.left_out = self.count = 0
        self._output = output
        self._waiting: list[tuple[VideoStream, bytes]] = []
        for number, cover in enumerate(covers):
            known = _SUFFIXES.get(cover.stream.codec_context.codec.canonical_name if cover.stream.codec_context else "")
            if known is not None and kind.format == "matroska":
                suffix, mimetype = known
                name = cover.stream.metadata.get("filename") or f"cover{number or ''}.{suffix}"
                output.add_attachment(name, cover.stream.metadata.get("mimetype", mimetype), cover.data)
            elif known is not None and kind.format == "mp4":
                stream = output.add_stream_from_template(cover.stream, opaque=True)
                stream.disposition = Disposition.attached_pic
                self._waiting.append((stream, cover.data))
                self.count += 1
            else:
                self.left_out += 1

    def write(self) -> None:
        """Writes the pictures; after all streams have been added."""
        for stream, data in self._waiting:
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = 0
            packet.is_keyframe = True
            self._output.mux(packet)
        self._waiting.clear()


def add_attachments(streams: Sequence[Stream], output: OutputContainer, kind: ContainerKind) -> list[str]:
    """Adds a source's attached files to an output and returns the names of those that it does not take."""
    left_out = []
    for number, stream in enumerate(stream for stream in streams if isinstance(stream, AttachmentStream)):
        name = stream.name or f"attachment {number}"
        data = stream.data
        if kind.format == "matroska" and data:
            added = output.add_attachment(name, stream.mimetype or "application/octet-stream", data)
            added.metadata.update({key: value for key, value in stream.metadata.items() if key not in added.metadata})
        else:
            left_out.append(name)
    return left_out
