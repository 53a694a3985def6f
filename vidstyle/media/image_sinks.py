"""Painted frames written as pictures: a folder of them, or one."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from vidstyle.errors import OutputError
from vidstyle.frames import ClipInfo, Frame
from vidstyle.media.base import Sink
from vidstyle.media.images import check_picture, write_image

INDEX_DIGITS = 6


class FrameFolderSink(Sink):
    """Writes one PNG per frame; they appear together when the block ends well.

    Frames of files keep their names, others are numbered by their index. Into a folder that exists,
    finished files are moved one by one; nothing else there is touched.

    Args:
        folder: where the frames go; made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.notes: list[str] = []
        self.frames_written = 0
        # A link to a folder is filled, not replaced.
        self._folder = folder.resolve()
        self._existed = self._folder.is_dir()
        hidden = f".{self._folder.name}.part{os.getpid()}"
        # Inside an existing folder, which may be a disk of its own; files can be moved within one disk only.
        self._part = (self._folder if self._existed else self._folder.parent) / hidden
        self._begun = False
        self._names: set[str] = set()

    def write(self, frame: Frame) -> None:
        check_picture(frame.image)
        if not self._begun:
            raise ValueError("write() outside the sink's with block")
        name = f"{frame.name or str(frame.index).zfill(INDEX_DIGITS)}.png"
        if name.casefold() in self._names:
            raise ValueError(f"frame {frame.index}: {name} was written before")
        self._names.add(name.casefold())
        write_image(self._part / name, frame.image)
        self.frames_written += 1

    def _begin(self) -> None:
        try:
            shutil.rmtree(self._part, ignore_errors=True)  # left by a process of the same number that was killed
            self._part.mkdir()
        except OSError as error:
            raise OutputError(f"{self._folder}: not writable ({error.strerror}); choose another output") from error
        self._begun = True

    def _finish(self) -> None:
        if not self.frames_written:
            raise OutputError(f"{self._folder}: no frame to write; choose another range")
        try:
            written = sorted(self._part.iterdir())
            if len(written) != self.frames_written:
                raise OutputError(f"{self._folder}: {len(written)} of {self.frames_written} frames were written")
            if self._existed:
                # One by one: what can be known to be in the way is looked for before the first is moved.
                for file in written:
                    if (self._folder / file.name).is_dir():
                        raise OutputError(f"{self._folder / file.name}: a folder is in the way; choose another output")
                for file in written:
                    file.replace(self._folder / file.name)
            else:
                self._part.rename(self._folder)
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(f"{self._folder}: frames cannot be put there ({error.strerror or error})") from error

    def _discard(self) -> None:
        if self._begun:
            self._begun = False
            shutil.rmtree(self._part, ignore_errors=True)


class StillSink(Sink):
    """Writes exactly one picture; the suffix chooses the format."""

    def __init__(self, output: Path) -> None:
        self.notes: list[str] = []
        self.frames_written = 0
        self._output = output
        self._frame: Frame | None = None

    def write(self, frame: Frame) -> None:
        check_picture(frame.image)
        if self._frame is not None:
            raise OutputError(f"{self._output}: holds one frame only; choose one with --frames, or write a folder")
        self._frame = frame
        self.frames_written = 1

    def _begin(self) -> None:
        self._frame = None

    def _finish(self) -> None:
        if self._frame is None:
            raise OutputError(f"{self._output}: no frame to write; choose another range")
        write_image(self._output, self._frame.image)

    def _discard(self) -> None:
        self._frame = None


def folder_images_clash(folder: Path, info: ClipInfo) -> bool:
    """Tells whether the input lies in `folder`, where painted frames and inputs would mix."""
    target = folder.resolve()
    source = info.path.resolve()
    inputs = source if info.kind == "frames" and source.is_dir() else source.parent
    with suppress(ValueError):
        inputs.relative_to(target)
        return True
    return False
