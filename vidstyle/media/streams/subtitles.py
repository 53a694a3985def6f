"""Subtitles: copied where the container takes them, text converted where it takes another kind of text."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
from av.codec import CodecContext
from av.container import OutputContainer
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from vidstyle.media.containers import ContainerKind
from vidstyle.media.streams.tracks import EDIT_LIST_FORMATS, CopiedEvents, accepts, copied_stream, cut_span, describe

# What text becomes in a container that does not take it as it is.
TEXT_ENCODERS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
# More is no subtitle, and takes FFmpeg's text parser minutes.
LARGEST_EVENT_BYTES = 1 << 16
_TICK_S = Fraction(1, 1000)
# Fields of an event before its text: order, layer, style, name, three margins, effect.
_FIELDS_BEFORE_TEXT = 8


class ConvertedSubtitles(CopiedEvents):
    """One text stream, decoded and encoded again event by event.

    Attributes:
        lost: events that could not be converted.
    """

    def __init__(self, stream: SubtitleStream, output: OutputContainer, kind: ContainerKind) -> None:
        decoder, name = stream.codec_context, TEXT_ENCODERS[kind.format]
        decoder.open(strict=False)
        trial = SubtitleCodecContext.create(name, "w")
        _prepare(trial, decoder)
        trial.open()  # errors in the styles must show before the stream is added
        added = output.add_stream(name)
        if not isinstance(added, SubtitleStream):
            raise TypeError(f"{name} is no subtitle encoder")
        _prepare(added.codec_context, decoder)
        added.time_base = _TICK_S
        describe(added, stream, kind)
        super().__init__(added, output)
        self.lost = 0
        self._encoder = added.codec_context
        # A sample of QuickTime's lasts until the next one begins.
        self._overlaps = Overlaps() if kind.format in EDIT_LIST_FORMATS else None

    def send(self, packet: av.Packet[Any]) -> None:
        """Converts what of one packet lies within the render, and writes it as soon as its end is known."""
        span = cut_span(packet, self.offset_s, self.stop_s)
        if span is None:
            return
        if packet.size > LARGEST_EVENT_BYTES:
            self.lost += 1
            return
        try:
            events = [event.ass for event in packet.decode() if isinstance(event, AssSubtitle)]
        except (av.FFmpegError, ValueError, MemoryError):
            self.lost += 1
            return
        if not events:
            return  # a pause
        start_s, duration_s = span
        if self._overlaps is None:
            self._convert(events, start_s, duration_s)
            return
        start = round(start_s / _TICK_S)
        self._write_settled(start)
        if duration_s:
            self._overlaps.add(max(start + 1, round((start_s + duration_s) / _TICK_S)), events)
        else:
            self._convert(events, start_s, duration_s)  # until the next one

    def finish(self) -> None:
        """Writes what is still shown after the last packet."""
        self._write_settled(None)

    def _write_settled(self, before: int | None) -> None:
        if self._overlaps is not None:
            for start, stop, events in self._overlaps.until(before):
                self._convert(events, start * _TICK_S, (stop - start) * _TICK_S)

    def _convert(self, events: list[bytes], start_s: Fraction, duration_s: Fraction) -> None:
        try:
            text = SubtitleSet.create(_joined(events), 0, max(1, round(duration_s / _TICK_S)), 0)
            converted = self._encoder.encode_subtitle(text)
        except (av.FFmpegError, ValueError, MemoryError):
            self.lost += 1
            return
        if converted.size:
            converted.time_base = _TICK_S
            self.write(converted, start_s, duration_s)


class Overlaps:
    """Turns texts that overlap in time into ones that follow each other; what is shown at once becomes one.

    Times are whole ticks of any length.
    """

    def __init__(self) -> None:
        self._now = 0
        self._shown: list[tuple[int, list[bytes]]] = []

    def add(self, stop: int, events: list[bytes]) -> None:
        """Takes what is shown from the time of the last `until` on."""
        self._shown.append((stop, events))

    def until(self, time: int | None) -> list[tuple[int, int, list[bytes]]]:
        """Returns start, stop and events of what is shown before a time, all that is left where it is None."""
        spans = []
        while self._shown and (time is None or self._now < time):
            stop = min(end for end, _ in self._shown)
            stop = stop if time is None else min(stop, time)
            if stop > self._now:
                spans.append((self._now, stop, [event for _, events in self._shown for event in events]))
                self._now = stop
            self._shown = [(end, events) for end, events in self._shown if end > self._now]
        if time is not None:
            self._now = max(self._now, time)
        return spans


def _prepare(encoder: CodecContext, decoder: SubtitleCodecContext) -> None:
    """Gives an encoder the styles, without which it refuses to work, and its ticks."""
    if isinstance(encoder, SubtitleCodecContext):
        encoder.subtitle_header = decoder.subtitle_header
    encoder.time_base = _TICK_S


def _joined(events: list[bytes]) -> bytes:
    """Returns several events that are shown at once as one."""
    texts = [event.split(b",", _FIELDS_BEFORE_TEXT)[-1] for event in events[1:]]
    return rb"\N".join([events[0], *texts])


def subtitle_track(stream: SubtitleStream, output: OutputContainer, kind: ContainerKind) -> CopiedEvents | None:
    """Adds a subtitle stream to an output, or returns None where there is no way to have it there."""
    if stream.codec_context is None:
        return None
    if accepts(kind.format, stream):
        return CopiedEvents(copied_stream(stream, output, kind), output)
    if stream.codec_context.codec.text_sub and kind.format in TEXT_ENCODERS:
        with suppress(av.FFmpegError, ValueError):
            return ConvertedSubtitles(stream, output, kind)
    return None
