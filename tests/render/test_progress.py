"""Frames and shots are counted as they come, in any order."""

from jobs import fill, make_job

from vidstyle.render.engines import Progress


def test_a_shot_is_done_with_its_last_frame(tmp_path):
    job = make_job(tmp_path / "job", cuts=(3, 7), kind="frames")
    fill(job, [0, 1, 2, 4, 7, 8, 9, 10])
    progress = Progress(job, is_published=False)
    assert [shot.number for shot in progress.shots] == [1, 2]
    assert (progress.done, progress.total, progress.shots_done) == (8, 12, 1)
    counts = []
    for position in (6, 11, 5, 3):
        progress.add(position)
        counts.append((progress.done, progress.shots_done))
    assert counts == [(9, 1), (10, 2), (11, 2), (12, 3)]


def test_nothing_is_left_of_what_is_published(tmp_path):
    progress = Progress(make_job(tmp_path / "job"), is_published=True)
    assert (progress.shots, progress.done, progress.shots_done) == ((), 12, 2)
