"""Curves that stand in a page."""

import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import needs_matplotlib

from vidstyle.errors import ReportError
from vidstyle.reporting.curves import Curve, check_plotting, draw_curves, envelope

pytestmark = needs_matplotlib


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_same_values_give_the_same_bytes_and_other_values_others():
    values = np.linspace(1, 2, 50)
    assert draw_curves([Curve(values)], (10,), 0, "loss") == draw_curves([Curve(values.copy())], (10,), 0, "loss")
    assert draw_curves([Curve(values)], (10,), 0, "loss") != draw_curves([Curve(values + 1)], (10,), 0, "loss")


def test_it_has_the_pages_colors_and_letters_and_refers_to_nothing_outside():
    svg = draw_curves([Curve(np.arange(5.0), "painted"), Curve(np.ones(5), "input")], (2,), 0, "stability")
    ElementTree.fromstring(svg)
    assert set(re.findall(r"#[0-9a-fA-F]{6}\b", svg)) <= {"#000000"}
    assert {"var(--accent)", "var(--second)", "var(--cut)", "var(--soft)"} <= set(re.findall(r"var\(--\w+\)", svg))
    assert "font-family" not in svg
    assert not re.search(r"https?:|<script|<style|<metadata", svg)
    assert {"painted", "input", "frame"} <= set(texts(svg))


def test_frames_are_numbered_as_in_the_input():
    assert "1,000" in texts(draw_curves([Curve(np.arange(11.0))], (), 1000, "loss"))
    assert "1,010" in texts(draw_curves([Curve(np.arange(11.0))], (), 1000, "loss"))


@pytest.mark.parametrize("cuts", [(), (3,), (3, 5, 8)])
def test_each_cut_is_marked(cuts):
    svg = draw_curves([Curve(np.arange(11.0))], cuts, 0, "loss")
    assert svg.count("var(--cut)") == len(cuts)


@pytest.mark.parametrize("every", [2, 8])
def test_values_of_keyframes_alone_are_dots_on_a_line(every):
    values = np.full(300, np.nan)
    values[::every] = 1.0
    values[:: 2 * every] = 2.0
    sparse, dense = draw_curves([Curve(values)], [], 0, "a"), draw_curves([Curve(np.ones(300))], [], 0, "a")
    assert sparse.count("<use ") - dense.count("<use ") >= 30


def test_a_value_far_from_the_others_takes_a_logarithmic_scale():
    values = np.full(30, 0.1)
    values[0] = 20
    assert {"0.1", "1", "10"} <= set(texts(draw_curves([Curve(values)], (), 0, "seconds")))
    assert "0" in texts(draw_curves([Curve(np.linspace(0.1, 0.2, 30))], (), 0, "seconds"))[7:]


def test_many_frames_and_cuts_take_little_room():
    values = np.random.default_rng(0).random(100_000)
    assert len(draw_curves([Curve(values)], tuple(range(50, 100_000, 50)), 0, "loss")) < 150_000


def test_without_matplotlib_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ReportError, match=r"pip install 'vidstyle\[report\]'"):
        check_plotting()


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=8, max_size=60))
def test_an_envelope_leaves_no_value_out(values):
    values = np.array(values)
    places, lowest, means, highest = envelope(values, 8)
    known = values[np.isfinite(values)]
    assert len(places) <= 8
    assert (np.diff(places) > 0).all()
    if known.size:
        assert (lowest.min(), highest.max()) == (known.min(), known.max())
        slack = 1e-9 * np.abs(known).max()
        assert (lowest <= means + slack).all()
        assert (means <= highest + slack).all()
    else:
        assert places.size == 0
