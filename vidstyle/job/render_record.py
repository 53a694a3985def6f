"""What is kept of a finished render: that it is finished, and what a report can still say once the job folder is gone.

Both lie in the user's cache, in files named after the output's path; a job folder that is kept holds the first as
well. They count only while the output is still what was written, byte for byte. Losing them costs nothing but a
message, and what a later report would have said.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from vidstyle.errors import VidstyleError
from vidstyle.files import cache_folder, sha256_of, write_whole
from vidstyle.job.folder import read_record, write_record
from vidstyle.job.identity import Identity, files_digest
from vidstyle.job.journal import JournalEntry
from vidstyle.job.manifest import LARGEST_MANIFEST_BYTES, MOST_FRAMES, Manifest
from vidstyle.media.stills.images import is_image_name
from vidstyle.media.timestamps import TIMESTAMPS_NAME
from vidstyle.version import __version__

logger = logging.getLogger(__name__)

_COLUMNS = tuple(spec.name for spec in fields(JournalEntry))
# More than clocks and float32 can tell apart.
_SIGNIFICANT_DIGITS = 7
_LARGEST_BYTES = 8 * LARGEST_MANIFEST_BYTES


@dataclass(frozen=True, kw_only=True)
class RenderRecord:
    """A finished render.

    Attributes:
        manifest: of its job. entries: of its frames, by position; some or all of them may be lost.
        styles: paths as given. command: what renders the same again, with names as given.
        config: settings and styles as TOML. notes: the messages at the end of the render.
        folder: the current folder of the render, to which names as given are relative.
        content: digest of the output; see `output_digest`.
    """

    manifest: Manifest
    entries: tuple[JournalEntry, ...]
    styles: tuple[str, ...]
    command: str
    config: str
    notes: tuple[str, ...]
    folder: str
    content: str

    def path_of(self, name: str | Path) -> Path:
        """Returns the path of a file whose name was given in the render's current folder."""
        return Path(self.folder) / name


def newest_entries(entries: Iterable[JournalEntry]) -> tuple[JournalEntry, ...]:
    """Returns the last entry of each frame, by position; a journal has several of a frame that was done again.

    Seconds and loss are rounded to the digits that are kept, so that a report is the same whenever it is written.
    """
    newest = {entry.frame: entry for entry in entries}
    return tuple(
        replace(newest[frame], seconds=_short(newest[frame].seconds), loss=_short(newest[frame].loss))
        for frame in sorted(newest)
    )


def keep_record(output: Path, render_record: RenderRecord) -> None:
    """Writes a render record into the cache, if the cache can be written."""
    columns = {name: [getattr(entry, name) for entry in render_record.entries] for name in _COLUMNS}
    content = {spec.name: getattr(render_record, spec.name) for spec in fields(RenderRecord)}
    content |= {"manifest": render_record.manifest.to_json(), "entries": columns}
    path = _path(output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, gzip.compress(json.dumps(content, default=str).encode(), mtime=0))
    except (OSError, VidstyleError) as error:
        logger.info("%s: cannot be written (%s); a later report will know less", path, error)


def recall_record(output: Path, identity: Identity | None = None) -> RenderRecord | None:
    """Returns the render record of an output that is still what was written, byte for byte; None where it is lost.

    Args:
        identity: of the render that it must be of; None: of any.
    """
    try:
        with gzip.open(_path(output)) as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            return None
        render_record = _record_of(json.loads(data))
    except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        logger.info("%s: cannot be read (%s); a report will know less", _path(output), error)
        return None
    if identity is not None and render_record.manifest.identity.differences(identity):
        return None
    return render_record if render_record.content == output_digest(output) else None


def _record_of(content: dict[str, Any]) -> RenderRecord:
    values = {spec.name: content[spec.name] for spec in fields(RenderRecord)}
    rows = list(zip(*(content["entries"][name] for name in _COLUMNS), strict=True))
    if len(rows) > MOST_FRAMES:
        raise ValueError(f"more than {MOST_FRAMES:,} frames")
    entries = tuple(JournalEntry(int(row[0]), float(row[1]), float(row[2]), *map(int, row[3:])) for row in rows)
    values |= {"manifest": Manifest.from_json(content["manifest"]), "entries": newest_entries(entries)}
    for name in ("styles", "notes"):
        values[name] = tuple(str(one) for one in values[name])
    for name in ("command", "config", "folder", "content"):
        values[name] = str(values[name])
    return RenderRecord(**values)


def _short(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


def _path(output: Path) -> Path:
    return record_path(output).with_suffix(".render.gz")


def remember(output: Path, identity: Identity, frames: int) -> dict[str, Any]:
    """Writes into the cache, if it can be written, that `output` is finished, and returns what was written."""
    record = {
        "output": str(output.resolve()),
        "identity": _digest(identity),
        "content": output_digest(output),
        "frames": frames,
    }
    path = record_path(output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_record(path, record)
    except (OSError, VidstyleError) as error:
        logger.info("%s: cannot be written (%s); a later run will not know that it is finished", path, error)
    return record


def finished_frames(output: Path, identity: Identity) -> int | None:
    """Returns how many frames `output` holds if a render of this very identity has finished it, else None."""
    record = recorded(output)
    if record.get("identity") != _digest(identity):
        return None
    frames = record.get("frames")
    return frames if isinstance(frames, int) and record.get("content") == output_digest(output) else None


def recorded(output: Path) -> dict[str, Any]:
    """Returns what `remember` has written about an output that exists, else nothing."""
    return read_record(record_path(output)) if output.exists() else {}


def output_digest(output: Path) -> str:
    """Returns the SHA-256 of a file, or of all pictures in a folder and their times."""
    if output.is_dir():
        return files_digest(sorted(p for p in output.iterdir() if is_image_name(p) or p.name == TIMESTAMPS_NAME))
    return sha256_of(output) if output.is_file() else ""


def record_path(output: Path) -> Path:
    """Returns the file in the cache that says that an output is finished."""
    name = hashlib.sha256(str(output.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder() / "finished" / f"{name}.json"


def _digest(identity: Identity) -> str:
    # Names of files do not count. Another release may give other frames, so that its render is another one.
    files = {name: digest for name, (_, digest) in identity.files.items()}
    content = asdict(identity) | {"files": files, "vidstyle": __version__}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
