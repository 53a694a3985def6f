"""The masks that the settings name, read beside the input: what they make of each of its frames."""

from __future__ import annotations

from pathlib import Path

from vidstyle.frames import ClipInfo, Frame, resize
from vidstyle.media.read.masks import MaskReader, check_masks, resized_mask
from vidstyle.method.coverage import Coverage, coverage_of
from vidstyle.settings import Settings


class Masks:
    """The masks of a render; a context manager.

    Raises:
        SourceError: one cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._readers: dict[Path, MaskReader] = {}
        self._mask, self._regions = settings.mask, [mask for mask, _ in settings.regions]
        try:
            for path in mask_paths(settings):
                self._readers[path] = MaskReader(path)
        except BaseException:
            self.close()
            raise

    def of(self, frame: Frame, width: int, height: int) -> Coverage | None:
        """Returns how a frame, reduced to that size, is covered; None where all of it is stylized in one style.

        Raises:
            SourceError: a mask of this frame is missing or cannot be read.
        """
        read = {path: resized_mask(reader.at(frame.index), width, height) for path, reader in self._readers.items()}
        mask = None if self._mask is None else read[self._mask]
        if self._mask is not None and self._readers[self._mask].is_for_all and read[self._mask].min() == 255:
            mask = None  # it says nothing, and is to change nothing: sums with weights are rounded otherwise
        alpha = None if frame.alpha is None else resize(frame.alpha, width, height)
        return coverage_of((height, width), mask, [read[path] for path in self._regions], alpha)

    def check_shapes(self, info: ClipInfo) -> None:
        """Compares the shape of every mask with that of the input's frames.

        Raises:
            SourceError: one is another.
        """
        for reader in self._readers.values():
            reader.check_shape(info)

    def close(self) -> None:
        """Releases every file; may be called twice."""
        for reader in self._readers.values():
            reader.close()

    def __enter__(self) -> Masks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def mask_paths(settings: Settings) -> list[Path]:
    """Returns every mask that the settings name, once."""
    masks = [] if settings.mask is None else [settings.mask]
    return list(dict.fromkeys([*masks, *(mask for mask, _ in settings.regions)]))


def check_all_masks(settings: Settings, first: int, last: int) -> list[str]:
    """Goes through all masks of the frames from `first` to `last`; see `check_masks`."""
    is_all = settings.frames[1] is None
    return [note for path in mask_paths(settings) for note in check_masks(path, first, last, is_all)]
