"""The words that users read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reports import make_render_record, make_report_data

from vidstyle.frames import Forecast, Plan
from vidstyle.job.journal import JournalEntry
from vidstyle.settings import Settings
from vidstyle.text import (
    clock,
    duration,
    forecast_lines,
    look_rows,
    report_figures,
    report_lead,
    size,
    trouble_notes,
)

PLAN = Plan(Path("in.mp4"), Path("out.mp4"), "video", 1500, 640, 360, "compact", "cpu", "bfloat16", shots=3)
STYLES = (Path("x/a.jpg"), Path("b.jpg"))
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


def test_a_forecast_has_one_line_for_each_thing():
    assert forecast_lines(FORECAST).splitlines() == [
        "input    in.mp4: 1,500 frames, 60.00 s",
        "output   out.mp4: 640x360, h264 yuv420p, crf 16",
        "shots    3; cuts at frames 120, 480",
        "network  compact on cpu in bfloat16",
        "time     about 11 min 30 s (0.45 s a frame that moves, 5.6 s a shot's first)",
        "disk     up to 300 MB, of 100 GB free",
        "memory   600 MB",
    ]


def test_a_forecast_describes_the_look():
    look = (("style", "a.jpg 70 %, b.jpg 30 %"), ("mask", "m.png: what it shows white is painted"))
    lines = forecast_lines(replace(FORECAST, look=look)).splitlines()
    assert lines[2:4] == ["style    a.jpg 70 %, b.jpg 30 %", "mask     m.png: what it shows white is painted"]


def test_a_forecast_says_what_is_done_already():
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


def test_only_what_is_not_the_default_is_said_of_a_look():
    assert look_rows(Settings(), STYLES[:1], ()) == (("style", "a.jpg"),)
    assert look_rows(Settings(style_blend=(3,)), STYLES[:1], ()) == (("style", "a.jpg"),)
    assert look_rows(Settings(), STYLES, ()) == (("style", "a.jpg, b.jpg"),)


def test_all_that_makes_a_look_is_said():
    settings = Settings(
        style_blend=(7, 3),
        strength=0.5,
        mask="m/mask.png",
        region=("sky.png=c.jpg", "sea.png=d.jpg"),
        color="match",
        animate="k.csv",
    )
    assert look_rows(settings, STYLES, ("content_weight",)) == (
        ("style", "a.jpg 70 %, b.jpg 30 %"),
        ("strength", "0.5"),
        ("mask", "mask.png: what it shows white is painted"),
        ("region", "c.jpg where sky.png is white"),
        ("region", "d.jpg where sea.png is white"),
        ("color", "the style's, with the palette of each shot's first frame"),
        ("changes", "content-weight, as k.csv says"),
    )


def test_styles_over_time_are_said_with_their_moments():
    settings = Settings(style_at=("0:x/a.jpg", "12.5s:b.jpg"), color="content")
    rows = look_rows(settings, STYLES, ("style_blend",))
    assert rows == (("style", "a.jpg at 0, b.jpg at 12.5s"), ("color", "the content's"))


def test_notes_count_frames_that_were_painted_again_or_with_less_memory():
    def entry(frame, retries=0, fallback=0):
        return JournalEntry(frame, 1.0, 0.5, 3, retries, fallback)

    assert trouble_notes([entry(0)], "lbfgs") == []
    assert trouble_notes([entry(0, retries=2), entry(1, fallback=3), entry(2, fallback=3)], "lbfgs") == [
        "the objective was not finite in 1 frame, painted again with smaller steps",
        "memory was short; 2 frames were painted with Adam, in tiles",
    ]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00.00"), (59.999, "1:00.00"), (61.5, "1:01.50"), (3599.999, "1:00:00.00"), (3723.04, "1:02:03.04")],
)
def test_moments_are_as_players_show_them(seconds, shown):
    assert clock(seconds) == shown


def test_the_figures_sum_a_render_up():
    data = make_report_data(12)
    figures = {name: (value, remark) for name, value, remark in report_figures(data.columns, 2, data.drift)}
    assert figures["Frames"] == ("12", "in 2 shots")
    assert figures["Painting took"] == ("1 min 12 s", "all frames added up")
    assert figures["Time a frame"] == ("6 s", "mean; longest 12 s")
    assert figures["Evaluations"] == ("198", "16.5 a frame")
    assert figures["Warping error"] == ("6.00", "the input's own: 12.00")
    assert figures["Drift"] == ("1.25", "of a shot's mean level, less the input's")


def test_what_is_not_known_has_no_figure():
    unknown = dict.fromkeys(make_report_data(12).columns, np.full(12, np.nan))
    assert [name for name, _, _ in report_figures(unknown, 2, np.nan)] == ["Frames"]


def test_a_still_has_neither_frames_nor_medians():
    data = make_report_data(1, drift=np.nan)
    figures = report_figures(data.columns, 1, data.drift)
    assert figures == [("Painting took", "0.5 s", ""), ("Evaluations", "0", ""), ("Loss", "1", "")]
    lead = report_lead(data.render_record.manifest, data.duration_s)
    assert lead == "in, painted at 64x48 px by the network compact"


def test_the_lead_says_how_long_a_render_plays():
    assert report_lead(make_render_record(12).manifest, 0.48).endswith("· 12 frames · 0:00.48")
