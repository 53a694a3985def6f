"""What painting takes: few evaluations are multiplied by how many frames usually get."""

import numpy as np
import pytest
from clips import picture

from vidstyle import Settings, Stylizer
from vidstyle.method.stylizer import StylizedFrame
from vidstyle.render.estimate import BUDGET_S, first_evaluations, memory_bytes, pace_of, usual_evaluations

STYLE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


class Clockwork(Stylizer):
    """Takes a second for each evaluation of 1,000 pixels, and ten aside for each 1,000 pixels that follow others."""

    def __init__(self, settings):
        super().__init__(STYLE, settings)
        self.stylized, self.follows = [], False

    def restart(self, first=None, fallback=0):
        self.follows = False

    def stylize(self, image, coverage=None, look=None):
        settings, thousands = self.settings, image.shape[0] * image.shape[1] / 1000
        evaluations = settings.iterations + 1 if self.follows and settings.iterations else 0
        if not self.follows:
            evaluations = first_evaluations(settings)
        seconds = thousands * (evaluations + (10 if self.follows else 0))
        self.stylized.append((image.shape[:2], seconds))
        self.follows = True
        return StylizedFrame(image, image, 1.0, evaluations, 0, seconds)


@pytest.mark.parametrize(
    ("changes", "usual"),
    [
        ({}, 8.0),
        ({"temporal_weight": 0}, 10.8),
        ({"init": "previous"}, 5.2),
        ({"flow": "off"}, 5.2),
        ({"iterations": 3}, 4),
        ({"iterations": 0}, 0),
        ({"least_gain": 0}, 21),
        ({"optimizer": "adam"}, 21),
    ],
)
def test_later_frames_get_what_is_usual_and_never_more_than_allowed(changes, usual):
    assert usual_evaluations(Settings(**changes)) == usual


def test_first_frames_get_the_larger_number_of_steps():
    assert first_evaluations(Settings()) == 51
    assert first_evaluations(Settings(iterations=80)) == 81
    assert first_evaluations(Settings(iterations=0, first_iterations=0)) == 0


def test_few_evaluations_are_multiplied(monkeypatch):
    monkeypatch.setattr("vidstyle.render.estimate.BUDGET_S", 1e9)
    stylizer = Clockwork(Settings(size="source"))
    pace = pace_of(stylizer, picture(0, (50, 20)))
    assert (pace.width, pace.height) == (50, 20)
    assert pace.first_frame_s == pytest.approx(51)
    assert pace.later_frame_s == pytest.approx(10 + 8)
    assert stylizer.settings == Settings(size="source")
    assert not stylizer.follows


def test_all_frames_are_first_ones_where_none_is_carried(monkeypatch):
    monkeypatch.setattr("vidstyle.render.estimate.BUDGET_S", 1e9)
    pace = pace_of(Clockwork(Settings(size="source", init="content")), picture(0, (50, 20)))
    assert pace.later_frame_s == pace.first_frame_s == pytest.approx(51)


def test_large_frames_are_measured_small_and_multiplied():
    stylizer = Clockwork(Settings(size="source"))
    pace = pace_of(stylizer, picture(0, (1280, 640)))
    # A second for each thousand pixels is far beyond what measuring may take, so the first look is all there is.
    assert (pace.width, pace.height) == (320, 160)
    assert pace.first_frame_s == pytest.approx(51 * 819.2)
    assert pace.later_frame_s == pytest.approx(18 * 819.2)
    assert max(shape for shape, _ in stylizer.stylized) == (160, 320)
    assert BUDGET_S < 51


def test_frames_that_stay_unpainted_take_next_to_nothing():
    stylizer = Stylizer(STYLE, Settings(size="source", iterations=0, first_iterations=0, device="cpu"))
    pace = pace_of(stylizer, picture(0))
    assert 0 < pace.first_frame_s < 60
    assert 0 < pace.later_frame_s < 60


def test_memory_is_what_was_measured():
    # README, "Limits and speed": 0.5 GB at 512 px, 0.8 at 1024, 2.0 at 1920 and 7.5 at 3840x2160.
    stylizer = Stylizer(STYLE, Settings(device="cpu", precision="bfloat16"))
    for width, height, measured in ((512, 288, 0.5), (1024, 576, 0.8), (1920, 1080, 2.0), (3840, 2160, 7.5)):
        assert memory_bytes(stylizer, width, height) / 1e9 == pytest.approx(measured, rel=0.15)
    stylizer.settings = Settings(device="cpu", optimizer="adam", activations_gib=0.5)
    assert memory_bytes(stylizer, 3840, 2160) < 3e9
