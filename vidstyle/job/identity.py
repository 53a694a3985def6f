"""What makes two renders the same one: settings, files by their content, and the packages that compute frames.

A renamed or copied input is the same one, a changed one is not.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import cv2
import numpy as np

from vidstyle.errors import SourceError
from vidstyle.files import sha256_of
from vidstyle.media.read.frame_folder import FrameFolderSource, folder_files
from vidstyle.media.read.open_source import open_source
from vidstyle.media.read.source import Source
from vidstyle.method.flow import FLOWS
from vidstyle.settings import Settings
from vidstyle.settings.words import joining_flags
from vidstyle.version import __version__


@dataclass(frozen=True)
class Identity:
    """What must be the same for a job to be continued.

    Attributes:
        settings: flags that change the output, with their values.
        files: "input", "style" ("style 2" and so on), "weights", perhaps "cuts": name and SHA-256 of their content.
        place: "device", "precision", "kind of output" and "frame size"; for videos "PyAV", which encodes.
    """

    settings: Mapping[str, str]
    files: Mapping[str, Sequence[str]]
    place: Mapping[str, str]

    def differences(self, now: Identity) -> list[str]:
        """Returns a phrase for each thing that differs, such as `--size was 640, is 512`.

        Settings that count only when the output is put together are left out.
        """
        changed = []
        free = joining_flags()
        for before, after in ((self.settings, now.settings), (self.place, now.place)):
            for name in {**before, **after}:
                if name not in free and before.get(name) != after.get(name):
                    changed.append(f"{name} was {before.get(name, 'not given')}, is {after.get(name, 'not given')}")
        for name in {**self.files, **now.files}:
            (old_name, old_digest), (new_name, new_digest) = (
                side.get(name, ("not given", "")) for side in (self.files, now.files)
            )
            if old_digest != new_digest:
                was, is_now = f"{old_name} ({old_digest[:8]})", f"{new_name} ({new_digest[:8]})"
                changed.append(f"{name} was {was}, is {is_now}")
        return changed


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
    """Returns name and digest of each mask, under "mask" or "mask of region 1" and so on.

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
    """Returns "style", "style 2" and so on, "style of region 1", and perhaps "animation", each with name and digest.

    Raises:
        SourceError: a file cannot be read.
    """
    names = ["style", *(f"style {number}" for number in range(2, len(styles) + 1))]
    files = {name: _style_fingerprint(path) for name, path in zip(names, styles, strict=True)}
    for number, (_, style) in enumerate(settings.regions, 1):
        files[f"style of region {number}"] = _style_fingerprint(style)
    if settings.animate is not None:
        files["animation"] = file_fingerprint(settings.animate)
    return files


def check_look(files: Mapping[str, Sequence[str]], styles: Sequence[Path], settings: Settings) -> None:
    """Makes sure that style files and the animation are still those of the job.

    Args:
        files: the job's `Identity.files`. styles: paths of the styles here.

    Raises:
        SourceError: a file has changed, or cannot be read.
    """
    for what, (name, digest) in look_fingerprints(styles, settings).items():
        if files[what][1] != digest:
            raise SourceError(
                f"{name} ({what}): has changed since the job began; put the old one back and run the same command again"
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


def versions_of(settings: Settings) -> dict[str, str]:
    """Returns the release of everything that a render with these settings depends on."""
    import torch  # here, so that whoever only reads a job does not wait for it

    versions = {
        "vidstyle": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "av": av.__version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
    }
    package = FLOWS[settings.flow].package if settings.is_warped else ""
    if package:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def changed_versions(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Returns a phrase for each package whose release has changed, such as `torch 2.12.0, now 2.13.0`."""
    return [f"{name} {was}, now {now[name]}" for name, was in before.items() if now.get(name, was) != was]
