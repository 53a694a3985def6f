"""What is told of a render once it is finished and its job folder is gone: kept beside the record that it is finished.

In the user's cache, compressed, some ten bytes a frame; losing it costs nothing but what a report would have said.
"""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from vidstyle.errors import VidstyleError
from vidstyle.files import write_whole
from vidstyle.job.finished import output_digest, record_path
from vidstyle.job.journal import JournalEntry
from vidstyle.job.manifest import LARGEST_MANIFEST_BYTES, MOST_FRAMES, Identity, Manifest

logger = logging.getLogger(__name__)

_COLUMNS = tuple(spec.name for spec in fields(JournalEntry))
# More than clocks and float32 know.
_SIGNIFICANT_DIGITS = 7
_LARGEST_BYTES = 8 * LARGEST_MANIFEST_BYTES


@dataclass(frozen=True, kw_only=True)
class RenderRecord:
    """A finished render.

    Attributes:
        manifest: what it was. entries: of its frames, by position; some or all may not be known any more.
        styles: as they were given. command: what paints the same again, with names as they were given.
        config: settings and styles as TOML. notes: what the user was told at the end.
        folder: where names were given; they are relative to it.
        content: digest of the output, see `finished.output_digest`.
    """

    manifest: Manifest
    entries: tuple[JournalEntry, ...]
    styles: tuple[str, ...]
    command: str
    config: str
    notes: tuple[str, ...]
    folder: str
    content: str

    def place(self, name: str | Path) -> Path:
        """Returns the path of what was given by this name."""
        return Path(self.folder) / name


def newest_entries(entries: Iterable[JournalEntry]) -> tuple[JournalEntry, ...]:
    """Returns the last entry of each frame, by position, of a journal in which frames may stand twice.

    Seconds and loss have as many digits as are kept, so that a page is the same whenever it is written.
    """
    newest = {entry.frame: entry for entry in entries}
    return tuple(
        replace(newest[frame], seconds=_short(newest[frame].seconds), loss=_short(newest[frame].loss))
        for frame in sorted(newest)
    )


def keep_record(output: Path, render_record: RenderRecord) -> None:
    """Writes a chronicle into the cache, if that can be written."""
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
    """Returns the chronicle of an output that is still what was written, byte for byte; None where it is lost.

    Args:
        identity: of the render that it must be of, if not of any.
    """
    try:
        with gzip.open(_path(output)) as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            return None
        render_record = _record_of(json.loads(data))
    except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        logger.info("%s: cannot be read (%s); what it held is not known any more", _path(output), error)
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
    return record_path(output).with_suffix(".chronicle.gz")
