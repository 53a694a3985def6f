"""Distillation on toy sizes: it writes a network that loads, learns, and goes on where it stopped."""

import csv
import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vidstyle.features.compact import CompactFeatures, load_compact
from vidstyle.features.vgg19 import weight_shapes

SCRIPTS = Path(__file__).parents[2] / "scripts"
SHAPE = "4x1,6x1,8x2"


@pytest.fixture
def distill(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    spec = importlib.util.spec_from_file_location("distill", SCRIPTS / "distill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    training, optimised = sys.modules["distillation.training"], sys.modules["distillation.optimised"]
    small = {
        "CROP_PX": 32,
        "STYLES": 4,
        "NATURAL_GROUPS": 2,
        "OPTIMISED_GROUPS": 2,
        "NEW_NATURAL": 1,
        "NEW_OPTIMISED": 1,
    }
    for name, value in small.items():
        monkeypatch.setattr(training, name, value)
    monkeypatch.setattr(optimised, "STEPS", (2, 4))
    return module


@pytest.fixture
def arguments(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("photos/a", "photos/b", "paintings/c"):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (120, 90)))
    torch.manual_seed(0)
    shapes = weight_shapes("relu3_4")
    state = {k: torch.randn(s) * (2 / (s[1] * 9)) ** 0.5 if len(s) == 4 else torch.zeros(s) for k, s in shapes.items()}
    save_file(state, tmp_path / "teacher.safetensors")

    def build(name, steps, *more):
        return [
            f"--teacher={tmp_path / 'teacher.safetensors'}", f"--pictures={tmp_path / 'pictures'}", "--device=cpu",
            f"--output={tmp_path / name}", f"--steps={steps}", "--save-every=4", "--teacher-precision=float32",
            f"--shape={SHAPE}", "--rounds=3", "--precision=float32", *more,
        ]  # fmt: skip

    return build


def test_a_run_writes_a_network_that_loads_and_a_log(distill, arguments, tmp_path, capsys):
    distill.main(arguments("a.safetensors", 40))
    network = load_compact(tmp_path / "a.safetensors")
    features = network(torch.rand(1, 3, 32, 32), CompactFeatures.layer_names)
    assert all(bool(torch.isfinite(f).all()) for f in features.values())
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["20", "40"]
    assert float(rows[-1]["gradient"]) > 0
    assert float(rows[-1]["features"]) < float(rows[0]["features"])
    capsys.readouterr()


def test_a_run_that_was_interrupted_ends_like_one_that_was_not(distill, arguments, tmp_path, capsys, monkeypatch):
    distill.main(arguments("whole.safetensors", 12))
    steps = 0
    advance = distill.Training.advance

    def stopping(self):
        nonlocal steps
        steps += 1
        if steps == 7:
            raise KeyboardInterrupt
        return advance(self)

    monkeypatch.setattr(distill.Training, "advance", stopping)
    with pytest.raises(KeyboardInterrupt):
        distill.main(arguments("parts.safetensors", 12))
    distill.main(arguments("parts.safetensors", 12))
    whole, parts = (load_file(tmp_path / f"{name}.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    capsys.readouterr()
