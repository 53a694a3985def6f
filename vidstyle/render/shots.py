"""What paints the shots of a render: this process, several processes of this machine, or a cluster of machines.

Processes of one machine are not a small cluster: Ray is a large package that few need, its releases for Windows
are not stable, and starting it takes longer than many a render. What they answer is the same for both; see
`painting.answers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import counted
from vidstyle.job.folder import JobFolder
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.media.read.source import Source
from vidstyle.method.stylizer import Stylizer
from vidstyle.settings import Settings
from vidstyle.shots import Shot
from vidstyle.workers.pool import Workers
from vidstyle.workers.shot_stylizer import SavedFrame, ShotStylizer, fallbacks_of


@dataclass(frozen=True)
class Work:
    """What there is to paint, and with what.

    Attributes:
        missing: frames left to paint, by number of the shot. source: the job's input, not yet read from.
        styles: as they were given. stylizer: makes the one of this process.
    """

    job: JobFolder
    missing: Mapping[int, Sequence[int]]
    source: Source
    styles: Sequence[Path]
    settings: Settings
    stylizer: Callable[[], Stylizer]


def stylized_frames(work: Work, shots: Sequence[Shot], notes: list[str]) -> Iterator[SavedFrame]:
    """Yields frames as they are saved, in whatever order.

    Args:
        shots: those that are not done. notes: what the user should know is added to them.

    Raises:
        VidstyleError: see `ShotPainter.paint`, `Workers.paint` and `ClusterPainter.paint`.
    """
    settings = work.settings
    if not shots:
        return
    if settings.cluster is not None:
        # Only now: whoever has no cluster need not have Ray.
        from vidstyle.cluster.stylizer import ClusterStylizer

        with ClusterStylizer(work.job, work.source.info.path, work.styles, settings) as cluster:
            yield from cluster.stylize(shots, work.missing)
        return
    workers = min(settings.workers, len(shots))
    if workers < settings.workers:
        notes.append(f"{counted(len(shots), 'shot')} to paint, so {counted(workers, 'process')} did")
    if workers > 1:
        with Workers(workers, work.job, work.source.info.path, work.styles, settings) as pool:
            yield from pool.stylize(shots)
        return
    yield from _stylized_here(work, shots)


def _stylized_here(work: Work, shots: Sequence[Shot]) -> Iterator[SavedFrame]:
    path, settings, timestamps = work.source.info.path, work.settings, work.job.manifest.timestamps
    reader = FrameReader(lambda: open_with_settings(path, settings), timestamps, work.source)
    with reader, Masks(settings) as masks:
        shot_stylizer = ShotStylizer(work.job, reader, work.stylizer(), masks, fallbacks_of(work.job))
        for shot in shots:
            yield from shot_stylizer.stylize(shot)


def check_engine(settings: Settings) -> None:
    """Makes sure that what is to paint can be had, as far as that shows at once.

    Raises:
        ClusterError: Ray is not installed, or there is no cluster at the address.
    """
    if settings.cluster is not None:
        from vidstyle.cluster.joining import check_way

        check_way(settings.cluster)


def places_of(settings: Settings, device: str, threads: int) -> tuple[int, int]:
    """Returns how many shots the settings' cluster can paint at a time, and on how many machines.

    Args:
        device: what is painted with, in torch's words. threads: that one process computes with.

    Raises:
        ClusterError: it cannot be reached, or no machine of it can paint a shot.
    """
    from vidstyle.cluster.joining import check_resources, connected, needed_by_shot, shots_at_once

    needed = needed_by_shot(settings, device, threads)
    with connected(settings.cluster or "auto") as ray:
        check_resources(ray, needed)
        return shots_at_once(ray, needed)


class Tally:
    """Counts shots that are done.

    Args:
        shots: all of a job's. left: frames left to paint, by the number of the shot; what leads in is none.
    """

    def __init__(self, shots: Sequence[Shot], left: dict[int, int]) -> None:
        self._left = dict(left)
        self._of = {position: shot.number for shot in shots if shot.number in left for position in _positions(shot)}
        self.shots_done = len(shots) - sum(count > 0 for count in left.values())

    def add(self, position: int) -> None:
        """Takes a frame that was painted."""
        number = self._of[position]
        self._left[number] -= 1
        self.shots_done += self._left[number] == 0


def _positions(shot: Shot) -> range:
    return range(shot.start, shot.stop)
