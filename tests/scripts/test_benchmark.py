"""What the benchmark counts and shows; its times are nobody's to assert."""

import json

import cv2
import numpy as np
import pytest
import torch
from scripting import loaded_script

from vidstyle import Settings, Stylizer
from vidstyle.looks.styles import load_styles
from vidstyle.method.objective import Objective, to_tensor
from vidstyle.method.stylizer import FrameStylizer
from vidstyle.method.targets import StyleTargetCache


@pytest.fixture(scope="module")
def benchmark():
    with loaded_script("benchmark") as module:
        yield module


@pytest.fixture
def clip(tmp_path):
    """A folder of four frames and a style."""
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in ("style.png", "in/1.png", "in/2.png", "in/3.png", "in/4.png"):
        cv2.imwrite(str(tmp_path / name), cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (64, 48)))
    return tmp_path


def test_operations_are_those_of_the_convolutions(benchmark, clip):
    stylizer = Stylizer(clip / "style.png", Settings(levels=1, device="cpu"))
    image = to_tensor(np.zeros((48, 64, 3), np.uint8))
    options = stylizer.settings.options
    styles = StyleTargetCache(stylizer.network, load_styles(clip / "style.png", stylizer.settings), options)
    objective = Objective(stylizer.network, options, styles.at(64, 48), image)
    # With the border that the network sees, of which each convolution leaves out a row and a column on all sides.
    height, width, there = 48 + 44, 64 + 44, 0
    for depth, (a, b) in enumerate([(3, 16), (16, 16), (16, 48), (48, 48), (48, 128)] + [(128, 128)] * 3):
        if depth in {2, 4}:
            height, width = height // 2, width // 2
        height, width = height - 2, width - 2
        there += 2 * 9 * a * b * height * width
    assert (height, width) == (48 // 4, 64 // 4)
    there += 2 * 128 * 128 * height * width  # the metric of the content layer, a convolution of 1 x 1
    assert benchmark.convolution_flops(objective, image) == 2 * there


def test_stages_are_those_of_a_real_render(benchmark, clip):
    output = clip / "out"
    output.mkdir()
    settings = Settings(iterations=2, first_iterations=2, device="cpu", size=32)
    stages = benchmark.stage_seconds(clip / "in", clip / "style.png", settings, output)
    assert len(list(output.iterdir())) == 4
    named = [stages[name] for name in benchmark.PER_FRAME]
    assert min(named) > 0
    assert stages["later frame"] == pytest.approx(sum(named) + stages["other"])
    assert 1 < stages["evaluations"] <= 3
    # What was timed is as it was.
    assert not hasattr(FrameStylizer._minimize, "__wrapped__")


def test_the_table_is_made_of_the_figures_that_are_kept(benchmark, monkeypatch, tmp_path, capsys):
    figures = {
        "machine": "m",
        "device": "cpu",
        "threads": 2,
        "torch": torch.__version__,
        "size": "512x288",
        "evaluation": {"compact": {"seconds": 0.05, "convolution_flops": 20e9, "ceiling_flops_per_s": 800e9}},
        "ceiling_flops_per_s": 500e9,
        "peer_iteration_s": 0.75,
        "still_s": 0.2,
        "stages": dict.fromkeys((*benchmark.PER_FRAME, *benchmark.PER_RUN, "other"), 0.05)
        | {"optimize": 0.4, "later frame": 0.5, "first frame": 4.0, "evaluations": 5.0},
    }
    monkeypatch.setattr(benchmark, "measured", lambda _: figures)
    assert benchmark.main(["--json", str(tmp_path / "kept.json")]) == 0
    assert json.loads((tmp_path / "kept.json").read_text()) == figures
    shown = capsys.readouterr().out
    assert "compact: an evaluation 50 ms, 20.0 GFLOP, 50 % of the ceiling of 800 GFLOP/s" in shown
    assert "the whole optimization reaches 50 % of the ceiling" in shown
    assert "750 s a frame, 1500 times as long" in shown
