"""What stylizing takes: few evaluations are multiplied by how many frames usually get."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import picture

import vidstyle
from vidstyle import Settings, Stylizer
from vidstyle.method.stylizer import StylizedFrame
from vidstyle.render.estimate import (
    BUDGET_S,
    MEASURED_MEMORY_BYTES,
    USUAL_EVALUATIONS,
    first_evaluations,
    measured_pace,
    memory_bytes,
    usual_evaluations,
)
from vidstyle.weights.loading import load_network

SAMPLES = Path(__file__).parents[2] / "samples"
STYLE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


class Clockwork(Stylizer):
    """Takes a second for each evaluation of 1,000 pixels, and ten more for each 1,000 pixels that follow others."""

    def __init__(self, settings):
        super().__init__(STYLE, settings)
        self.stylized, self.follows = [], False

    def restart(self, first=None, fallback=0, palette_from=None):
        self.follows = False

    def stylize(self, image, coverage=None, look=None, steps=None):
        steps, thousands = steps or self.settings.options.steps, image.shape[0] * image.shape[1] / 1000
        evaluations = steps.later + 1 if self.follows and steps.later else 0
        if not self.follows:
            evaluations = first_evaluations(steps)
        seconds = thousands * (evaluations + (10 if self.follows else 0))
        self.stylized.append((image.shape[:2], seconds))
        self.follows = True
        return StylizedFrame(image, image, 1.0, evaluations, 0, seconds)


@pytest.mark.parametrize(
    ("changes", "usual"),
    [
        ({}, USUAL_EVALUATIONS["held"]),
        ({"temporal_weight": 0}, USUAL_EVALUATIONS["warped"]),
        ({"init": "previous"}, USUAL_EVALUATIONS["previous"]),
        ({"flow": "off"}, USUAL_EVALUATIONS["previous"]),
        ({"iterations": 3}, 4),
        ({"iterations": 0}, 0),
        ({"least_gain": 0}, 21),
        ({"optimizer": "adam"}, 21),
        ({"keyframe_every": 4}, USUAL_EVALUATIONS["keyframe"] / 4),
        ({"keyframe_every": "auto"}, USUAL_EVALUATIONS["keyframe"] / 5.5),
        ({"keyframe_every": 4, "iterations": 7}, 2),
        ({"keyframe_every": 8, "least_gain": 0}, 21 / 8),
    ],
)
def test_later_frames_get_what_is_usual_and_never_more_than_allowed(changes, usual):
    assert usual_evaluations(Settings(**changes)) == usual


def test_first_frames_get_the_larger_number_of_steps():
    assert first_evaluations(Settings().options.steps) == 51
    assert first_evaluations(Settings(iterations=80).options.steps) == 81
    assert first_evaluations(Settings(iterations=0, first_iterations=0).options.steps) == 0


def test_few_evaluations_are_multiplied(monkeypatch):
    monkeypatch.setattr("vidstyle.render.estimate.BUDGET_S", 1e9)
    stylizer = Clockwork(Settings())
    pace = measured_pace(stylizer, picture(0, (50, 20)))
    assert (pace.width, pace.height) == (50, 20)
    assert pace.first_frame_s == pytest.approx(51)
    assert pace.later_frame_s == pytest.approx(10 + USUAL_EVALUATIONS["held"])
    assert not stylizer.follows


def test_all_frames_are_first_ones_where_none_is_warped(monkeypatch):
    monkeypatch.setattr("vidstyle.render.estimate.BUDGET_S", 1e9)
    pace = measured_pace(Clockwork(Settings(init="content")), picture(0, (50, 20)))
    assert pace.later_frame_s == pace.first_frame_s == pytest.approx(51)


def test_large_frames_are_measured_small_and_multiplied():
    stylizer = Clockwork(Settings())
    pace = measured_pace(stylizer, picture(0, (1280, 640)))
    # A second for each thousand pixels is far beyond what measuring may take, so the first trial is all there is.
    assert (pace.width, pace.height) == (320, 160)
    assert pace.first_frame_s == pytest.approx(51 * 819.2)
    assert pace.later_frame_s == pytest.approx((10 + USUAL_EVALUATIONS["held"]) * 819.2)
    assert max(shape for shape, _ in stylizer.stylized) == (160, 320)
    assert BUDGET_S < 51


class Counting(Stylizer):
    """Notes how often the objective was really evaluated for each frame."""

    def __init__(self, settings):
        super().__init__(STYLE, settings)
        self.evaluations, self.of_frames = 0, []
        self.on_evaluation = lambda number, loss, image: setattr(self, "evaluations", self.evaluations + 1)

    def stylize(self, image, coverage=..., look=None, steps=None):
        before = self.evaluations
        stylized = super().stylize(image, coverage, look, steps)
        self.of_frames.append(self.evaluations - before)
        assert stylized.evaluations == self.evaluations - before
        return stylized


def test_no_more_is_evaluated_than_is_counted():
    settings = Settings(device="cpu", precision="float32")
    stylizer = Counting(settings)
    measured_pace(stylizer, picture(0, (64, 48)))
    # Two steps at each of one size for frames that start afresh, and at full size for one that follows; none for
    # the one that follows without steps.
    *first, without_steps, later = stylizer.of_frames
    assert set(first) == {3}
    assert (without_steps, later) == (0, 3)
    assert stylizer.settings is settings


def test_frames_that_stay_as_they_are_take_next_to_nothing():
    stylizer = Stylizer(STYLE, Settings(iterations=0, first_iterations=0, device="cpu"))
    pace = measured_pace(stylizer, picture(0))
    assert 0 < pace.first_frame_s < 60
    assert 0 < pace.later_frame_s < 60


def test_memory_is_what_was_measured():
    network = load_network("compact", ["relu3_4"]).placed(torch.device("cpu"), torch.bfloat16)
    for (width, height), measured in MEASURED_MEMORY_BYTES.items():
        assert memory_bytes(network, Settings(), width, height) == pytest.approx(measured, rel=0.15)
    frugal = Settings(optimizer="adam", activations_gib=0.5)
    assert memory_bytes(network, frugal, 3840, 2160) < 0.5 * memory_bytes(network, Settings(), 3840, 2160)


@pytest.mark.skipif("VIDSTYLE_TEST_FORECASTS" not in os.environ, reason="only on a quiet machine, by hand")
@pytest.mark.parametrize("size", [256, 512])
def test_a_forecast_comes_true(size, tmp_path):
    settings = Settings(size=size, frames=(0, 12))
    names = SAMPLES / "clip.mp4", SAMPLES / "starry.jpg", tmp_path / "out.mp4"
    forecast = vidstyle.forecast(*names, settings)
    result = vidstyle.stylize(*names, settings)
    assert 1 / 1.5 < forecast.total_s / result.seconds < 1.5
