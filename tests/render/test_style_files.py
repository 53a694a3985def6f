"""Renders in several styles, and what is known of their files."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_folder, make_video
from renders import QUICK, contents, render

from vidstyle.cli.main import main
from vidstyle.errors import JobChangedError, OutputError, SettingsError

STYLES = ["style.png", "other.png", "paintings", "moving.mp4"]


@pytest.fixture
def scene(painting_scene):
    """Styles of every kind in the current folder."""
    cv2.imwrite("other.png", np.random.default_rng(2).integers(0, 256, (30, 50, 3), dtype=np.uint8))
    make_folder(Path("paintings"), ["a.png", "b.png"])
    make_video(Path("moving.mp4"), frames=3)
    Path("cuts.txt").write_text("4\n")


def test_several_styles_come_out_the_same_after_a_stop(scene):
    settings = replace(QUICK, cuts="cuts.txt", style_blend=(4, 3, 2, 1), style_size=1.5, style_crop=(0, 0, 0.75, 1))
    render("one.mp4", settings, style=STYLES)
    render("stopped.mp4", settings, style=STYLES, stop_after=6)
    render("stopped.mp4", settings, style=[str(Path(style).resolve()) for style in STYLES])
    assert contents(Path("one.mp4")) == contents(Path("stopped.mp4"))


@pytest.mark.parametrize(
    ("file", "said"), [("other.png", "style 2 was other.png"), ("paintings/b.png", "style 3 was paintings")]
)
def test_another_style_in_an_old_place_is_noticed(scene, file, said):
    render(style=STYLES, stop_after=1)
    cv2.imwrite(file, np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(JobChangedError, match=said):
        render(style=STYLES)


def test_a_blend_for_another_number_of_styles_is_refused_before_anything_is_written(scene):
    before = sorted(Path().iterdir())
    with pytest.raises(SettingsError, match="style_blend has 3 weights for 2 styles"):
        render(settings=replace(QUICK, style_blend=(1, 1, 1)), style=STYLES[:2])
    assert sorted(Path().iterdir()) == before


def test_a_folder_of_styles_is_no_place_for_the_output(scene):
    with pytest.raises(OutputError, match="is the style itself"):
        render("paintings/", style=STYLES)


def test_the_input_may_stand_behind_the_styles(scene):
    words = ["--size", "32", "--iterations", "0", "--first-iterations", "0", "--quiet"]
    assert main(["--style", "style.png", "other.png", "in.mp4", *words]) == 0
    assert Path("in_style-other.mp4").is_file()
