"""Finished renders are remembered, so that the same command run again does nothing.

In the user's cache, under the output's path, and in a job folder that is kept. A record counts
only while the output is still what was written, byte for byte, so losing records costs nothing but a
message.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidstyle.errors import VidstyleError
from vidstyle.files import cache_folder, sha256_of
from vidstyle.job.fingerprints import files_digest
from vidstyle.job.folder import read_record, write_record
from vidstyle.job.manifest import Identity
from vidstyle.media.stills.images import is_image_name
from vidstyle.media.timestamps import TIMESTAMPS_NAME
from vidstyle.version import __version__

logger = logging.getLogger(__name__)


def remember(output: Path, identity: Identity, frames: int) -> dict[str, Any]:
    """Notes that `output` is finished, in the cache if it can be written, and returns the record."""
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
        logger.info("%s: cannot be written (%s); the finished render is not remembered", path, error)
    return record


def finished_frames(output: Path, identity: Identity) -> int | None:
    """Returns how many frames `output` holds if a render of this very identity has finished it, else None."""
    record = recorded(output)
    if record.get("identity") != _digest(identity):
        return None
    frames = record.get("frames")
    return frames if isinstance(frames, int) and record.get("content") == output_digest(output) else None


def recorded(output: Path) -> dict[str, Any]:
    """Returns what is remembered of an output that is there, else nothing."""
    return read_record(record_path(output)) if output.exists() else {}


def output_digest(output: Path) -> str:
    """Returns the SHA-256 of a file, or of all pictures in a folder and their times."""
    if output.is_dir():
        return files_digest(sorted(p for p in output.iterdir() if is_image_name(p) or p.name == TIMESTAMPS_NAME))
    return sha256_of(output) if output.is_file() else ""


def record_path(output: Path) -> Path:
    """Returns the file in the cache that remembers an output."""
    name = hashlib.sha256(str(output.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder() / "finished" / f"{name}.json"


def _digest(identity: Identity) -> str:
    # Names of files do not count. Another release may paint otherwise, and is asked to by a new render only.
    files = {name: digest for name, (_, digest) in identity.files.items()}
    content = asdict(identity) | {"files": files, "vidstyle": __version__}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
