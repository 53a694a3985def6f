"""Who is at work can be asked for."""

from jobs import make_job

from vidstyle.job.lock import locked
from vidstyle.job.machines import forget_machines, machines_at_work, note_machines
from vidstyle.job.status import job_status
from vidstyle.text import status_lines


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
