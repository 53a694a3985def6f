"""What is kept of a render when it ends."""

from dataclasses import replace
from pathlib import Path

from jobs import make_job, make_manifest

from vidstyle.job.journal import JournalEntry
from vidstyle.render.run import _kept_job, record_of
from vidstyle.settings import Settings
from vidstyle.settings.words import to_json


def kept(settings, styles=(Path("a.jpg"),), target="out.mp4"):
    return record_of(make_manifest(settings=to_json(settings)), [], styles, target, ["note"], "digest")


def test_the_command_is_what_paints_the_same_without_what_is_of_one_run():
    settings = Settings(size=99, report="r.html", overwrite=True, job_dir="/home/me/job", keep_job=True)
    render_record = kept(settings, (Path("a.jpg"), Path("b.jpg")), "out/")
    assert render_record.command.split() == [
        "vidstyle",
        "in",
        "--style",
        "a.jpg",
        "b.jpg",
        "-o",
        "out/",
        "--size",
        "99",
    ]
    assert 'style = ["a.jpg", "b.jpg"]' in render_record.config
    assert "r.html" not in render_record.config
    assert (render_record.styles, render_record.notes, render_record.content) == (
        ("a.jpg", "b.jpg"),
        ("note",),
        "digest",
    )


def test_styles_of_moments_are_in_the_command_once():
    render_record = kept(Settings(style_at=("0:a.jpg", "2s:b.jpg")), (Path("a.jpg"), Path("b.jpg")))
    assert render_record.command.split() == ["vidstyle", "in", "-o", "out.mp4", "--style-at", "0:a.jpg", "2s:b.jpg"]
    assert "style = []" in render_record.config


def test_names_that_cannot_be_written_as_toml_are_said_not_raised():
    assert kept(Settings(), (Path("a\udcff.jpg"),)).config.startswith("# ")


def test_a_kept_job_is_taken_for_the_same_render_only(tmp_path):
    job = make_job(tmp_path / "job")
    entry = JournalEntry(3, 0.5, 0.25, 7, 0, 0)
    job.note_frame(entry)
    same = make_manifest(versions={}, output="moved.mp4")
    manifest, entries = _kept_job(job.path, same)
    assert (manifest.versions, manifest.output, list(entries)) == ({"torch": "2.13.0"}, "moved.mp4", [entry])
    other = make_manifest(identity=replace(same.identity, settings={"--size": "65"}))
    assert _kept_job(job.path, other) == (other, ())
    assert _kept_job(tmp_path / "none", other) == (other, ())
