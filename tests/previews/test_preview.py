"""A preview: one picture, whole or not at all, and nothing else."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video
from renders import QUICK, everything, render

from vidstyle import Settings, Stylizer, VidstyleError, preview
from vidstyle.cli.main import main
from vidstyle.errors import OptimizationError
from vidstyle.frames import resize
from vidstyle.looks.styles import spread_frames
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import read_image, write_image
from vidstyle.previews.preview import preview_settings
from vidstyle.render.estimate import Pace


@pytest.fixture(autouse=True)
def scene(painting_scene):
    """A clip of ten frames and a style in the current folder."""


def test_a_sheet_is_written_and_nothing_else(tmp_path):
    before, counts = everything(tmp_path), []
    forecast = preview("in.mp4", "style.png", "sheet.png", QUICK, on_picture=lambda *count: counts.append(count))
    assert counts == [(done, 9) for done in range(1, 10)]
    assert (forecast.plan.frame_count, forecast.plan.output.name) == (10, "in_style.mp4")
    sheet = read_image(Path("sheet.png"))
    Path("sheet.png").unlink()
    assert everything(tmp_path) == before
    # Three rows of three pictures of 32x24, a title, and the forecast's lines.
    assert sheet.shape == (16 + 22 + 3 * (22 + 24 + 8) + 9 * 22, 16 + 480, 3)


@pytest.fixture
def quick_forecast(monkeypatch):
    """Forecasts that do not measure how fast this machine is."""
    monkeypatch.setattr(
        "vidstyle.render.forecast.measured_pace", lambda stylizer, image, *_: Pace(1, 1, *image.shape[1::-1])
    )


@pytest.fixture
def drawn(quick_forecast, monkeypatch):
    """The rows of labels and pictures of every sheet that is drawn."""
    sheets = []
    monkeypatch.setattr(
        "vidstyle.previews.preview.draw_sheet", lambda title, rows, footer: sheets.append(rows) or rows[0][0][1]
    )
    return sheets


def test_pictures_are_painted_as_a_renders_but_in_fewer_steps():
    asked = Settings(strength=0.9, size=1280, first_iterations=200, seed=5)
    assert preview_settings(asked) == replace(asked, size=512, first_iterations=30, flow="off")


@pytest.mark.parametrize(
    ("size", "network", "shown_px"), [("source", "compact", 512), (99, "compact", 99), (640, "vgg19", 256)]
)
def test_pictures_are_as_large_as_a_minute_allows(size, network, shown_px):
    assert preview_settings(Settings(size=size, network=network)).size == shown_px


def test_cells_are_painted_as_first_frames_of_a_render(drawn):
    preview("in.mp4", "style.png", "sheet.png", QUICK)
    with open_source(Path("in.mp4")) as source:
        pictures = [frame.image for frame in source]
    for position, row in zip((1, 5, 8), drawn[0], strict=True):
        for share, (_, image) in zip((1 / 3, 2 / 3, 1), row, strict=True):
            stylizer = Stylizer("style.png", replace(QUICK, strength=share))
            assert np.array_equal(image, stylizer(pictures[position]))


def test_rows_look_as_their_frames_in_the_render_do(drawn):
    Path("fades.csv").write_text("1,strength,0\n5,strength,0.75\n8,strength,0.6\n")
    cv2.imwrite("other.png", np.random.default_rng(2).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    settings = replace(QUICK, animate=Path("fades.csv"))
    preview("in.mp4", None, "sheet.png", replace(settings, style_at=("0:style.png", "8:other.png")))
    preview("in.mp4", "style.png", "first.png", settings)
    preview("in.mp4", "other.png", "second.png", settings)
    changing, first, second = drawn
    assert [[label for label, _ in row] for row in changing] == [
        [f"strength {strength}, {time_s} s (frame {frame})" for strength in row]
        for time_s, frame, row in (("0.04", 1, "000"), ("0.20", 5, (0.25, 0.5, 0.75)), ("0.32", 8, (0.2, 0.4, 0.6)))
    ]
    with open_source(Path("in.mp4")) as source:
        content = resize([frame.image for frame in source][1], 32, 24)
    assert all(np.array_equal(image, content) for _, image in changing[0])
    assert all(np.array_equal(image, other) for (_, image), (_, other) in zip(changing[2], second[2], strict=True))
    assert not any(np.array_equal(changing[1][2][1], other[1][2][1]) for other in (first, second))


def test_videos_of_style_are_decoded_once(drawn, monkeypatch):
    make_video(Path("moving.mp4"), frames=3)
    write_image(Path("mask.png"), np.full((48, 64, 3), 255, np.uint8))
    passes = []
    monkeypatch.setattr("vidstyle.looks.styles.spread_frames", lambda source: passes.append(1) or spread_frames(source))
    settings = replace(QUICK, iterations=0, first_iterations=0, region=("mask.png=moving.mp4", "mask.png=moving.mp4"))
    preview("in.mp4", "moving.mp4", "sheet.png", settings)
    assert len(passes) == 2  # as the main style, and as that of regions
    render(settings=settings, style="moving.mp4")
    assert len(passes) == 4


def test_an_output_or_a_job_of_the_render_is_not_in_the_way(quick_forecast, tmp_path):
    render()
    render("other.mp4", stop_after=2)
    before = everything(tmp_path)
    preview("in.mp4", "style.png", "sheet.png", replace(QUICK, seed=3), output="out.mp4")
    preview("in.mp4", "style.png", "sheet.jpg", replace(QUICK, seed=3), output="other.mp4")
    for name in ("sheet.png", "sheet.jpg"):
        Path(name).unlink()
    assert everything(tmp_path) == before


def test_a_still_is_one_row(quick_forecast):
    write_image(Path("photo.png"), np.full((32, 40, 3), 90, np.uint8))
    preview("photo.png", "style.png", "sheet.png", QUICK)
    assert read_image(Path("sheet.png")).shape[0] == 16 + 22 + (22 + 26 + 8) + 8 * 22


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("there.png", "there.png: exists already; choose another output or use --overwrite"),
        ("style.png", "style.png: is the style itself"),
        ("none/sheet.png", "no such folder"),
        ("sheet.mp4", "a preview is a picture; end it in .png"),
        ("in.mp4", "a preview is a picture"),
    ],
)
def test_a_sheet_that_cannot_be_written_is_said_first(sheet, message, tmp_path, monkeypatch):
    Path("there.png").write_bytes(b"mine")
    before = everything(tmp_path)
    monkeypatch.setattr("vidstyle.render.api.planned", None)
    with pytest.raises(VidstyleError) as error:
        preview("in.mp4", "style.png", sheet, QUICK)
    assert message in str(error.value)
    assert everything(tmp_path) == before


def test_overwrite_replaces_a_sheet_and_a_failure_leaves_it(quick_forecast, monkeypatch):
    cv2.imwrite("sheet.png", np.zeros((9, 9, 3), np.uint8))
    before = Path("sheet.png").read_bytes()

    def failing(*_):
        raise OptimizationError("not finite")

    with monkeypatch.context() as patch:
        patch.setattr("vidstyle.looks.stylizer.Stylizer.stylize", failing)
        with pytest.raises(OptimizationError):
            preview("in.mp4", "style.png", "sheet.png", replace(QUICK, overwrite=True))
    assert Path("sheet.png").read_bytes() == before
    preview("in.mp4", "style.png", "sheet.png", replace(QUICK, overwrite=True))
    assert Path("sheet.png").read_bytes() != before


def test_the_command_line_writes_it(quick_forecast, capsys):
    words = ["in.mp4", "--style", "style.png", "--size", "32", "--first-iterations", "1", "--iterations", "1"]
    assert main([*words, "--preview", "sheet.png", "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "wrote sheet.png"
    assert "time     about" in printed.out
    assert main([*words, "--preview", "sheet.png", "--dry-run"]) == 2
    assert main([*words, "--preview", "sheet.png"]) == 1
    assert "exists already" in capsys.readouterr().err
