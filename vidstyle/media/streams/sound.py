"""Sound: which tracks are copied as they are, and how the others are encoded again, in step with the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.filter import Graph

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo
from vidstyle.media.containers import CONTAINERS, ContainerKind, open_media, video_stream
from vidstyle.media.streams.metadata import shown_name
from vidstyle.media.streams.tracks import CopiedSound, Track, accepts, describe

# More than this apart from the pictures cannot be left as it is where a container has no start times.
SYNC_TOLERANCE_S = Fraction(5, 1000)
# How long after other sound the first packet of a stream is looked for.
_LOOK_FOR_S = Fraction(10)
# AVI holds these in step; tried by writing and reading back.
_AVI_COPIES = frozenset({"mp3", "mp2", "ac3", "pcm_s16le", "pcm_u8"})
# What AC-3's packets hold, which FFmpeg tells of the others.
_AC3_SAMPLES = 1536
# Where packets are counted, one may be so far from its time.
_PACE_TOLERANCE_S = Fraction(1, 25)
# By setting: FFmpeg's encoder, its only sample rate in Hz, and the containers that hold it in step.
_ENCODERS: dict[str, tuple[str, int | None, tuple[str, ...]]] = {
    "aac": ("aac", None, ("mp4", "matroska", "mov")),
    "opus": ("libopus", 48000, ("mp4", "matroska", "webm")),
}


class Soundtrack:
    """The audio streams of one source: which are copied, and which encoded again.

    Args:
        source: opened; only its streams are looked at.
        video_start_s: when its pictures start, in seconds.
        audio: "auto", "copy", "aac", "opus" or "none".

    Attributes:
        streams: of sound, without those that are declared but have no packet. known: those whose codec FFmpeg knows.
    """

    def __init__(self, source: InputContainer, video_start_s: Fraction, info: ClipInfo, audio: str) -> None:
        declared = [s for s in source.streams.audio if isinstance(s, AudioStream)] if audio != "none" else []
        silent = _silent(info.path, [s.index for s in declared if s.codec_context and not s.codec_context.sample_rate])
        self.streams = [s for s in declared if s.index not in silent]
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
        """Adds a stream for each of the source's, and returns them by the source's index, and notes for the user."""
        name = self._info.path.name
        if kind.audio_encoder is None:
            return {}, [f"{name}: the sound was left out, {shown_name(kind)} holds none"] if self.streams else []
        notes, converted = [], []
        tracks: dict[int, Track] = {}
        encoder, rate = kind.audio_encoder, kind.audio_rate
        if self._audio in _ENCODERS:
            encoder, rate, _ = _ENCODERS[self._audio]
        for stream in self.streams:
            if stream.codec_context is None:
                notes.append(f"{name}: an audio stream of unknown codec was left out")
            elif self._audio not in _ENCODERS and self.can_copy(stream, kind):
                tracks[stream.index] = CopiedSound(stream, output, kind)
            else:
                tracks[stream.index] = ConvertedSound(stream, output, kind, encoder, rate)
                converted.append(_codec(stream))
        if converted and self._audio not in _ENCODERS:
            notes.append(
                f"{name}: {shown_name(kind)} does not take its sound as it is ({', '.join(converted)}); "
                f"converted to {encoder.removeprefix('lib')}"
            )
        return tracks, notes

    def can_copy(self, stream: AudioStream, kind: ContainerKind) -> bool:
        """Tells whether a stream's packets can stay as they are, in a kind of file and in time."""
        codec = _codec(stream)
        if kind.constant_rate:
            ranged = self._info.range_start > 0 or self._info.range_stop is not None
            # AVI plays the samples that are for the decoder only.
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
    """Returns those of some streams that have no packet; broadcasts declare sound that is not sent."""
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


# -- encoding again -------------------------------------------------------------------------------

BITS_PER_CHANNEL = 96_000
# Where time runs back further, the recording is broken, and sound goes on as if it had not.
_LONGEST_OVERLAP_S = Fraction(1)
# For encoders that take any number of samples.
_CHUNK_SAMPLES = 1024
# Breaks and overlaps that are shorter are taken for jitter of the timestamps.
_JITTER_S = 0.01
_AAC_RATES = frozenset({96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000})
# Layouts that every encoder used here takes; anything else becomes stereo.
_LAYOUTS = {1: "mono", 2: "stereo", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}


class ConvertedSound:
    """Decodes one audio stream and encodes it again; samples keep their time to within one sample.

    Breaks in the source become silence. Sound that starts late starts late, by its timestamps or, where
    the container has none, after as much silence. Channels and rate may change on the way, as where a broadcast
    goes on to the next program; the output keeps those it began with.

    Args:
        encoder: FFmpeg's name. only_rate: its only sample rate in Hz; None: it takes common ones.
    """

    # An MP3 packet takes bits from packets up to a quarter of a second before it.
    preroll_s = Fraction(1, 2)

    def __init__(
        self, stream: AudioStream, output: OutputContainer, kind: ContainerKind, encoder: str, only_rate: int | None
    ) -> None:
        self.offset_s = Fraction(0)
        self.last_packet_s: Fraction | None = None
        self._output = output
        self._silence_first = kind.constant_rate
        source = stream.codec_context
        # Sound that begins long after the pictures is not known yet.
        rate = only_rate or source.sample_rate or 48000
        if encoder == "aac" and rate not in _AAC_RATES:
            rate = 48000
        self._rate = rate
        added = output.add_stream(encoder, rate=rate)
        if not isinstance(added, AudioStream):
            raise TypeError(f"{encoder} is no audio encoder")
        context = added.codec_context
        context.layout = _LAYOUTS.get(source.layout.nb_channels, "stereo")
        formats = context.codec.audio_formats or []
        context.format = formats[0].name if formats else "s16"
        if not encoder.startswith("pcm"):
            context.bit_rate = BITS_PER_CHANNEL * context.layout.nb_channels
        added.time_base = Fraction(1, rate)
        context.time_base = Fraction(1, rate)
        context.open()
        describe(added, stream, kind)
        self.language = added.metadata.get("language")
        self._stream = added
        self._format, self._layout = context.format.name, context.layout.name
        self._graph: Graph | None = None
        self._taken: tuple[str, str, int] | None = None  # what the graph takes: format, layout, rate
        self._fifo = AudioFifo()
        self._next_pts: int | None = None  # of the next sample to leave the fifo
        self._expected_s: Fraction | None = None  # when the next decoded frame should start

    def send(self, packet: av.Packet[AudioStream]) -> None:
        """Takes one packet of the source; one that cannot be decoded becomes silence."""
        with suppress(av.FFmpegError):
            for av_frame in packet.decode():
                if isinstance(av_frame, AudioFrame) and av_frame.samples:
                    self._take(av_frame)

    def finish(self) -> None:
        """Encodes what is left."""
        if self._next_pts is None:
            return
        self._flush_graph()
        self._drain(last=True)
        self._mux(self._stream.encode(None))

    def _take(self, av_frame: AudioFrame) -> None:
        if av_frame.pts is not None and av_frame.time_base is not None:
            start_s = av_frame.pts * Fraction(av_frame.time_base) - self.offset_s
        else:
            start_s = self._expected_s or Fraction(0)
        if self._expected_s is None:
            self._next_pts = 0 if self._silence_first else max(0, round(start_s * self._rate))
            self._expected_s = min(start_s, Fraction(0)) if self._silence_first else start_s
        if start_s < self._expected_s - _LONGEST_OVERLAP_S:
            # As if the clock had not run back.
            start_s = self._expected_s
        # In pieces, which take little memory: a recording may pause for an hour.
        while start_s - self._expected_s > 1:
            self._push(_silence_like(av_frame), self._expected_s)
        self._push(av_frame, start_s)

    def _push(self, av_frame: AudioFrame, start_s: Fraction) -> None:
        rate = av_frame.sample_rate
        av_frame.pts, av_frame.time_base = round(start_s * rate), Fraction(1, rate)
        self._expected_s = start_s + Fraction(av_frame.samples, rate)
        self._graph_for(av_frame).push(av_frame)
        self._pull()

    def _graph_for(self, av_frame: AudioFrame) -> Graph:
        """Returns the filters that make frames like this one the encoder's, and fill breaks and cut overlaps."""
        given = (av_frame.format.name, av_frame.layout.name, av_frame.sample_rate)
        if self._graph is None or given != self._taken:
            self._flush_graph()
            # Counted in samples of the input.
            begun = round(((self._next_pts or 0) + self._fifo.samples) * Fraction(av_frame.sample_rate, self._rate))
            graph = Graph()
            graph.link_nodes(
                graph.add_abuffer(
                    sample_rate=av_frame.sample_rate,
                    format=av_frame.format.name,
                    layout=av_frame.layout.name,
                    time_base=Fraction(1, av_frame.sample_rate),
                ),
                graph.add("aresample", f"{self._rate}:async=1:min_hard_comp={_JITTER_S}:first_pts={begun}"),
                graph.add("aformat", f"{self._format}:{self._rate}:{self._layout}"),
                graph.add("abuffersink"),
            ).configure()
            self._graph = graph
            self._taken = given
        return self._graph

    def _flush_graph(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            self._pull()
            self._graph = None

    def _pull(self) -> None:
        while self._graph is not None:
            try:
                av_frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            if isinstance(av_frame, AudioFrame):
                av_frame.pts = None  # from here on, time is counted in samples
                self._fifo.write(av_frame)
        self._drain(last=False)

    def _drain(self, last: bool) -> None:
        size = self._stream.codec_context.frame_size or _CHUNK_SAMPLES
        while self._fifo.samples >= size or (last and self._fifo.samples):
            chunk = self._fifo.read(size, partial=last)
            if chunk is None or self._next_pts is None:
                return
            chunk.pts, chunk.time_base = self._next_pts, Fraction(1, self._rate)
            chunk.sample_rate = self._rate
            self._next_pts += chunk.samples
            self._mux(self._stream.encode(chunk))

    def _mux(self, packets: list[av.Packet[AudioStream]]) -> None:
        for packet in packets:
            if packet.size and packet.pts is not None:
                self.last_packet_s = packet.pts * Fraction(packet.time_base)
            self._output.mux(packet)


def _silence_like(av_frame: AudioFrame) -> AudioFrame:
    """Returns a second of silence in the format, layout and rate of a frame."""
    silence = AudioFrame(av_frame.format.name, av_frame.layout.name, av_frame.sample_rate)
    silence.sample_rate = av_frame.sample_rate
    for plane in silence.planes:
        plane.update(bytes([128 if av_frame.format.name.startswith("u8") else 0]) * plane.buffer_size)
    return silence
