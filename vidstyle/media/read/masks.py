"""Masks: gray pictures that say, pixel by pixel, how much of a frame something applies to."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vidstyle.errors import SourceError
from vidstyle.frames import ClipInfo, Frame, Picture, resize
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.media.read.open_source import open_source

# Video and JPEG do not keep flat areas flat: what is so near to black or white, in levels of 255, is taken for it.
_SLACK_LEVELS = 8
# Of the two sides, after a mask was brought to the other's: what rounding an odd size leaves.
_SLACK_PX = 1


class MaskReader:
    """The masks of an input's frames, in order: one picture for all, or a folder's or video's, one for each.

    Args:
        path: whatever `open_source` reads.

    Raises:
        SourceError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = FrameReader(lambda: open_source(path))
        self.is_for_all = self._reader.info.kind == "still"
        self._last: tuple[int, Picture] | None = None

    def check_shape(self, info: ClipInfo) -> None:
        """Compares the shape of the masks with that of an input's frames; sizes may differ.

        Raises:
            SourceError: it is another.
        """
        width, height = self._reader.info.width, self._reader.info.height
        # A mask made from what a player shows has square pixels where the video may have others.
        shapes = {(info.width, info.height), (round(info.width * info.sample_aspect_ratio), info.height)}
        if not any(_is_alike((width, height), shape) for shape in shapes):
            raise SourceError(
                f"{self._path}: {width}x{height} pixels, but {info.path} has {info.width}x{info.height}; "
                "a mask has the shape of the input, at any size"
            )

    def at(self, index: int) -> Picture:
        """Returns the mask of the input's frame of that index, `(H, W)` uint8, 255 is white; cheapest in their order.

        Transparent parts count as black.

        Raises:
            SourceError: there is none for this frame, or it cannot be read.
        """
        position = 0 if self.is_for_all else index
        if self._last is None or self._last[0] != position:
            frame = self._reader.frame_or_end(position)
            if frame is None:
                raise SourceError(
                    f"{self._path}: has masks for {self._reader.next_position} frames only, and frame {index} is "
                    "painted, too; give one for every frame, or one picture for all"
                )
            self._last = position, _gray(frame)
        return self._last[1]

    def has_more(self) -> bool:
        """Whether masks are left after the last one that was asked for."""
        return not self.is_for_all and self._reader.has_more()

    def close(self) -> None:
        """Releases every file; may be called twice."""
        self._reader.close()

    def __enter__(self) -> MaskReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_masks(path: Path, first: int, last: int, is_all: bool) -> list[str]:
    """Reads the masks of the input's frames `first` to `last`, and returns what the user should know.

    Args:
        is_all: whether the input ends with `last`.

    Raises:
        SourceError: one is missing or cannot be read, or all are black.
    """
    with MaskReader(path) as reader:
        is_black = True
        for index in [first] if reader.is_for_all else range(first, last + 1):
            is_black = not reader.at(index).any() and is_black
        if is_black:
            where = "black all over" if reader.is_for_all else f"black in every frame from {first} to {last}"
            raise SourceError(f"{path}: {where}, so there is nothing to paint; make white what is to be painted")
        if is_all and reader.has_more():
            return [f"{path}: has more masks than the input has frames; the first {last + 1} count"]
    return []


def resized_mask(mask: Picture, width: int, height: int) -> Picture:
    """Returns a mask, `(H, W)` uint8, at another size in pixels; nearly black and nearly white become both."""
    return _snapped(resize(mask, width, height))


def _gray(frame: Frame) -> Picture:
    gray = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), np.uint8)
    if frame.alpha is not None:
        gray = np.asarray(np.rint(gray * (frame.alpha.astype(np.float32) / 255)), np.uint8)
    return _snapped(gray)


def _snapped(mask: Picture) -> Picture:
    levels = np.arange(256, dtype=np.uint8)
    levels[:_SLACK_LEVELS] = 0
    levels[256 - _SLACK_LEVELS :] = 255
    return np.asarray(cv2.LUT(mask, levels), np.uint8)


def _is_alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tells whether two sizes are those of one picture at two scales, but for rounding."""
    (width, height), (other_width, other_height) = sorted((one, other))
    return (
        abs(other_height * width / other_width - height) <= _SLACK_PX
        or abs(other_width * height / other_height - width) <= _SLACK_PX
    )
