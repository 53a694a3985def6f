"""All files of the table."""

from __future__ import annotations

from pathlib import Path

from media_files.cases import Case, Expected
from media_files.picture_cases import ANIMATIONS, DAMAGE, FOLDERS, STILLS, UNWRITABLE, unwritable
from media_files.sound_cases import EXTRAS, OUTPUT, SOUND
from media_files.video_cases import COLOR, GEOMETRY, TIME

CASES: tuple[Case, ...] = (
    *TIME,
    *GEOMETRY,
    *COLOR,
    *SOUND,
    *EXTRAS,
    *OUTPUT,
    *ANIMATIONS,
    *STILLS,
    *FOLDERS,
    *DAMAGE,
    *(unwritable(name) for name in UNWRITABLE),
)
VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".ts", ".m4v")
# Of real footage only some frames are compared level by level: all of them would fill the memory.
CLIP_EVERY = 24


def clips_in(folder: Path) -> list[Case]:
    """Returns a case for each video in a folder; nothing in the folder is changed."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in VIDEO_SUFFIXES)
    return [_clip_case(file.resolve()) for file in files]


def _clip_case(file: Path) -> Case:
    what = f"real footage, {file.suffix[1:].upper()}"
    return Case(file.stem, what, lambda _: file, expected=Expected(copied=True, error_levels=1.5), every=CLIP_EVERY)
