"""The side streams of a video file: read once more, and written together with the stylized pictures."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from vidstyle.errors import counted_were
from vidstyle.frames import ClipInfo
from vidstyle.media.containers import ContainerKind, continuous_packets, media_url, open_media, video_stream
from vidstyle.media.streams.metadata import (
    CHAPTER_FORMATS,
    CoverWriter,
    add_attachments,
    advanced_timecode,
    cut_chapters,
    is_cover,
    kept_tags,
    lost_tags,
    read_covers,
    shown_name,
    tag_options,
    timecode_of,
)
from vidstyle.media.streams.sound import Soundtrack
from vidstyle.media.streams.subtitles import ConvertedSubtitles, subtitle_track
from vidstyle.media.streams.tracks import (
    EDIT_LIST_FORMATS,
    LONGEST_PRIMING_S,
    CopiedEvents,
    CopiedSound,
    Track,
    accepts,
    copied_stream,
    describe,
)

# Sound may be stored a little apart from the pictures it belongs to; reading stops this far ahead of them.
READ_AHEAD_S = Fraction(2)
_DISCARD_ALL = 48


@dataclass(frozen=True)
class StreamSelection:
    """Which of a source's side streams to keep, and how.

    Attributes:
        audio: "auto", "copy", "aac", "opus" or "none". location: whether to keep where it was filmed.
    """

    audio: str = "auto"
    location: bool = True


class SideStreams:
    """Sound, subtitles, data, chapters, attached files and tags of a video file.

    Only packets near the frame being written are held, so memory does not grow with the length.

    Attributes:
        start_s: when the earliest of video and sound starts, in seconds of the source.
        options: for the muxer, over and above the container's.
        notes: what the user should know.
    """

    def __init__(self, info: ClipInfo, kind: ContainerKind, selection: StreamSelection) -> None:
        self.notes: list[str] = []
        self._info, self._kind, self._selection = info, kind, selection
        self._name = info.path.name
        self._input: InputContainer = open_media(info.path)
        self._sound: dict[int, Track] = {}
        self._sparse: dict[int, CopiedEvents] = {}
        self._covers: CoverWriter | None = None
        self._pending: deque[tuple[Fraction, av.Packet[Any]]] = deque()
        self._durations: dict[int, int] = {}
        self._first_s: dict[int, Fraction] = {}
        self._ended = False
        self._read_s = Fraction(-(10**6))
        self._from_s: dict[int, Fraction] = {}  # before this, packets of a sound are left out
        try:
            self._video = video_stream(self._input, info.path, info.stream)
            self._time_base = Fraction(self._video.time_base or info.time_base)
            self._tags = kept_tags(self._input.metadata, location=selection.location)
            self.options = tag_options(self._tags, kind)
            self.start_s = self._earliest_start()
        except BaseException:
            self.close()
            raise

    def add_to(self, output: OutputContainer, pictures: VideoStream) -> None:
        """Adds streams, attached files and tags to an output that has its `pictures` already."""
        self._output, self._pictures = output, pictures
        output.metadata.update(self._tags)
        describe(pictures, self._video, self._kind)
        soundtrack = Soundtrack(self._input, self._video_start_s(), self._info, self._selection.audio)
        self._sound, notes = soundtrack.add_to(output, self._kind)
        self.notes += notes
        self._add_subtitles()
        self._add_data()
        self._add_files()
        streams = [self._video, *(self._input.streams[index] for index in (*self._sound, *self._sparse))]
        self._packets = continuous_packets(self._input, streams, self._video)

    def begin(self, offset_s: Fraction, end_s: Fraction, rate: Fraction) -> None:
        """Sets the times; from here on, packets may be written.

        Args:
            offset_s: the second of the source that becomes 0.
            end_s: when the last picture ends, in seconds of the source. rate: frames per second.
        """
        info = self._info
        # Sound before the first picture of a range belongs to pictures that are left out.
        if info.range_start > 0 or info.range_stop is not None:
            early_s = offset_s - LONGEST_PRIMING_S
            cut = [i for i in self._sound if info.range_start > 0 or _start_s(self._input.streams[i]) < early_s]
            self._from_s = dict.fromkeys(cut, offset_s)
        for track in (*self._sound.values(), *self._sparse.values()):
            track.offset_s = offset_s
        for track in self._sparse.values():
            track.stop_s = end_s if info.range_stop is not None else None
        self._set_timecode(offset_s, rate)
        chapters = self._input.chapters()
        if chapters and self._kind.format not in CHAPTER_FORMATS:
            self._note_left_out("chapters")
        elif chapters:
            delay_s = self._added_start_s(offset_s)
            stop_s = end_s if info.range_stop is not None else None
            self._output.set_chapters(cut_chapters(chapters, offset_s, stop_s, delay_s))
        if self._covers is not None:
            self._covers.write()

    def write_until(self, time_s: Fraction) -> None:
        """Writes what belongs to the pictures up to `time_s` in seconds of the source."""
        self._durations = {k: v for k, v in self._durations.items() if k * self._time_base >= time_s}
        while not self._ended and self._read_s < time_s:
            self._read()
        self._send_pending(time_s)

    def write_rest(self, stop_s: Fraction | None) -> None:
        """Writes what comes up to `stop_s`, or to its end where None, and completes the streams."""
        while not self._ended and (stop_s is None or self._read_s < stop_s + READ_AHEAD_S):
            self._read()
            self._send_pending(self._read_s if stop_s is None else min(stop_s, self._read_s))
        self._send_pending(stop_s)
        for track in (*self._sound.values(), *self._sparse.values()):
            track.finish()
        lost = sum(track.lost for track in self._sparse.values() if isinstance(track, ConvertedSubtitles))
        if lost:
            self.notes.append(f"{self._name}: {counted_were(lost, 'subtitle')} left out, which could not be converted")

    def duration_s(self, pts: int | None) -> Fraction | None:
        """Returns how long the frame at `pts` lasts in the source, in seconds, or None if that is not known."""
        if pts is None:
            return None
        last_s = pts * self._time_base
        while not self._ended and self._read_s < last_s + READ_AHEAD_S:
            self._read()
        # The next frame tells it better than the packet's own duration, which MP4 counts in storage order.
        following = min((later for later in self._durations if later > pts), default=None)
        ticks = self._durations.get(pts, 0) if following is None else following - pts
        return ticks * self._time_base or None

    @property
    def last_packets_s(self) -> list[Fraction | None]:
        """When the last packet of each written audio stream starts, in seconds of the output; None: it has none."""
        return [track.last_packet_s for track in self._sound.values()]

    def losses(self, output: Path) -> list[str]:
        """Returns the notes, with what the muxer left out of the written file silently."""
        tags: dict[str, str] = {}
        timecode, languages, covers = None, set(), 0
        with suppress(av.FFmpegError, ValueError), av.open(media_url(output)) as written:
            tags = written.metadata
            timecode = timecode_of(*(stream.metadata for stream in written.streams))
            languages = {stream.metadata.get("language") for stream in written.streams}
            covers = sum(1 for stream in written.streams if is_cover(stream))
        if self._covers is not None and covers < self._covers.count:
            self._note_left_out("cover pictures")
        lost = lost_tags(self._tags, tags)
        if timecode is None and timecode_of(self._pictures.metadata):
            lost.append("timecode")
        tracks = (*self._sound.values(), *self._sparse.values())
        unwritten = {track.language for track in tracks if track.last_packet_s is not None} - {None, *languages}
        lost += [f"language {language}" for language in unwritten]
        if lost:
            what = ", ".join(sorted(lost))
            self.notes.append(
                f"{self._name}: tags left out, since {self._container_name} has no place for them: {what}"
            )
        return self.notes

    def close(self) -> None:
        """Releases the source; may be called twice."""
        self._ended = True
        self._pending.clear()
        self._input.close()

    @property
    def _container_name(self) -> str:
        return shown_name(self._kind)

    def _note_left_out(self, what: str) -> None:
        self.notes.append(f"{self._name}: the {what} were left out, {self._container_name} holds none")

    def _earliest_start(self) -> Fraction:
        streams = [self._video, *self._input.streams.audio]
        known = [s.start_time * s.time_base for s in streams if s.start_time is not None and s.time_base is not None]
        return Fraction(min(known, default=0))

    def _video_start_s(self) -> Fraction:
        return _start_s(self._video)

    # -- what is added -------------------------------------------------------------------------

    def _add_subtitles(self) -> None:
        left_out = []
        for stream in self._input.streams.subtitles:
            track = subtitle_track(stream, self._output, self._kind) if isinstance(stream, SubtitleStream) else None
            if track is None:
                codec = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
                left_out.append(codec)
            else:
                self._sparse[stream.index] = track
        if left_out:
            codecs = ", ".join(sorted(set(left_out)))
            self.notes.append(
                f"{self._name}: {counted_were(len(left_out), 'subtitle track')} left out, "
                f"{self._container_name} does not take such ({codecs})"
            )

    def _add_data(self) -> None:
        left_out = 0
        timecode = timecode_of(self._video.metadata, self._input.metadata)
        for stream in self._input.streams.data:
            # Chapters in QuickTime are such a track, and are written as one again.
            if getattr(stream, "discard", 0) == _DISCARD_ALL:
                continue
            # So is the timecode, which FFmpeg makes anew of a tag.
            if timecode is not None and timecode_of(stream.metadata) is not None:
                continue
            if (
                self._selection.location
                and self._kind.format in EDIT_LIST_FORMATS
                and accepts(self._kind.format, stream)
            ):
                added = copied_stream(stream, self._output, self._kind)
                self._sparse[stream.index] = CopiedEvents(added, self._output)
            else:
                left_out += 1
        if left_out and not self._selection.location:
            self.notes.append(f"{self._name}: {counted_were(left_out, 'data track')} left out, which may tell places")
        elif left_out:
            what = counted_were(left_out, "data track")
            self.notes.append(f"{self._name}: {what} left out, {self._container_name} does not take such")

    def _add_files(self) -> None:
        left_out = add_attachments(self._input.streams.attachments, self._output, self._kind)
        if left_out:
            self._note_left_out(f"attached files ({', '.join(left_out)})")
        streams = [s for s in self._input.streams.video if s.index != self._video.index and is_cover(s)]
        others = [s.index for s in self._input.streams.video if s.index != self._video.index and not is_cover(s)]
        # A user who chose another stream than players show knows of them.
        if others and video_stream(self._input, self._info.path).index == self._video.index:
            where = f"stream {others[0]}" if len(others) == 1 else f"streams {', '.join(map(str, others))}"
            what = f"{counted_were(len(others), 'other video track')} left out ({where})"
            self.notes.append(f"{self._name}: {what}; choose another with --stream {others[0]}")
        self._covers = CoverWriter(read_covers(self._info.path, streams), self._output, self._kind)
        if self._covers.left_out:
            self._note_left_out("cover pictures")

    def _set_timecode(self, offset_s: Fraction, rate: Fraction) -> None:
        timecode = timecode_of(self._video.metadata, self._input.metadata)
        if timecode is None:
            return
        earlier = round(max(Fraction(0), offset_s - self._video_start_s()) * rate) if self._info.range_start else 0
        self._pictures.metadata["timecode"] = advanced_timecode(timecode, earlier, rate) or timecode

    def _added_start_s(self, offset_s: Fraction) -> Fraction:
        """Returns by how much the muxer will move all packets, but not the chapters, so that none is before 0."""
        copies = [i for i, track in self._sound.items() if isinstance(track, CopiedSound) and i not in self._from_s]
        if self._kind.format in EDIT_LIST_FORMATS:
            return Fraction(0)
        while not self._ended and self._read_s < self.start_s + READ_AHEAD_S and set(copies) - self._first_s.keys():
            self._read()
        begun = [i for i in copies if i in self._first_s]
        delay_s = [offset_s - self._first_s[i] - _padding_s(self._input.streams[i]) for i in begun]
        return max([Fraction(0), *delay_s])

    # -- packets -------------------------------------------------------------------------------

    def _read(self) -> None:
        """Reads one packet: of pictures only the duration is kept, all others until it is their time."""
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
        if packet.stream.index in self._sound:
            self._read_s = max(self._read_s, time_s)
            self._first_s.setdefault(packet.stream.index, time_s)
        self._pending.append((time_s, packet))

    def _send_pending(self, before_s: Fraction | None) -> None:
        """Sends every pending packet that starts before `before_s` (None: all) to its track."""
        waiting, self._pending = self._pending, deque()
        for time_s, packet in waiting:
            index = packet.stream.index
            sound = self._sound.get(index)
            if before_s is not None and time_s >= before_s:
                self._pending.append((time_s, packet))
            elif sound is None:
                self._sparse[index].send(packet)
            elif index not in self._from_s or time_s >= self._from_s[index] - sound.preroll_s:
                sound.send(packet)


def side_streams_of(info: ClipInfo, *, sound: bool = True) -> list[str]:
    """Returns in words which side streams a source has; for outputs that hold pictures only.

    Args:
        sound: whether its sound counts.
    """
    if info.kind != "video":
        return []
    with open_media(info.path) as source:
        streams = source.streams
        present = {
            "sound": Soundtrack(source, Fraction(0), info, "auto").streams if sound else (),
            "subtitles": streams.subtitles,
            "chapters": source.chapters(),
            "attached files": streams.attachments,
        }
        return [word for word, found in present.items() if found]


def _padding_s(stream: Stream) -> Fraction:
    """Returns how much sound an encoder has put first, which Matroska notes apart from the times."""
    context: Any = stream.codec_context
    return Fraction(context.delay or 0, context.sample_rate or 1)


def _start_s(stream: Stream) -> Fraction:
    return (stream.start_time or 0) * Fraction(stream.time_base or 1)
