"""Files of settings over time."""

import json
from fractions import Fraction

import pytest

from vidstyle.errors import SourceError
from vidstyle.looks.animation import read_animation

CSV = """time,setting,value
# a comment
0, strength, 0.5
1:02.5,style-blend,0.7 0.3

120,content_weight,2
"""
JSON = [
    {"time": 0, "setting": "strength", "value": 0.5},
    {"time": "1:02.5", "setting": "style-blend", "value": [0.7, 0.3]},
    {"time": "120", "setting": "content_weight", "value": "2"},
]
POINTS = [
    (0, "strength", (0.5,)),
    (Fraction(125, 2), "style_blend", (0.7, 0.3)),
    (120, "content_weight", (2.0,)),
]


def test_csv_and_json_say_the_same(tmp_path):
    for name, text in (("fades.csv", CSV), ("fades.json", json.dumps(JSON)), ("fades", "\ufeff" + CSV)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert [point[:3] for point in read_animation(tmp_path / name)] == POINTS


def test_comments_and_empty_lines_may_stand_above_the_header(tmp_path):
    (tmp_path / "fades.csv").write_text("# fade in\n\nTime,setting,value\n0,strength,0.5\n")
    assert [point[:3] for point in read_animation(tmp_path / "fades.csv")] == POINTS[:1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,strength,1\ntime,setting,value", "line 2: 'time' is no time"),
        ("time,setting,value\ntime,setting,value", "line 2: 'time' is no time"),
        ("1s,strength", "line 1: 2 fields"),
        ("# nothing\n", "holds no setting at a time; write lines of time,setting,value"),
        ("0,strength,1\nlater,strength,1", "line 2: 'later' is no time"),
        ("1s,size,2", "'size' does not change over time; use one of strength, style-blend, content-weight"),
        ("1s,strength,1.5", "'1.5' is no strength; the range is 0 to 1"),
        ("1s,strength,much", "'much' is no strength"),
        ("1s,strength,nan", "'nan' is no strength"),
        ("1s,strength,", "'' is no strength"),
        ("1s,content-weight,-1", "'-1' is no content-weight"),
        ("1s,strength,0.1 0.2", "'0.1 0.2' is no strength"),
    ],
)
def test_a_line_that_is_no_setting_at_a_time_is_named(tmp_path, text, said):
    (tmp_path / "fades.csv").write_text(text)
    with pytest.raises(SourceError, match=said):
        read_animation(tmp_path / "fades.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("{}", "holds no list"),
        ("[1]", "entry 1: is no setting at a time"),
        ('[{"time": 1, "setting": "strength"}]', "entry 1"),
        ('[{"time": true, "setting": "strength", "value": 1}]', "entry 1: true is no time"),
        ('[{"time": 1.5, "setting": "strength", "value": 1}]', "entry 1: 1.5 is no time"),
        ('[{"time": 1, "setting": null, "value": 1}]', "entry 1: null does not change"),
        ('[{"time": 1, "setting": "strength", "value": true}]', "entry 1: true is no strength"),
        ('[{"time": 1, "setting": "strength", "value": {}}]', "is no strength"),
        ('[{"time": null, "setting": "strength", "value": 1}]', "entry 1: null is no time"),
        ('[{"time": 1, "setting": "style-blend", "value": [1, null]}]', "'1 null' is no style-blend"),
        ("[]", r'holds no setting at a time; write \[\{"time": "1s", "setting": "strength", "value": 1\}'),
    ],
)
def test_an_entry_that_is_no_setting_at_a_time_is_named(tmp_path, text, said):
    (tmp_path / "fades.json").write_text(text)
    with pytest.raises(SourceError, match=said):
        read_animation(tmp_path / "fades.json")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.csv: cannot be read"):
        read_animation(tmp_path / "gone.csv")
    (tmp_path / "fades.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match="not UTF-8"):
        read_animation(tmp_path / "fades.csv")
