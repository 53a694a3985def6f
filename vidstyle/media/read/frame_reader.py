"""The input, opened as the settings say: the same way for the first look, for painting, and in workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vidstyle.errors import SourceError
from vidstyle.frames import Frame
from vidstyle.media.read.open_source import FrameFolderSource, open_source, stored_bits
from vidstyle.media.read.source import Source
from vidstyle.settings import Settings

# Where the next frame wanted is so far ahead, or further, the source is asked to seek; half a second of decoding.
FAR_FRAMES = 200


def opened(source: Path, settings: Settings, largest_side_px: int | None = None) -> Source:
    """Opens the input; see `open_source` for what it may be, and what is raised."""
    frames = open_source(
        source,
        fps=settings.fps,
        frames=settings.frames,
        keep_going=settings.keep_going,
        largest_side_px=largest_side_px,
        stream=settings.stream,
        deinterlace=settings.deinterlace == "auto",
        tone_map=settings.tone_map == "auto",
    )
    if settings.bit_depth == "source":
        first = frames.files[0] if isinstance(frames, FrameFolderSource) else source
        frames.info = replace(frames.info, bit_depth=stored_bits(first, frames.info.stream))
    return frames


class Reader:
    """The frames of a render's input by position; a context manager. Cheapest where positions ascend.

    Args:
        open_anew: opens the input at its start. timestamps: of all frames, in ticks, as they were surveyed.
        source: the input, opened and not yet read from, where it is at hand.
    """

    def __init__(
        self, open_anew: Callable[[], Source], timestamps: Sequence[int], source: Source | None = None
    ) -> None:
        self._open_anew, self._timestamps = open_anew, timestamps
        self._source = source or open_anew()
        self._next = 0  # position of the frame that the source gives next
        self._last: Frame | None = None
        self._can_seek, self._has_sought = True, False

    @property
    def first_pts(self) -> int:
        """Timestamp of the input's very first frame, in ticks, known once a frame was read."""
        return self._source.first_pts

    def frame(self, position: int) -> Frame:
        """Returns the frame at a position in the render.

        Raises:
            SourceError: the input cannot be read, or is no longer what was surveyed.
        """
        if self._last is not None and position == self._next - 1:
            return self._last  # a shot's first frame may be looked at before it is painted
        frame = self._read(position)
        if self._has_sought and (frame.pts != self._timestamps[position] or not self._source.is_sound):
            self._can_seek = False
            self._begin_anew()
            frame = self._read(position)
        if frame.pts != self._timestamps[position]:
            path = self._source.info.path
            raise SourceError(f"{path}: frame {frame.index} has another time than before; it was changed under way")
        self._last = frame
        return frame

    def _read(self, position: int) -> Frame:
        if position < self._next:
            self._begin_anew()
        if position - self._next >= FAR_FRAMES and self._can_seek:
            self._seek(position)
        path = self._source.info.path
        try:
            while self._next < position:
                self._next += 1
                self._source.skip()
            self._next += 1
            return next(self._source)
        except StopIteration as error:
            raise SourceError(f"{path}: ends earlier than it did before; it was changed under way") from error

    def _seek(self, position: int) -> None:
        index = self._source.info.range_start + position
        if self._source.seek(index, self._timestamps[position]):
            self._next, self._has_sought = position, True
        else:
            self._can_seek = False
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._source.close()
        self._source, self._next, self._last = self._open_anew(), 0, None
        self._has_sought = False

    def close(self) -> None:
        """Releases every file; may be called twice."""
        self._source.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
