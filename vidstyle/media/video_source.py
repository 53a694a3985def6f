"""Frames of a video file, through PyAV."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from vidstyle.errors import DamagedSourceError, SourceError
from vidstyle.frames import DEFAULT_FPS, SMALLEST_SIDE_PX, ClipInfo, Frame, Picture
from vidstyle.media.base import Source
from vidstyle.media.colour import HDR_TRANSFERS, to_rgb
from vidstyle.media.damage import REORDER_FRAMES, TOLERANCE_S, expected_end_s, expected_packets, whole_frames
from vidstyle.media.images import reduced_size
from vidstyle.media.opening import open_media, video_stream
from vidstyle.media.timing import FrameClock, usable_rate

log = logging.getLogger(__name__)


class VideoSource(Source):
    """Reads a video file from its first frame; frames before the range are decoded and skipped.

    Args:
        path: a video file.
        frames: half-open range of frame indices in display order.
        keep_going: leave out what cannot be decoded instead of raising.
        largest_side_px: pictures come reduced to this size, for those who only glance at them.

    Raises:
        SourceError: the file is missing, empty, no video, too small, or the range is empty.
        DamagedSourceError: the file is cut off and the range reaches the damage.
    """

    def __init__(
        self,
        path: Path,
        frames: tuple[int, int | None] = (0, None),
        keep_going: bool = False,
        largest_side_px: int | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._path = path
        self._largest_side_px = largest_side_px
        self._start, self._stop = frames
        self._keep_going = keep_going
        self._index = 0  # of the next frame to come out of the decoder
        self._chunks = 0  # of an AVI file, seen so far
        self._lost = 0  # packets that could not be decoded
        self._last_end_s = Fraction(0)
        self._longest_gap_s = Fraction(0)
        self._done = False
        self._flagged: set[str] = set()
        self._pending: av.VideoFrame | None = None  # decoded, not yet handed out
        self._decoded: Generator[av.VideoFrame, None, None] | None = None
        self._clock = FrameClock(Fraction(1))
        # AVI counts chunks and knows no display order: the k-th frame shown has the time of the k-th chunk stored.
        self._slots: deque[int | None] | None = None
        self._stored_size = (0, 0)
        self._container: InputContainer = open_media(path)
        try:
            self._stream: VideoStream = video_stream(self._container, path)
            self._open()
        except BaseException:
            self.close()
            raise

    def __next__(self) -> Frame:
        index, av_frame, pts = self._advance()
        return Frame(index, self._picture(av_frame), pts, self.info.time_base)

    def skip(self) -> None:
        self._advance()

    def _advance(self) -> tuple[int, av.VideoFrame, int]:
        """Returns index, picture and timestamp of the range's next frame; raises StopIteration at its end."""
        while not self._done and (self._stop is None or self._index < self._stop):
            av_frame, self._pending = self._pending or self._next_decoded(), None
            if av_frame is None:
                self._at_end()
                break
            pts = self._stamp(av_frame)
            index, self._index = self._index, self._index + 1
            if index >= self._start:
                self._flag(av_frame)
                return index, av_frame, pts
        self.close()
        raise StopIteration

    def close(self) -> None:
        self._done = True
        self._pending = None
        if self._decoded is not None:
            self._decoded.close()
        self._container.close()

    def _open(self) -> None:
        """Decodes the first frame, which alone tells rotation and true size, and fills `info`."""
        stream = self._stream
        if stream.codec_context is None:
            raise SourceError(f"{self._path}: its video codec is unknown here; convert it to H.264 first")
        # Frame threads report a failure some frames late; where frames are to be left out, it must be the right one.
        stream.thread_type = "SLICE" if self._keep_going else "AUTO"
        if self._container.format.name == "avi":
            self._slots = deque()
        claim = self._check_damage(stream.frames if stream.frames > 0 else None)
        self._decoded = self._decode()
        self._pending = self._next_decoded()
        if self._pending is None:
            raise SourceError(f"{self._path}: no frame of its video can be decoded; convert it to H.264 first")
        turned = self._quarter_turns(self._pending) % 2 == 1
        width, height = self._pending.width, self._pending.height
        self._stored_size = (width, height)
        if min(width, height) < SMALLEST_SIDE_PX:
            raise SourceError(
                f"{self._path}: too small ({width}x{height} pixels; at least {SMALLEST_SIDE_PX} on a side); "
                f"enlarge it first"
            )
        aspect = stream.sample_aspect_ratio or Fraction(1)
        aspect = Fraction(aspect) if aspect > 0 else Fraction(1)
        self._rate = usable_rate(stream.average_rate, stream.guessed_rate) or DEFAULT_FPS
        time_base = Fraction(stream.time_base or 1 / self._rate)
        self._clock = FrameClock(1 / (self._rate * time_base))
        if claim is not None and self._start >= claim:
            raise self._empty_range(claim)
        stop = claim if self._stop is None or claim is None else min(self._stop, claim)
        self.info = ClipInfo(
            path=self._path,
            kind="video",
            width=height if turned else width,
            height=width if turned else height,
            rate=self._rate,
            frame_count=None if claim is None or stop is None else stop - self._start,
            time_base=time_base,
            sample_aspect_ratio=1 / aspect if turned else aspect,
            range_start=self._start,
            range_stop=self._stop,
        )

    def _check_damage(self, claim: int | None) -> int | None:
        """Returns the frame count to announce; raises if the file is cut off within the range."""
        whole = whole_frames(self._path, self._container, self._stream)
        if whole is None or (self._stop is not None and self._stop + REORDER_FRAMES <= whole):
            return claim
        if not self._keep_going:
            of = f" of {claim}" if claim else ""
            raise DamagedSourceError(
                f"{self._path}: cut off: frame {whole}{of} and what follows are missing; "
                f"copy or download it again, or use --keep-going to render what is there"
            )
        self.notes.append(f"{self._path.name}: the file is cut off at about frame {whole}; rendered what is there")
        return None

    def _next_decoded(self) -> av.VideoFrame | None:
        return None if self._decoded is None else next(self._decoded, None)

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Yields every frame that can be decoded, in display order; one generator for the whole file."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:
                self._lose("cannot be read", error)
                packet = None  # nothing comes after a failed read, but frames wait in the decoder
            if packet is not None and packet.is_corrupt:
                self._lose("is damaged", None)
                continue
            if packet is not None and packet.size > 0 and self._slots is not None:
                self._slots.append(packet.dts)
                # AVI repeats a frame by an empty chunk, which counts as a frame too.
                self._chunks = self._chunks + 1 if packet.dts is None else packet.dts + 1
            try:
                yield from self._stream.codec_context.decode(packet) if packet is None else packet.decode()
            except av.EOFError:
                return
            except (av.FFmpegError, OSError, ValueError) as error:
                self._lose("cannot be decoded", error)
            if packet is None:
                return

    def _lose(self, what: str, error: Exception | None) -> None:
        self._lost += 1
        log.debug("%s: frame %d %s: %s", self._path, self._index, what, error)
        if not self._keep_going:
            raise DamagedSourceError(
                f"{self._path}: frame {self._index} {what}; "
                f"copy or convert it again, or use --keep-going to leave it out"
            ) from error
        if self._slots:
            self._slots.pop()

    def _stamp(self, av_frame: av.VideoFrame) -> int:
        before = self._clock.nudged
        stored = av_frame.pts
        if self._slots is not None:
            stored = self._slots.popleft() if self._slots else None
        pts = self._clock.stamp(stored)
        if self._index == 0:
            self.first_pts = pts
        if self._clock.nudged and not before:
            self.notes.append(
                f"{self._path.name}: timestamps repeat or run backwards (first at frame {self._index}); moved forward"
            )
        end_s = (pts + (av_frame.duration or 0)) * self.info.time_base
        self._longest_gap_s = max(self._longest_gap_s, end_s - self._last_end_s)
        self._last_end_s = end_s
        return pts

    def _picture(self, av_frame: av.VideoFrame) -> Picture:
        turns = self._quarter_turns(av_frame)
        # A stream may change its size under way; players scale to the first size, and so is done here.
        try:
            image = to_rgb(av_frame, *reduced_size(*self._stored_size, self._largest_side_px))
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise SourceError(
                f"{self._path}: frame {self._index - 1} cannot be turned into RGB ({error}); convert it first"
            ) from error
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else image

    @staticmethod
    def _quarter_turns(av_frame: av.VideoFrame) -> int:
        return round((av_frame.rotation or 0) / 90) % 4

    def _flag(self, av_frame: av.VideoFrame) -> None:
        """Says once what a user should know about the pictures."""
        size = (av_frame.width, av_frame.height)
        seen = {
            "interlaced; deinterlace it first if you see combs": av_frame.interlaced_frame,
            "high dynamic range, taken without tone mapping; convert it to SDR first if it looks pale": (
                int(av_frame.color_trc) in HDR_TRANSFERS
            ),
            f"the picture size changes (first at frame {self._index - 1}); scaled to the first size": (
                size != self._stored_size and "size" not in self._flagged
            ),
            f"damaged pictures were patched up by the decoder (first: frame {self._index - 1})": (
                av_frame.is_corrupt and "patched" not in self._flagged
            ),
        }
        for text, applies in seen.items():
            if applies and text not in self._flagged:
                self._flagged |= {text} | {word for word in ("size", "patched") if word in text}
                self.notes.append(f"{self._path.name}: {text}")

    def _at_end(self) -> None:
        """Compares what came with what the file promised, at its very end."""
        if self._index <= self._start:
            raise self._empty_range(self._index)
        short = self._shortfall()
        if short and not self._keep_going:
            raise DamagedSourceError(
                f"{self._path}: ends early at frame {self._index} ({short}); "
                f"copy or download it again, or use --keep-going to render what is there"
            )
        if short:
            self.notes.append(f"{self._path.name}: ends early at frame {self._index} ({short})")
        if self._lost:
            self.notes.append(
                f"{self._path.name}: {self._lost} damaged frames were left out; {self._index} could be decoded"
            )

    def _shortfall(self) -> str:
        promised = expected_packets(self._container, self._stream)
        if promised is not None and promised - self._chunks > TOLERANCE_S * self._rate:
            return f"its header promises {promised} frames"
        end_s = expected_end_s(self._container, self._stream)
        # A slide show's last frame may lack its duration, so the longest frame seen is tolerated as well.
        if end_s is not None and end_s - self._last_end_s > max(TOLERANCE_S, self._longest_gap_s):
            return f"{float(self._last_end_s):.2f} of {float(end_s):.2f} seconds"
        return ""

    def _empty_range(self, count: int) -> SourceError:
        return SourceError(
            f"{self._path}: has {count} frames (0 to {count - 1}), so none from {self._start} on; "
            f"choose an earlier range"
        )
