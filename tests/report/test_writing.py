"""From a finished render to its page, and what stands in the way."""

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
from vidstyle.report import writing

pytestmark = [pytest.mark.usefixtures("painting_scene"), needs_matplotlib]
REPORT = replace(QUICK, report=Path("page.html"))
PAGE = Path("page.html")


def chronicle_files(cache):
    return list((cache / "finished").glob("*.render.gz"))


@pytest.mark.parametrize(("output", "source"), [("out.mp4", "in.mp4"), ("out/", "in.mp4"), ("out.png", "photo.png")])
def test_a_render_writes_its_page_and_writes_the_same_again_later(output, source, tmp_path_factory, monkeypatch):
    cv2.imwrite("photo.png", picture(4))
    result, _, _ = render(output, REPORT, source)
    first = PAGE.read_bytes()
    assert Path(output).name.encode() in first
    assert not list(Path().glob("*.vidstyle"))
    assert render(output, REPORT, source)[0].was_finished
    assert PAGE.read_bytes() == first
    assert vidstyle.report(result.output, "later.html") == Path("later.html")
    assert Path("later.html").read_bytes() == first
    made = result.output.resolve()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert vidstyle.report(made, "page.html").read_bytes() == first


def test_a_render_without_one_can_have_it_later():
    render()
    assert not PAGE.exists()
    result, _, frames = render(settings=REPORT)
    assert (result.was_finished, frames) == (True, [])
    later = PAGE.read_bytes()
    render("other.mp4", REPORT)
    assert len(later) > 1000


def test_the_status_of_a_finished_render_can_have_it_too(capsys):
    render()
    assert main(["--status", "out.mp4", "--report", "page.html"]) == 0
    assert capsys.readouterr().out.splitlines() == ["out.mp4: 10 of 10 frames (100.0 %), finished", "wrote page.html"]
    first = PAGE.read_bytes()
    render(settings=REPORT)
    assert PAGE.read_bytes() == first


def test_it_names_what_was_given_and_no_other_folder(tmp_path):
    render(settings=replace(REPORT, job_dir=tmp_path / "job"))
    text = PAGE.read_text(encoding="utf-8")
    for folder in (tmp_path, tmp_path.parent, Path.home()):
        assert str(folder) not in text
    assert "vidstyle in.mp4 --style style.png -o out.mp4 --size 32" in text


@pytest.mark.parametrize("remains", ["cache", "kept job", "nothing"])
def test_without_what_was_kept_the_page_says_what_is_not_known(cache, remains):
    settings = replace(QUICK, keep_job=remains == "kept job", cuts="auto")
    render(settings=settings)
    if remains != "cache":
        for file in chronicle_files(cache):
            file.unlink()
    assert render(settings=replace(settings, report=PAGE))[0].was_finished
    text = PAGE.read_text(encoding="utf-8")
    assert ("are not known any more" in text) == (remains == "nothing")
    assert text.count("<svg") == (1 if remains == "nothing" else 4)


@pytest.mark.parametrize(
    ("page", "words"),
    [("page.txt", "end its name in .html"), ("no/page.html", "no such folder"), ("folder.html", "is a folder")],
)
def test_what_stands_in_the_way_is_said_before_anything_is_painted(page, words):
    Path("folder.html").mkdir()
    seen = []
    with pytest.raises(OutputError, match=words):
        vidstyle.stylize("in.mp4", "style.png", "out.mp4", replace(QUICK, report=page), on_frame=seen.append)
    assert seen == []
    assert not Path("out.mp4").exists()
    assert not Path("out.mp4.vidstyle").exists()


def test_another_page_is_replaced_only_with_overwrite():
    PAGE.write_text("<!doctype html><title>mine</title>")
    with pytest.raises(OutputError, match=r"page.html: exists already, and is no report; .*--overwrite"):
        render(settings=REPORT)
    assert not Path("out.mp4").exists()
    render()
    with pytest.raises(OutputError, match="is no report"):
        vidstyle.report("out.mp4", PAGE)
    assert PAGE.read_text().endswith("mine</title>")
    vidstyle.report("out.mp4", PAGE, overwrite=True)
    assert writing.is_report(PAGE)


def test_without_matplotlib_nothing_is_painted(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ReportError, match=r"pip install 'vidstyle\[report\]'"):
        render(settings=REPORT)
    assert not Path("out.mp4").exists()
    words = ["in.mp4", "--style", "style.png", "-o", "out.mp4", "--report", "page.html", "--size", "32"]
    assert main(words) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not Path("out.mp4").exists()


@pytest.mark.parametrize("error", [RuntimeError("no ink"), OSError(28, "No space left on device"), MemoryError()])
def test_a_page_that_fails_leaves_the_render_finished(monkeypatch, error):
    def broken(*_):
        raise error

    with monkeypatch.context() as patch, pytest.raises(OutputError, match=r"out.mp4 itself is finished") as caught:
        patch.setattr(writing, "page_text", broken)
        render(settings=REPORT)
    assert caught.value.__cause__ is error
    assert not PAGE.exists()
    assert not Path("out.mp4.vidstyle").exists()
    assert vidstyle.job_status("out.mp4").is_finished
    assert render(settings=REPORT)[0].was_finished
    assert PAGE.exists()


def test_a_page_appears_whole_or_not_at_all(monkeypatch):
    render(settings=REPORT)
    first = PAGE.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match=r"page.html: cannot be written"):
        patch.setattr("vidstyle.files.os.fsync", full)
        vidstyle.report("out.mp4", PAGE)
    assert PAGE.read_bytes() == first
    assert sorted(p.name for p in Path().iterdir()) == ["in.mp4", "out.mp4", "page.html", "style.png"]


def test_a_page_that_appears_meanwhile_is_not_overwritten():
    def appearing(frame):
        PAGE.write_text("mine")

    with pytest.raises(OutputError, match=r"is no report; .* itself is finished"):
        vidstyle.stylize("in.mp4", "style.png", "out.mp4", REPORT, on_frame=appearing)
    assert PAGE.read_text() == "mine"
    assert render(settings=replace(REPORT, overwrite=True))[0].was_finished
    assert writing.is_report(PAGE)


def test_the_command_is_that_of_the_last_step():
    render(stop_after=3)
    render(settings=replace(REPORT, no_audio=True))
    assert "--size 32 --iterations 1" in PAGE.read_text(encoding="utf-8")
    assert "--no-audio" in PAGE.read_text(encoding="utf-8")


def test_stopped_at_its_page_a_render_goes_on_there(monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "gathered", stop)
        assert render(settings=REPORT)[0] is None
    assert Path("out.mp4").is_file()
    result, _, frames = render(settings=REPORT)
    assert (result.was_finished, frames) == (True, [])
    assert not Path("out.mp4.vidstyle").exists()
    assert PAGE.exists()


def test_what_is_unknown_unfinished_or_edited_has_no_page():
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


def test_a_forecast_writes_none_and_refuses_what_a_render_would():
    vidstyle.forecast("in.mp4", "style.png", "out.mp4", REPORT)
    assert not PAGE.exists()
    with pytest.raises(OutputError, match=r"end its name in .html"):
        vidstyle.forecast("in.mp4", "style.png", "out.mp4", replace(QUICK, report=Path("in.mp4")))
