"""What of a shot goes from one job folder to another, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vidstyle.files import write_whole
from vidstyle.frames import Picture
from vidstyle.job.folder import JobFolder
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import read_layers
from vidstyle.shots import Shot


def names_of(job: JobFolder, shot: Shot) -> tuple[list[str], list[int]]:
    """Returns the painted frames of a shot that are there, as names in the folder, and the starts of its segments.

    The segment in which the part before fades into it counts as one of them.
    """
    is_video = job.manifest.kind == "video"
    whole = [run.start for run in (shot.fades_in, *shot.segments) if run and is_video and job.has_segment(run)]
    paths = (
        path
        for slot in map(shot.slot, range(shot.first, shot.stop))
        if job.has_frame(slot)
        for path in dict.fromkeys((job.frame_path(slot), job.delivered_path(slot)))
    )
    return [path.relative_to(job.path).as_posix() for path in paths], whole


def saved_picture(job: JobFolder, shot: Shot, position: int) -> Picture:
    """Returns a frame of a shot, `(H, W, 3)` uint8 RGB, from its file or from the segment that it is encoded in.

    Raises:
        SourceError: it is in neither.
    """
    run = next(run for run in shot.segments if position in run)
    if job.manifest.kind == "video" and job.has_segment(run):
        start = position - run.start
        with open_source(job.segment_path(run), frames=(start, start + 1)) as source:
            return next(source).image
    return read_layers(job.delivered_path(position))[0]


def frame_bytes(job: JobFolder, position: int) -> dict[str, bytes]:
    """Returns the files of a painted frame."""
    stylized, delivered = job.frame_path(position), job.delivered_path(position)
    content = {"painted": stylized.read_bytes()}
    return content if delivered == stylized else content | {"delivered": delivered.read_bytes()}


def take_frame(job: JobFolder, position: int, content: Mapping[str, bytes]) -> None:
    """Saves a frame that another folder has given.

    Raises:
        OutputError: it cannot be written.
    """
    # As in `JobFolder.save_frame`: the frame counts once the painted file is there.
    if "delivered" in content:
        write_whole(job.delivered_path(position), content["delivered"])
    write_whole(job.frame_path(position), content["painted"])


def segments_since(job: JobFolder, shot: Shot, known: set[int]) -> Iterator[dict[str, Any]]:
    """Yields the segments of a shot that are there and not `known` by their starts, and adds them."""
    for run in shot.segments:
        if run.start not in known and job.manifest.kind == "video" and job.segment_path(run).is_file():
            known.add(run.start)
            yield {"segment": run.start, "content": job.segment_path(run).read_bytes()}


def take_segment(job: JobFolder, shot: Shot, start: int, content: bytes) -> None:
    """Saves a segment that another folder has given, and removes its frames.

    Raises:
        OutputError: it cannot be written.
    """
    run = next(run for run in shot.segments if run.start == start)
    write_whole(job.segment_path(run), content)
    job.note_segment(shot, run)
    if job.is_done(shot):
        job.tidy(shot)
