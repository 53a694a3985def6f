"""From packets to pictures: every one that can be decoded, once, in display order, deinterlaced."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.filter import Graph
from av.sidedata.sidedata import SideData
from av.video.stream import VideoStream

from vidstyle.errors import DamagedSourceError, counted_were
from vidstyle.media.containers import continuous_packets

log = logging.getLogger(__name__)


class Decoder:
    """Decodes one stream of a container from its start.

    Args:
        path: of the file, for messages.
        rate: frames per second, for times where the file has none.
        notes: where to put what the user should know; complete at the end.
        keep_going: leave out what cannot be decoded instead of raising.
        deinterlace: make interlaced pictures whole.

    Attributes:
        chunks: of an AVI file, seen so far.
        lost: packets that could not be decoded.
        first_key_pts: timestamp of the first packet, if it is of a key picture.
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        stream: VideoStream,
        rate: Fraction,
        notes: list[str],
        *,
        keep_going: bool,
        deinterlace: bool,
    ) -> None:
        self.chunks = 0
        self.lost = 0
        self.first_key_pts: int | None = None
        self._notes = notes
        self._path, self._container, self._stream, self._rate = path, container, stream, rate
        self._keep_going = keep_going
        self._deinterlacer = Deinterlacer() if deinterlace else None
        self._packets_in = 0  # packets sent to the decoder, or lost before it
        self._pictures_out = 0  # pictures out of it
        self._first_lost = ""
        self._first_pts: int | None = None
        self._last_end: int | None = None
        # AVI counts chunks and knows no display order: the k-th frame shown has the time of the k-th chunk stored.
        self._chunk_times: deque[int | None] | None = deque() if container.format.name == "avi" else None
        # Frame threads report a failure some frames late; where frames are to be left out, it must be the right one.
        if not stream.codec_context.is_open:  # after a seek it is
            stream.thread_type = "SLICE" if keep_going else "AUTO"

    @property
    def is_deinterlacing(self) -> bool:
        """Whether an interlaced picture has come and was made whole."""
        return self._deinterlacer is not None and self._deinterlacer.is_active

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        """Yields the pictures, each with its timestamp in ticks of the stream, or None.

        Raises:
            DamagedSourceError: one cannot be decoded, without `keep_going`.
        """
        for av_frame in self._decoded():
            yield from self._deinterlaced(av_frame)
        yield from self._deinterlaced(None)

    def loss(self) -> str:
        """Returns what was left out, in words, or an empty string."""
        if self.lost:
            what = counted_were(self.lost, "damaged frame")
            where, of = self._first_lost, max(self._packets_in, self._pictures_out)
            return f"{what} left out (first: {where}); {self._pictures_out} of {of} could be decoded"
        # Elsewhere, and in VP8, a packet need not have a picture of its own.
        is_counted = bool(set(self._container.format.name.split(",")) & {"mp4", "matroska"})
        if (
            is_counted
            and self._pictures_out < self._packets_in
            and self._stream.codec_context.name not in ("vp8", "libvpx")
        ):
            return f"{self._packets_in - self._pictures_out} of {self._packets_in} stored frames gave no picture"
        return ""

    def _deinterlaced(self, av_frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Deinterlaces; None is the end."""
        if self._deinterlacer is None:
            yield from () if av_frame is None else (av_frame,)
            return
        before = self._deinterlacer.is_active
        try:
            yield from self._deinterlacer.flush() if av_frame is None else self._deinterlacer.push(av_frame)
        except (av.FFmpegError, ValueError) as error:
            raise DamagedSourceError(
                f"{self._path}: frame {self._pictures_out - 1} cannot be deinterlaced ({error}); use --deinterlace off"
            ) from error
        if self._deinterlacer.is_active and not before:
            self._notes.append(f"{self._path.name}: interlaced; deinterlaced with bwdif")

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = continuous_packets(self._container, [self._stream], self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                self._report_loss("cannot be read", error)
                packet = None  # nothing comes after a failed read, but frames wait in the decoder
            if packet is not None and packet.size > 0:
                if not self._packets_in and packet.is_keyframe:
                    self.first_key_pts = packet.pts
                self._packets_in += not packet.is_discard
            if packet is not None and packet.is_corrupt:
                self._report_loss("is damaged", None)
                continue
            if packet is not None and packet.size > 0 and self._chunk_times is not None:
                self._chunk_times.append(packet.dts)
                # AVI repeats a frame by an empty chunk, which counts as a frame too.
                self.chunks = self.chunks + 1 if packet.dts is None else packet.dts + 1
            try:
                yield from self._stamped(
                    self._stream.codec_context.decode(packet) if packet is None else packet.decode()
                )
            except av.EOFError:
                return
            except (av.FFmpegError, OSError, ValueError) as error:
                self._report_loss("cannot be decoded", error)
                if self._chunk_times:
                    self._chunk_times.pop()
            if packet is None:
                return

    def _stamped(self, av_frames: Iterable[Any]) -> Iterator[av.VideoFrame]:
        for av_frame in av_frames:
            if self._chunk_times is not None:
                av_frame.pts = self._chunk_times.popleft() if self._chunk_times else None
            if av_frame.pts is not None:
                self._first_pts = av_frame.pts if self._first_pts is None else self._first_pts
                self._last_end = av_frame.pts + (av_frame.duration or 0)
            self._pictures_out += 1
            yield av_frame

    def _position(self) -> str:
        """Returns where the next picture would be: its index, and its time after the first one."""
        time_s = self._pictures_out / self._rate
        if self._first_pts is not None and self._last_end is not None and self._stream.time_base is not None:
            time_s = (self._last_end - self._first_pts) * Fraction(self._stream.time_base)
        return f"frame {self._pictures_out} at {float(time_s):.2f} s"

    def _report_loss(self, what: str, error: Exception | None) -> None:
        log.debug("%s: %s %s: %s", self._path, self._position(), what, error)
        self._first_lost = self._first_lost or self._position()
        self.lost += 1
        if not self._keep_going:
            raise DamagedSourceError(
                f"{self._path}: {self._position()} {what}; "
                "copy or convert it again, or use --keep-going to leave it out"
            ) from error


# -- deinterlacing --------------------------------------------------------------------------------

# Whole pictures, not one per field; the decoder knows which field is first; progressive pictures pass untouched.
_FILTER, _OPTIONS = "bwdif", "mode=send_frame:parity=auto:deint=interlaced"
# Pictures are counted in it while they are inside the filter, which must not see the file's own timestamps: it
# would make something of gaps and repetitions.
_COUNT_BASE = Fraction(1, 1000)


class Deinterlacer:
    """Passes pictures through FFmpeg's bwdif from the first interlaced one on.

    The filter looks at the picture after, so that each comes out when its successor goes in. Number, order,
    timestamps and durations stay the decoder's.

    Attributes:
        is_active: whether an interlaced picture has come.
    """

    def __init__(self) -> None:
        self.is_active = False
        self._graph: Graph | None = None
        self._layout: tuple[int, int, str] | None = None
        self._count = 0
        self._in_filter: deque[tuple[int, int | None, int | None, Fraction | None]] = deque()

    def push(self, av_frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Takes the next picture and yields those that are ready.

        Raises:
            av.FFmpegError, ValueError: the filter does not take the picture, or has lost one.
        """
        if not self.is_active and not av_frame.interlaced_frame:
            yield av_frame
            return
        self.is_active = True
        layout = (av_frame.width, av_frame.height, av_frame.format.name)
        if layout != self._layout:
            yield from self.flush()
            self._graph, self._layout = _graph(av_frame), layout
        self._in_filter.append((self._count, av_frame.pts, av_frame.duration, av_frame.time_base))
        av_frame.pts, av_frame.time_base = self._count, _COUNT_BASE
        self._count += 1
        if self._graph is not None:
            self._graph.vpush(av_frame)
        yield from self._ready()

    def flush(self) -> Iterator[av.VideoFrame]:
        """Yields what the filter still holds; it may be pushed to again."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()
        self._graph = self._layout = None

    def _ready(self) -> Iterator[av.VideoFrame]:
        while self._graph is not None and self._in_filter:
            try:
                av_frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            number, pts, duration, time_base = self._in_filter.popleft()
            if _count_of(av_frame) != number:
                raise ValueError("the filter has lost count")
            av_frame.pts = pts
            av_frame.duration = duration or 0
            if time_base is not None:
                av_frame.time_base = time_base
            yield av_frame


def _count_of(av_frame: av.VideoFrame) -> Fraction | None:
    """Returns which picture it is; the filter has a time base of its own."""
    if av_frame.pts is None or av_frame.time_base is None:
        return None
    return av_frame.pts * Fraction(av_frame.time_base) / _COUNT_BASE


def _graph(av_frame: av.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=av_frame.width, height=av_frame.height, format=av_frame.format, time_base=_COUNT_BASE
    )
    graph.link_nodes(source, graph.add(_FILTER, _OPTIONS), graph.add("buffersink")).configure()
    return graph


# -- side data ------------------------------------------------------------------------------------


def side_data_of(av_frame: av.VideoFrame, name: str) -> bytes | None:
    """Returns the bytes of one kind of side data, by PyAV's name of it, as FFmpeg's structures lie in memory."""
    try:
        found = av_frame.side_data.get(name)
    except ValueError:  # the frame also has a kind that this PyAV has no name for
        return None
    return bytes(found) if isinstance(found, SideData) else None
