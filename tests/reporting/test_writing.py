"""From a finished render to its report, and what stands in the way."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from clips import picture
from renders import QUICK, render
from reports import needs_matplotlib

import vidstyle
from vidstyle.cli.main import main
from vidstyle.errors import JobError, OutputError, ReportError
from vidstyle.reporting import page

pytestmark = needs_matplotlib
PAGE = Path("page.html")
REPORT = replace(QUICK, report=PAGE, frames=(0, 4))


@pytest.mark.parametrize(("output", "source"), [("out.mp4", "in.mp4"), ("out/", "in.mp4"), ("out.png", "photo.png")])
def test_a_render_writes_its_page_and_writes_the_same_again_later(
    painting_scene, output, source, tmp_path_factory, monkeypatch
):
    cv2.imwrite("photo.png", picture(4))
    settings = REPORT if source == "in.mp4" else replace(QUICK, report=PAGE)
    result, _, _ = render(output, settings, source)
    first = PAGE.read_bytes()
    assert Path(output).name.encode() in first
    assert not list(Path().glob("*.vidstyle"))
    assert render(output, settings, source)[0].was_finished
    assert PAGE.read_bytes() == first
    assert vidstyle.report(result.output, "later.html") == Path("later.html")
    assert Path("later.html").read_bytes() == first
    made = result.output.resolve()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert vidstyle.report(made, "page.html").read_bytes() == first


def test_the_status_of_a_finished_render_can_have_it_too(finished, capsys):
    assert main(["--status", "out.mp4", "--report", "page.html"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["out.mp4: 6 of 6 frames (100.0 %), finished", "wrote page.html"]
    assert page.is_report(PAGE)


def test_it_names_what_was_given_and_no_other_folder(painting_scene, tmp_path):
    render(settings=replace(REPORT, job_dir=tmp_path / "job"))
    text = PAGE.read_text(encoding="utf-8")
    for folder in (tmp_path, tmp_path.parent, Path.home()):
        assert str(folder) not in text
    assert "vidstyle in.mp4 --style style.png -o out.mp4 --size 32" in text


@pytest.mark.parametrize("remains", ["kept job", "nothing"])
def test_without_what_was_kept_the_page_says_what_is_not_known(painting_scene, cache, remains):
    settings = replace(REPORT, report=None, keep_job=remains == "kept job")
    render(settings=settings)
    for file in (cache / "finished").glob("*.gz"):
        file.unlink()
    assert render(settings=replace(settings, report=PAGE))[0].was_finished
    text = PAGE.read_text(encoding="utf-8")
    assert ("are not known any more" in text) == (remains == "nothing")
    assert text.count("<svg") == (1 if remains == "nothing" else 4)


@pytest.mark.parametrize(
    ("name", "words"),
    [("page.txt", "end its name in .html"), ("no/page.html", "no such folder"), ("folder.html", "is a folder")],
)
def test_what_stands_in_the_way_is_said_before_anything_is_painted(painting_scene, name, words):
    Path("folder.html").mkdir()
    seen = []
    for call in (vidstyle.stylize, vidstyle.forecast):
        more = {"on_frame": seen.append} if call is vidstyle.stylize else {}
        with pytest.raises(OutputError, match=words):
            call("in.mp4", "style.png", "out.mp4", replace(QUICK, report=name), **more)
    assert seen == []
    assert not Path("out.mp4").exists()
    assert not Path("out.mp4.vidstyle").exists()


def test_another_page_is_replaced_only_with_overwrite(finished):
    PAGE.write_text("<!doctype html><title>mine</title>")
    with pytest.raises(OutputError, match=r"page.html: exists already, and is no report; .*--overwrite"):
        render("other.mp4", REPORT)
    assert not Path("other.mp4").exists()
    with pytest.raises(OutputError, match="is no report"):
        vidstyle.report("out.mp4", PAGE)
    assert PAGE.read_text().endswith("mine</title>")
    vidstyle.report("out.mp4", PAGE, overwrite=True)
    assert page.is_report(PAGE)


def test_without_matplotlib_nothing_is_painted(painting_scene, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ReportError, match=r"pip install 'vidstyle\[report\]'"):
        render(settings=REPORT)
    assert not Path("out.mp4").exists()
    words = ["in.mp4", "--style", "style.png", "-o", "out.mp4", "--report", "page.html", "--size", "32"]
    assert main(words) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not Path("out.mp4").exists()


def test_a_page_that_fails_leaves_the_render_finished(painting_scene, monkeypatch):
    error = MemoryError()

    def broken(*_):
        raise error

    with monkeypatch.context() as patch, pytest.raises(OutputError, match=r"out.mp4 itself is finished") as caught:
        patch.setattr(page, "page_text", broken)
        render(settings=REPORT)
    assert caught.value.__cause__ is error
    assert not PAGE.exists()
    assert not Path("out.mp4.vidstyle").exists()
    assert vidstyle.job_status("out.mp4").is_finished
    assert render(settings=REPORT)[0].was_finished
    assert PAGE.exists()


def test_a_page_appears_whole_or_not_at_all(finished, monkeypatch):
    vidstyle.report("out.mp4", PAGE)
    before, names = PAGE.read_bytes(), sorted(path.name for path in Path().iterdir())

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match=r"page.html: cannot be written"):
        patch.setattr("vidstyle.files.os.fsync", full)
        vidstyle.report("out.mp4", PAGE)
    assert PAGE.read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == names


def test_a_page_that_appears_meanwhile_is_not_overwritten(painting_scene):
    def appearing(frame):
        PAGE.write_text("mine")

    with pytest.raises(OutputError, match=r"is no report; .* itself is finished"):
        vidstyle.stylize("in.mp4", "style.png", "out.mp4", REPORT, on_frame=appearing)
    assert PAGE.read_text() == "mine"
    assert render(settings=replace(REPORT, overwrite=True))[0].was_finished
    assert page.is_report(PAGE)


def test_stopped_at_its_page_a_render_goes_on_there_and_shows_the_command_of_the_last_step(painting_scene, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    render(settings=replace(REPORT, report=None), stop_after=3)
    settings = replace(REPORT, no_audio=True)
    with monkeypatch.context() as patch:
        patch.setattr(page, "read_report_data", stop)
        assert render(settings=settings)[0] is None
    assert Path("out.mp4").is_file()
    result, _, frames = render(settings=settings)
    assert (result.was_finished, frames) == (True, [])
    assert not Path("out.mp4.vidstyle").exists()
    text = PAGE.read_text(encoding="utf-8")
    assert "--size 32 --iterations 1" in text
    assert "--no-audio" in text


def test_what_is_unknown_unfinished_or_edited_has_no_page(painting_scene):
    with pytest.raises(JobError, match=r"in.mp4: no finished render is known by this name"):
        vidstyle.report("in.mp4", PAGE)
    render(stop_after=3)
    with pytest.raises(JobError, match=r"out.mp4: no finished render"):
        vidstyle.report("out.mp4", PAGE)
    render()
    Path("out.mp4").write_bytes(b"edited")
    with pytest.raises(JobError, match=r"out.mp4: was changed since it was painted"):
        vidstyle.report("out.mp4", PAGE)
    assert not PAGE.exists()
