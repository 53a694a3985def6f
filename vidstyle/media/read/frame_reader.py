"""Frames of an input by their position, in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vidstyle.errors import SourceError
from vidstyle.frames import ClipInfo, Frame
from vidstyle.media.read.source import Source

# Where the next frame asked for is so far ahead, or further, the source is asked to seek; half a second of decoding.
FAR_FRAMES = 200


class FrameReader:
    """The frames of an input by position, from 0 at the start of its range; a context manager.

    Reading on is cheapest. Far ahead, frames are sought where the container has an index; what lies behind is read
    from the start again.

    Args:
        open_anew: opens the input at its start.
        timestamps: of all frames, in ticks, as the analysis found them; every frame is checked against them. None:
            they are not known.
        source: the input, opened and not yet read from, where it is at hand.

    Attributes:
        next_position: of the frame that the source gives next.
    """

    def __init__(
        self, open_anew: Callable[[], Source], timestamps: Sequence[int] | None = None, source: Source | None = None
    ) -> None:
        self._open_anew, self._expected = open_anew, timestamps
        self._source = source or open_anew()
        self.next_position = 0
        self._last: Frame | None = None
        self._can_seek, self._has_sought = True, False
        # To seek by; where they are not given, they are asked for once a frame is far.
        self._timestamps = timestamps

    @property
    def info(self) -> ClipInfo:
        """What is known of the input."""
        return self._source.info

    @property
    def first_pts(self) -> int:
        """Timestamp of the input's very first frame, in ticks, known once a frame was read."""
        return self._source.first_pts

    def frame(self, position: int) -> Frame:
        """Returns the frame at a position.

        Raises:
            SourceError: the input cannot be read, ends before it, or is no longer what was analyzed.
        """
        frame = self.frame_or_end(position)
        path = self.info.path
        if frame is None:
            raise SourceError(f"{path}: ends earlier than it did before; it was changed under way")
        if self._expected is not None and frame.pts != self._expected[position]:
            raise SourceError(f"{path}: frame {frame.index} has another time than before; it was changed under way")
        return frame

    def frame_or_end(self, position: int) -> Frame | None:
        """Returns the frame at a position, or None where the input ends before it; `next_position` is its length then.

        Raises:
            SourceError: the input cannot be read.
        """
        if self._last is not None and position == self.next_position - 1:
            return self._last  # a shot's first frame may be looked at before it is stylized
        frame = self._read(position)
        if self._has_sought and not self._is_certain(frame, position):
            self._can_seek = False
            self._begin_anew()
            frame = self._read(position)
        self._last = frame
        return frame

    def has_more(self) -> bool:
        """Tells whether another frame follows the last one, and passes over it."""
        return self._skip()

    def close(self) -> None:
        """Releases every file; may be called twice."""
        self._source.close()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, position: int) -> Frame | None:
        self._last = None
        if position < self.next_position:
            self._begin_anew()
        if position - self.next_position >= FAR_FRAMES and self._can_seek:
            self._seek(position)
        while self.next_position < position:
            if not self._skip():
                return None
        # Counted first: a source has passed a frame that it cannot decode.
        self.next_position += 1
        try:
            return next(self._source)
        except StopIteration:
            self.next_position -= 1
            return None

    def _skip(self) -> bool:
        self.next_position += 1
        try:
            self._source.skip()
        except StopIteration:
            self.next_position -= 1
            return False
        return True

    def _seek(self, position: int) -> None:
        if self._timestamps is None:
            self._timestamps = self._source.timestamps() or ()
        if position >= len(self._timestamps):
            return
        if self._source.seek(self.info.range_start + position, self._timestamps[position]):
            self.next_position, self._has_sought = position, True
        else:
            self._can_seek = False
            self._begin_anew()

    def _is_certain(self, frame: Frame | None, position: int) -> bool:
        times = self._timestamps or ()
        return frame is not None and self._source.is_sound and frame.pts == times[position]

    def _begin_anew(self) -> None:
        self._source.close()
        self._source, self.next_position, self._last = self._open_anew(), 0, None
        self._has_sought = False
