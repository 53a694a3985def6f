"""Styles: a picture each, or a folder's pictures, or frames of what moves, which then count alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vidstyle.errors import SourceError
from vidstyle.files import sha256_of
from vidstyle.frames import SMALLEST_SIDE_PX, Picture
from vidstyle.looks.timeline import style_paths
from vidstyle.media.read.animated_picture import is_animated
from vidstyle.media.read.frame_folder import folder_files
from vidstyle.media.read.open_source import open_source
from vidstyle.media.read.source import Source
from vidstyle.media.stills.decoding import still_header
from vidstyle.media.stills.images import checked_picture, is_image_name, read_picture
from vidstyle.settings import Settings

# Frames of a video that stand for its style.
MOST_FRAMES = 16


@dataclass(frozen=True)
class Style:
    """What one style is measured from.

    Attributes:
        name: of its file or folder, for messages.
        parts: pictures, `(H, W, 3)` uint8 RGB, or files of some, read when they are needed.
        crop: left, top, width and height of what counts of each, in shares of the picture's sides.
        digests: SHA-256 of the files as they were when they were first read.
    """

    name: str
    parts: tuple[Picture | Path, ...]
    crop: tuple[float, float, float, float] = (0, 0, 1, 1)
    digests: dict[Path, str] = field(default_factory=dict, repr=False, compare=False)

    def pictures(self) -> Iterator[tuple[Picture, float]]:
        """Yields what counts of each picture, `(H, W, 3)` uint8 RGB, and its share of the picture's area.

        Raises:
            SourceError: a picture cannot be read or is not what it was, or what counts of it is smaller than 16 px.
        """
        for part in self.parts:
            if isinstance(part, Path):
                self._check_unchanged(part)
            picture = read_picture(part, "style")
            height, width = picture.shape[:2]
            left, top, wide, high = self.crop
            rows = slice(round(top * height), round((top + high) * height))
            columns = slice(round(left * width), round((left + wide) * width))
            cropped = picture[rows, columns]
            if min(cropped.shape[:2]) < SMALLEST_SIDE_PX:
                size = f"{cropped.shape[1]}x{cropped.shape[0]}"
                name = part if isinstance(part, Path) else self.name
                message = f"{name}: style_crop leaves {size} of {width}x{height} pixels"
                raise SourceError(f"{message}; it needs {SMALLEST_SIDE_PX} px on each side")
            share = cropped.shape[0] * cropped.shape[1] / (height * width)
            yield np.ascontiguousarray(cropped), share

    def _check_unchanged(self, file: Path) -> None:
        try:
            digest = sha256_of(file)
        except OSError:
            return  # which is said when the picture is read
        if self.digests.setdefault(file, digest) != digest:
            raise SourceError(f"{file}: was changed under way; put the old one back, then run the same command again")


# One style or several, each as it may be given.
StyleGiven = Picture | str | Path | Style
StylesGiven = StyleGiven | Sequence[StyleGiven]


def load_styles(given: StylesGiven, settings: Settings) -> tuple[Style, ...]:
    """Returns styles ready to be measured.

    Args:
        given: for each a picture file, `(H, W, 3)` uint8 RGB, a folder of pictures, all of which count alike, or a
            video or animated picture, of which up to 16 frames spread over its length do.

    Raises:
        SourceError: one cannot be read, holds no picture, or is smaller than 16 px.
        SettingsError: none is given, nor named by `Settings.style_at`.
    """
    single = isinstance(given, (np.ndarray, str, Path, Style))
    every: Sequence[StyleGiven] = [given] if single else list(given)  # type: ignore[list-item,arg-type]
    if not every:
        every = style_paths(None, settings)  # says where there is none, either
    return tuple(_loaded(each, settings) for each in every)


def load_region_styles(settings: Settings) -> tuple[Style, ...]:
    """Returns the style of each region that the settings name, read once where several have it; see `load_styles`."""
    loaded = {path: _loaded(path, settings) for path in dict.fromkeys(path for _, path in settings.regions)}
    return tuple(loaded[path] for _, path in settings.regions)


def _loaded(given: StyleGiven, settings: Settings) -> Style:
    if isinstance(given, Style):
        return given
    if isinstance(given, (str, Path)):
        path = Path(given)
        style = Style(str(path), _parts_of(path), settings.style_crop)
    else:
        style = Style("style", (checked_picture(given, "style"),), settings.style_crop)
    for _ in style.pictures():
        pass  # whatever is wrong with one is said now
    return style


def _parts_of(path: Path) -> tuple[Picture | Path, ...]:
    if path.is_dir():
        return tuple(folder_files(path))
    if not path.is_file() or _is_still(path):
        return (read_picture(path, "style"),)
    with open_source(path) as source:
        return tuple(spread_frames(source))


def _is_still(path: Path) -> bool:
    """Tells whether a file is a picture that stands still, by its name or its first bytes."""
    return not is_animated(path) and (is_image_name(path) or still_header(path) is not None)


def spread_frames(source: Source, most: int = MOST_FRAMES) -> list[Picture]:
    """Returns at most so many pictures, at equal distances from the first one on, of a source not yet read from.

    In one pass, since the number of frames is known for certain only at the end: where there are too many, every
    second one is dropped. More than half of `most` are left, if there are as many.

    Raises:
        SourceError: they cannot be read, or are transparent all over, each of them.
    """
    kept: list[Picture] = []
    step, is_seen = 1, False
    position = 0
    with suppress(StopIteration):
        while True:
            if position % step:
                source.skip()
            else:
                frame = next(source)
                kept.append(frame.image)
                is_seen = is_seen or frame.alpha is None or bool(frame.alpha.any())
            position += 1
            if len(kept) > most:
                kept, step = kept[::2], 2 * step
    if kept and not is_seen:
        raise SourceError(f"{source.info.path}: transparent all over, so there is no style to be seen; give another")
    return kept
