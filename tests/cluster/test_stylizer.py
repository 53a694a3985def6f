"""Three machines make what one process would, whatever is killed meanwhile."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vidstyle import forecast, job_history, job_status, stylize
from vidstyle.errors import ClusterError

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster")]
FRAMES = 50


@pytest.mark.parametrize("apart", [False, True], ids=["shared", "apart"])
def test_three_machines_paint_what_one_process_does(nodes, film, alone, settings, apart):
    frames, machines = [], set()

    def on_frame(frame):
        frames.append(frame)
        machines.update(job_status("out.mp4").machines)

    wanted = settings(cluster=nodes.address, no_shared_storage=apart)
    result = stylize("in.mp4", "style.png", "out.mp4", wanted, on_frame=on_frame)
    assert Path("out.mp4").read_bytes() == alone
    assert result.stylized == FRAMES
    assert sorted(frame.index for frame in frames) == list(range(FRAMES))
    assert [frame.done for frame in frames] == list(range(1, FRAMES + 1))
    assert max(frame.machines for frame in frames) == 3
    assert frames[-1].shots_done == 12
    assert machines == {os.uname().nodename}
    assert not Path("out.mp4.vidstyle").exists()


@pytest.mark.parametrize("keyframe_every", [1, 3])
def test_parts_of_one_shot_are_painted_by_several_machines(nodes, film, settings, keyframe_every):
    parts = {"cuts": "off", "split_shots": 48, "keyframe_every": keyframe_every}
    stylize("in.mp4", "style.png", "alone.mp4", settings(**parts))
    frames = []

    def on_frame(frame):
        frames.append(frame)
        if len(frames) == 10:
            nodes.kill()

    wanted = settings(cluster=nodes.address, no_shared_storage=True, **parts)
    stylize("in.mp4", "style.png", "out.mp4", wanted, on_frame=on_frame)
    assert Path("out.mp4").read_bytes() == Path("alone.mp4").read_bytes()
    assert sorted(frame.index for frame in frames) == list(range(FRAMES))
    assert frames[-1].shots_done == 2
    assert not Path("out.mp4.vidstyle").exists()


def test_a_node_lost_in_mid_shot_costs_nothing_that_was_saved(nodes, film, alone, settings):
    indices = []

    def on_frame(frame):
        indices.append(frame.index)
        if len(indices) == 10:
            nodes.kill()

    stylize("in.mp4", "style.png", "out.mp4", settings(cluster=nodes.address), on_frame=on_frame)
    assert Path("out.mp4").read_bytes() == alone
    assert len(set(indices)) == len(indices)  # none was painted twice


def test_a_worker_killed_in_mid_shot_is_replaced(nodes, film, alone, settings, monkeypatch):
    pids, killed = [], []
    from vidstyle.cluster import stylizer as shot_stylizer

    run = shot_stylizer.Schedule.run

    def noting(self, shots):
        for shot, answers in run(self, shots):
            pids.extend(answer["process"] for answer in answers or () if "process" in answer)
            yield shot, answers

    monkeypatch.setattr(shot_stylizer.Schedule, "run", noting)
    indices = []

    def on_frame(frame):
        indices.append(frame.index)
        if len(indices) in (8, 20):
            killed.append(pids[-1])
            os.kill(pids[-1], signal.SIGKILL)

    stylize("in.mp4", "style.png", "out.mp4", settings(cluster=nodes.address), on_frame=on_frame)
    assert len(killed) == 2
    assert Path("out.mp4").read_bytes() == alone
    assert len(set(indices)) == len(indices)


@pytest.mark.parametrize("output", ["out.mp4", "out/"])
def test_frames_whose_answers_were_lost_are_counted(nodes, film, alone, settings, monkeypatch, output):
    from vidstyle.cluster import stylizer as shot_stylizer

    run = shot_stylizer.Schedule.run

    def losing(self, shots):
        for shot, answers in run(self, shots):
            yield shot, answers and [answer for answer in answers if answer.get("position", 0) % 5 != 4]

    monkeypatch.setattr(shot_stylizer.Schedule, "run", losing)
    frames = []
    wanted = settings(cluster=nodes.address, keep_job=True)
    result = stylize("in.mp4", "style.png", output, wanted, on_frame=frames.append)
    assert result.stylized == FRAMES
    assert [frame.done for frame in frames] == list(range(1, FRAMES + 1))
    assert sorted(frame.index for frame in frames) == list(range(FRAMES))
    assert frames[-1].shots_done == 12
    assert {frame.image.shape for frame in frames} == {(24, 32, 3)}
    assert {math.isnan(frame.loss) for frame in frames if frame.index % 5 == 4} == {True}
    assert sorted(record.frame for record in job_history(output)) == [n for n in range(FRAMES) if n % 5 != 4]
    if output == "out.mp4":
        assert Path("out.mp4").read_bytes() == alone


PROGRAM = """
import sys
from vidstyle import Settings, stylize
seen = []
def on_frame(frame):
    seen.append(frame)
    if len(seen) == 10:
        print("under way", flush=True)
settings = Settings(iterations=1, first_iterations=2, size=32, device="cpu", cuts="cuts.txt", cluster=sys.argv[1],
                    cpus_per_shot=1, no_shared_storage=True)
stylize("in.mp4", "style.png", "out.mp4", settings, on_frame=on_frame)
"""


def test_a_killed_driver_is_gone_on_from(nodes, film, alone, settings):
    command = [sys.executable, "-c", PROGRAM, nodes.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout.readline() == "under way\n"
        assert job_status("out.mp4").is_running
        driver.send_signal(signal.SIGKILL)
    indices = []
    wanted = settings(cluster=nodes.address, no_shared_storage=True)
    result = stylize("in.mp4", "style.png", "out.mp4", wanted, on_frame=lambda frame: indices.append(frame.index))
    assert result.stylized <= FRAMES - 10
    assert len(set(indices)) == len(indices) == result.stylized
    assert Path("out.mp4").read_bytes() == alone


def test_a_shot_that_always_fails_is_reported_while_the_rest_goes_on(nodes, film, alone, settings, caplog):
    # A folder where a frame of the fifth shot is to be written.
    def obstruct(plan):
        (plan.job / "frames" / "00000016.png").mkdir()

    with pytest.raises(ClusterError, match=r"a shot failed 3 times, first number 4 \(frames 15 to 18 .*00000016"):
        stylize("in.mp4", "style.png", "out.mp4", settings(cluster=nodes.address), on_start=obstruct)
    assert "shot 4 (frames 15 to 18) failed 3 times" in caplog.text
    assert not Path("out.mp4").exists()
    status = job_status("out.mp4")
    assert (status.shots_done, status.shots) == (11, 12)
    Path("out.mp4.vidstyle/frames/00000016.png").rmdir()
    assert stylize("in.mp4", "style.png", "out.mp4", settings(cluster=nodes.address)).stylized == 4
    assert Path("out.mp4").read_bytes() == alone


def test_masks_styles_and_settings_over_time_are_had_everywhere(nodes, film, settings):
    import cv2

    rng = np.random.default_rng(5)
    for name in ("wave.png", "other/a.png", "other/b.png"):
        Path(name).parent.mkdir(exist_ok=True)
        cv2.imwrite(name, rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    Path("masks").mkdir()
    for index in range(FRAMES):
        mask = np.zeros((48, 64), np.uint8)
        mask[:, index % 30 : index % 30 + 20] = 255
        cv2.imwrite(f"masks/{index:03}.png", mask)
    Path("fades.csv").write_text("time,setting,value\n0,strength,0.5\n1s,strength,1\n")
    changes = {"region": ("masks=wave.png",), "animate": "fades.csv", "color": "content", "frames": (10, 30)}
    stylize("in.mp4", "other", "alone/", settings(**changes))
    stylize("in.mp4", "other", "out/", settings(cluster=nodes.address, no_shared_storage=True, **changes))
    ours, theirs = (sorted(Path(name).glob("*")) for name in ("out", "alone"))
    assert len(ours) == 21
    assert [path.name for path in ours] == [path.name for path in theirs]
    assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]


def test_a_machine_with_another_release_is_named(nodes, film, settings, monkeypatch):
    monkeypatch.setattr("vidstyle.job.identity.__version__", "9.9.9")
    here = os.uname().nodename
    with pytest.raises(
        ClusterError, match=rf"machine {here} has vidstyle [0-9.]+, and the render was begun with 9\.9\.9"
    ):
        stylize("in.mp4", "style.png", "out.mp4", settings(cluster=nodes.address))
    assert not Path("out.mp4.vidstyle").exists()


def test_what_no_machine_has_is_said_at_once(nodes, film, settings):
    with pytest.raises(ClusterError, match="no machine of the cluster has 99 CPUs"):
        stylize("in.mp4", "style.png", "out.mp4", settings(cluster=nodes.address, cpus_per_shot=99))


def test_a_forecast_counts_the_machines(nodes, film, settings):
    told = forecast("in.mp4", "style.png", "out.mp4", settings(cluster=nodes.address, iterations=0, first_iterations=0))
    assert any("renders 3 shots at once on 3 machines" in note for note in told.notes)
    assert not Path("out.mp4.vidstyle").exists()
