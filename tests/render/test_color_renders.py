"""Renders that keep or match colors, stopped anywhere."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video, picture
from renders import QUICK, contents, render

from vidstyle.frames import resize
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import read_image
from vidstyle.method.recoloring import with_colors_of

SETTINGS = replace(QUICK, cuts="cuts.txt")


@pytest.fixture
def scene(painting_scene):
    """A clip of two shots with colors of their own."""
    make_video(Path("in.mp4"), images=[picture(k) // (2 if k < 5 else 1) for k in range(10)])
    Path("cuts.txt").write_text("5\n")


@pytest.mark.parametrize(("output", "color"), [("{}.mp4", "content"), ("{}/", "match"), ("{}.mp4", "match")])
def test_a_stop_changes_nothing(scene, color, output):
    settings = replace(SETTINGS, color=color)
    render(output.format("whole"), settings)
    for stop in (1, 3, 4):  # within a segment, at its end, and in the second shot
        render(output.format("stopped"), settings, stop_after=stop)
    render(output.format("stopped"), settings)
    assert contents(Path(output.format("stopped"))) == contents(Path(output.format("whole")))


def test_colors_are_swapped_on_delivery_alone(scene):
    render("plain/", SETTINGS)
    render("kept/", replace(SETTINGS, color="content"))
    with open_source(Path("in.mp4")) as source:
        for frame, plain, kept in zip(source, *(sorted(Path(p).glob("*.png")) for p in ("plain", "kept")), strict=True):
            content = resize(frame.image, 32, 24)
            assert np.array_equal(read_image(kept), with_colors_of(content, read_image(plain)))


def test_a_delivered_frame_that_is_lost_is_painted_again(scene):
    settings = replace(SETTINGS, color="content")
    render("whole/", settings)
    render("out/", settings, stop_after=4)
    Path("out.vidstyle/delivered/00000002.png").unlink()
    render("out/", settings)
    assert contents(Path("out")) == contents(Path("whole"))
    assert not Path("out.vidstyle").exists()


def test_masks_and_kept_colors_go_together(scene):
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 20:] = 128
    mask[:, 40:] = 255
    cv2.imwrite("mask.png", mask)
    settings = replace(SETTINGS, color="content", mask=Path("mask.png"))
    render("out/", settings)
    render("stopped/", settings, stop_after=2)
    render("stopped/", settings)
    assert contents(Path("out")) == contents(Path("stopped"))
    with open_source(Path("in.mp4")) as source:
        for frame, stylized in zip(source, sorted(Path("out").glob("*.png")), strict=True):
            content, result = resize(frame.image, 32, 24), read_image(stylized)
            assert np.array_equal(result[:, :10], content[:, :10])
            assert not np.array_equal(result[:, 20:], content[:, 20:])
