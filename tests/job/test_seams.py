"""Where one part of a shot ends and the next begins, frames are made of both."""

import numpy as np
import pytest
from jobs import make_job

from vidstyle.job.folder import JobFolder, clear_job
from vidstyle.job.seams import Seams, published_frame
from vidstyle.media.stills.decoding import is_intact_png
from vidstyle.media.stills.images import read_layers
from vidstyle.settings import Settings
from vidstyle.settings.words import to_json
from vidstyle.shots import FADE_FRAMES, LEAD_IN_FRAMES

EARLIER, LATER = 100, 200


@pytest.fixture(params=["video", "frames"])
def job(tmp_path, request):
    """Two parts of 48 frames, of which nothing is there."""
    return make_job(
        tmp_path / "job",
        kind=request.param,
        timestamps=tuple(range(96)),
        cuts=(),
        settings=to_json(Settings(split_shots=48)),
        segment_frames=20,
    )


def flat(level):
    return np.full((48, 64, 3), level, np.uint8)


def stylize(job, shot, positions, level, seams=None):
    for position in positions:
        job.save_frame(shot.slot(position), flat(level))
        if seams is not None:
            seams.add(shot.slot(position))


def close_alone(job, shot):
    for run in job.own_segments(shot) if job.manifest.kind == "video" else ():
        job.close_segment(shot, run)


def paint_all(job, seams):
    for shot, level in zip(job.manifest.shots, (EARLIER, LATER), strict=True):
        stylize(job, shot, range(shot.first, shot.stop), level, seams)
        close_alone(job, shot)
        assert job.is_done(shot)


def slots_in(job):
    return sorted(int(path.stem) for path in job.frames_folder.iterdir())


def seam_of(job, monkeypatch):
    """Returns the levels of the seam's frames, as they are encoded or saved."""
    seam = job.manifest.shots[0].fades_out
    if job.manifest.kind == "frames":
        return [int(read_layers(published_frame(job, position))[0][0, 0, 0]) for position in seam]
    levels = []
    monkeypatch.setattr(job, "write_segment", lambda run, pictures: levels.extend(int(p[0, 0, 0]) for p in pictures))
    monkeypatch.setattr(job, "note_segment", lambda *_: None)
    Seams(job).finish()
    return levels


def test_one_part_fades_into_the_other_in_equal_steps(job, monkeypatch):
    first, second = job.manifest.shots
    stylize(job, first, first.fades_out, EARLIER)
    stylize(job, second, second.fades_in, LATER)
    if job.manifest.kind == "frames":
        Seams(job).finish()
    wanted = [EARLIER + (LATER - EARLIER) * step / (FADE_FRAMES + 1) for step in range(1, FADE_FRAMES + 1)]
    assert np.abs(np.subtract(seam_of(job, monkeypatch), wanted)).max() <= 0.5


@pytest.mark.parametrize("order", [1, -1])
def test_a_seam_is_closed_as_soon_as_both_sides_are_painted(job, order):
    seams, (first, second) = Seams(job), job.manifest.shots
    sides = [(first, range(first.start, first.stop), EARLIER), (second, range(second.first, second.start), LATER)]
    (shot, positions, level), (other, others, other_level) = sides[::order]
    stylize(job, shot, positions, level, seams)
    stylize(job, other, others[:-1], other_level, seams)
    assert not is_closed(job, first)
    stylize(job, other, others[-1:], other_level, seams)
    assert is_closed(job, first)


def is_closed(job, first):
    if job.manifest.kind == "video":
        return job.has_segment(first.fades_out)
    return all(published_frame(job, position).is_file() for position in first.fades_out)


def test_what_a_seam_was_made_of_is_removed_when_it_is_not_needed(job):
    seams, (first, second) = Seams(job), job.manifest.shots
    stylize(job, first, range(first.start, first.stop), EARLIER, seams)
    close_alone(job, first)
    stylize(job, second, range(second.first, second.start), LATER, seams)
    if job.manifest.kind == "video":
        # The later part is held to its first frame, and goes on from the last one.
        assert slots_in(job) == [second.lead_in[0], second.lead_in[-1]]
        assert job.missing_positions(second) == list(range(second.start, second.stop))
    stylize(job, second, range(second.start, second.stop), LATER, seams)
    close_alone(job, second)
    seams.finish()
    assert slots_in(job) == ([] if job.manifest.kind == "video" else list(range(96 + LEAD_IN_FRAMES)))


def test_a_job_goes_on_where_it_was_left(job):
    seams, (first, second) = Seams(job), job.manifest.shots
    assert job.missing_positions(second) == list(range(second.first, second.stop))
    paint_all(job, seams)
    again = JobFolder(job.path, job.manifest)
    assert again.is_done(first) and again.is_done(second)
    seams.finish()
    assert Seams(again)._open == []
    if job.manifest.kind == "frames":
        return
    job.segment_path(second.segments[-1]).unlink()
    again = JobFolder(job.path, job.manifest)
    # Everything that led to it is gone, too.
    assert again.missing_positions(second) == list(range(second.first, second.stop))
    assert again.is_done(first)


def test_a_damaged_seam_is_made_again(job):
    paint_all(job, Seams(job))
    first = job.manifest.shots[0]
    path = job.segment_path(first.fades_out) if job.manifest.kind == "video" else published_frame(job, first.stop - 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    again = JobFolder(job.path, job.manifest)
    if job.manifest.kind == "video":  # frames that it was made of are painted again
        assert not again.is_done(first)
        paint_all(again, Seams(again))
    else:
        Seams(again).finish()
        assert is_intact_png(whole)
    assert path.read_bytes() == whole


def test_a_job_is_cleared_with_its_seams(job):
    paint_all(job, Seams(job))
    clear_job(job.path)
    assert list(job.path.iterdir()) == []
