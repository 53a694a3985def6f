"""What is printed, in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from vidstyle.frames import Forecast, Plan
from vidstyle.text import duration, forecast_lines, size

PLAN = Plan(Path("in.mp4"), Path("out.mp4"), "video", 1500, 640, 360, "compact", "cpu", "bfloat16", shots=3)
FORECAST = Forecast(PLAN, "h264 yuv420p, crf 16", 60.0, (120, 480), False, 5.61, 0.451, 690.0, 3 * 10**8, 10**11, 6e8)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (59.4, "59 s"),
        (59.7, "1 min 0 s"),
        (330, "5 min 30 s"),
        (3599.6, "1 h 0 min"),
        (7800, "2 h 10 min"),
        (86399, "1 day 0 h"),
        (360000, "4 days 4 h"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(900, "1 kB"), (15_300_000, "15 MB"), (1_250_000_000, "1.2 GB"), (3e12, "3.0 TB")]
)
def test_sizes_are_in_decimal_units(count, words):
    assert size(count) == words


def test_a_forecast_is_a_line_a_thing():
    assert forecast_lines(FORECAST).splitlines() == [
        "input    in.mp4: 1,500 frames, 60.00 s",
        "output   out.mp4: 640x360, h264 yuv420p, crf 16",
        "shots    3; cuts at frames 120, 480",
        "network  compact on cpu in bfloat16",
        "time     about 11 min 30 s (0.45 s a frame that moves, 5.6 s a shot's first)",
        "disk     up to 300 MB, of 100 GB free",
        "memory   600 MB",
    ]


def test_a_forecast_tells_the_look():
    look = (("style", "a.jpg 70 %, b.jpg 30 %"), ("mask", "m.png: what it shows white is painted"))
    lines = forecast_lines(replace(FORECAST, look=look)).splitlines()
    assert lines[2:4] == ["style    a.jpg 70 %, b.jpg 30 %", "mask     m.png: what it shows white is painted"]


def test_what_is_done_already_is_told():
    begun = forecast_lines(replace(FORECAST, plan=replace(PLAN, done=1200)))
    assert "1,500 frames, 60.00 s, 1,200 of them painted already" in begun
    done = replace(PLAN, done=1500)
    finished = replace(FORECAST, plan=done, is_finished=True, total_s=0, first_frame_s=None, memory_bytes=None)
    assert "time     finished already by the same command; nothing to do" in forecast_lines(finished)
    assert "disk" not in forecast_lines(finished)
    assert "nothing is left to paint" in forecast_lines(replace(finished, is_finished=False))
    assert "time     not known yet" in forecast_lines(replace(FORECAST, total_s=None))


def test_many_cuts_are_not_all_listed():
    assert "cuts at frames 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ..." in forecast_lines(
        replace(FORECAST, cuts=tuple(range(40)))
    )
