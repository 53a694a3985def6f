"""Files within a video file: fonts for its subtitles, and cover pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.stream import AttachmentStream, Disposition, Stream
from av.video.stream import VideoStream

from vidstyle.media.containers import ContainerKind
from vidstyle.media.opening import open_media

_SUFFIXES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "bmp": ("bmp", "image/bmp")}


@dataclass(frozen=True)
class Cover:
    """A picture that stands for the whole film.

    Attributes:
        stream: of the source. data: a JPEG, PNG or BMP file.
    """

    stream: VideoStream
    data: bytes


def is_cover(stream: Stream) -> bool:
    """Tells whether a video stream is a single picture that stands for the film."""
    marks = stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    return stream.type == "video" and marks == Disposition.attached_pic


def read_covers(path: Path, streams: Sequence[Stream]) -> list[Cover]:
    """Returns the cover pictures among a source's streams, as the files that they are."""
    wanted = {stream.index: stream for stream in streams if isinstance(stream, VideoStream) and is_cover(stream)}
    if not wanted:
        return []
    found: dict[int, bytes] = {}
    # Pictures come before all else, so that reading ends at once; of its own, to leave the others' place alone.
    with open_media(path) as container:
        for packet in container.demux(*(container.streams[index] for index in wanted)):
            if packet.size:
                found.setdefault(packet.stream.index, bytes(packet))
            if len(found) == len(wanted):
                break
    return [Cover(wanted[index], data) for index, data in sorted(found.items())]


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
