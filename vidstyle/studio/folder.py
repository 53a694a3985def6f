"""The folder that the studio works in: which files may be chosen, and which outputs written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

VIDEO_SUFFIXES = (
    ".mp4 .mov .mkv .webm .avi .m4v .mpg .mpeg .ts .mts .m2ts .wmv .flv .mxf .ogv .3gp .gif .y4m".split()  # noqa: SIM905
)
PICTURE_SUFFIXES = ".png .jpg .jpeg .webp .tif .tiff .bmp .ppm .avif".split()  # noqa: SIM905
OUTPUT_SUFFIXES = ".mp4 .mov .mkv .webm .avi .gif .webp .png .jpg .jpeg".split()  # noqa: SIM905
# Files that were dropped onto the page are copied here when they are rendered.
KEPT_UPLOADS = "studio-uploads"
# A job folder is named like its output, with this after it.
JOB_SUFFIX = ".vidstyle"
# More files are not listed.
_MOST_FILES = 500
_NAME = re.compile(r"[^\x00-\x1f/\\:*?\"<>|.\-][^\x00-\x1f/\\:*?\"<>|]{0,119}")
# Names of devices on Windows, with any suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class RefusedError(Exception):
    """The studio cannot or must not do what it was asked to; the message is shown on the page."""


class Folder:
    """A folder and what is inside it: links that lead out of it are not followed.

    Attributes: `path`, without links.
    """

    def __init__(self, path: Path) -> None:
        """Takes an existing folder.

        Raises:
            RefusedError: there is no such folder.
        """
        if not path.is_dir():
            raise RefusedError(f"{path}: no such folder")
        self.path = path.resolve()

    def clips(self) -> list[str]:
        """Returns names of videos, pictures, and folders of frames, the latter with a / at their end."""
        names = [*VIDEO_SUFFIXES, *PICTURE_SUFFIXES]
        found = [name for name in self._files(names) if "/" not in name or not self._is_frames(name.split("/")[0])]
        return sorted([*found, *(f"{folder.name}/" for folder in self._folders() if self._is_frames(folder.name))])

    def styles(self) -> list[str]:
        """Returns names of pictures that may be used as styles."""
        return sorted(self._files(PICTURE_SUFFIXES))

    def chosen(self, name: str) -> Path:
        """Returns the path of a name that `clips` or `styles` lists at the moment; any other name is refused.

        Raises:
            RefusedError: it is not listed.
        """
        if name not in self.clips() and name not in self.styles():
            raise RefusedError(f"{name!r} is not in the folder any more; choose another")
        return self.path / name

    def output(self, name: str) -> Path:
        """Returns the path for an output of that name, directly in the folder.

        Raises:
            RefusedError: it is not a plain file name with a known suffix, or the name of a link.
        """
        name = name.strip()
        if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name) or name.endswith((".", " ")):
            raise RefusedError("The output is a plain name, without folders: letters, digits, spaces, - and _")
        path = self.path / name
        if path.suffix.lower() not in OUTPUT_SUFFIXES:
            raise RefusedError(f"End the output's name in one of {' '.join(OUTPUT_SUFFIXES)}")
        if path.is_symlink() or path.with_name(f"{name}{JOB_SUFFIX}").is_symlink():
            raise RefusedError(f"{name} is a link; choose another name")
        return path

    def _files(self, suffixes: list[str]) -> list[str]:
        found = []
        for place in (self.path, *self._folders()):
            for file in _entries(place):
                if file.suffix.lower() in suffixes and self.holds(file) and file.is_file():
                    found.append(file.relative_to(self.path).as_posix())
                if len(found) == _MOST_FILES:
                    return found
        return found

    def _folders(self) -> list[Path]:
        return [
            entry
            for entry in _entries(self.path)
            if entry.suffix != JOB_SUFFIX and not entry.is_symlink() and entry.is_dir()
        ]

    def _is_frames(self, name: str) -> bool:
        """Tells whether a folder holds several pictures, no videos, and no links that lead out of this folder."""
        if name == KEPT_UPLOADS:
            return False
        entries = list(_entries(self.path / name))
        suffixes = [entry.suffix.lower() for entry in entries]
        has_videos = any(suffix in VIDEO_SUFFIXES for suffix in suffixes)
        pictures = sum(suffix in PICTURE_SUFFIXES for suffix in suffixes)
        return pictures > 1 and not has_videos and all(self.holds(entry) for entry in entries)

    def holds(self, path: Path) -> bool:
        """Tells whether a path, with all links followed, exists inside the folder."""
        with suppress(OSError, RuntimeError):  # links in a circle
            return path.resolve(strict=True).is_relative_to(self.path)
        return False


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
