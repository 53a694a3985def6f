"""The source's sound: which tracks go to the output as they are, and what the others become."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo
from vidstyle.media.containers import CONTAINERS, ContainerKind
from vidstyle.media.opening import open_media, video_stream
from vidstyle.media.streams.metadata import shown_name
from vidstyle.media.streams.recoder import Recoder
from vidstyle.media.streams.tracks import SoundCopy, Track, accepts

# More than this apart from the pictures cannot be left as it is where a container has no start times.
SYNC_TOLERANCE_S = Fraction(5, 1000)
# Sound that has not begun so long after other sound has is not looked for.
_LOOK_FOR_S = Fraction(10)
# AVI takes these and plays them in step; tried by writing and reading back.
_AVI_COPIES = frozenset({"mp3", "mp2", "ac3", "pcm_s16le", "pcm_u8"})
# What AC-3's packets hold, which FFmpeg tells of the others.
_AC3_SAMPLES = 1536
# Where packets are counted, one may be so far from its time.
_PACE_TOLERANCE_S = Fraction(1, 25)
# By setting: FFmpeg's encoder, its only sample rate in Hz, and the containers that take it and play it in step.
_ENCODERS: dict[str, tuple[str, int | None, tuple[str, ...]]] = {
    "aac": ("aac", None, ("mp4", "matroska", "mov")),
    "opus": ("libopus", 48000, ("mp4", "matroska", "webm")),
}


class Soundtrack:
    """Decides over the audio streams of one source.

    Args:
        source: opened; only its streams are looked at.
        video_start_s: when its pictures start, in seconds.
        audio: "auto", "copy", "aac", "opus" or "none".

    Attributes:
        streams: of sound, without those that are announced only. known: those whose codec FFmpeg knows.
    """

    def __init__(self, source: InputContainer, video_start_s: Fraction, info: ClipInfo, audio: str) -> None:
        announced = [s for s in source.streams.audio if isinstance(s, AudioStream)] if audio != "none" else []
        silent = _silent(info.path, [s.index for s in announced if s.codec_context and not s.codec_context.sample_rate])
        self.streams = [s for s in announced if s.index not in silent]
        self.known = [s for s in self.streams if s.codec_context is not None]
        self._video_start_s, self._info, self._audio = video_start_s, info, audio

    @cached_property
    def _first_packets_s(self) -> dict[int, Fraction]:
        """When each audio stream's first packet starts, priming samples and all, in seconds of the source, by index."""
        found: dict[int, Fraction] = {}
        with open_media(self._info.path) as source, suppress(av.FFmpegError, OSError):
            for packet in source.demux(*(source.streams[stream.index] for stream in self.known)):
                if packet.size and packet.pts is not None:
                    found.setdefault(packet.stream.index, packet.pts * Fraction(packet.time_base))
                    latest_s = packet.pts * Fraction(packet.time_base)
                    if len(found) == len(self.known) or latest_s > min(found.values()) + _LOOK_FOR_S:
                        break
        return found

    @cached_property
    def _uneven(self) -> frozenset[int]:
        """The streams, by index, with packets that are not due when all before them last as long as the first."""
        lasting_s, uneven = {}, set()
        for stream in self.known:
            context = stream.codec_context
            samples = context.frame_size or (_AC3_SAMPLES if _codec(stream) == "ac3" else 0)
            if samples and context.sample_rate and not _codec(stream).startswith("pcm"):
                lasting_s[stream.index] = Fraction(samples, context.sample_rate)
        due_s: dict[int, Fraction] = {}
        if not lasting_s:
            return frozenset()
        with open_media(self._info.path) as source, suppress(av.FFmpegError, OSError):
            for packet in source.demux(*(source.streams[index] for index in lasting_s)):
                if packet.size and packet.pts is not None:
                    index, time_s = packet.stream.index, packet.pts * Fraction(packet.time_base)
                    if abs(time_s - due_s.setdefault(index, time_s)) > _PACE_TOLERANCE_S:
                        uneven.add(index)
                    due_s[index] += lasting_s[index]
        return frozenset(uneven)

    def add_to(self, output: OutputContainer, kind: ContainerKind) -> tuple[dict[int, Track], list[str]]:
        """Adds a stream for each of the source's, and returns them by the source's index, and what is to be said."""
        name = self._info.path.name
        if kind.audio_encoder is None:
            return {}, [f"{name}: the sound was left out, {shown_name(kind)} holds none"] if self.streams else []
        notes, recoded = [], []
        tracks: dict[int, Track] = {}
        encoder, rate = kind.audio_encoder, kind.audio_rate
        if self._audio in _ENCODERS:
            encoder, rate, _ = _ENCODERS[self._audio]
        for stream in self.streams:
            if stream.codec_context is None:
                notes.append(f"{name}: an audio stream of unknown codec was left out")
            elif self._audio not in _ENCODERS and self.can_copy(stream, kind):
                tracks[stream.index] = SoundCopy(stream, output, kind)
            else:
                tracks[stream.index] = Recoder(stream, output, kind, encoder, rate)
                recoded.append(_codec(stream))
        if recoded and self._audio not in _ENCODERS:
            notes.append(
                f"{name}: {shown_name(kind)} does not take its sound as it is ({', '.join(recoded)}); "
                f"converted to {encoder.removeprefix('lib')}"
            )
        return tracks, notes

    def can_copy(self, stream: AudioStream, kind: ContainerKind) -> bool:
        """Tells whether a stream's packets can stay as they are, in a kind of file and in time."""
        codec = _codec(stream)
        if kind.constant_rate:
            ranged = self._info.range_start > 0 or self._info.range_stop is not None
            # Samples that are there for the decoder only are heard in AVI.
            apart_s = self._first_packets_s.get(stream.index, Fraction(0)) - self._video_start_s
            if ranged or codec not in _AVI_COPIES or abs(apart_s) > SYNC_TOLERANCE_S:
                return False
            if stream.index in self._uneven:
                return False
        # PCM in MP4 is young: few players know it, and FFmpeg itself refuses channels without places.
        if kind.format == "mp4" and codec.startswith("pcm"):
            return False
        return accepts(kind.format, stream)


def _silent(path: Path, indices: Sequence[int]) -> frozenset[int]:
    """Returns those of some streams that have no packet; broadcasts announce sound that is not sent."""
    waiting = set(indices)
    if waiting:
        with open_media(path) as source, suppress(av.FFmpegError, OSError):
            for packet in source.demux(*(source.streams[index] for index in indices)):
                if packet.size:
                    waiting.discard(packet.stream.index)
                    if not waiting:
                        break
    return frozenset(waiting)


def check_sound(output: Path, info: ClipInfo, audio: str) -> None:
    """Makes sure that an output takes the sound in the form that was asked for.

    Args:
        output: a video's name. info: of the source. audio: "auto", "copy", "aac", "opus" or "none".

    Raises:
        OutputError: it does not; the message lists what does.
    """
    kind = CONTAINERS[output.suffix.lower()]
    if audio in _ENCODERS:
        formats = _ENCODERS[audio][2]
        if kind.format not in formats:
            suffixes = [suffix for suffix, other in CONTAINERS.items() if other.format in formats]
            raise OutputError(_advice(output, f"does not take {audio} sound", suffixes))
    if audio != "copy" or info.kind != "video":
        return
    with open_media(info.path) as source:
        video = video_stream(source, info.path, info.stream)
        video_start_s = (video.start_time or 0) * Fraction(video.time_base or 1)
        sound = Soundtrack(source, video_start_s, info, audio)
        refused = [_codec(s) for s in sound.known if not _copies(sound, [s], kind)]
        if refused:
            suffixes = [suffix for suffix, other in CONTAINERS.items() if _copies(sound, sound.known, other)]
            raise OutputError(_advice(output, f"does not take the sound as it is ({', '.join(refused)})", suffixes))


def _advice(output: Path, what: str, suffixes: Sequence[str]) -> str:
    instead = f"end the output in {', '.join(suffixes)}, or " if suffixes else ""
    return f"{output}: {what}; {instead}use --audio auto, which converts what has to be"


def _copies(sound: Soundtrack, streams: Sequence[AudioStream], kind: ContainerKind) -> bool:
    return kind.audio_encoder is not None and all(sound.can_copy(stream, kind) for stream in streams)


def _codec(stream: AudioStream) -> str:
    return stream.codec_context.codec.canonical_name
