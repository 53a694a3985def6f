"""A shot painted in another folder arrives as if it had been painted here."""

import numpy as np
import pytest
from jobs import fill, make_job

from vidstyle.errors import SourceError
from vidstyle.job.exchange import frame_bytes, names_of, saved_picture, segments_since, take_frame, take_segment
from vidstyle.settings import Settings
from vidstyle.settings.words import to_json


@pytest.mark.parametrize("color", ["style", "content"])
def test_frames_and_segments_arrive(tmp_path, color):
    changes = {"settings": to_json(Settings(color=color))}
    here, there = make_job(tmp_path / "here", **changes), make_job(tmp_path / "there", **changes)
    shot = here.manifest.shots[0]
    known = set()
    for run in shot.segments:
        for position in run:
            fill(there, [position])
            take_frame(here, position, frame_bytes(there, position))
            assert here.has_frame(position)
        there.close_segment(shot, run)
        for parcel in segments_since(there, shot, known):
            take_segment(here, shot, parcel["segment"], parcel["content"])
    assert known == {0, 4}
    assert here.is_done(shot)
    assert names_of(here, shot) == ([], [0, 4])
    for run in shot.segments:
        assert here.segment_path(run).read_bytes() == there.segment_path(run).read_bytes()


def test_what_is_there_is_named(tmp_path):
    job = make_job(tmp_path / "job")
    shot = job.manifest.shots[1]
    fill(job, [7, 9])
    assert names_of(job, shot) == (["frames/00000007.png", "frames/00000009.png"], [])


def test_a_picture_is_had_from_its_file_and_from_its_segment(tmp_path):
    job = make_job(tmp_path / "job")
    shot = job.manifest.shots[0]
    run = shot.segments[0]
    fill(job, run)
    pictures = [saved_picture(job, shot, position) for position in run]
    assert all(np.array_equal(picture, job.load_frame(p)) for p, picture in zip(run, pictures, strict=True))
    job.close_segment(shot, run)
    for position in run:
        encoded = saved_picture(job, shot, position)
        nearest = min(run, key=lambda other: np.abs(pictures[other - run.start] - encoded.astype(float)).mean())
        assert nearest == position
    with pytest.raises(SourceError):
        saved_picture(job, shot, shot.segments[1].start)
