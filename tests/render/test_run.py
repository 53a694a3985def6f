"""Renders that are stopped, changed, damaged and continued, in process."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from clips import make_folder, make_video, picture
from renders import QUICK, contents, memory_failures, render

from vidstyle import Settings, forecast, job_status, stylize
from vidstyle.errors import JobChangedError, JobError, OutputError, SourceError
from vidstyle.job.journal import read_journal
from vidstyle.job.lock import locked

pytestmark = pytest.mark.usefixtures("painting_scene")


@pytest.mark.parametrize("output", ["out.mp4", "out/"])
def test_stopped_after_every_frame_it_comes_out_the_same(output):
    whole, _, _ = render(f"whole_{output}")
    for done in range(9):
        result, plan, frames = render(output, stop_after=1)
        assert result is None
        assert (plan.done, plan.frame_count) == (done, 10)
        assert [(frame.index, frame.done) for frame in frames] == [(done, done + 1)]
    result, plan, frames = render(output)
    assert (result.frames, result.stylized, plan.done) == (10, 1, 9)
    assert contents(result.output) == contents(whole.output)
    assert not Path("out.mp4.vidstyle").exists()


CHANGES = {
    "a setting": (lambda: replace(QUICK, style_weight=31.0), "--style-weight was 30.0, is 31.0"),
    "another": (lambda: replace(QUICK, size=48), "--size was 32, is 48"),
    "a range": (lambda: replace(QUICK, frames=(1, 9)), "--frames was 0:, is 1:9"),
    "cuts": (lambda: replace(QUICK, cuts="auto"), "--cuts was off, is auto"),
    "precision": (lambda: replace(QUICK, precision="float32"), "precision was bfloat16, is float32"),
    "input": (lambda: make_video(Path("in.mp4"), frames=11), "input was in.mp4 ("),
    "style": (lambda: cv2.imwrite("style.png", picture(3)), "style was style.png ("),
    "weights": (lambda: replace(QUICK, weights=other_weights()), "weights was compact.safetensors ("),
}


def other_weights():
    from safetensors.torch import load_file, save_file

    from vidstyle.weights.loading import weights_file

    state = load_file(weights_file("compact"))
    save_file({name: tensor * 1.01 for name, tensor in state.items()}, "mine.safetensors")
    return Path("mine.safetensors")


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changed_is_named_and_nothing_is_lost(what):
    change, said = CHANGES[what]
    settings = replace(QUICK, precision="bfloat16")
    render(settings=settings, stop_after=3)
    before = contents(Path("out.mp4.vidstyle/frames"))
    changed = change()
    changed = replace(changed, precision=changed.precision.replace("auto", "bfloat16")) if isinstance(
        changed, Settings
    ) else settings  # fmt: skip
    with pytest.raises(JobChangedError) as caught:
        render(settings=changed)
    assert said in str(caught.value)
    assert "--restart" in str(caught.value)
    assert contents(Path("out.mp4.vidstyle/frames")) == before
    assert render(settings=replace(changed, restart=True), stop_after=1)[1].done == 0


def test_names_and_places_do_not_count(tmp_path):
    render(stop_after=3)
    (tmp_path / "elsewhere").mkdir()
    for name in ("in.mp4", "style.png", "out.mp4.vidstyle"):
        shutil.move(name, tmp_path / "elsewhere" / name)
    result, plan, _ = render("elsewhere/out.mp4", source="elsewhere/in.mp4", style="elsewhere/style.png")
    assert plan.done == 3
    assert result.stylized == 7


@pytest.mark.parametrize("damage", ["frame", "segment", "record", "kept frame"])
def test_what_was_damaged_is_painted_again(damage):
    whole, _, _ = render("whole.mp4")
    render(stop_after=7)
    job = Path("out.mp4.vidstyle")
    file = {
        "frame": job / "frames" / "00000005.png",
        "segment": job / "segments" / "00000000-00000004.segment",
        "record": job / "segments" / "00000000-00000004.json",
        "kept frame": job / "frames" / "00000003.png",
    }[damage]
    file.write_bytes(file.read_bytes()[:-9])
    result, _plan, frames = render()
    # The first frame of a shot and the last of a segment stay until the shot is done.
    again = {"frame": [5], "segment": [1, 2], "record": [1, 2], "kept frame": []}[damage]
    assert [frame.index for frame in frames] == [*again, 7, 8, 9]
    assert contents(result.output) == contents(whole.output)


CHAINS = {
    "long-term": {"temporal_window": (1, 3)},
    "noise": {"init": "noise"},
    "content": {"init": "content"},
    "off": {"flow": "off"},
}


@pytest.mark.parametrize("chain", CHAINS)
def test_every_kind_of_chain_goes_on_over_segments_as_if_nothing_had_happened(chain):
    settings = replace(QUICK, **CHAINS[chain])
    whole, _, _ = render("whole.mp4", settings)
    for _ in range(3):
        assert render(settings=settings, stop_after=3)[0] is None
    result, _, frames = render(settings=settings)
    assert len(frames) == 1
    assert contents(result.output) == contents(whole.output)


@pytest.mark.parametrize("chain", ["warped", "content"])
def test_a_memory_fallback_stays_after_an_interruption(monkeypatch, chain):
    failures = memory_failures(monkeypatch)

    def on_frame(frame):
        if frame.done == 2:
            failures[0] = 3  # the third frame, once more, and in tiles
        if frame.done == 4:
            raise KeyboardInterrupt

    settings = replace(QUICK, init=chain, keep_job=True)
    with pytest.raises(KeyboardInterrupt):
        stylize("in.mp4", "style.png", "out.mp4", settings, on_frame=on_frame)
    assert render(settings=settings)[0].stylized == 6
    assert [entry.fallback for entry in read_journal(Path("out.mp4.vidstyle"))] == [0, 0] + [2] * 8


def test_a_job_of_version_0_2_is_refused_in_one_line_and_left_as_it_is():
    render(stop_after=2)
    manifest, journal = (Path("out.mp4.vidstyle", name) for name in ("manifest.json", "journal.jsonl"))
    content = json.loads(manifest.read_text())
    content |= {"format": 1, "versions": content["versions"] | {"vidstyle": "0.2.0"}}
    manifest.write_text(json.dumps(content))
    journal.write_text(journal.read_text().replace('"fallback"', '"economy"'))
    before = [path.read_bytes() for path in sorted(manifest.parent.rglob("*.*"))]
    remedy = "finish the job with vidstyle 0.2.0, or throw it away with --restart"
    for call in (stylize, forecast, lambda source, style, output, settings: job_status(output)):
        with pytest.raises(JobError) as caught:
            call("in.mp4", "style.png", "out.mp4", QUICK)
        said = str(caught.value)
        assert said.startswith(str(manifest) + ": begun by vidstyle 0.2.0 (job format 1), ") and said.endswith(remedy)
        assert "\n" not in said
    assert [path.read_bytes() for path in sorted(manifest.parent.rglob("*.*"))] == before
    assert render(settings=replace(QUICK, restart=True))[0].stylized == 10


def test_the_job_may_lie_elsewhere():
    settings = replace(QUICK, job_dir=Path("jobs"))
    render(settings=settings, stop_after=2)
    assert Path("jobs/manifest.json").is_file()
    assert not Path("out.mp4.vidstyle").exists()
    assert render(settings=settings)[0].stylized == 8
    assert not Path("jobs").exists()


def test_somebody_elses_folder_is_not_taken_for_a_job():
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    for restart in (False, True):
        with pytest.raises(JobError, match=r"mine: is no job folder, since it holds thesis\.txt"):
            render(settings=replace(QUICK, job_dir=Path("mine"), restart=restart))
    Path("file").write_text("x")
    with pytest.raises(JobError, match="is a file"):
        render(settings=replace(QUICK, job_dir=Path("file")))
    assert [p.name for p in Path("mine").iterdir()] == ["thesis.txt"]


def test_a_second_render_of_the_same_job_is_refused():
    render(stop_after=2)
    with locked(Path("out.mp4.vidstyle")), pytest.raises(JobError, match="another vidstyle is at work"):
        render()
    assert render()[0].stylized == 8


def test_a_job_deleted_under_way_is_a_clear_error():
    def deleting(frame):
        if frame.done == 2:
            shutil.rmtree("out.mp4.vidstyle")

    with pytest.raises(JobError, match="job folder was deleted meanwhile"):
        stylize("in.mp4", "style.png", "out.mp4", QUICK, on_frame=deleting)
    assert render()[0].stylized == 10


def test_what_must_be_put_back_is_said():
    render(stop_after=2)
    style = Path("style.png").read_bytes()
    cv2.imwrite("style.png", picture(3))
    with pytest.raises(JobChangedError, match="put the old style back to finish it"):
        render()
    Path("style.png").write_bytes(style)
    with pytest.raises(JobChangedError, match=r"finish it with: vidstyle .*in\.mp4 --style"):
        render(settings=replace(QUICK, seed=5))
    assert render()[0].stylized == 8


def test_a_changed_network_is_said_before_its_weights_are_fetched(monkeypatch):
    def fetching(*_):
        raise AssertionError("fetched")

    render(stop_after=2)
    monkeypatch.setattr("vidstyle.render.plan.weights_file", fetching)
    with pytest.raises(JobChangedError, match="--network was compact, is vgg19"):
        render(settings=replace(QUICK, network="vgg19"))


def test_workers_without_work_are_noted():
    assert render(settings=replace(QUICK, workers=3))[0].notes == ("1 shot to render, so 1 process did",)


def test_cuts_that_all_lie_elsewhere_are_noted():
    Path("cuts.txt").write_text("9999\n")
    assert render(settings=replace(QUICK, cuts="cuts.txt"))[0].notes == (
        "cuts.txt: none of its cuts lies within the render",
    )


def test_restart_throws_nothing_away_before_the_new_plan_stands():
    render(stop_after=3)
    Path("cuts.txt").write_text("soon\n")
    with pytest.raises(SourceError):
        render(settings=replace(QUICK, restart=True, cuts="cuts.txt"))
    assert render()[1].done == 3


def test_names_that_would_collide_are_told_apart():
    make_folder(Path("frames"), ["a.png", "a.jpg", "a.png.png"])
    render("out/", source="frames")
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.jpg.png", "a.png.png", "a.png_2.png"]


def test_other_versions_are_noted(monkeypatch):
    monkeypatch.setattr("vidstyle.render.plan.versions_of", lambda _: {"torch": "2.99.0"})
    render(stop_after=1)
    monkeypatch.setattr("vidstyle.render.plan.versions_of", lambda _: {"torch": "3.0.0"})
    assert render()[0].notes == ("begun with other versions (torch 2.99.0, now 3.0.0); frames may differ minutely",)


def test_the_chain_starts_afresh_at_a_cut():
    Path("cuts.txt").write_text("4\n0.28s\n")
    result, plan, frames = render(settings=replace(QUICK, cuts="cuts.txt"))
    assert plan.shots == 3
    assert [frame.evaluations for frame in frames] == [3, 2, 2, 2, 3, 2, 2, 3, 2, 2]
    # Each shot by itself gives the same frames.
    alone, _, _ = render("alone/", replace(QUICK, frames=(4, 7)))
    render("all/", replace(QUICK, cuts="cuts.txt"))
    assert contents(alone.output)[:3] == contents(Path("all"))[4:7]
    assert result.frames == 10


def test_a_cut_is_found_and_kept():
    images = [picture(0)] * 6 + [picture(9)[::-1, ::-1] // 2 + 100] * 6
    make_video(Path("two.mp4"), images=images)
    _, plan, frames = render("two_out.mp4", replace(QUICK, cuts="auto"), "two.mp4", stop_after=8)
    assert plan.shots == 2
    assert [frame.evaluations for frame in frames] == [3, 1, 1, 1, 1, 1, 3, 2]  # repeats are done at once
    assert render("two_out.mp4", replace(QUICK, cuts="auto"), "two.mp4")[1].shots == 2


def test_a_bad_list_of_cuts_leaves_no_trace():
    Path("cuts.txt").write_text("soon\n")
    with pytest.raises(SourceError, match=r"cuts\.txt.*line 1"):
        render(settings=replace(QUICK, cuts="cuts.txt"))
    with pytest.raises(SourceError, match=r"none\.txt"):
        render(settings=replace(QUICK, cuts="none.txt"))
    assert not Path("out.mp4.vidstyle").exists()


def test_an_input_that_shrinks_under_way_is_noticed():
    make_folder(Path("frames"), [f"f{k}.png" for k in range(6)])

    def on_analysis(seen, count):
        if seen == count:
            Path("frames/f4.png").unlink()

    with pytest.raises(SourceError, match=r"f4\.png"):
        stylize("frames", "style.png", "out/", QUICK, on_analysis=on_analysis)


def test_what_was_noted_of_the_input_is_not_forgotten():
    make_folder(Path("frames"), ["f1.png", "f2.png", "f5.png"])
    render(source="frames/f%d.png", stop_after=1)
    assert render(source="frames/f%d.png")[0].notes == (
        "f%d.png: 2 numbers are missing (the first is 3); the frames around them follow each other",
    )


def test_frames_keep_their_names_when_continued():
    make_folder(Path("frames"), ["b.png", "a 10.png", "a 9.png"])
    render("out/", source="frames", stop_after=1)
    render("out/", source="frames")
    assert sorted(p.name for p in Path("out").iterdir()) == ["a 10.png", "a 9.png", "b.png"]


def test_folder_sources_with_an_unreadable_frame_continue():
    make_folder(Path("frames"), [f"f{k}.png" for k in range(6)])
    Path("frames/f2.png").write_bytes(b"no picture")
    settings = replace(QUICK, keep_going=True)
    render("out/", settings, "frames", stop_after=3)
    result = render("out/", settings, "frames")[0]
    assert (result.stylized, result.frames) == (2, 5)
    assert sorted(p.stem for p in Path("out").iterdir()) == ["f0", "f1", "f3", "f4", "f5"]
    assert any("f2.png" in note for note in result.notes)


def test_a_side_lost_to_the_pixel_format_is_said():
    odd = make_video(Path("odd.mkv"), frames=2, size=(65, 49), codec="ffv1")
    settings = replace(QUICK, size="source", iterations=0, first_iterations=0)
    result = stylize(odd, "style.png", "even.mp4", settings)
    assert (result.width, result.height) == (64, 48)
    assert result.notes == (
        "even.mp4: 65x49 becomes 64x48, since its pixel format has even sides; --pix-fmt yuv444p keeps the size",
    )
    kept = stylize(odd, "style.png", "odd.mp4", replace(settings, pix_fmt="yuv444p"))
    assert (kept.width, kept.height, kept.notes) == (65, 49, ())


@pytest.mark.parametrize(("output", "gap_s"), [("out.gif", 700), ("out.webp", 20_000), ("out.mp4", 3_000_000)])
def test_a_frame_shown_for_longer_than_a_container_can_tell_is_refused_first(output, gap_s):
    folder = make_folder(Path("slow"), ["a.png", "b.png"])
    (folder / "timestamps.csv").write_text(f"file,seconds\na.png,0.001\nb.png,{gap_s}\n")
    with pytest.raises(OutputError, match=r"a frame is shown for .* s, and .* can tell .* s here; end the output in"):
        stylize(folder, "style.png", output, replace(QUICK, fps=None))
    assert not Path(output).exists()
    assert not Path(f"{output}.vidstyle").exists()
