"""How the look changes over time."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video, picture
from hypothesis import given
from hypothesis import strategies as st
from renders import QUICK, contents, everything, render

from vidstyle import Settings
from vidstyle.cli.main import main
from vidstyle.errors import JobChangedError, SettingsError, SourceError
from vidstyle.looks.animation import Point
from vidstyle.looks.timeline import Timeline, Track, style_paths

FADES = "0,strength,0.2\n0.2s,strength,1\n0,style-blend,1 0\n8,style-blend,0 1\n0.3s,content-weight,4\n"


def points(*pairs):
    return [Point(moment, "strength", (value,), f"line {n}") for n, (moment, value) in enumerate(pairs)]


def test_values_are_linear_between_points_and_steady_outside():
    track = Track(points((Fraction(1), 0.5), (Fraction(3), 1.0)))
    assert [track.at(0, Fraction(time))[0] for time in (0, 1, 2, 3, 9)] == [0.5, 0.5, 0.75, 1.0, 1.0]
    by_frame = Track(points((0, 0.0), (10, 1.0)))
    assert by_frame.at(4, Fraction(1000)) == (0.4,)
    assert Track(points((0, 0.0), (Fraction(4), 1.0))).at(1000, Fraction(1)) == (0.25,)


def test_values_between_equal_points_are_theirs_to_the_last_bit():
    track = Track(points((0, 0.7), (30, 0.7)))
    assert {track.at(frame, Fraction(0)) for frame in range(31)} == {(0.7,)}


@given(st.lists(st.fractions(0, 100), min_size=1, max_size=5, unique=True), st.fractions(0, 120), st.data())
def test_values_lie_between_their_neighbors(moments, time_s, data):
    values = data.draw(st.lists(st.floats(0, 1), min_size=len(moments), max_size=len(moments)))
    pairs = sorted(zip(moments, values, strict=True))
    (value,) = Track(points(*pairs)).at(0, time_s)
    near = [v for m, v in pairs if m <= time_s][-1:] + [v for m, v in pairs if m >= time_s][:1]
    assert min(near) <= value <= max(near)


@given(st.floats(0, 1e9), st.integers(0, 100))
def test_a_value_that_is_held_does_not_change_by_a_bit(value, index):
    assert Track(points((0, value), (100, value))).at(index, Fraction(index, 25)) == (value,)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(3, 0), (3, 1)], "line 1: is not later"),
        ([(Fraction(2), 0), (Fraction(1), 1)], "line 1: is not later"),
        ([(0, 0), (5, 0), (Fraction(9), 1)], "line 2: times and frame numbers cannot be mixed"),
    ],
)
def test_points_ascend_in_one_unit(pairs, said):
    with pytest.raises(SourceError, match=said):
        Track(points(*pairs))


def test_each_point_is_looked_at_a_few_times_only():
    class Counted(int):
        looks = 0

        def __bool__(self):
            Counted.looks += 1
            return int(self) != 0

    Track(points(*((Counted(index), 0.5) for index in range(1000))))
    assert Counted.looks <= 2000


def test_styles_follow_each_other():
    settings = Settings(style_at=("0:a.jpg", "2s:a.jpg", "0:04:b.jpg"))
    assert style_paths(None, settings) == style_paths((), settings) == (Path("a.jpg"), Path("b.jpg"))
    timeline = Timeline(settings, 2)
    assert timeline.is_changing
    assert [timeline.look(0, Fraction(t)).blend for t in (1, 3, 5)] == [(1, 0), (0.5, 0.5), (0, 1)]
    assert not Timeline(Settings(), 1).is_changing


def test_one_style_is_given_as_several_are():
    alone = (Path("a.jpg"),)
    assert style_paths("a.jpg", Settings()) == style_paths(Path("a.jpg"), Settings()) == alone
    assert style_paths(["a.jpg", Path("b.jpg")], Settings()) == (*alone, Path("b.jpg"))


def test_styles_are_named_in_one_way():
    at = Settings(style_at=("0:a.jpg",))
    with pytest.raises(SettingsError, match="both name styles"):
        style_paths((Path("b.jpg"),), at)
    with pytest.raises(SettingsError, match="no style"):
        style_paths(None, Settings())
    with pytest.raises(SettingsError, match="no style"):
        style_paths((), Settings())
    with pytest.raises(SettingsError, match="style_at names 1 styles, but 2"):
        Timeline(at, 2)
    with pytest.raises(SettingsError, match="style_at is"):
        Settings(style_at=("a.jpg",))
    with pytest.raises(SettingsError, match="leave one out"):
        Settings(style_at=("0:a.jpg",), style_blend=(1,))


@pytest.fixture
def scene(painting_scene):
    """Two styles and lists of settings over time in the current folder."""
    cv2.imwrite("other.png", np.random.default_rng(2).integers(0, 256, (30, 50, 3), dtype=np.uint8))
    Path("fades.csv").write_text(FADES)
    Path("falling.csv").write_text("0,strength,1\n9,strength,0.2\n")
    Path("cuts.txt").write_text("5\n")


def test_a_blend_over_time_is_for_all_styles(scene):
    with pytest.raises(SourceError, match=r"fades\.csv, line 3: style_blend has 2 weights for 1 style;"):
        render(settings=replace(QUICK, animate="fades.csv"))
    with pytest.raises(SettingsError, match="style_at and animate both"):
        settings = Settings(style_at=("0:style.png", "1s:other.png"), animate="fades.csv")
        Timeline(settings, 2)
    Path("empty.csv").write_text("\n")
    with pytest.raises(SourceError, match="holds no setting at a time"):
        Timeline(Settings(animate="empty.csv"), 1)
    assert not Path("out.mp4.vidstyle").exists()


@pytest.mark.parametrize(
    ("setting", "value"), [("strength", 0.5), ("style_blend", (0.7, 0.3)), ("content_weight", 2.0)]
)
def test_a_setting_is_said_in_one_way(scene, setting, value, tmp_path):
    before, settings = everything(tmp_path), replace(QUICK, animate="fades.csv", **{setting: value})
    with pytest.raises(SettingsError, match=rf"{setting} and animate \(fades\.csv, line .\) both .* leave one out"):
        render(settings=settings, style=["style.png", "other.png"])
    assert everything(tmp_path) == before
    others = [line for line in FADES.splitlines() if setting.replace("_", "-") not in line]
    Path("fades.csv").write_text("\n".join(others))
    look = Timeline(settings, 2).look(0, Fraction(0))
    assert {"strength": look.strength, "style_blend": look.blend, "content_weight": look.content_weight}[
        setting
    ] == pytest.approx(value)


@pytest.mark.parametrize(
    ("changes", "style"),
    [
        ({"animate": "fades.csv"}, ["style.png", "other.png"]),
        ({"animate": "falling.csv"}, ["style.png"]),
        ({"style_at": ("0:style.png", "0.3s:other.png")}, None),
        ({"style_at": ("0:style.png", "1:other.png"), "init": "previous"}, None),
    ],
)
def test_looks_do_not_depend_on_stops_workers_or_ranges(scene, changes, style):
    settings = replace(QUICK, iterations=2, cuts="cuts.txt", **changes)
    render("whole/", settings, style=style)
    workers = 2 if style is None and "init" not in changes else 1  # starting them takes long; once is enough
    render("two/", replace(settings, workers=workers), style=style)
    for stop in (1, 3):
        render("stopped/", settings, style=style, stop_after=stop)
    render("stopped/", settings, style=style)
    render("end/", replace(settings, frames=(5, None), cuts="off"), style=style)
    whole = contents(Path("whole"))
    assert contents(Path("two")) == contents(Path("stopped")) == whole
    assert [p.read_bytes() for p in sorted(Path("end").glob("*.png"))] == whole[5:10]


def test_other_settings_over_time_are_noticed(scene):
    settings, style = replace(QUICK, animate="fades.csv"), ["style.png", "other.png"]
    render(settings=settings, style=style, stop_after=1)
    Path("fades.csv").write_text(FADES.replace("4", "5"))
    with pytest.raises(JobChangedError, match=r"animation was fades\.csv"):
        render(settings=settings, style=style)


def test_times_are_counted_from_the_inputs_first_frame(scene):
    images = [picture(i) for i in range(10)]
    early = make_video(Path("early.mkv"), images=images, pts=list(range(10)))
    late = make_video(Path("late.mkv"), images=images, pts=list(range(50, 60)))
    Path("falling.csv").write_text("0s,strength,1\n0.36s,strength,0.2\n")
    settings = replace(QUICK, animate="falling.csv")
    for clip in (early, late):
        render(f"{clip.stem}/", settings, source=clip)
    assert [p.read_bytes() for p in sorted(Path("late").glob("*.png"))] == [
        p.read_bytes() for p in sorted(Path("early").glob("*.png"))
    ]


def test_other_moments_are_noticed_but_not_another_way_to_write_them_or_to_a_file(scene):
    settings = replace(QUICK, style_at=("0:style.png", "0.3s:other.png"))
    _, plan, _ = render(settings=settings, style=None, stop_after=1)
    assert "--style-at 0:style.png 0.3s:other.png" in plan.command
    with pytest.raises(JobChangedError, match=r"--style-at was 0:1 0\.3s:2, is 0:1 0\.2s:2"):
        render(settings=replace(settings, style_at=("0:style.png", "0.2s:other.png")), style=None)
    moved = tuple(f"{moment}:{Path(name).resolve()}" for moment, name in (("0", "style.png"), ("0:0.30", "other.png")))
    assert render(settings=replace(settings, style_at=moved), style=None)[0].stylized == 9


def test_the_command_line_takes_styles_over_time(scene):
    words = ["--size", "32", "--iterations", "0", "--first-iterations", "0", "--quiet"]
    assert main(["in.mp4", "--style-at", "0:style.png", "5:other.png", *words]) == 0
    assert Path("in_style-other.mp4").is_file()


def test_settings_over_time_may_not_take_the_last_weight_away(tmp_path):
    (tmp_path / "k.csv").write_text("0,content-weight,2\n1s,content-weight,0\n")
    settings = Settings(animate=tmp_path / "k.csv", style_weight=0)
    assert Timeline(settings, 1).look(0, 2).content_weight == 0
    with pytest.raises(SourceError, match="line 2: style_weight and tv_weight are 0"):
        Timeline(replace(settings, tv_weight=0), 1)


def test_moments_that_are_never_reached_are_noted(scene, capsys):
    Path("late.csv").write_text("0,strength,0.5\n9,strength,1\n10,strength,0.2\n11,strength,0.4\n1s,content-weight,2\n")
    none = replace(QUICK, iterations=0, first_iterations=0)
    told = render(settings=replace(none, animate="late.csv"))[0].notes
    assert told == (
        "late.csv, line 3: is never reached; the last frame is number 9, at 0.36 s",
        "late.csv, line 5: is never reached; the last frame is number 9, at 0.36 s",
    )
    assert render("b.mp4", replace(none, animate="fades.csv"), style=["style.png", "other.png"])[0].notes == ()
    over_time = replace(none, style_at=("0:style.png", "2s:other.png"))
    said = "style_at 2s:other.png: is never reached; the {}"
    still = render("still.png", over_time, "other.png", style=None)[0]
    assert still.notes == (said.format("only frame is at 0 s"),)
    assert main(["in.mp4", "--style-at", "0:style.png", "2s:other.png", "--frames", "2:4", "--dry-run"]) == 0
    assert f"note: {said.format('last frame is number 3, at 0.12 s')}" in capsys.readouterr().out.splitlines()
