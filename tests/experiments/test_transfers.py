"""Comparisons of transfers: what moves with the seed, the weights, the layer and the steps, and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from vidstyle import Settings
from vidstyle.errors import SettingsError
from vidstyle.experiments import content_layers, progress, starting_points, trade_off
from vidstyle.experiments.defaults import STARTS

CONTENT, STYLE = (
    np.kron(np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
    for seed in (1, 2)
)
QUICK = Settings(size=48, iterations=3, precision="float32", device="cpu")


def images(sheet):
    return [panel.image for panel in sheet.panels]


def test_starts_are_what_they_are_called():
    starts = images(starting_points(CONTENT, STYLE[:, :32], STARTS, replace(QUICK, iterations=0)))
    by_name = dict(zip(STARTS, starts, strict=True))
    assert np.array_equal(by_name["content"], CONTENT)
    assert by_name["style"].shape == CONTENT.shape
    assert 100 < by_name["noise"].mean() < 155
    assert {name: set(by_name[name].flat) for name in ("black", "gray", "white")} == {
        "black": {0},
        "gray": {128},
        "white": {255},
    }


def test_the_seed_moves_what_starts_from_noise_and_nothing_else():
    first, again, other = (
        images(starting_points(CONTENT, STYLE, ["noise", "content", "black"], replace(QUICK, seed=seed)))
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert np.array_equal(first[1], other[1])
    assert np.array_equal(first[2], other[2])


def test_what_starts_at_the_border_of_the_range_does_not_stay_there():
    counts = []
    starts, settings = ["gray", "black", "white"], replace(QUICK, iterations=60)
    sheet = starting_points(CONTENT, STYLE, starts, settings, on_progress=lambda *count: counts.append(count))
    gray, black, white = (panel.terms["all"] for panel in sheet.panels)
    assert max(black, white) < 1.6 * gray
    assert counts[-1] == (183, 183)
    assert counts == sorted(counts)


def test_more_weight_for_the_style_costs_content():
    sheet = trade_off(CONTENT, STYLE, [0.01, 1, 100], replace(QUICK, iterations=15))
    assert [panel.label for panel in sheet.panels[2:]] == [f"content 1 : style {w}" for w in ("0.01", "1", "100")]
    terms = [panel.terms for panel in sheet.panels[2:]]
    assert terms[0]["content"] < terms[1]["content"] < terms[2]["content"]
    assert terms[0]["style"] > terms[1]["style"] > terms[2]["style"]


def test_each_content_layer_gives_its_own_picture():
    sheet = content_layers(CONTENT, STYLE, None, QUICK)
    assert [panel.label.split()[-1] for panel in sheet.panels[2:]] == ["relu1_1", "relu2_1", "relu3_1", "relu3_4"]
    assert len({panel.image.tobytes() for panel in sheet.panels}) == 6


def test_progress_looks_after_every_so_many_steps_and_never_goes_back():
    sheet = progress(CONTENT, STYLE, 3, replace(QUICK, iterations=10), start="gray")
    assert [panel.label for panel in sheet.panels] == ["start", "after 3", "after 6", "after 9", "after 10"]
    assert set(sheet.panels[0].image.flat) == {128}
    losses = [panel.terms["all"] for panel in sheet.panels]
    assert losses == sorted(losses, reverse=True)
    assert losses[3] < 0.75 * losses[0]


def test_progress_ends_where_a_transfer_does():
    (last,) = starting_points(CONTENT, STYLE, ["content"], QUICK).panels
    for every, count in ((3, 2), (2, 3), (5, 2)):
        panels = progress(CONTENT, STYLE, every, QUICK).panels
        assert len(panels) == count
        assert panels[-1].label == "after 3"
        assert np.array_equal(panels[-1].image, last.image)
    assert len(progress(CONTENT, STYLE, 2, replace(QUICK, iterations=0)).panels) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: starting_points(CONTENT, STYLE, ["blue"], QUICK), "no start blue; choose among content"),
        (lambda: starting_points(CONTENT, STYLE, [], QUICK), "no start given"),
        (lambda: trade_off(CONTENT, STYLE, [-1.0], QUICK), "style_weight is -1; the range"),
        (lambda: trade_off(CONTENT, STYLE, [], QUICK), "give at least one"),
        (lambda: trade_off(CONTENT, STYLE, [1.0], QUICK, start="blue"), "no start 'blue'"),
        (lambda: content_layers(CONTENT, STYLE, ["relu4_2"], QUICK), "no layer 'relu4_2'"),
        (lambda: content_layers(CONTENT, STYLE, [], QUICK), "give at least one"),
        (lambda: progress(CONTENT, STYLE, 0, QUICK), "every is 0"),
        (lambda: progress(CONTENT, STYLE, 1, replace(QUICK, iterations=1000)), "at most 200 snapshots"),
    ],
)
def test_bad_values_are_refused(call, message):
    with pytest.raises(SettingsError, match=message):
        call()
