"""Tracks of the output: streams that are copied from the source, and what copying takes."""

from __future__ import annotations

import io
from contextlib import suppress
from fractions import Fraction
from math import ceil
from typing import Any, Protocol

import av
from av.container import OutputContainer
from av.stream import Disposition, Stream

from vidstyle.media.containers import ContainerKind
from vidstyle.media.streams.metadata import track_tags

# Where FFmpeg writes edit lists, which hide what lies before 0; elsewhere everything is moved until nothing does.
EDIT_LIST_FORMATS = frozenset({"mp4", "mov"})
# AVI counts packets of 20 ms and more; what is moved by less needs smaller ticks.
_COARSE_S, _FINE_S = Fraction(1, 1000), Fraction(1, 10**6)
# No codec's priming samples last as long as this.
LONGEST_PRIMING_S = Fraction(1, 10)
# Attached pictures are marked where they are written, and other kinds of streams do not have these.
_KEPT_DISPOSITION = ~(Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image)


class Track(Protocol):
    """A stream of the output and what turns the source's packets into its own.

    Attributes:
        offset_s: which second of the source becomes 0.
        last_packet_s: when the last packet written starts, in seconds of the output; None before the first.
        language: its code as the container has it, or None.
        preroll_s: how much earlier than a range the decoder needs packets.
    """

    preroll_s: Fraction
    offset_s: Fraction
    language: str | None
    last_packet_s: Fraction | None

    def send(self, packet: av.Packet[Any]) -> None:
        """Takes one packet of the source; its pts or dts is known."""

    def finish(self) -> None:
        """Writes what is left."""


class CopiedSound:
    """One audio stream whose packets go to the output untouched."""

    preroll_s = Fraction(0)

    def __init__(self, stream: Stream, output: OutputContainer, kind: ContainerKind) -> None:
        self.offset_s = Fraction(0)
        self.last_packet_s: Fraction | None = None
        self._output = output
        self._stream = copied_stream(stream, output, kind)
        self.language = self._stream.metadata.get("language")
        self._last_dts: int | None = None
        self._end = 0  # of the last packet, in ticks of the source
        self._hides_earlier = kind.format in EDIT_LIST_FORMATS
        self._priming_s = Fraction(0) if stream.codec_context.codec.lossless else LONGEST_PRIMING_S

    def send(self, packet: av.Packet[Any]) -> None:
        """Writes one packet."""
        base = Fraction(packet.time_base)
        if base > _COARSE_S:
            base = _refine(packet)
        offset = round(self.offset_s / base)
        dts = packet.dts if packet.dts is not None else packet.pts
        if dts is None:
            return
        dts -= offset
        pts = dts if packet.pts is None else packet.pts - offset
        # An edit list of the source hides it; this output has none.
        if not self._hides_earlier and (pts + (packet.duration or 0)) * base <= -self._priming_s:
            return
        if self._last_dts is not None:
            # Where recordings overlap, a packet for a time that is written already would make all that follows late.
            length = packet.duration or 0
            if length * base > _COARSE_S and dts + length <= self._end:
                return
            # Muxers refuse equal times, which broken recordings have.
            dts = max(dts, self._last_dts + self._least_step(base))
        packet.dts, packet.pts = dts, max(pts, dts)
        self._last_dts, self._end = dts, dts + (packet.duration or 0)
        self.last_packet_s = packet.pts * base
        packet.stream = self._stream
        self._output.mux(packet)

    def _least_step(self, base: Fraction) -> int:
        """Returns after how many ticks of the source another time is another one in the output as well."""
        # Other containers take the same time twice, and their ticks may be longer than a packet.
        return ceil(Fraction(self._stream.time_base or base) / base) if self._hides_earlier else 1

    def finish(self) -> None:
        """Nothing is held back."""


class CopiedEvents:
    """Subtitles or data: packets here and there, each with its duration, cut to the part that is rendered.

    Args:
        added: the stream of the output.
    """

    preroll_s = Fraction(0)

    def __init__(self, added: Stream, output: OutputContainer) -> None:
        self.offset_s = Fraction(0)
        self.stop_s: Fraction | None = None
        self.last_packet_s: Fraction | None = None
        self.language = added.metadata.get("language")
        self._output, self._stream = output, added
        self._last_pts_s = Fraction(0)

    def send(self, packet: av.Packet[Any]) -> None:
        """Writes what of one packet lies within the render."""
        span = cut_span(packet, self.offset_s, self.stop_s)
        # MP4 fills its pauses with empty texts, and does so again when it is written.
        if span is None or (self._stream.type == "subtitle" and bytes(packet) == b"\0\0"):
            return
        self.write(packet, *span)

    def write(self, packet: av.Packet[Any], start_s: Fraction, duration_s: Fraction) -> None:
        """Writes a packet to be shown at `start_s` of the output for `duration_s`, 0 if that is not known."""
        base = Fraction(packet.time_base)
        start_s = self._last_pts_s = max(start_s, self._last_pts_s)
        packet.pts = packet.dts = round(start_s / base)
        packet.duration = round(duration_s / base)
        packet.stream = self._stream
        self.last_packet_s = start_s
        self._output.mux(packet)

    def finish(self) -> None:
        """Nothing is held back."""


def _refine(packet: av.Packet[Any]) -> Fraction:
    """Gives a packet smaller ticks, and returns their length in seconds."""
    factor = packet.time_base / _FINE_S
    pts, dts, duration = packet.pts, packet.dts, packet.duration
    packet.time_base = _FINE_S
    packet.pts = None if pts is None else round(pts * factor)
    packet.dts = None if dts is None else round(dts * factor)
    packet.duration = round((duration or 0) * factor)
    return _FINE_S


def cut_span(packet: av.Packet[Any], offset_s: Fraction, stop_s: Fraction | None) -> tuple[Fraction, Fraction] | None:
    """Returns start and duration in seconds of the output of what lies between two times, or None for nothing.

    Args:
        offset_s: the second of the source that becomes 0. stop_s: the one that ends the output; None: none does.
    """
    base = Fraction(packet.time_base)
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None:
        return None
    start_s, duration_s = stamp * base, max(0, packet.duration or 0) * base
    end_s = start_s + duration_s
    # What has no duration stays until the next one, which is not known here.
    if start_s < offset_s and end_s <= offset_s:
        return None
    if stop_s is not None:
        if start_s >= stop_s:
            return None
        end_s = min(end_s, stop_s)
    start_s = max(start_s, offset_s)
    return start_s - offset_s, max(Fraction(0), end_s - start_s)


def copied_stream(stream: Stream, output: OutputContainer, kind: ContainerKind) -> Stream:
    """Adds a stream for another one's packets, with its tags and its disposition."""
    added = output.add_stream_from_template(stream)
    describe(added, stream, kind)
    return added


def describe(added: Stream, stream: Stream, kind: ContainerKind) -> None:
    """Gives a stream of the output the tags and the disposition of the source's."""
    added.metadata.clear()
    added.metadata.update(track_tags(stream.metadata, kind))
    added.disposition = stream.disposition & _KEPT_DISPOSITION


def accepts(container_format: str, stream: Stream) -> bool:
    """Tells whether a container takes the stream's packets as they are, by writing a header to memory."""
    try:
        trial = av.open(io.BytesIO(), mode="w", format=container_format)
    except (av.FFmpegError, ValueError):
        return False
    try:
        trial.add_stream_from_template(stream)
        trial.start_encoding()
        trial.close()  # some muxers look at the stream only here
        return True
    except (av.FFmpegError, ValueError):
        return False
    finally:
        with suppress(av.FFmpegError, ValueError):
            trial.close()
