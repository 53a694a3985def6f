"""The interface of every source of frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TypeVar

from vidstyle.frames import ClipInfo, Frame

# Of a frame's index, where its file has no name of its own.
INDEX_DIGITS = 6

_SourceT = TypeVar("_SourceT", bound="Source")


class Source(ABC):
    """Frames of an input in display order; a context manager and an iterator of `Frame`.

    Attributes:
        info: what is known before the first frame is read.
        notes: what the user should know, one line each; complete once the last frame was read.
        first_pts: timestamp of the input's very first frame, in ticks, known once a frame was read.
        exif: what the output of a still keeps of its EXIF, known once it was read; see `kept_exif`.
        is_timed: whether frames have times of their own, rather than a rate that somebody chose.
        is_transparent: whether something of a frame read so far is not opaque.
    """

    info: ClipInfo
    notes: list[str]
    first_pts: int = 0
    exif: bytes = b""
    is_timed: bool = True
    is_transparent: bool = False

    def __iter__(self) -> Iterator[Frame]:
        return self

    @abstractmethod
    def __next__(self) -> Frame:
        """Returns the next frame.

        Raises:
            StopIteration: there is none left, or the source is closed.
            SourceError, DamagedSourceError: the next frame cannot be had.
        """

    @abstractmethod
    def skip(self) -> None:
        """Passes over one frame without making its picture; what cannot be decoded is found all the same.

        Raises:
            StopIteration, SourceError, DamagedSourceError: as for the next frame.
        """

    def seek(self, index: int, pts: int) -> bool:
        """Goes forward so that the input's frame of that index comes next, without decoding all before it.

        Args:
            pts: its timestamp in ticks, as it came when the input was read through.

        Returns:
            False where the frames would not be certain to be the same; then the source must be opened anew.
        """
        return False

    def timestamps(self) -> tuple[int, ...] | None:
        """Returns the times of all frames in ticks without decoding any; None where they would not be certain."""
        return None

    @property
    def is_sound(self) -> bool:
        """Whether frames read after a `seek` are certain to be those that reading from the start gives."""
        return True

    def file_names(self, timestamps: Sequence[int], suffix: str = ".png") -> list[str]:
        """Returns the names under which the range's frames are written into a folder."""
        return [f"{self.info.range_start + k:0{INDEX_DIGITS}}{suffix}" for k in range(len(timestamps))]

    @abstractmethod
    def close(self) -> None:
        """Releases every file; may be called twice."""

    def __enter__(self: _SourceT) -> _SourceT:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
