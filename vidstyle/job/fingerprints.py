"""Files known by their content: a renamed or copied input is the same one, a changed one is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vidstyle.errors import SourceError
from vidstyle.files import sha256_of
from vidstyle.media.read.frame_folder import FrameFolderSource, folder_files
from vidstyle.media.read.open_source import open_source
from vidstyle.media.read.source import Source
from vidstyle.settings import Settings


def file_fingerprint(path: Path) -> tuple[str, str]:
    """Returns a file's name and the SHA-256 of its content.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        return path.name, sha256_of(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: cannot be read ({reason}); check the path and its permissions") from error


def files_digest(files: Iterable[Path]) -> str:
    """Returns one SHA-256 for names and contents of several files, in their order.

    Raises:
        SourceError: one cannot be read.
    """
    digest = hashlib.sha256()
    for file in files:
        name, content = file_fingerprint(file)
        digest.update(f"{name}\0{content}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def mask_fingerprints(settings: Settings) -> dict[str, tuple[str, str]]:
    """Returns name and digest of the masks, by what they are there for.

    Raises:
        SourceError: a file cannot be read.
    """
    found = {} if settings.mask is None else {"mask": _path_fingerprint(settings.mask)}
    return found | {
        f"mask of region {number}": _path_fingerprint(mask) for number, (mask, _) in enumerate(settings.regions, 1)
    }


def _path_fingerprint(path: Path) -> tuple[str, str]:
    with open_source(path) as source:
        return source_fingerprint(source)


def look_fingerprints(styles: Sequence[Path], settings: Settings) -> dict[str, tuple[str, str]]:
    """Returns "style", "style 2" and so on, "style of region 1", and perhaps "keyframes", each with name and digest.

    Raises:
        SourceError: a file cannot be read.
    """
    names = ["style", *(f"style {number}" for number in range(2, len(styles) + 1))]
    files = {name: _style_fingerprint(path) for name, path in zip(names, styles, strict=True)}
    for number, (_, style) in enumerate(settings.regions, 1):
        files[f"style of region {number}"] = _style_fingerprint(style)
    if settings.keyframes is not None:
        files["keyframes"] = file_fingerprint(settings.keyframes)
    return files


def check_look(files: Mapping[str, Sequence[str]], styles: Sequence[Path], settings: Settings) -> None:
    """Compares what gives frames their look, now that it was read, with the job's `Identity.files`.

    Raises:
        SourceError: a file is another, or cannot be read.
    """
    for what, (name, digest) in look_fingerprints(styles, settings).items():
        if files[what][1] != digest:
            raise SourceError(
                f"{name} ({what}): was changed under way; put the old one back, then run the same command again"
            )


def _style_fingerprint(path: Path) -> tuple[str, str]:
    """Returns a style's name and digest: of the file, or of all pictures in the folder."""
    if path.is_dir():
        return path.resolve().name or str(path), files_digest(folder_files(path))
    return file_fingerprint(path)


def source_fingerprint(source: Source) -> tuple[str, str]:
    """Returns the input's name and digest: of the file, or of the pictures that are in the range.

    Raises:
        SourceError: a file cannot be read.
    """
    path = source.info.path
    if isinstance(source, FrameFolderSource):
        return path.name or str(path), files_digest(source.files)
    return file_fingerprint(path)
