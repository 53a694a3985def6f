"""The manifest: what a job is, written once before its first frame.

Everything in it is checked when it is read: a file that is cut off, empty, of another format or without a field is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from vidstyle.errors import JobError
from vidstyle.files import written_whole
from vidstyle.frames import ClipInfo
from vidstyle.job.identity import Identity
from vidstyle.settings import Settings
from vidstyle.shots import Shot, shots_of
from vidstyle.version import __version__

# 1 was that of vidstyle 0.1 and 0.2, whose journals name other things; 2 that of 0.3, whose default look was another;
# 3 that of 0.4 before its release, where the setting `animate` had another name.
FORMAT_VERSION = 4
MANIFEST_NAME = "manifest.json"
# A film of ten hours with irregular times takes less than a tenth of it.
LARGEST_MANIFEST_BYTES = 1 << 28
# 46 hours at 60 frames a second.
MOST_FRAMES = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything about a job that does not change while it runs.

    Attributes:
        command: what continues the job. identity: see there. settings: every setting as JSON.
        versions: of vidstyle and of the packages whose work is in the frames.
        threads: how many the CPU computes with; sums come out differently with another number.
        output: its path when the job began. kind: "video", "frames" or "still"; the last has no job folder.
        info: of the source. width, height: of the stylized frames in pixels.
        timestamps: of all frames, in ticks of the source. cuts: positions of frames that begin a shot.
        segment_frames: length of the longest segment.
        notes: what the user should know about the input.
    """

    command: str
    identity: Identity
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    threads: int
    output: str
    kind: str
    info: ClipInfo
    width: int
    height: int
    timestamps: tuple[int, ...]
    cuts: tuple[int, ...]
    segment_frames: int
    notes: tuple[str, ...]

    @property
    def frame_count(self) -> int:
        """Frames of the output."""
        return len(self.timestamps)

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """The shots, or the parts that they are split into, which do not depend on each other."""
        return shots_of(self.cuts, self.frame_count, self.segment_frames, self.settings.get("split_shots"))

    @cached_property
    def fading(self) -> frozenset[int]:
        """The positions of frames that are made of two parts of a shot."""
        return frozenset(position for shot in self.shots for position in shot.fades_out)

    def write(self, folder: Path) -> None:
        """Writes the manifest into a job folder, whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        with written_whole(folder / MANIFEST_NAME) as part:
            part.write_text(json.dumps(self.to_json(), indent=1, default=_plain), encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        """Returns everything as JSON can hold it; `from_json` of it is the same again."""
        content = {"format": FORMAT_VERSION} | {spec.name: getattr(self, spec.name) for spec in fields(self)}
        content["identity"] = asdict(self.identity)
        content["info"] = {spec.name: _plain(getattr(self.info, spec.name)) for spec in fields(ClipInfo)}
        content["timestamps"] = _to_runs(self.timestamps)
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Manifest:
        """Returns the manifest that `to_json` has written.

        Raises:
            KeyError, TypeError, ValueError, AttributeError, ArithmeticError: it is damaged.
        """
        return _manifest_of(content)


def read_manifest(folder: Path) -> Manifest:
    """Reads a job folder's manifest.

    Raises:
        JobError: it is missing, damaged, or of another format.
    """
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > LARGEST_MANIFEST_BYTES:
            raise ValueError("far too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("format"), int):
            raise ValueError("not a manifest")
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    if content["format"] != FORMAT_VERSION:
        raise _other_format(path, content)
    try:
        return Manifest.from_json(content)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError, OverflowError) as error:
        raise _damaged(path, error) from error


def _other_format(path: Path, content: Mapping[str, Any]) -> JobError:
    versions = content.get("versions")
    release = versions.get("vidstyle") if isinstance(versions, dict) else None
    is_known = isinstance(release, str) and release != __version__
    writer = f"vidstyle {release}" if is_known else "another version of vidstyle"
    return JobError(
        f"{path}: begun by {writer} (job format {content['format']}), and this version continues only jobs of format "
        f"{FORMAT_VERSION}; finish the job with {writer}, or throw it away with --restart"
    )


def _damaged(path: Path, error: Exception) -> JobError:
    reason = f"no {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
    return JobError(
        f"{path}: the job's manifest cannot be read ({reason}); put it back, or throw the job away with --restart"
    )


def _manifest_of(content: Mapping[str, Any]) -> Manifest:
    values = {spec.name: content[spec.name] for spec in fields(Manifest)}
    for name in ("threads", "width", "height", "segment_frames"):
        if not isinstance(values[name], int) or values[name] < 1:
            raise ValueError(f"{name} is {values[name]!r}")
    for name in ("command", "output", "kind"):
        if not isinstance(values[name], str):
            raise TypeError(f"{name} is {values[name]!r}")
    info = dict(values["info"])
    for name in ("rate", "time_base", "sample_aspect_ratio", "last_duration_s"):
        info[name] = None if info[name] is None else Fraction(info[name])
    Settings(**values["settings"])
    identity = dict(values["identity"])
    if values["kind"] not in ("video", "frames", "still"):
        raise ValueError(f"kind is {values['kind']!r}")
    if identity["place"].get("frame size") != f"{values['width']}x{values['height']}":
        raise ValueError("frames of two sizes")
    files = dict(identity["files"])
    timestamps = tuple(_from_runs(values["timestamps"]))
    cuts = tuple(int(cut) for cut in values["cuts"])
    shots_of(cuts, len(timestamps))
    values |= {
        "identity": Identity(**identity | {"files": {name: (str(a), str(b)) for name, (a, b) in files.items()}}),
        "info": ClipInfo(**info | {"path": Path(info["path"])}),
        "settings": dict(values["settings"]),
        "versions": dict(values["versions"]),
        "timestamps": timestamps,
        "cuts": cuts,
        "notes": tuple(str(note) for note in values["notes"]),
    }
    return Manifest(**values)


def _plain(value: Any) -> Any:
    """Returns what JSON can hold; paths and fractions become text."""
    return str(value) if isinstance(value, (Path, Fraction)) else value


def _to_runs(timestamps: Sequence[int]) -> list[list[int]]:
    """Returns `[first, 1]` and then `[distance, how often]`: a steady clip takes two pairs."""
    steps = [after - before for before, after in pairwise(timestamps)]
    return [[timestamps[0], 1], *([step, len(list(run))] for step, run in groupby(steps))]


def _from_runs(runs: Iterable[Sequence[int]]) -> list[int]:
    timestamps: list[int] = []
    for step, count in runs:
        if not isinstance(step, int) or not isinstance(count, int) or count < 1 or (timestamps and step < 1):
            raise ValueError(f"timestamps hold {[step, count]}")
        if len(timestamps) + count > MOST_FRAMES:
            raise ValueError(f"more than {MOST_FRAMES:,} frames")
        for _ in range(count):
            timestamps.append(timestamps[-1] + step if timestamps else step)
    if not timestamps:
        raise ValueError("no timestamps")
    return timestamps
