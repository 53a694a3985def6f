"""Files that the settings name, for machines that do not see them: styles, weights, keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidstyle.frames import split_moment
from vidstyle.settings import Settings
from vidstyle.settings.kinds import split_region
from vidstyle.weights.loading import is_shipped, weights_file


@dataclass(frozen=True)
class ShippedFiles:
    """What travels once to each machine.

    Attributes:
        contents: of files, by the number of what was named and the file's name; a folder has many.
        styles: numbers of the styles, in order. regions: of those of the regions. style_at: likewise.
        weights, keyframes: number, or None.
    """

    contents: dict[int, dict[str, bytes]]
    folders: frozenset[int]
    styles: tuple[int, ...]
    regions: tuple[int, ...]
    style_at: tuple[int, ...]
    weights: int | None
    keyframes: int | None


def with_whole_paths(settings: Settings) -> Settings:
    """Returns the same settings with paths that hold in any current folder."""

    def whole(path: Path | None) -> Path | None:
        return None if path is None else path.resolve()

    moments = [split_moment(text) for text in settings.style_at]
    return replace(
        settings,
        mask=whole(settings.mask),
        weights=whole(settings.weights),
        keyframes=whole(settings.keyframes),
        region=tuple(f"{mask.resolve()}={style.resolve()}" for mask, style in settings.regions),
        style_at=tuple(f"{moment}:{Path(name).resolve()}" for moment, name in moments),
    )


def packed(settings: Settings, styles: Sequence[Path]) -> ShippedFiles:
    """Returns everything that painting needs besides frames and masks.

    Raises:
        OSError: a file cannot be read.
    """
    numbers: dict[Path, int] = {}
    contents: dict[int, dict[str, bytes]] = {}
    folders = set()

    def number(path: Path) -> int:
        if path not in numbers:
            numbers[path] = len(numbers)
            files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
            contents[numbers[path]] = {file.name: file.read_bytes() for file in files}
            folders.update([numbers[path]] if path.is_dir() else [])
        return numbers[path]

    return ShippedFiles(
        styles=tuple(number(style) for style in styles),
        regions=tuple(number(style) for _, style in settings.regions),
        style_at=tuple(number(Path(name)) for _, name in map(split_moment, settings.style_at)),
        weights=None
        if is_shipped(settings.network, settings.weights)
        else number(weights_file(settings.network, settings.weights)),
        keyframes=None if settings.keyframes is None else number(settings.keyframes),
        contents=contents,
        folders=frozenset(folders),
    )


def unpacked(shipped: ShippedFiles, settings: Settings, place: Path) -> tuple[Settings, list[Path]]:
    """Writes all files below `place`, and returns the settings and styles that name them there."""
    paths = []
    for number, files in shipped.contents.items():
        folder = place / f"shipped{number}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        paths.append(folder if number in shipped.folders else folder / next(iter(files)))
    masks = [split_region(region)[0] for region in settings.region]
    moments = [split_moment(text)[0] for text in settings.style_at]
    named = replace(
        settings,
        region=tuple(f"{mask}={paths[style]}" for mask, style in zip(masks, shipped.regions, strict=True)),
        style_at=tuple(f"{moment}:{paths[style]}" for moment, style in zip(moments, shipped.style_at, strict=True)),
        weights=None if shipped.weights is None else paths[shipped.weights],
        keyframes=None if shipped.keyframes is None else paths[shipped.keyframes],
    )
    return named, [paths[style] for style in shipped.styles]
