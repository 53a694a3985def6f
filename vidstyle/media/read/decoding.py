"""From packets to pictures: every one that can be decoded, once, in display order."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vidstyle.errors import DamagedSourceError, counted_were
from vidstyle.media.continuity import continuous
from vidstyle.media.read.deinterlacing import Deinterlacer

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
        self._went = 0  # packets into the decoder, or lost before it
        self._came = 0  # pictures out of it
        self._first_lost = ""
        self._first_pts: int | None = None
        self._last_end: int | None = None
        # AVI counts chunks and knows no display order: the k-th frame shown has the time of the k-th chunk stored.
        self._slots: deque[int | None] | None = deque() if container.format.name == "avi" else None
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
            yield from self._whole(av_frame)
        yield from self._whole(None)

    def loss(self) -> str:
        """Returns what was left out, in words, or an empty string."""
        if self.lost:
            what = counted_were(self.lost, "damaged frame")
            where, of = self._first_lost, max(self._went, self._came)
            return f"{what} left out (first: {where}); {self._came} of {of} could be decoded"
        # Elsewhere, and in VP8, a packet need not have a picture of its own.
        is_counted = set(self._container.format.name.split(",")) & {"mp4", "matroska"}
        if is_counted and self._came < self._went and self._stream.codec_context.name not in ("vp8", "libvpx"):
            return f"{self._went - self._came} of {self._went} stored frames gave no picture"
        return ""

    def _whole(self, av_frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Deinterlaces; None is the end."""
        if self._deinterlacer is None:
            yield from () if av_frame is None else (av_frame,)
            return
        before = self._deinterlacer.is_active
        try:
            yield from self._deinterlacer.flush() if av_frame is None else self._deinterlacer.push(av_frame)
        except (av.FFmpegError, ValueError) as error:
            raise DamagedSourceError(
                f"{self._path}: frame {self._came - 1} cannot be deinterlaced ({error}); use --deinterlace off"
            ) from error
        if self._deinterlacer.is_active and not before:
            self._notes.append(f"{self._path.name}: interlaced; deinterlaced with bwdif")

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = continuous(self._container, [self._stream], self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                self._lose("cannot be read", error)
                packet = None  # nothing comes after a failed read, but frames wait in the decoder
            if packet is not None and packet.size > 0:
                if not self._went and packet.is_keyframe:
                    self.first_key_pts = packet.pts
                self._went += not packet.is_discard
            if packet is not None and packet.is_corrupt:
                self._lose("is damaged", None)
                continue
            if packet is not None and packet.size > 0 and self._slots is not None:
                self._slots.append(packet.dts)
                # AVI repeats a frame by an empty chunk, which counts as a frame too.
                self.chunks = self.chunks + 1 if packet.dts is None else packet.dts + 1
            try:
                yield from self._stamped(
                    self._stream.codec_context.decode(packet) if packet is None else packet.decode()
                )
            except av.EOFError:
                return
            except (av.FFmpegError, OSError, ValueError) as error:
                self._lose("cannot be decoded", error)
                if self._slots:
                    self._slots.pop()
            if packet is None:
                return

    def _stamped(self, av_frames: Iterable[Any]) -> Iterator[av.VideoFrame]:
        for av_frame in av_frames:
            if self._slots is not None:
                av_frame.pts = self._slots.popleft() if self._slots else None
            if av_frame.pts is not None:
                self._first_pts = av_frame.pts if self._first_pts is None else self._first_pts
                self._last_end = av_frame.pts + (av_frame.duration or 0)
            self._came += 1
            yield av_frame

    def _place(self) -> str:
        """Returns where the next picture would be: its index, and its time after the first one."""
        time_s = self._came / self._rate
        if self._first_pts is not None and self._last_end is not None and self._stream.time_base is not None:
            time_s = (self._last_end - self._first_pts) * Fraction(self._stream.time_base)
        return f"frame {self._came} at {float(time_s):.2f} s"

    def _lose(self, what: str, error: Exception | None) -> None:
        log.debug("%s: %s %s: %s", self._path, self._place(), what, error)
        self._first_lost = self._first_lost or self._place()
        self.lost += 1
        if not self._keep_going:
            raise DamagedSourceError(
                f"{self._path}: {self._place()} {what}; copy or convert it again, or use --keep-going to leave it out"
            ) from error
