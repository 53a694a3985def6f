"""Figures in words."""

import numpy as np
import pytest
from reports import make_chronicle, make_facts

from vidstyle.report.words import clock, figures, lead


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00.00"), (59.999, "1:00.00"), (61.5, "1:01.50"), (3599.999, "1:00:00.00"), (3723.04, "1:02:03.04")],
)
def test_moments_are_as_players_show_them(seconds, shown):
    assert clock(seconds) == shown


def test_the_figures_sum_a_render_up():
    found = {name: (value, remark) for name, value, remark in figures(make_facts(12))}
    assert found["Frames"] == ("12", "in 2 shots")
    assert found["Painting took"] == ("1 min 12 s", "all frames added up")
    assert found["Time a frame"] == ("6 s", "median; longest 12 s")
    assert found["Evaluations"] == ("198", "16.5 a frame")
    assert found["Warping error"] == ("6.00", "the input's own: 12.00")
    assert found["Drift"] == ("1.25", "of a shot's mean level, less the input's")


def test_what_is_not_known_has_no_figure():
    facts = make_facts(12)
    unknown = {name: np.full(12, np.nan) for name in facts.columns}
    assert [name for name, _, _ in figures(make_facts(12, columns=unknown, drift=np.nan))] == ["Frames"]


def test_a_still_has_neither_frames_nor_medians():
    facts = make_facts(1, drift=np.nan)
    assert figures(facts) == [("Painting took", "0.5 s", ""), ("Evaluations", "0", ""), ("Loss", "1", "")]
    assert lead(facts) == "in, painted at 64x48 px by the network compact"


def test_the_lead_says_how_long_it_is():
    render_record = make_chronicle(12)
    assert lead(make_facts(12, render_record=render_record)).endswith("· 12 frames · 0:00.48")
