"""The source's sound, read a second time and interleaved with the painted frames."""

from __future__ import annotations

import io
from collections import deque
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from vidstyle.frames import ClipInfo
from vidstyle.media.containers import ContainerKind
from vidstyle.media.continuity import continuous
from vidstyle.media.opening import open_media, video_stream
from vidstyle.media.recoder import Recoder, kept_metadata

# Sound may be stored a little apart from the pictures it belongs to; reading stops this far ahead of them.
READ_AHEAD_S = Fraction(2)
# More than this apart from the pictures cannot be left as it is where a container has no start times.
SYNC_TOLERANCE_S = Fraction(5, 1000)
# AVI takes these and plays them in step; tried by writing and reading back.
_AVI_COPIES = frozenset({"mp3", "mp2", "ac3", "pcm_s16le", "pcm_u8"})


class Soundtrack:
    """All audio streams of a video file, copied packet by packet where the container takes the codec.

    Only packets near the frame being written are held, so memory does not grow with the length.

    Attributes:
        start_s: when the earliest of video and sound starts, in seconds of the source.
        metadata: the source container's.
        notes: what the user should be told.
    """

    def __init__(self, info: ClipInfo, output: OutputContainer, kind: ContainerKind) -> None:
        self.notes: list[str] = []
        self._name = info.path.name
        self._input: InputContainer = open_media(info.path)
        self._tracks: dict[int, _Copy | Recoder] = {}
        self._pending: deque[tuple[Fraction, av.Packet[Any]]] = deque()
        self._durations: dict[int, int] = {}
        self._ended = False
        self._read_s = Fraction(-(10**6))
        self._from_s: Fraction | None = None
        try:
            self._video = video_stream(self._input, info.path, info.stream)
            self._time_base = Fraction(self._video.time_base or info.time_base)
            self.metadata = dict(self._input.metadata)
            self.start_s = self._earliest_start()
            self._add_tracks(info, output, kind)
            streams = [self._video, *(self._input.streams[i] for i in self._tracks)]
            self._packets = continuous(self._input, streams, self._video)
        except BaseException:
            self.close()
            raise

    def begin(self, offset_s: Fraction, drop_earlier: bool) -> None:
        """Settles which second of the source becomes 0, and whether sound before it is left out."""
        self._from_s = offset_s if drop_earlier else None
        for track in self._tracks.values():
            track.offset_s = offset_s

    def carry_until(self, time_s: Fraction) -> None:
        """Writes the sound up to `time_s` in seconds of the source."""
        self._durations = {k: v for k, v in self._durations.items() if k * self._time_base >= time_s}
        while not self._ended and self._read_s < time_s:
            self._read()
        self._release(time_s)

    def carry_rest(self, stop_s: Fraction | None) -> None:
        """Writes the sound up to `stop_s`, or to its end where None, and completes the streams."""
        while not self._ended and (stop_s is None or self._read_s < stop_s + READ_AHEAD_S):
            self._read()
            self._release(self._read_s if stop_s is None else min(stop_s, self._read_s))
        self._release(stop_s)
        for track in self._tracks.values():
            track.finish()

    def duration_s(self, pts: int | None) -> Fraction | None:
        """Returns how long the frame at `pts` lasts in the source, in seconds, or None if that is not known."""
        if pts is None:
            return None
        last_s = pts * self._time_base
        while not self._ended and self._read_s < last_s + READ_AHEAD_S:
            self._read()
        # The next frame says more than the packet's own duration, which MP4 counts in storage order.
        following = min((later for later in self._durations if later > pts), default=None)
        ticks = self._durations.get(pts, 0) if following is None else following - pts
        return ticks * self._time_base or None

    @property
    def last_packets_s(self) -> list[Fraction | None]:
        """When the last packet of each written stream starts, in seconds of the output; None where there is none."""
        return [track.last_packet_s for track in self._tracks.values()]

    def close(self) -> None:
        """Releases the source; may be called twice."""
        self._ended = True
        self._pending.clear()
        self._input.close()

    def _earliest_start(self) -> Fraction:
        streams = [self._video, *self._input.streams.audio]
        known = [s.start_time * s.time_base for s in streams if s.start_time is not None and s.time_base is not None]
        return Fraction(min(known, default=0))

    def _add_tracks(self, info: ClipInfo, output: OutputContainer, kind: ContainerKind) -> None:
        streams = [s for s in self._input.streams.audio if isinstance(s, AudioStream)]
        if kind.audio_encoder is None:
            if streams:
                self.notes.append(f"{self._name}: the sound was left out, {kind.format.upper()} holds none")
            return
        recoded: list[str] = []
        for stream in streams:
            if stream.codec_context is None:
                self.notes.append(f"{self._name}: an audio stream of unknown codec was left out")
                continue
            codec = stream.codec_context.codec.canonical_name
            if self._can_copy(stream, codec, info, kind):
                self._tracks[stream.index] = _Copy(stream, output)
            else:
                self._tracks[stream.index] = Recoder(stream, output, kind)
                recoded.append(codec)
        if recoded:
            self.notes.append(
                f"{self._name}: {kind.format.upper()} does not take its sound as it is ({', '.join(recoded)}); "
                f"converted to {kind.audio_encoder.removeprefix('lib')}"
            )
        if self._input.streams.subtitles:
            self.notes.append(f"{self._name}: subtitles were not carried over")

    def _can_copy(self, stream: AudioStream, codec: str, info: ClipInfo, kind: ContainerKind) -> bool:
        if kind.constant_rate:
            ranged = info.range_start > 0 or info.range_stop is not None
            apart_s = (stream.start_time or 0) * Fraction(stream.time_base or 1) - self._video_start_s()
            if ranged or codec not in _AVI_COPIES or abs(apart_s) > SYNC_TOLERANCE_S:
                return False
        # PCM in MP4 is young: few players know it, and FFmpeg itself refuses channels without places.
        if kind.format == "mp4" and codec.startswith("pcm"):
            return False
        return _accepts(kind.format, stream)

    def _video_start_s(self) -> Fraction:
        return (self._video.start_time or 0) * self._time_base

    def _read(self) -> None:
        """Reads one packet: sound is kept until its time has come, of pictures only the duration."""
        try:
            packet = next(self._packets, None)
        except (av.FFmpegError, OSError):
            packet = None
            self.notes.append(f"{self._name}: the sound ends at {float(self._read_s):.2f} s, the rest cannot be read")
        if packet is None:
            self._ended = True
            return
        stamp = packet.pts if packet.pts is not None else packet.dts
        if packet.size == 0 or packet.is_corrupt:
            return
        if packet.stream.index == self._video.index:
            if stamp is not None:
                self._durations[stamp] = packet.duration or 0
                decoded_s = (packet.dts if packet.dts is not None else stamp) * self._time_base
                self._read_s = max(self._read_s, decoded_s - READ_AHEAD_S)
            return
        time_s = self._read_s if stamp is None else stamp * Fraction(packet.time_base)
        self._read_s = max(self._read_s, time_s)
        self._pending.append((time_s, packet))

    def _release(self, before_s: Fraction | None) -> None:
        """Hands on every waiting packet that starts before `before_s` (None: all)."""
        waiting, self._pending = self._pending, deque()
        for time_s, packet in waiting:
            if before_s is not None and time_s >= before_s:
                self._pending.append((time_s, packet))
            elif self._from_s is None or time_s >= self._from_s:
                self._tracks[packet.stream.index].send(packet)


class _Copy:
    """One audio stream whose packets go to the output untouched."""

    def __init__(self, stream: AudioStream, output: OutputContainer) -> None:
        self.offset_s = Fraction(0)
        self._output = output
        self._stream = output.add_stream_from_template(stream)
        self._stream.metadata.update(kept_metadata(stream))
        self._last_dts: int | None = None
        self.last_packet_s: Fraction | None = None

    def send(self, packet: av.Packet[Any]) -> None:
        offset = round(self.offset_s / Fraction(packet.time_base))
        dts = packet.dts if packet.dts is not None else packet.pts
        if dts is None:
            return
        dts -= offset
        pts = dts if packet.pts is None else packet.pts - offset
        # Muxers refuse time that stands still; broken recordings have it.
        if self._last_dts is not None and dts <= self._last_dts:
            dts = self._last_dts + 1
        packet.dts, packet.pts = dts, max(pts, dts)
        self._last_dts = dts
        self.last_packet_s = packet.pts * Fraction(packet.time_base)
        packet.stream = self._stream
        self._output.mux(packet)

    def finish(self) -> None:
        """Nothing is held back."""


def _accepts(container_format: str, stream: AudioStream) -> bool:
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
