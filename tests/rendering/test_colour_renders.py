"""Renders that keep or match colours, stopped anywhere and by several workers."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video, picture
from renders import QUICK, contents, paint

from vidstyle.looks.recolouring import with_colours_of
from vidstyle.media.images import read_image, resize
from vidstyle.media.sources import open_source

SETTINGS = replace(QUICK, cuts="cuts.txt")


@pytest.fixture
def scene(painting_scene):
    """A clip of two shots with colours of their own."""
    make_video(Path("in.mp4"), images=[picture(k) // (2 if k < 5 else 1) for k in range(10)])
    Path("cuts.txt").write_text("5\n")


@pytest.mark.parametrize("color", ["content", "match"])
@pytest.mark.parametrize("output", ["{}.mp4", "{}/"])
def test_a_stop_and_workers_change_nothing(scene, color, output):
    settings = replace(SETTINGS, color=color)
    paint(output.format("whole"), settings)
    paint(output.format("two"), replace(settings, workers=2))
    for stop in (1, 3, 4):  # within a segment, at its end, and in the second shot
        paint(output.format("stopped"), settings, stop_after=stop)
    paint(output.format("stopped"), settings)
    whole = contents(Path(output.format("whole")))
    assert contents(Path(output.format("two"))) == whole
    assert contents(Path(output.format("stopped"))) == whole


def test_colours_are_swapped_on_delivery_alone(scene):
    paint("plain/", SETTINGS)
    paint("kept/", replace(SETTINGS, color="content"))
    with open_source(Path("in.mp4")) as source:
        for frame, plain, kept in zip(source, *(sorted(Path(p).glob("*.png")) for p in ("plain", "kept")), strict=True):
            content = resize(frame.image, 32, 24)
            assert np.array_equal(read_image(kept), with_colours_of(content, read_image(plain)))


def test_a_delivered_frame_that_is_lost_is_painted_again(scene):
    settings = replace(SETTINGS, color="content")
    paint("whole/", settings)
    paint("out/", settings, stop_after=4)
    Path("out.vidstyle/delivered/00000002.png").unlink()
    paint("out/", settings)
    assert contents(Path("out")) == contents(Path("whole"))
    assert not Path("out.vidstyle").exists()


def test_masks_and_kept_colours_go_together(scene):
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 20:] = 128
    mask[:, 40:] = 255
    cv2.imwrite("mask.png", mask)
    settings = replace(SETTINGS, color="content", mask=Path("mask.png"))
    paint("out/", settings)
    paint("stopped/", settings, stop_after=2)
    paint("stopped/", settings)
    assert contents(Path("out")) == contents(Path("stopped"))
    with open_source(Path("in.mp4")) as source:
        for frame, painted in zip(source, sorted(Path("out").glob("*.png")), strict=True):
            content, result = resize(frame.image, 32, 24), read_image(painted)
            assert np.array_equal(result[:, :10], content[:, :10])
            assert not np.array_equal(result[:, 20:], content[:, 20:])
