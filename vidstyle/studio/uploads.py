"""Files dropped onto the page: kept in a temporary folder, under safe names, until the server ends."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import vidstyle
from vidstyle.studio.folder import KEPT_UPLOADS, PICTURE_SUFFIXES, VIDEO_SUFFIXES, Folder, RefusedError

_LONGEST_LABEL = 60
# All files together may take this many times the bytes allowed for one.
_MOST_TIMES = 4


@dataclass(frozen=True, slots=True)
class Upload:
    """A dropped file: `label` is its name on the visitor's machine, never used as a path; `path` is the copy here."""

    key: str
    label: str
    path: Path


class Uploads:
    """The temporary folder; a context manager that removes it.

    Attributes: `path`; `received`, where the web server may put what comes in.
    """

    def __init__(self, largest_bytes: int) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="vidstyle-studio-")).resolve()
        self.received, self._kept = self.path / "received", self.path / "kept"
        self.received.mkdir()
        self._kept.mkdir()
        self._largest_bytes = largest_bytes
        self._uploads: dict[str, Upload] = {}

    def take(self, received: str | Path, *, is_style: bool) -> Upload:
        """Keeps a file that the web server has received, if it is a clip or a picture that can be read.

        Raises:
            RefusedError: it is too large, of an unknown kind, or damaged; it is removed.
        """
        path = Path(received)
        label = "".join(c for c in path.name if c.isprintable())[-_LONGEST_LABEL:]
        if not path.resolve().is_relative_to(self.received) or path.is_symlink() or not path.is_file():
            raise RefusedError("Only files that were dropped here can be taken")
        try:
            return self._taken(path, label, is_style=is_style)
        finally:
            path.unlink(missing_ok=True)

    def _taken(self, path: Path, label: str, *, is_style: bool) -> Upload:
        suffix = path.suffix.lower()
        kinds = PICTURE_SUFFIXES if is_style else [*VIDEO_SUFFIXES, *PICTURE_SUFFIXES]
        if suffix not in kinds:
            raise RefusedError(f"{label}: a {'style' if is_style else 'clip'} ends in one of {' '.join(kinds)}")
        if path.stat().st_size > self._largest_bytes:
            raise RefusedError(f"{label}: larger than {self._largest_bytes >> 20} MiB; put it into the folder instead")
        if sum(file.stat().st_size for file in self._kept.iterdir()) > _MOST_TIMES * self._largest_bytes:
            raise RefusedError(f"{label}: too much was dropped already; put it into the folder instead")
        kept = self._kept / f"{'style' if is_style else 'clip'}-{_digest(path)[:10]}{suffix}"
        shutil.copyfile(path, kept)
        try:
            with vidstyle.Clip(kept) as clip:
                clip.frame(0)
        except vidstyle.VidstyleError as error:
            kept.unlink(missing_ok=True)
            reason = str(error).replace(str(kept), label)
            raise RefusedError(f"{label} cannot be read: {reason}") from error
        upload = Upload(f"dropped:{kept.name}", label, kept)
        self._uploads[upload.key] = upload
        return upload

    def listed(self, *, is_style: bool) -> list[Upload]:
        """Returns the files dropped so far, the newest first."""
        begins = f"dropped:{'style' if is_style else 'clip'}-"
        return [upload for upload in reversed(self._uploads.values()) if upload.key.startswith(begins)]

    def get(self, key: str) -> Upload | None:
        """Returns the dropped file with that key, or None."""
        return self._uploads.get(key)

    def keep(self, upload: Upload, folder: Folder) -> Path:
        """Copies a dropped file into the folder, so that a render can go on when the server has ended."""
        place = folder.path / KEPT_UPLOADS
        if place.is_symlink():
            raise RefusedError(f"{KEPT_UPLOADS} is a link; remove it")
        place.mkdir(exist_ok=True)
        target = place / upload.path.name
        if target.is_symlink() or not target.is_file():
            part = target.with_name(f".{target.name}.part")
            shutil.copyfile(upload.path, part)
            part.replace(target)
        return target

    def close(self) -> None:
        """Removes the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Uploads:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
