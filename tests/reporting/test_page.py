"""The page itself, from facts."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
from PIL import Image
from reports import make_chronicle, make_facts, needs_matplotlib

from vidstyle.reporting.page import MARK, MOST_ROWS, page_text

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
    page = Checker(page_text(make_facts(12, missing=("The moon is missing.",))))
    ids = [attributes["id"] for attributes in page.all("section")]
    assert ids == ["pictures", "curves", "cuts", "notes", "settings", "versions", "numbers"]
    assert len(page.all("svg")) == 4
    said = " ".join(page.texts)
    for words in ("vidstyle in --style starry.jpg -o out.mp4", 'style = "starry.jpg"', "2.13.0", "The moon", "ab" * 32):
        assert words in said
    assert page.all("meta")[1]["content"] == MARK


def test_its_pictures_are_those_of_the_frames():
    facts = make_facts(12)
    page = Checker(page_text(facts))
    (first, last) = page.all("button")[:2]
    before = base64.b64decode(last["data-before"].removeprefix("data:image/webp;base64,"))
    assert before == facts.pairs[1].before
    assert Image.open(BytesIO(before)).size == (64, 48)
    assert first["data-before"] != last["data-before"]


def test_without_the_input_there_is_nothing_to_slide():
    facts = make_facts(12)
    page = Checker(page_text(replace(facts, pairs=tuple(replace(pair, before=None) for pair in facts.pairs))))
    assert any(attributes.get("class") == "compare alone" for attributes in page.all("div"))
    assert not any("data-before" in attributes for attributes in page.all("button"))


def test_whatever_is_said_stays_text():
    evil = "</pre></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&$title"
    manifest = make_chronicle().manifest
    identity = replace(manifest.identity, files={evil: (evil, evil)}, place={"device": evil})
    manifest = replace(
        manifest,
        output=evil,
        identity=identity,
        versions={evil: evil},
        settings=manifest.settings | {"network": "compact"},
        info=replace(manifest.info, path=type(manifest.info.path)(evil)),
    )
    render_record = make_chronicle(manifest=manifest, notes=(evil,), command=evil, config=evil, styles=(evil,))
    honest = Checker(page_text(make_facts(12)))
    page = Checker(page_text(make_facts(12, render_record=render_record, missing=(evil,), styles=((evil, None),))))
    assert len(page.all("script")) == 1
    assert len(page.all("img")) == len(honest.all("img"))
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_nothing_refers_to_another_place():
    page = Checker(page_text(make_facts(12)))
    for _, attributes in page.tags:
        for name in ("src", "href", "data-before", "action"):
            assert attributes.get(name, "data:").startswith(("data:", "#"))
    assert not re.search(r"@import|url\(", page_text(make_facts(12)).split("</style>")[0])


def test_the_same_facts_are_the_same_page():
    assert page_text(make_facts(12)) == page_text(make_facts(12))


def test_a_still_has_no_curves_and_no_cuts():
    page = Checker(page_text(make_facts(1, drift=np.nan)))
    ids = {attributes["id"] for attributes in page.all("section")}
    assert ids == {"pictures", "settings", "versions", "numbers"}


def test_long_renders_show_some_rows_and_hold_all():
    facts = make_facts(MOST_ROWS + 500)
    page = Checker(page_text(facts))
    assert len(page.all("tr")) < MOST_ROWS + 50
    assert "Table, the first 1,000 of 1,500 frames" in " ".join(page.texts)


def test_what_is_not_known_is_not_drawn():
    facts = make_facts(12)
    unknown = facts.columns | {"loss": np.full(12, np.nan)}
    assert len(Checker(page_text(replace(facts, columns=unknown))).all("svg")) == 3
    nothing = dict.fromkeys(facts.columns, np.full(12, np.nan))
    assert Checker(page_text(replace(facts, columns=nothing))).all("svg") == []
