"""Progress, from the job folder alone."""

from pathlib import Path

import pytest
from jobs import fill, finish, make_job

from vidstyle.errors import JobError
from vidstyle.job.journal import JournalEntry
from vidstyle.job.lock import locked
from vidstyle.job.render_record import finished_frames, remember
from vidstyle.job.status import forget_machines, job_path, job_status, machines_at_work, note_machines
from vidstyle.text import status_lines


def test_frames_shots_and_seconds_are_counted(tmp_path):
    job = make_job(tmp_path / "out.mp4.vidstyle")
    status = job_status(tmp_path / "out.mp4")
    assert (status.done, status.total, status.shots_done, status.shots) == (0, 12, 0, 2)
    assert status.seconds_per_frame is None
    first = job.manifest.shots[0]
    fill(job, range(7))
    for run in first.segments:
        job.close_segment(first, run)
    fill(job, [7, 8])
    for position, seconds in enumerate([9.0, 1.0, 1.2]):
        job.note_frame(JournalEntry(position, seconds, 1.0, 1, 0, 0))
    status = job_status(tmp_path / "out.mp4")
    assert (status.done, status.shots_done, status.seconds_per_frame) == (9, 1, 1.2)
    assert (status.is_running, status.is_finished) == (False, False)
    assert status.command == job.manifest.command
    with locked(job.path):
        assert job_status(tmp_path / "out.mp4").is_running


def test_a_job_is_found_by_its_folder_and_by_job_dir(tmp_path):
    finish(make_job(tmp_path / "elsewhere"))
    assert job_status(tmp_path / "elsewhere").done == 12
    assert job_status("out.mp4", tmp_path / "elsewhere").done == 12


def test_what_is_unknown_is_an_error(tmp_path):
    with pytest.raises(JobError, match=r"no job is known by this name.*none\.mp4\.vidstyle"):
        job_status(tmp_path / "none.mp4")
    (tmp_path / "film.mp4").write_bytes(b"made elsewhere")
    with pytest.raises(JobError, match="no job"):
        job_status(tmp_path / "film.mp4")


def test_what_is_finished_is_remembered_by_its_content(tmp_path, monkeypatch):
    output, identity = tmp_path / "out.mp4", make_job(tmp_path / "job").manifest.identity
    output.write_bytes(b"film")
    assert finished_frames(output, identity) is None
    remember(output, identity, 12)
    assert finished_frames(output, identity) == 12
    assert job_status(output).is_finished
    renamed = {name: ("another name", digest) for name, (_, digest) in identity.files.items()}
    assert finished_frames(output, type(identity)(identity.settings, renamed, identity.place)) == 12
    assert finished_frames(output, type(identity)({"--size": "65"}, identity.files, identity.place)) is None
    with monkeypatch.context() as patch:
        patch.setattr("vidstyle.job.render_record.__version__", "99.0")
        assert finished_frames(output, identity) is None
    output.write_bytes(b"another film")
    assert finished_frames(output, identity) is None


def test_a_finished_folder_is_known_by_its_pictures(tmp_path):
    identity = make_job(tmp_path / "job").manifest.identity
    output = tmp_path / "out"
    output.mkdir()
    (output / "a.png").write_bytes(b"a")
    remember(output, identity, 1)
    (output / "notes.txt").write_text("later")
    assert finished_frames(output, identity) == 1
    (output / "b.png").write_bytes(b"b")
    assert finished_frames(output, identity) is None


def test_a_cache_that_cannot_be_written_costs_only_the_memory(tmp_path, cache):
    (cache / "finished").write_text("in the way")
    output, identity = tmp_path / "out.mp4", make_job(tmp_path / "job").manifest.identity
    output.write_bytes(b"film")
    assert remember(output, identity, 12)["frames"] == 12
    assert finished_frames(output, identity) is None


@pytest.mark.parametrize(
    ("output", "expected"),
    [("a/out.mp4", "a/out.mp4.vidstyle"), ("painted/", "painted.vidstyle"), ("a.b", "a.b.vidstyle")],
)
def test_the_folder_stands_beside_the_output(output, expected):
    assert job_path(output) == Path(expected)
    assert job_path(output, Path("x")) == Path("x")
    here = Path.cwd()
    assert job_path(".") == here.with_name(f"{here.name}.vidstyle")


def test_each_machine_is_named_once_for_each_time_it_is_there(tmp_path):
    job = make_job(tmp_path / "out.mp4.vidstyle")
    note_machines(job.path, {4: ("id1", "a"), 7: ("id2", "b"), 9: ("id2", "b"), 11: ("id3", "a")})
    assert machines_at_work(job.path) == ("a", "a", "b")
    assert job_status(tmp_path / "out.mp4").machines == ()  # nobody holds the lock
    forget_machines(job.path)
    assert machines_at_work(job.path) == ()


def test_the_status_says_who_is_at_work(tmp_path):
    job = make_job(tmp_path / "out.mp4.vidstyle")
    with locked(job.path):
        note_machines(job.path, {4: ("id1", "a"), 7: ("id2", "b"), 11: ("id3", "a")})
        assert status_lines(job_status(tmp_path / "out.mp4")).endswith("running on a x2, b")


def test_what_a_killed_render_has_left_is_not_believed(tmp_path):
    job = make_job(tmp_path / "job")
    note_machines(job.path, {4: ("id1", "a")})
    job.make_folders()
    assert machines_at_work(job.path) == ()
