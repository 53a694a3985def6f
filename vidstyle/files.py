"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vidstyle.errors import OutputError, VidstyleError


def part_path(target: Path) -> Path:
    """Returns the temporary name beside `target` under which it is written.

    The suffix stays last, since it tells encoders what to write. The process number keeps two
    renders of the same name from writing into one file.
    """
    return target.with_name(f".{target.stem}.part{os.getpid()}{target.suffix}")


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yields a temporary path beside `target`; renames it to `target` when the block ends well.

    If the block raises, whatever was written is removed and `target` is as it was before.

    Raises:
        OutputError: the folder of `target` cannot be written to.
    """
    part = part_path(target)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        # SourceError is an OSError too: what the block itself reports is not about the output.
        if isinstance(error, VidstyleError):
            raise
        raise OutputError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Makes sure that a file can be created in `folder`.

    Raises:
        OutputError: the folder does not exist, is none, or is not writable.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder; create it first or choose another output")
    probe = folder / f".vidstyle-probe{os.getpid()}"
    try:
        probe.touch()
    except OSError as error:
        raise OutputError(f"{folder}: not writable ({error.strerror}); choose another output") from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
