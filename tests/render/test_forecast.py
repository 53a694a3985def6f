"""A dry run: it refuses what a render refuses, says what would be done, and leaves no trace."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import make_video
from filelock import FileLock
from renders import QUICK, everything, render
from safetensors.torch import save_file

import vidstyle
from vidstyle import VidstyleError, forecast
from vidstyle.cli.main import main
from vidstyle.frames import resize
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import write_image
from vidstyle.media.write.codecs import CODECS, Encoding
from vidstyle.render.estimate import Pace
from vidstyle.render.forecast import free_bytes, render_bytes, video_bytes

H264 = Encoding("h264", "yuv420p", 16, "medium")
UNPAINTED = replace(QUICK, iterations=0, first_iterations=0)


PACE = Pace(first_frame_s=60.0, later_frame_s=20.0, width=32, height=24)


@pytest.fixture(autouse=True)
def scene(painting_scene, monkeypatch):
    """A clip of ten frames and a style in the current folder, and a pace that takes no time to measure."""
    monkeypatch.setattr("vidstyle.render.forecast.measured_pace", lambda *_: PACE)


@pytest.mark.parametrize("output", ["out.mp4", "frames/", "out.webp"])
def test_nothing_is_written(output, tmp_path, cache):
    before = everything(tmp_path, cache)
    told = forecast("in.mp4", "style.png", output, QUICK)
    assert everything(tmp_path, cache) == before
    assert (told.plan.frame_count, told.plan.done, told.is_finished) == (10, 0, False)
    assert (told.plan.width, told.plan.height) == (32, 24)
    assert told.total_s > 0 and told.first_frame_s > 0 and told.later_frame_s > 0


def test_a_still_is_one_first_frame():
    write_image(Path("photo.png"), np.full((32, 40, 3), 90, np.uint8))
    told = forecast("photo.png", "style.png", "out.jpg", QUICK)
    assert (told.codec, told.plan.frame_count, told.later_frame_s, told.duration_s) == ("jpg", 1, None, None)
    assert told.total_s == told.first_frame_s
    assert not Path("out.jpg").exists()


def test_shots_range_and_codec_are_told():
    Path("cuts.txt").write_text("4\n7\n")
    settings = replace(QUICK, cuts="cuts.txt", frames=(2, 10), codec="vp9", crf=30)
    told = forecast("in.mp4", "style.png", "out.webm", settings)
    assert told.codec == "vp9 yuv420p, crf 30"
    assert (told.cuts, told.plan.shots, told.plan.frame_count) == ((4, 7), 3, 8)
    assert told.duration_s == pytest.approx(8 / 25)


def test_time_is_measured_on_a_frame_that_is_painted_and_as_strongly_as_any(monkeypatch):
    Path("fades.csv").write_text("0,strength,0\n0.16s,strength,0.8\n0.36s,strength,0.5\n")
    Path("masks").mkdir()
    for number in range(10):
        write_image(Path(f"masks/{number}.png"), np.full((48, 64, 3), 255 * (number >= 3), np.uint8))
    measured = []
    monkeypatch.setattr(
        "vidstyle.render.forecast.measured_pace", lambda *given: measured.append(given[1:]) or Pace(1, 1, 32, 24)
    )
    settings = replace(QUICK, animate=Path("fades.csv"), mask=Path("masks"))
    forecast("in.mp4", "style.png", "out.mp4", settings)
    forecast("in.mp4", "style.png", "out.mp4", replace(settings, mask=None, frames=(5, 10)))
    (image, coverage, look), (later, everywhere, lighter) = measured
    with open_source(Path("in.mp4")) as source:
        frames = [resize(frame.image, 32, 24) for frame in source]
    assert np.array_equal(image, frames[3]) and np.array_equal(later, frames[5])
    assert coverage.is_stylized and everywhere is None
    assert (look.strength, lighter.strength) == (pytest.approx(0.8), pytest.approx(0.74))


def test_a_cluster_paints_as_many_shots_at_once_as_it_has_room_for(monkeypatch):
    monkeypatch.setattr("vidstyle.render.forecast.cluster_size", lambda settings, device, threads: (3, 2))
    monkeypatch.setattr("vidstyle.render.forecast.time.perf_counter", lambda: 0.0)
    monkeypatch.setattr("vidstyle.render.plan.check_cluster_if_asked", lambda settings: None)
    Path("cuts.txt").write_text("2\n4\n6\n8\n")
    told = forecast("in.mp4", "style.png", "out.mp4", replace(UNPAINTED, cuts="cuts.txt", cluster="auto"))
    assert told.total_s == (5 * 60 + 5 * 20) / 3
    assert "the cluster renders 3 shots at once on 2 machines, which are taken to be as fast as this one" in told.notes
    write_image(Path("photo.png"), np.full((24, 32, 3), 90, np.uint8))
    assert forecast("photo.png", "style.png", "out.jpg", replace(UNPAINTED, cluster="auto")).total_s == 60


def test_an_unfinished_render_is_told_what_is_left(tmp_path, cache):
    render(stop_after=7)
    before = everything(tmp_path, cache)
    told = forecast("in.mp4", "style.png", "out.mp4", QUICK)
    assert everything(tmp_path, cache) == before
    assert (told.plan.done, told.plan.frame_count) == (7, 10)
    # Six later frames are in the journal, so none of it is guessed.
    assert told.total_s == pytest.approx(3 * told.later_frame_s, rel=0.5)
    render()


def test_a_finished_render_is_known(tmp_path, cache):
    render()
    before = everything(tmp_path, cache)
    told = forecast("in.mp4", "style.png", "out.mp4", QUICK)
    assert everything(tmp_path, cache) == before
    assert told.is_finished
    assert (told.total_s, told.plan.frame_count) == (0, 10)


def test_restart_is_told_as_from_the_start(tmp_path):
    render(stop_after=3)
    before = everything(tmp_path)
    told = forecast("in.mp4", "style.png", "out.mp4", replace(QUICK, seed=4, restart=True))
    assert told.plan.done == 0
    assert everything(tmp_path) == before


def damage_input():
    data = bytearray(Path("in.mp4").read_bytes())
    data[200:2000] = bytes(1800)
    Path("in.mp4").write_bytes(data)


def make_output():
    Path("out.mp4").write_bytes(b"mine")


def strange_job_folder():
    Path("out.mp4.vidstyle").mkdir()
    Path("out.mp4.vidstyle/diary.txt").write_text("mine")


def unfinished_job():
    render(settings=replace(QUICK, seed=9), stop_after=2)


def damaged_manifest():
    unfinished_job()
    Path("out.mp4.vidstyle/manifest.json").write_text("{")


def wrong_weights():
    save_file({}, "wrong.safetensors")


def wrong_mask():
    write_image(Path("mask.png"), np.full((48, 48, 3), 255, np.uint8))


def nothing():
    pass


REFUSED = {
    "output exists": (make_output, {}, {}),
    "output is the input": (nothing, {"output": "in.mp4"}, {}),
    "output is the style": (nothing, {"output": "style.png"}, {}),
    "no such folder": (nothing, {"output": "none/out.mp4"}, {}),
    "unknown suffix": (nothing, {"output": "out.txt"}, {}),
    "a picture for many frames": (nothing, {"output": "out.jpg"}, {}),
    "no input": (nothing, {"source": "none.mp4"}, {}),
    "no style": (nothing, {"style": "none.png"}, {}),
    "damaged input": (damage_input, {}, {}),
    "no such layer": (nothing, {}, {"content_layer": "relu5_1"}),
    "no such codec there": (nothing, {}, {"codec": "prores"}),
    "crf for a folder": (nothing, {"output": "out/"}, {"crf": 3}),
    "format for a video": (nothing, {}, {"frame_format": "jpg"}),
    "no such stream": (nothing, {}, {"stream": 7}),
    "beyond the end": (nothing, {}, {"frames": (50, None)}),
    "no list of cuts": (nothing, {}, {"cuts": "none.txt"}),
    "no weights": (nothing, {}, {"weights": Path("none.safetensors")}),
    "wrong weights": (wrong_weights, {}, {"weights": Path("wrong.safetensors")}),
    "another job": (unfinished_job, {}, {}),
    "damaged job": (damaged_manifest, {}, {"seed": 9}),
    "not a job": (strange_job_folder, {}, {}),
    "no mask": (nothing, {}, {"mask": Path("none.png")}),
    "mask of another shape": (wrong_mask, {}, {"mask": Path("mask.png")}),
    "no such device": (nothing, {}, {"device": "mps"}),
    "no cluster": (nothing, {}, {"cluster": "127.0.0.1:1"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_render_refuses_is_refused_in_the_same_words(name, tmp_path):
    prepare, places, changes = REFUSED[name]
    prepare()
    arguments = {"source": "in.mp4", "style": "style.png", "output": "out.mp4"} | places
    settings = replace(QUICK, **changes)
    before = everything(tmp_path)
    with pytest.raises(VidstyleError) as of_forecast:
        forecast(*arguments.values(), settings)
    assert everything(tmp_path) == before
    with pytest.raises(VidstyleError) as of_render:
        vidstyle.stylize(*arguments.values(), settings)
    assert str(of_forecast.value) == str(of_render.value)
    assert type(of_forecast.value) is type(of_render.value)


def test_a_job_that_is_being_painted_is_refused():
    render(stop_after=2)
    with FileLock("out.mp4.vidstyle/lock"):
        for call in (forecast, vidstyle.stylize):
            with pytest.raises(VidstyleError, match="another vidstyle is at work on this job"):
                call("in.mp4", "style.png", "out.mp4", QUICK)


def test_nothing_is_fetched(tmp_path, cache, monkeypatch):
    def never(*_):
        raise AssertionError("asked the network")

    monkeypatch.setattr("vidstyle.weights.fetching._fetch", never)
    before = everything(tmp_path, cache)
    told = forecast("in.mp4", "style.png", "out.mp4", replace(QUICK, network="vgg19"))
    assert everything(tmp_path, cache) == before
    assert (told.total_s, told.first_frame_s, told.memory_bytes) == (None, None, None)
    assert told.plan.frame_count == 10
    assert any("VGG-19's weights are not here yet" in note for note in told.notes)


def test_too_little_room_is_said(monkeypatch):
    monkeypatch.setattr("vidstyle.render.forecast.free_bytes", lambda folder: 1000)
    told = forecast("in.mp4", "style.png", "out.mp4", UNPAINTED)
    assert told.free_bytes == 1000 < told.disk_bytes
    assert any("may run out of room" in note for note in told.notes)


def test_the_command_line_prints_it(tmp_path, capsys):
    before = everything(tmp_path)
    words = ["in.mp4", "--style", "style.png", "-o", "out.mp4", "--size", "32", "--iterations", "0", "--device", "cpu"]
    words += ["--first-iterations", "0", "--dry-run"]
    assert main(words) == 0
    printed = capsys.readouterr().out.splitlines()
    names = ["input", "output", "style", "shots", "network", "time", "disk", "memory"]
    assert [line.split()[0] for line in printed] == names
    assert printed[0].endswith(f"in.mp4: 10 frames, {10 / 25:.2f} s")
    assert printed[1].endswith("out.mp4: 32x24, h264 yuv420p, crf 16")
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert everything(tmp_path) == before
    assert main([*words[:-1], "--status", "out.mp4", "--dry-run"]) == 2


def test_a_folder_is_told_in_its_format(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(2):
        write_image(folder / f"{number}.png", np.full((32, 40, 3), 90 + number, np.uint8))
    told = forecast(folder, "style.png", f"painted{os.sep}", replace(UNPAINTED, frame_format="tiff"))
    assert told.codec == "tiff"
    make_video(Path("one.mp4"), frames=1)
    assert forecast("one.mp4", "style.png", "one.webp", UNPAINTED).codec == "webp"


def test_the_look_is_told(tmp_path):
    Path("fades.csv").write_text("0,strength,1\n0,content-weight,2\n")
    write_image(Path("mask.png"), np.full((48, 64, 3), 255, np.uint8))
    told = forecast("in.mp4", "style.png", "out.mp4", replace(UNPAINTED, animate="fades.csv", mask="mask.png"))
    assert told.look == (
        ("style", "style.png"),
        ("mask", "mask.png: what it shows white is painted"),
        ("changes", "strength, content-weight, as fades.csv says"),
    )


def test_every_codec_has_its_figure_and_better_quality_takes_more():
    for name, codec in CODECS.items():
        usual = Encoding(name, "yuv420p", codec.crf, None)
        assert video_bytes(usual, 1000, 10) > 0
        if codec.crf is not None:
            better = Encoding(name, "yuv420p", codec.crf - 8, None)
            assert video_bytes(better, 1000, 10) > 1.2 * video_bytes(usual, 1000, 10)


def test_a_video_takes_its_size_several_times_and_a_segment_of_frames():
    assert video_bytes(H264, 640 * 360, 1000) == pytest.approx(0.45 / 8 * 640 * 360 * 1000)
    beside = render_bytes(H264, 640 * 360, 1000, is_png=True, is_elsewhere=False)
    assert beside == pytest.approx(2.5 * 0.45 / 8 * 640 * 360 * 1000 + 240 * 2.2 * 640 * 360)
    assert render_bytes(H264, 640 * 360, 1000, is_png=True, is_elsewhere=True) > beside


def test_a_folder_takes_its_frames_and_in_another_format_twice():
    as_png = render_bytes(None, 1000, 50, is_png=True, is_elsewhere=False)
    assert as_png == 110_000
    assert render_bytes(None, 1000, 50, is_png=False, is_elsewhere=False) == 2 * as_png
    assert render_bytes(None, 1000, 50, is_png=True, is_elsewhere=False, is_recolored=True) == 2 * as_png


def test_room_is_asked_of_the_nearest_folder_that_is_there(tmp_path):
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.1)
