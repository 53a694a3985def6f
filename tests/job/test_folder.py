"""What is on disk is the whole state; what is damaged is found."""

import shutil

import numpy as np
import pytest
from clips import picture
from jobs import fill, finish, make_job

from vidstyle.errors import JobError
from vidstyle.job.folder import JobFolder, clear_job
from vidstyle.job.journal import JournalEntry
from vidstyle.media.stills.images import write_image
from vidstyle.settings import Settings
from vidstyle.settings.words import to_json


@pytest.fixture
def job(tmp_path):
    return make_job(tmp_path / "out.mp4.vidstyle")


def reopened(job):
    return JobFolder(job.path, job.manifest)


def frames_in(job):
    return sorted(int(p.stem) for p in job.frames_folder.iterdir())


def test_frames_are_kept_exactly(job):
    fill(job, [3])
    assert np.array_equal(job.load_frame(3), picture(3))
    assert job.load_frame(4) is None


def test_a_shot_lacks_what_is_not_there(job):
    first, second = job.manifest.shots
    assert job.missing_positions(first) == list(range(7))
    fill(job, [0, 1, 2, 9])
    assert job.missing_positions(first) == [3, 4, 5, 6]
    # Frame 9 stands, though what led to it is missing: it would come out the same.
    assert job.missing_positions(second) == [7, 8, 10, 11]


def test_the_very_first_frame_is_missed_too(tmp_path):
    job = make_job(tmp_path / "job", kind="frames", cuts=(1,))
    assert not job.is_done(job.manifest.shots[0])
    fill(job, [0])
    assert job.is_done(job.manifest.shots[0])


DAMAGE = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "one bit": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "another size": lambda path: write_image(path, picture(1, (32, 48))),
    "no PNG": lambda path: path.write_bytes(b"hello" * 500),
    "gone": lambda path: path.unlink(),
}


def flipped(data):
    half = len(data) // 2
    return data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :]


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_frame_is_found(job, how):
    fill(job, range(3))
    DAMAGE[how](job.frame_path(1))
    assert reopened(job).missing_positions(job.manifest.shots[0]) == [1, 3, 4, 5, 6]
    assert reopened(job).load_frame(1) is None


def test_a_segment_replaces_its_frames_but_for_the_first_and_the_last(job):
    first = job.manifest.shots[0]
    fill(job, range(4))
    job.close_segment(first, first.segments[0])
    assert frames_in(job) == [0, 3]
    assert job.missing_positions(first) == [4, 5, 6]
    fill(job, range(4, 7))
    job.close_segment(first, first.segments[1])
    assert frames_in(job) == []
    assert reopened(job).is_done(first)
    assert not reopened(job).is_done(job.manifest.shots[1])


@pytest.mark.parametrize("how", ["one bit", "emptied", "gone"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_segment_is_painted_again_from_where_that_is_possible(job, how, which):
    finish(job)
    first = job.manifest.shots[0]
    DAMAGE[how](job.segment_path(first.segments[which]))
    # The frame before the second segment went with the first one's frames, so both are needed.
    assert reopened(job).missing_positions(first) == list(range(4 if which == 0 else 7))
    assert reopened(job).missing_positions(job.manifest.shots[1]) == []


def test_a_damaged_segment_goes_on_from_the_frame_that_was_kept(job):
    first = job.manifest.shots[0]
    fill(job, range(4))
    job.close_segment(first, first.segments[0])
    fill(job, [4])
    assert reopened(job).missing_positions(first) == [5, 6]
    job.frame_path(4).unlink()
    assert reopened(job).missing_positions(first) == [4, 5, 6]
    job.frame_path(3).unlink()
    assert reopened(job).missing_positions(first) == list(range(1, 7))


def job_that_looks_back(tmp_path, **changes):
    settings = to_json(Settings(**changes))
    return make_job(tmp_path / "back.mp4.vidstyle", settings=settings, cuts=(), segment_frames=4)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, [0, 3]),
        ({"temporal_window": (1, 3)}, [0, 1, 2, 3]),
        ({"temporal_window": (1, 2)}, [0, 2, 3]),
        ({"init": "previous"}, [3]),
        ({"flow": "off"}, [3]),
        ({"init": "content"}, []),
        ({"init": "noise"}, []),
    ],
)
def test_what_later_frames_look_back_to_stays_until_the_shot_is_done(tmp_path, changes, kept):
    job = job_that_looks_back(tmp_path, **changes)
    (shot,) = job.manifest.shots
    fill(job, range(4))
    job.close_segment(shot, shot.segments[0])
    assert frames_in(job) == kept
    again = reopened(job)
    assert again.missing_positions(shot) == list(range(4, 12))
    again.tidy(shot)
    assert frames_in(job) == kept
    for run in shot.segments[1:]:
        fill(job, run)
        job.close_segment(shot, run)
    assert frames_in(job) == []


def test_frames_that_are_looked_back_to_are_painted_again_where_they_are_gone(tmp_path):
    job = job_that_looks_back(tmp_path, temporal_window=(1, 3))
    (shot,) = job.manifest.shots
    fill(job, range(9))
    assert job.missing_positions(shot) == [9, 10, 11]
    job.frame_path(6).unlink()
    assert reopened(job).missing_positions(shot) == [6, 9, 10, 11]
    job.frame_path(0).unlink()  # what mean and contrast are held to
    assert reopened(job).missing_positions(shot) == [0, 6, 9, 10, 11]


def test_a_segment_without_its_record_does_not_count(job):
    first = job.manifest.shots[0]
    fill(job, range(4))
    job.close_segment(first, first.segments[0])
    job.segment_path(first.segments[0]).with_suffix(".json").write_text("{")
    assert not reopened(job).has_segment(first.segments[0])


def test_half_written_files_of_a_killed_process_are_cleared_away(job):
    (job.frames_folder / ".00000003.part77.png").write_bytes(b"half")
    job.make_folders()
    assert list(job.frames_folder.iterdir()) == []


def test_a_job_that_was_deleted_says_so(job):
    shutil.rmtree(job.path)
    with pytest.raises(JobError, match="deleted meanwhile"):
        fill(job, [0])
    with pytest.raises(JobError, match="cannot be written"):
        job.note_frame(JournalEntry(0, 1.0, 1.0, 1, 0, 0))


def test_the_journal_is_read_to_the_last_whole_line(job):
    entries = [JournalEntry(k, 0.5, 1.25, 20, 0, 0) for k in (0, 1)]
    for entry in [*entries, JournalEntry(1, 0.75, 1.0, 21, 1, 2)]:
        job.note_frame(entry)
    with (job.path / "journal.jsonl").open("a") as file:
        file.write('{"frame": 3, "seco')
    known = {0: entries[0], 1: JournalEntry(1, 0.75, 1.0, 21, 1, 2)}
    assert job.journal() == known
    # The next process goes on in a new line.
    job.make_folders()
    job.note_frame(JournalEntry(3, 1.0, 1.0, 1, 0, 0))
    assert job.journal() == known | {3: JournalEntry(3, 1.0, 1.0, 1, 0, 0)}


def test_clearing_leaves_what_is_not_the_jobs(job):
    finish(job)
    (job.path / "notes.txt").write_text("mine")
    clear_job(job.path)
    assert [p.name for p in job.path.iterdir()] == ["notes.txt"]


def test_a_job_is_empty_until_something_is_painted(job):
    assert job.is_empty()
    fill(job, [0])
    assert not job.is_empty()
    finish(job)
    assert not job.is_empty()
