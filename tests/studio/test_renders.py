"""The queue: renders that outlive the server, and are found again."""

import json
import os
from pathlib import Path

import pytest
from clips import make_video, picture, write_raw
from jobs import fill as paint_frames
from jobs import make_job
from studios import until

import vidstyle
from vidstyle.studio.folder import Folder, RefusedError
from vidstyle.studio.renders import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, WAITING, Renders

LONG = vidstyle.Settings(iterations=60, first_iterations=60, least_gain=0, device="cpu", keep_job=True)
SHORT = vidstyle.Settings(iterations=0, first_iterations=0, device="cpu", keep_job=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    place = tmp_path / "place"
    place.mkdir()
    make_video(place / "clip.mp4", frames=16)
    write_raw(place / "style.png", picture(5))
    return Folder(place)


def add(renders, folder, name, settings=SHORT, clip="clip.mp4"):
    command = vidstyle.as_command(folder.path / clip, folder.path / "style.png", folder.path / name, settings)
    return renders.add(folder.path / name, command)


def phases(renders):
    return {job.name: job.phase for job in renders.jobs()}


def test_a_render_outlives_the_server_and_is_paused_and_continued_by_the_next_one(folder):
    with Renders(folder) as renders:
        add(renders, folder, "a.mp4", LONG)
        add(renders, folder, "b.mp4")
        until(lambda: (status := renders.job("a.mp4").status) and status.done >= 2, renders.jobs)
        assert phases(renders) == {"a.mp4": RUNNING, "b.mp4": WAITING}
    with Renders(folder) as renders:
        assert phases(renders) == {"a.mp4": RUNNING, "b.mp4": WAITING}
        renders.pause("a.mp4")
        until(lambda: phases(renders)["a.mp4"] == PAUSED, renders.jobs)
        done = renders.job("a.mp4").status.done
        assert 2 <= done < 16
        until(lambda: phases(renders)["b.mp4"] == FINISHED, renders.jobs)  # what is paused keeps nobody waiting
        renders.go_on("a.mp4")
        until(lambda: renders.job("a.mp4").status.done > done, renders.jobs)
        renders.pause("a.mp4")  # its own child this time
        until(lambda: phases(renders)["a.mp4"] == PAUSED, renders.jobs)
        renders.stop("a.mp4")
        assert phases(renders)["a.mp4"] == STOPPED
        assert renders.job("a.mp4").status.done > done  # nothing painted is lost
        renders.discard("a.mp4")
        assert phases(renders) == {"b.mp4": FINISHED}
    assert not (folder.path / "a.mp4.vidstyle").exists()
    assert (folder.path / "b.mp4").is_file()


def test_what_fails_says_why_and_can_be_tried_again(folder):
    with Renders(folder) as renders:
        (folder.path / "broken.mp4").write_bytes(b"no clip")
        add(renders, folder, "c.mp4", clip="broken.mp4")
        until(lambda: phases(renders)["c.mp4"] == FAILED, renders.jobs)
        assert "broken.mp4" in renders.job("c.mp4").detail
        (folder.path / "broken.mp4").write_bytes((folder.path / "clip.mp4").read_bytes())
        renders.go_on("c.mp4")
        until(lambda: phases(renders)["c.mp4"] == FINISHED, renders.jobs)


def test_jobs_from_a_shell_show_up(folder):
    command = vidstyle.as_command("clip.mp4", "style.png", folder.path / "s.mp4")
    paint_frames(make_job(folder.path / "s.mp4.vidstyle", output=str(folder.path / "s.mp4"), command=command), range(5))
    make_job(folder.path / "other.vidstyle", output="/elsewhere/e.mp4")
    renders = Renders(folder)
    (job,) = renders.jobs()
    assert (job.name, job.phase, job.detail, job.status.done) == ("s.mp4", STOPPED, "begun from a shell", 5)
    renders.go_on("s.mp4")
    assert renders.job("s.mp4").phase == WAITING
    renders._held.release()


@pytest.mark.parametrize(
    "command",
    [
        "http.server -o {out}",
        "vidstyle clip.mp4",
        "vidstyle studio -o {out}",
        "vidstyle clip.mp4 -o /elsewhere/s.mp4",
        "vidstyle clip.mp4 -o {out} -o/elsewhere/s.mp4",
        "vidstyle clip.mp4 -o {out} --output=/elsewhere/s.mp4",
        "vidstyle clip.mp4 -o {out} --report=/elsewhere/page.html",
        "vidstyle 'clip.mp4",
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="commands are written in another way there")
def test_a_job_folder_of_somebody_else_runs_no_other_command(folder, command):
    out = folder.path / "s.mp4"
    make_job(folder.path / "s.mp4.vidstyle", output=str(out), command=command.format(out=out))
    renders = Renders(folder)
    with pytest.raises(RefusedError, match="continue it from a shell"):
        renders.go_on("s.mp4")
    assert phases(renders) == {"s.mp4": STOPPED}
    renders._held.release()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_job_folder_elsewhere_is_not_looked_into(folder, tmp_path):
    make_job(tmp_path / "s.mp4.vidstyle", output=str(folder.path / "s.mp4"))
    (folder.path / "s.mp4.vidstyle").symlink_to(tmp_path / "s.mp4.vidstyle")
    renders = Renders(folder)
    assert renders.jobs() == []
    renders._held.release()


def test_what_waits_is_taken_out_by_stop_and_kept_by_pause(folder):
    renders = Renders(folder)
    add(renders, folder, "a.mp4")
    add(renders, folder, "b.mp4")
    renders.stop("a.mp4")
    renders.pause("b.mp4")
    assert phases(renders) == {"b.mp4": PAUSED}
    renders.begin_next()
    assert phases(renders) == {"b.mp4": PAUSED}
    renders._held.release()


def test_names_that_are_taken_or_lead_elsewhere_are_refused(folder):
    renders = Renders(folder)
    add(renders, folder, "a.mp4")
    for name in ("a.mp4", "clip.mp4"):
        with pytest.raises(RefusedError, match="there already"):
            add(renders, folder, name)
    with pytest.raises(RefusedError, match="no such render"):
        renders.pause("../a.mp4")
    with pytest.raises(RefusedError, match="no such render"):
        renders.discard("clip.mp4")
    renders._held.release()


def test_a_folder_has_one_studio(folder):
    renders = Renders(folder)
    with pytest.raises(RefusedError, match="another studio"):
        Renders(folder)
    renders._held.release()
    Renders(folder)._held.release()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", '[{"name": "../x.mp4", "command": "vidstyle a"}]', '[{"name": "x.mp4", "command": "rm -r x"}]'],
)
def test_a_damaged_queue_is_empty(folder, text):
    state = folder.path / ".vidstyle-studio"
    state.mkdir()
    (state / "queue.json").write_text(text)
    renders = Renders(folder)
    assert renders.jobs() == []
    renders._held.release()


def test_the_queue_is_kept_whole(folder):
    renders = Renders(folder)
    add(renders, folder, "a.mp4")
    (entry,) = json.loads((folder.path / ".vidstyle-studio" / "queue.json").read_text())
    assert (entry["name"], entry["wanted"]) == ("a.mp4", "queued")
    assert entry["command"].startswith("vidstyle ")
    assert [p.name for p in Path(folder.path / ".vidstyle-studio").iterdir() if "part" in p.name] == []
    renders._held.release()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_state_folder_that_is_a_link_is_refused(folder, tmp_path):
    (folder.path / ".vidstyle-studio").symlink_to(tmp_path)
    with pytest.raises(RefusedError, match="is a link"):
        Renders(folder)
