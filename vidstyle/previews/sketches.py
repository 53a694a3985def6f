"""Single frames of an input, in any order, as they are or stylized in ever better sketches."""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from torch import Tensor

from vidstyle.errors import SourceError
from vidstyle.frames import ClipInfo, Frame, Picture
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.stylizer import Stylizer
from vidstyle.looks.timeline import Timeline, style_paths
from vidstyle.media.read.frame_folder import folder_files
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.media.read.source import Source
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.method.objective import to_picture
from vidstyle.settings import Settings
from vidstyle.settings.quality import quality_settings

# While a picture waits for another one, `is_wanted` is asked this often.
_WAITING_S = 0.1
# The least time between two sketches of one picture.
_BETWEEN_S = 1.0
_KEPT_FRAMES, _KEPT_STYLIZERS = 12, 6

StyleFiles = str | Path | Sequence[str | Path]


class Clip:
    """An input whose frames may be asked for in any order; a context manager.

    The next frames are read on. Frames farther away are sought if the container has an index, and otherwise counted
    from the start. The last few frames are kept.

    Attributes: `path`; `info`, what is known of the input.
    """

    def __init__(self, source: str | Path, settings: Settings | None = None) -> None:
        """Opens a video, folder of frames, pattern or picture as a render with these settings would.

        Raises:
            VidstyleError: it cannot be read.
        """
        self.path, self._settings = Path(source), settings or Settings()
        self._reader: FrameReader | None = FrameReader(self._opened)
        self.info: ClipInfo = self._reader.info
        self._lock, self._count = threading.RLock(), self.info.frame_count
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self.first_pts = 0

    def _opened(self) -> Source:
        return open_with_settings(self.path, self._settings)

    @property
    def frame_count(self) -> int:
        """The number of frames; if the input does not say it, they are counted once."""
        with self._lock:
            if self._count is None:
                self._count = self._counted()
            return self._count

    def _counted(self) -> int:
        count = 0
        with self._opened() as source, suppress(StopIteration):
            while True:
                source.skip()
                count += 1
        return count

    def frame(self, position: int) -> Frame:
        """Returns the frame at a position, counted from 0; past the end, the last one.

        Raises:
            SourceError: the input cannot be decoded there.
        """
        with self._lock:
            position = max(0, position if self._count is None else min(position, self._count - 1))
            while position not in self._kept:
                self._reader = self._reader or FrameReader(self._opened)
                frame = self._reader.frame_or_end(position)
                if frame is not None:
                    self._keep(position, frame)
                    self.first_pts = self._reader.first_pts
                    continue
                # Containers may claim more frames than they hold.
                self._count = self._reader.next_position
                if not self._count:
                    raise SourceError(f"{self.path}: holds no frames")
                position = self._count - 1
            self._kept.move_to_end(position)
            return self._kept[position]

    def _keep(self, position: int, frame: Frame) -> None:
        self._kept[position] = frame
        while len(self._kept) > _KEPT_FRAMES:
            self._kept.popitem(last=False)

    def close(self) -> None:
        """Closes the input; it is opened again when a frame is asked for."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
            self._reader = None

    def __enter__(self) -> Clip:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Sketch:
    """A frame while it is being stylized.

    Attributes:
        image: `(h, w, 3)` uint8 RGB. seconds: since it was asked for.
        is_draft: whether it is smaller or took fewer steps than the settings say.
        is_final: whether a render would paint exactly this as the first frame of a shot.
    """

    image: Picture
    seconds: float
    is_draft: bool
    is_final: bool


class Sketcher:
    """Paints frames like the first frame of a shot, one at a time; the last few networks and style targets are kept."""

    def __init__(self) -> None:
        self._stylizers: OrderedDict[object, Stylizer] = OrderedDict()
        self._lock = threading.Lock()

    def sketches(
        self,
        clip: Clip,
        position: int,
        style: StyleFiles | None,
        settings: Settings | None = None,
        *,
        has_draft: bool = True,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Generator[Sketch, None, None]:
        """Yields ever better sketches of a frame: first a draft of at most 320 px, last what a render would paint.

        Painting stops within one evaluation of the network when the iterator is closed.

        Args:
            position: of the frame in the clip. style: as for `stylize`; None where `Settings.style_at` names them.
            has_draft: whether to begin with one.
            is_wanted: called in another thread before each evaluation, and while another picture is stylized first; the
                iterator ends when it returns False.

        Raises:
            VidstyleError: as `stylize` would for its first frame.
        """
        settings, started = settings or Settings(), time.perf_counter()
        styles = style_paths(style, settings)
        frame = clip.frame(position)
        look = self._look(settings, len(styles), frame, clip)
        first, whole = _draft_settings(settings), _limited_size(settings, frame)
        with Masks(settings) as masks:
            coverage = masks.of(frame, *frame.image.shape[1::-1])
        if has_draft and _limited_size(first, frame) != whole:
            for image, is_last in self._stylized(styles, first, frame, coverage, look, is_wanted):
                if is_last:
                    yield Sketch(image, time.perf_counter() - started, True, False)
        if not is_wanted():
            return
        for image, is_last in self._stylized(styles, whole, frame, coverage, look, is_wanted):
            yield Sketch(image, time.perf_counter() - started, False, is_last)

    def draft(self, clip: Clip, position: int, style: StyleFiles | None, settings: Settings | None = None) -> Sketch:
        """Returns the first of the `sketches` alone."""
        sketches = self.sketches(clip, position, style, settings)
        try:
            return next(sketches)
        finally:
            sketches.close()

    def _look(self, settings: Settings, styles: int, frame: Frame, clip: Clip) -> Look:
        return Timeline(settings, styles).look(frame.index, (frame.pts - clip.first_pts) * frame.time_base)

    def _stylizer(self, styles: tuple[Path, ...], settings: Settings) -> Stylizer:
        # A stylizer paints any look, and these settings make up the look.
        same = replace(settings, strength=1.0, style_blend=(), content_weight=1.0, animate=None)
        key = styles, _files_read(styles, settings), same
        if key not in self._stylizers:
            self._stylizers[key] = Stylizer(styles, same)
            while len(self._stylizers) > _KEPT_STYLIZERS:
                self._stylizers.popitem(last=False)
        self._stylizers.move_to_end(key)
        return self._stylizers[key]

    @contextmanager
    def _turn(self, is_needed: Callable[[], bool]) -> Iterator[None]:
        """Waits until no other picture is being stylized, as long as this one is needed."""
        while not self._lock.acquire(timeout=_WAITING_S):
            if not is_needed():
                raise _NotWantedError
        try:
            if not is_needed():
                raise _NotWantedError
            yield
        finally:
            self._lock.release()

    def _stylized(
        self,
        styles: tuple[Path, ...],
        settings: Settings,
        frame: Frame,
        coverage: Coverage | None,
        look: Look,
        is_wanted: Callable[[], bool],
    ) -> Iterator[tuple[Picture, bool]]:
        """Yields unfinished pictures of the full size, and the finished one with True; paints in a thread."""
        pictures: queue.SimpleQueue[tuple[Picture, bool] | BaseException] = queue.SimpleQueue()
        is_over = threading.Event()

        def is_needed() -> bool:
            return not is_over.is_set() and is_wanted()

        def stylize() -> None:
            try:
                with self._turn(is_needed):
                    stylizer = self._stylizer(styles, settings)
                    height, width = stylizer.fit(frame.image).shape[:2]
                    stylizer.on_evaluation = _Watcher((height, width), pictures, is_needed)
                    stylizer.restart()
                    pictures.put((stylizer.stylize(stylizer.fit(frame.image), coverage, look).image, True))
            except BaseException as error:
                pictures.put(error)

        thread = threading.Thread(target=stylize, name="vidstyle-sketch", daemon=True)
        thread.start()
        try:
            is_last = False
            while not is_last:
                result = pictures.get()
                if isinstance(result, _NotWantedError):
                    return
                if isinstance(result, BaseException):
                    raise result
                image, is_last = result
                yield image, is_last
        finally:
            is_over.set()
            thread.join()


class _NotWantedError(Exception):
    """The picture is not wanted any more."""


class _Watcher:
    """Called after each evaluation: passes pictures of the full size on, and stops if the picture is not wanted."""

    def __init__(
        self,
        size: tuple[int, int],
        pictures: queue.SimpleQueue[tuple[Picture, bool] | BaseException],
        is_needed: Callable[[], bool],
    ) -> None:
        self._size, self._pictures, self._is_needed = size, pictures, is_needed
        self._passed_on_at = time.perf_counter()

    def __call__(self, evaluations: int, loss: float, image: Tensor) -> None:
        if not self._is_needed():
            raise _NotWantedError
        now = time.perf_counter()
        if tuple(image.shape[2:]) == self._size and now - self._passed_on_at >= _BETWEEN_S:
            self._passed_on_at = now
            self._pictures.put((to_picture(image), False))


def _files_read(styles: Sequence[Path], settings: Settings) -> tuple[tuple[Path, int, int], ...]:
    """Returns all files that a stylizer reads, with their sizes in bytes and times in ns, which tell changed files."""
    named = [*styles, *(style for _, style in settings.regions), *([settings.weights] if settings.weights else [])]
    found = []
    for path in named:
        for file in folder_files(path) if path.is_dir() else [path]:
            with suppress(OSError):  # the error is raised when the file is read
                status = file.stat()
                found.append((file, status.st_size, status.st_mtime_ns))
    return tuple(found)


def _draft_settings(settings: Settings) -> Settings:
    """Returns the settings with at most the size and the steps of a draft."""
    draft = quality_settings("draft")
    size = draft["size"] if settings.size == "source" else min(draft["size"], settings.size)
    steps = {name: min(draft[name], getattr(settings, name)) for name in ("iterations", "first_iterations")}
    return replace(settings, size=size, **steps)


def _limited_size(settings: Settings, frame: Frame) -> Settings:
    """Returns the settings with a size of at most the frame's, which paint the same."""
    longest = max(frame.image.shape[:2])
    return replace(settings, size=longest) if settings.size == "source" or settings.size > longest else settings
