"""Looks: the settings, the command line and the preview pictures for what is chosen on the page."""

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
from vidstyle.studio.folder import JOB_SUFFIX, Folder, RefusedError
from vidstyle.studio.uploads import Uploads

# Each style of a blend up to this number has a slider for its share.
MOST_BLENDED = 4
# Opened at a time: one clip, and as many styles as are blended.
_KEPT_CLIPS = 5
# Positions of the three frames shown of a clip, as shares of its length.
_PLACES = (1 / 6, 1 / 2, 5 / 6)
# How long a new picture waits until the page has received the last one that it asked for before.
_PATIENCE_S = 10.0
_DEFAULTS = vidstyle.Settings()
_GRAY = np.full((36, 64, 3), 128, np.uint8)
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Look:
    """What is chosen on the page: names of a clip and of styles, and settings, whose defaults are those of a render."""

    clip: str | None = None
    styles: tuple[str, ...] = ()
    strength: float = _DEFAULTS.strength
    style_size: float = _DEFAULTS.style_size
    style_weight: float = _DEFAULTS.style_weight
    shares: tuple[float, ...] = ()
    color: str = _DEFAULTS.color
    size: int = int(_DEFAULTS.size)  # the slider cannot stand at "source"
    network: str = _DEFAULTS.network

    def settings(self) -> vidstyle.Settings:
        """Returns the settings of a render; its job folder is kept, since the page draws curves from it.

        Raises:
            RefusedError: a value is not valid.
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
    """The files that a look names."""

    clip: Path
    styles: tuple[Path, ...]


class Previews:
    """Paints previews of looks; whatever the same visitor asked for before is abandoned."""

    def __init__(self, folder: Folder, uploads: Uploads) -> None:
        self.folder, self.uploads = folder, uploads
        self._sketcher = vidstyle.Sketcher()
        self._clips: OrderedDict[tuple[Path, int, int], vidstyle.Clip] = OrderedDict()
        self._newest: dict[str, _Turn] = {}
        self._lock = threading.Lock()

    def files(self, look: Look) -> Files:
        """Returns the files that a look names.

        Raises:
            RefusedError: there is no clip or no style, or one is gone.
        """
        if not look.clip:
            raise RefusedError("Choose a clip, or drop one")
        if not look.styles:
            raise RefusedError("Choose a style, or drop one")
        return Files(self._path(look.clip), tuple(self._path(style) for style in look.styles))

    def _path(self, name: str) -> Path:
        upload = self.uploads.get(name)
        return self.folder.chosen(name) if upload is None else upload.path

    def clip(self, name: str) -> vidstyle.Clip:
        """Opens a clip of the folder, or one that was dropped onto the page.

        Raises:
            RefusedError: it is gone, or cannot be read.
        """
        path = self._path(name)
        with self._lock:
            try:
                status = path.stat()
                # Another file may take its name.
                key = path, status.st_size, status.st_mtime_ns
                if key not in self._clips:
                    self._clips[key] = vidstyle.Clip(path)
            except (OSError, vidstyle.VidstyleError) as error:
                raise RefusedError(f"{name} cannot be read: {error}") from error
            while len(self._clips) > _KEPT_CLIPS:
                self._clips.popitem(last=False)[1].close()
            self._clips.move_to_end(key)
            return self._clips[key]

    def sketches(self, look: Look, position: int, visitor: str) -> Iterator[tuple[vidstyle.Sketch, Picture]]:
        """Yields ever better pictures of a frame, each with the frame of the clip.

        Raises:
            RefusedError: something is missing, or cannot be read or stylized.
        """
        with self._turn(visitor) as turn:
            files, settings = self.files(look), look.settings()
            clip = self.clip(look.clip or "")
            before = clip.frame(position).image
            with closing(
                self._sketcher.sketches(clip, position, list(files.styles), settings, is_wanted=turn.is_newest)
            ) as sketches:
                for sketch in sketches:
                    if not turn.is_newest():
                        return
                    yield sketch, before

    def three(self, look: Look, visitor: str) -> Iterator[tuple[list[tuple[Picture, str]], bool]]:
        """Yields up to three frames spread over the clip, with captions: drafts first, then as a render paints them.

        The second value tells whether all of them are final.

        Raises:
            RefusedError: as for `sketches`.
        """
        with self._turn(visitor) as turn:
            files, settings = self.files(look), look.settings()
            clip = self.clip(look.clip or "")
            count = clip.frame_count
            positions = list(dict.fromkeys(min(count - 1, int(count * place)) for place in _PLACES))
            begin = partial(
                self._sketcher.sketches,
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
        """Abandons whatever is being stylized for a visitor."""
        self._newest.pop(visitor, None)

    @contextmanager
    def _turn(self, visitor: str) -> Iterator[_Turn]:
        """Abandons what the visitor asked for before, and waits until its last picture has been sent.

        Without the wait, that picture could arrive after the new answer, and take its place.
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

    def forecast(self, look: Look, output: str) -> str:
        """Returns in words what a render of this look would do, and the time and space it would take.

        Raises:
            RefusedError: the render could not begin.
        """
        files, settings = self.files(look), look.settings()
        try:
            new_render = replace(settings, overwrite=True, restart=True)
            forecast = vidstyle.forecast(files.clip, list(files.styles), self.folder.output(output), new_render)
        except vidstyle.VidstyleError as error:
            raise RefusedError(str(error)) from error
        return "\n".join([vidstyle.forecast_lines(forecast), *(f"note: {note}" for note in forecast.notes)])

    def command(self, look: Look, output: str) -> str:
        """Returns the command line of a render of this look.

        Raises:
            RefusedError: something is missing.
        """
        files = self.files(look)
        return vidstyle.as_command(files.clip, list(files.styles), self.folder.output(output), look.settings())

    def config(self, look: Look) -> str:
        """Returns the look as TOML, for a file in the folder.

        Raises:
            RefusedError: something is missing.
        """
        files = self.files(look)
        return vidstyle.as_config(look.settings(), list(files.styles), self.folder.path)

    def suggested_output(self, look: Look) -> str:
        """Returns a name that is not taken yet for a render of this look."""
        files = self.files(look)
        # Letters and digits of the name, which for a dropped file may be anything.
        stem = "-".join("".join(c if c.isalnum() else " " for c in self._label(look.clip or "")).split()) or "clip"
        styles = ["".join(c for c in self._label(style) if c.isalnum()) or "style" for style in look.styles[:2]]
        is_still = files.clip.is_file() and self.clip(look.clip or "").info.kind == "still"
        name, suffix = f"{stem[:40]}_{'-'.join(styles)[:40]}", ".png" if is_still else ".mp4"
        taken, number = f"{name}{suffix}", 1
        while (self.folder.path / taken).exists() or (self.folder.path / f"{taken}{JOB_SUFFIX}").exists():
            number += 1
            taken = f"{name}-{number}{suffix}"
        return taken

    def _label(self, name: str) -> str:
        upload = self.uploads.get(name)
        return Path(upload.label if upload else name.rstrip("/")).stem

    def kept(self, look: Look) -> Look:
        """Returns the look with files that were dropped copied into the folder."""

        def keep(name: str) -> str:
            upload = self.uploads.get(name)
            return (
                name
                if upload is None
                else self.uploads.keep(upload, self.folder).relative_to(self.folder.path).as_posix()
            )

        return replace(look, clip=keep(look.clip or ""), styles=tuple(map(keep, look.styles)))

    def warm_up(self) -> None:
        """Loads the network, so that the first preview need not wait for it."""
        gray = vidstyle.Stylizer(_GRAY, vidstyle.Settings(first_iterations=2, size=64))
        gray(_GRAY)

    def close(self) -> None:
        """Abandons whatever is being stylized, and closes all files."""
        self._newest.clear()
        with self._lock:
            for clip in self._clips.values():
                clip.close()


class _Turn:
    """A request of a visitor, which is abandoned when the same visitor makes another one."""

    def __init__(self, newest: dict[str, _Turn], visitor: str) -> None:
        self._newest, self._visitor, self.has_ended = newest, visitor, threading.Event()

    def is_newest(self) -> bool:
        """Tells whether the visitor has asked for nothing since, and has not left."""
        return self._newest.get(self._visitor) is self
