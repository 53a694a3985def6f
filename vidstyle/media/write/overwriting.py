"""What a command reads is not written to, whatever it may overwrite."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vidstyle.errors import OutputError, SourceError
from vidstyle.media.read.frame_folder import is_pattern, pattern_files
from vidstyle.media.stills.images import is_image_name
from vidstyle.media.timestamps import TIMESTAMPS_NAME
from vidstyle.settings.named_files import NamedFile


def check_spared(output: Path, read: Iterable[NamedFile], *, is_folder: bool = False) -> None:
    """Makes sure that writing an output changes nothing that is read.

    Args:
        is_folder: whether frames are written into it, under names not known yet.

    Raises:
        OutputError: it would.
    """
    for path, what in read:
        if _is_same(output, path):
            raise OutputError(f"{output}: is {what} itself; choose another output")
        files = _pattern_files(path)
        if is_folder:
            is_like_a_frame = is_image_name(path) or path.name == TIMESTAMPS_NAME
            if is_like_a_frame and (files or path.is_file()) and _is_same(output, path.parent):
                raise OutputError(f"{output}: {what} lies in this folder ({path.name}); choose another output")
        elif is_image_name(output) and (
            (path.is_dir() and _is_same(output.parent, path)) or any(_is_same(output, file) for file in files)
        ):
            raise OutputError(f"{output}: lies among the pictures of {what} ({path}); choose another output")


def _pattern_files(path: Path) -> list[Path]:
    with suppress(SourceError):
        return pattern_files(path) if is_pattern(path) and not path.is_file() else []
    return []


def _is_same(one: Path, other: Path) -> bool:
    """Tells whether both are there and one file or folder, by whatever names."""
    with suppress(OSError, ValueError):
        return one.samefile(other)
    return False
