"""The report's HTML and its table, from data."""

import base64
import csv
import gzip
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO, StringIO

import numpy as np
from PIL import Image
from reports import make_render_record, make_report_data, needs_matplotlib

from vidstyle.reporting.page import (
    CSV_COLUMNS,
    MARK,
    MOST_ROWS,
    WHOLE_NUMBERS,
    csv_text,
    csv_url,
    page_text,
    table_rows,
)

pytestmark = needs_matplotlib
VOID = {"meta", "link", "img", "input", "br"}


class Checker(HTMLParser):
    """Remembers tags, what they say, and whether they close each other."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_all_parts_are_there_and_closed():
    page = Checker(page_text(make_report_data(12, missing=("The moon is missing.",))))
    ids = [attributes["id"] for attributes in page.all("section")]
    assert ids == ["pictures", "curves", "cuts", "notes", "settings", "versions", "numbers"]
    assert len(page.all("svg")) == 4
    said = " ".join(page.texts)
    for words in ("vidstyle in --style starry.jpg -o out.mp4", 'style = "starry.jpg"', "2.13.0", "The moon", "ab" * 32):
        assert words in said
    assert page.all("meta")[1]["content"] == MARK


def test_its_pictures_are_those_of_the_frames():
    data = make_report_data(12)
    page = Checker(page_text(data))
    (first, last) = page.all("button")[:2]
    before = base64.b64decode(last["data-before"].removeprefix("data:image/webp;base64,"))
    assert before == data.pairs[1].before
    assert Image.open(BytesIO(before)).size == (64, 48)
    assert first["data-before"] != last["data-before"]


def test_without_the_input_there_is_nothing_to_slide():
    data = make_report_data(12)
    page = Checker(page_text(replace(data, pairs=tuple(replace(pair, before=None) for pair in data.pairs))))
    assert any(attributes.get("class") == "compare alone" for attributes in page.all("div"))
    assert not any("data-before" in attributes for attributes in page.all("button"))


def test_whatever_is_said_stays_text():
    evil = "</pre></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&$title"
    manifest = make_render_record().manifest
    identity = replace(manifest.identity, files={evil: (evil, evil)}, place={"device": evil})
    manifest = replace(
        manifest,
        output=evil,
        identity=identity,
        versions={evil: evil},
        settings=manifest.settings | {"network": "compact"},
        info=replace(manifest.info, path=type(manifest.info.path)(evil)),
    )
    render_record = make_render_record(manifest=manifest, notes=(evil,), command=evil, config=evil, styles=(evil,))
    honest = Checker(page_text(make_report_data(12)))
    page = Checker(
        page_text(make_report_data(12, render_record=render_record, missing=(evil,), styles=((evil, None),)))
    )
    assert len(page.all("script")) == 1
    assert len(page.all("img")) == len(honest.all("img"))
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_nothing_refers_to_another_place_and_the_same_data_are_the_same_page():
    text = page_text(make_report_data(12))
    page = Checker(text)
    for _, attributes in page.tags:
        for name in ("src", "href", "data-before", "action"):
            assert attributes.get(name, "data:").startswith(("data:", "#"))
    assert not re.search(r"@import|url\(", text.split("</style>")[0])
    assert page_text(make_report_data(12)) == text


def test_a_still_has_no_curves_and_no_cuts():
    page = Checker(page_text(make_report_data(1, drift=np.nan)))
    ids = {attributes["id"] for attributes in page.all("section")}
    assert ids == {"pictures", "settings", "versions", "numbers"}


def test_long_renders_show_some_rows_and_hold_all():
    data = make_report_data(MOST_ROWS + 500)
    page = Checker(page_text(data))
    assert len(page.all("tr")) < MOST_ROWS + 50
    assert "Table, the first 1,000 of 1,500 frames" in " ".join(page.texts)


def test_what_is_not_known_is_not_drawn():
    data = make_report_data(12)
    unknown = data.columns | {"loss": np.full(12, np.nan)}
    assert len(Checker(page_text(replace(data, columns=unknown))).all("svg")) == 3
    nothing = dict.fromkeys(data.columns, np.full(12, np.nan))
    assert Checker(page_text(replace(data, columns=nothing))).all("svg") == []


def test_every_frame_is_a_row_with_all_that_is_known():
    table = list(csv.DictReader(StringIO(csv_text(make_report_data(12)))))
    assert [row["frame"] for row in table] == [str(k) for k in range(12)]
    assert [row["shot"] for row in table] == ["1"] * 7 + ["2"] * 5
    assert table[5] == {
        "frame": "5",
        "time_s": "0.2",
        "shot": "1",
        "seconds": "5.5",
        "loss": "0.16667",
        "evaluations": "15",
        "retries": "0",
        "fallback": "0",
        "warp_error": "5",
        "source_warp_error": "10",
        "flicker": "15",
        "source_flicker": "20",
    }


def test_what_is_not_known_is_empty():
    assert next(table_rows(make_report_data(12)))[CSV_COLUMNS.index("warp_error")] == ""


def test_a_table_can_be_cut_off():
    assert len(list(table_rows(make_report_data(12), 5))) == 5


def test_short_tables_are_plain_and_long_ones_compressed():
    kind, data = csv_url("a,b\n")[0].split(",")
    assert (kind, base64.b64decode(data)) == ("data:text/csv;base64", b"a,b\n")
    text = csv_text(make_report_data(6000))
    address, suffix = csv_url(text)
    assert suffix == ".csv.gz"
    assert gzip.decompress(base64.b64decode(address.split(",")[1])).decode() == text


def test_a_frame_takes_some_tens_of_bytes():
    data = make_report_data(5000)
    noise = np.random.default_rng(0).random((len(data.columns), 5000))
    columns = {
        name: column if name not in WHOLE_NUMBERS else np.round(9 * column)
        for name, column in zip(data.columns, noise, strict=True)
    }
    address, _ = csv_url(csv_text(make_report_data(5000, columns=columns)))
    assert len(address) < 50 * 5000
