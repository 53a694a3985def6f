"""What the page knows of clips, styles and knobs: settings from them, and pictures for them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

import vidstyle
from vidstyle.studio.folder import JOB_SUFFIX, Folder
from vidstyle.studio.refusals import RefusedError
from vidstyle.studio.uploads import Uploads

# What of a blend is worth a knob each.
MOST_BLENDED = 4
# One, and as many styles as are blended.
_KEPT_CLIPS = 5
# Where three frames that judge a clip stand in it.
_PLACES = (1 / 6, 1 / 2, 5 / 6)
# How long to wait for the word that a page has got the last picture asked for earlier.
_PATIENCE_S = 10.0
_DEFAULTS = vidstyle.Settings()
_GRAY = np.full((36, 64, 3), 128, np.uint8)
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Knobs:
    """What is chosen on the page: names of a clip and of styles, and where the knobs stand, first as for a render."""

    clip: str | None = None
    styles: tuple[str, ...] = ()
    strength: float = _DEFAULTS.strength
    style_size: float = _DEFAULTS.style_size
    style_weight: float = _DEFAULTS.style_weight
    shares: tuple[float, ...] = ()
    color: str = _DEFAULTS.color
    size: int = int(_DEFAULTS.size)  # "source" is no place on a slider
    network: str = _DEFAULTS.network

    def settings(self) -> vidstyle.Settings:
        """Returns the settings that these are; job folders are kept, since they hold a render's curves.

        Raises:
            RefusedError: a value is not legal.
        """
        blend = self.shares[: len(self.styles)] if 1 < len(self.styles) <= MOST_BLENDED else ()
        is_even = len(set(blend)) < 2 and any(blend)
        try:
            return vidstyle.Settings(
                strength=float(self.strength),
                style_size=float(self.style_size),
                style_weight=float(self.style_weight),
                style_blend=() if is_even else tuple(map(float, blend)),
                color=self.color,
                size=int(self.size),
                network=self.network,
                keep_job=True,
            )
        except (vidstyle.VidstyleError, TypeError, ValueError) as error:
            raise RefusedError(f"These settings do not go together: {error}") from error


@dataclass(frozen=True, slots=True)
class Files:
    """The files that the page's knobs name."""

    clip: Path
    styles: tuple[Path, ...]


class Looks:
    """Paints what is looked at; whatever was asked for earlier by the same visitor is given up."""

    def __init__(self, folder: Folder, uploads: Uploads) -> None:
        self.folder, self.uploads = folder, uploads
        self._frame_stylizer = vidstyle.FrameStylizer()
        self._clips: OrderedDict[tuple[Path, int, int], vidstyle.Clip] = OrderedDict()
        self._newest: dict[str, _Turn] = {}
        self._lock = threading.Lock()

    def files(self, knobs: Knobs) -> Files:
        """Returns the files that the knobs' names stand for.

        Raises:
            RefusedError: there is no clip or no style, or one is gone.
        """
        if not knobs.clip:
            raise RefusedError("Choose a clip, or drop one")
        if not knobs.styles:
            raise RefusedError("Choose a style, or drop one")
        return Files(self._path(knobs.clip), tuple(self._path(style) for style in knobs.styles))

    def _path(self, name: str) -> Path:
        upload = self.uploads.get(name)
        return self.folder.chosen(name) if upload is None else upload.path

    def clip(self, name: str) -> vidstyle.Clip:
        """Returns a clip of the folder, or one that was dropped, opened.

        Raises:
            RefusedError: it is gone, or cannot be read.
        """
        path = self._path(name)
        with self._lock:
            try:
                seen = path.stat()
                key = path, seen.st_size, seen.st_mtime_ns  # another file may take its name
                if key not in self._clips:
                    self._clips[key] = vidstyle.Clip(path)
            except (OSError, vidstyle.VidstyleError) as error:
                raise RefusedError(f"{name} cannot be read: {error}") from error
            while len(self._clips) > _KEPT_CLIPS:
                self._clips.popitem(last=False)[1].close()
            self._clips.move_to_end(key)
            return self._clips[key]

    def sketches(self, knobs: Knobs, position: int, visitor: str) -> Iterator[tuple[vidstyle.Sketch, Picture]]:
        """Yields a frame painted better and better, each with the frame as it is.

        Raises:
            RefusedError: something is missing, or cannot be read or painted.
        """
        with self._turn(visitor) as turn:
            files, settings = self.files(knobs), knobs.settings()
            clip = self.clip(knobs.clip or "")
            before = clip.frame(position).image
            with closing(
                self._frame_stylizer.sketches(clip, position, list(files.styles), settings, is_wanted=turn.is_newest)
            ) as sketches:
                for sketch in sketches:
                    if not turn.is_newest():
                        return
                    yield sketch, before

    def three(self, knobs: Knobs, visitor: str) -> Iterator[tuple[list[tuple[Picture, str]], bool]]:
        """Yields up to three frames spread over the clip, with captions: as drafts, and then as they will be.

        Each time with whether all that are there are as they will be.

        Raises:
            RefusedError: as for `sketches`.
        """
        with self._turn(visitor) as turn:
            files, settings = self.files(knobs), knobs.settings()
            clip = self.clip(knobs.clip or "")
            count = clip.frame_count
            positions = list(dict.fromkeys(min(count - 1, int(count * place)) for place in _PLACES))
            begin = partial(
                self._frame_stylizer.sketches,
                clip,
                style=list(files.styles),
                settings=settings,
                is_wanted=turn.is_newest,
            )
            shown: dict[int, tuple[Picture, str]] = {}
            for position in positions:
                with closing(begin(position=position)) as sketches:
                    draft = next(sketches, None)
                if draft is None or not turn.is_newest():
                    return
                shown[position] = draft.image, f"frame {position}, draft"
                yield list(shown.values()), False
            for position in positions:
                with closing(begin(position=position, has_draft=False)) as sketches:
                    for sketch in sketches:
                        if not turn.is_newest():
                            return
                        if sketch.is_final:
                            shown[position] = sketch.image, f"frame {position}"
                            yield list(shown.values()), position == positions[-1]

    def leave(self, visitor: str) -> None:
        """Gives up whatever is being painted for a visitor."""
        self._newest.pop(visitor, None)

    @contextmanager
    def _turn(self, visitor: str) -> Iterator[_Turn]:
        """Gives up what the visitor asked for earlier, waits until its last picture was sent, and begins.

        Without the wait, a picture that was being sent would take the place of an answer that was quicker.
        """
        turn = _Turn(self._newest, visitor)
        with self._lock:
            before, self._newest[visitor] = self._newest.get(visitor), turn
        try:
            if before is not None:
                before.has_ended.wait(_PATIENCE_S)
            yield turn
        except vidstyle.VidstyleError as error:
            raise RefusedError(str(error)) from error
        finally:
            turn.has_ended.set()

    def forecast(self, knobs: Knobs, output: str) -> str:
        """Returns what a render of this look would do and take, in words.

        Raises:
            RefusedError: whatever would keep it from beginning.
        """
        files, settings = self.files(knobs), knobs.settings()
        try:
            anew = replace(settings, overwrite=True, restart=True)
            told = vidstyle.forecast(files.clip, list(files.styles), self.folder.output(output), anew)
        except vidstyle.VidstyleError as error:
            raise RefusedError(str(error)) from error
        return "\n".join([vidstyle.forecast_lines(told), *(f"note: {note}" for note in told.notes)])

    def command(self, knobs: Knobs, output: str) -> str:
        """Returns the command line of a render of this look.

        Raises:
            RefusedError: something is missing.
        """
        files = self.files(knobs)
        return vidstyle.as_command(files.clip, list(files.styles), self.folder.output(output), knobs.settings())

    def config(self, knobs: Knobs) -> str:
        """Returns the look as TOML, for a file in the folder.

        Raises:
            RefusedError: something is missing.
        """
        files = self.files(knobs)
        return vidstyle.as_config(knobs.settings(), list(files.styles), self.folder.path)

    def suggested_output(self, knobs: Knobs) -> str:
        """Returns a name that is not taken yet for a render of this look."""
        files = self.files(knobs)
        # What was dropped is called as its owner calls it, as far as that is a name.
        stem = "-".join("".join(c if c.isalnum() else " " for c in self._label(knobs.clip or "")).split()) or "clip"
        styles = ["".join(c for c in self._label(style) if c.isalnum()) or "style" for style in knobs.styles[:2]]
        is_still = files.clip.is_file() and self.clip(knobs.clip or "").info.kind == "still"
        name, suffix = f"{stem[:40]}_{'-'.join(styles)[:40]}", ".png" if is_still else ".mp4"
        taken, number = f"{name}{suffix}", 1
        while (self.folder.path / taken).exists() or (self.folder.path / f"{taken}{JOB_SUFFIX}").exists():
            number += 1
            taken = f"{name}-{number}{suffix}"
        return taken

    def _label(self, name: str) -> str:
        upload = self.uploads.get(name)
        return Path(upload.label if upload else name.rstrip("/")).stem

    def kept(self, knobs: Knobs) -> Knobs:
        """Returns the knobs with files that were dropped copied into the folder."""

        def keep(name: str) -> str:
            upload = self.uploads.get(name)
            return (
                name
                if upload is None
                else self.uploads.keep(upload, self.folder).relative_to(self.folder.path).as_posix()
            )

        return replace(knobs, clip=keep(knobs.clip or ""), styles=tuple(map(keep, knobs.styles)))

    def warm_up(self) -> None:
        """Loads what the first preview needs, so that nobody waits for it."""
        gray = vidstyle.Stylizer(_GRAY, vidstyle.Settings(first_iterations=2, size=64))
        gray(_GRAY)

    def close(self) -> None:
        """Gives up whatever is being painted, and releases all files."""
        self._newest.clear()
        with self._lock:
            for clip in self._clips.values():
                clip.close()


class _Turn:
    """What a visitor asked for, among what all visitors asked for last."""

    def __init__(self, newest: dict[str, _Turn], visitor: str) -> None:
        self._newest, self._visitor, self.has_ended = newest, visitor, threading.Event()

    def is_newest(self) -> bool:
        """Tells whether the visitor has asked for nothing since, and has not left."""
        return self._newest.get(self._visitor) is self
