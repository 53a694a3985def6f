"""What every source and every sink promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

from vidstyle.frames import ClipInfo, Frame

_SourceT = TypeVar("_SourceT", bound="Source")
_SinkT = TypeVar("_SinkT", bound="Sink")


class Source(ABC):
    """Frames of an input in display order; a context manager and an iterator of `Frame`.

    Attributes:
        info: what is known before the first frame is read.
        notes: what the user should be told, one line each; complete once the last frame was read.
    """

    info: ClipInfo
    notes: list[str]

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
    def close(self) -> None:
        """Releases every file; may be called twice."""

    def __enter__(self: _SourceT) -> _SourceT:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Sink(ABC):
    """Takes painted frames; what it writes appears when its `with` block ends well, or not at all.

    Attributes:
        notes: what the user should be told, one line each; complete after the block.
        frames_written: frames taken so far.
    """

    notes: list[str]
    frames_written: int

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Takes one painted frame; index, pts and time_base are the source's.

        Raises:
            OutputError: it cannot be written.
            ValueError: the picture is not `(height, width, 3)` uint8 of the size agreed on, or time runs backwards.
        """

    @abstractmethod
    def _begin(self) -> None:
        """Creates the temporary files."""

    @abstractmethod
    def _finish(self) -> None:
        """Completes the output and gives it its final name."""

    @abstractmethod
    def _discard(self) -> None:
        """Removes every trace that is not finished; may be called at any time, and twice."""

    def __enter__(self: _SinkT) -> _SinkT:
        try:
            self._begin()
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._discard()
