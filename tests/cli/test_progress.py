"""The bars on the screen."""

import math

import numpy as np

from vidstyle.cli.progress import FrameBar, LateBar
from vidstyle.frames import FrameDone


def done(number, loss):
    return FrameDone(number - 1, number, 3, 0.5, loss, 4, np.zeros((16, 16, 3), np.uint8))


def test_a_frame_that_has_no_loss_shows_none(capsys):
    bar = FrameBar(3, shown=True)
    bar.frame_done(done(1, 0.25))
    bar.frame_done(done(2, math.nan))
    bar.show()
    bar.close()
    last = capsys.readouterr().err.split("\r")[-1]
    assert "2/3 frames" in last
    assert "loss" not in last


def test_a_frame_that_has_a_loss_shows_it(capsys):
    bar = FrameBar(3, shown=True)
    bar.frame_done(done(1, math.nan))
    bar.frame_done(done(2, 0.25))
    bar.show()
    bar.close()
    assert "loss=0.250" in capsys.readouterr().err.split("\r")[-1]


def test_a_second_file_begins_anew(capsys):
    bar = LateBar("fetching weights", shown=True, unit="B", mininterval=0)
    for done, total in ((40, 80), (80, 80), (10, 50)):
        bar(done, total)
    bar.close()
    assert "10/50" in capsys.readouterr().err.split("\r")[-1]
