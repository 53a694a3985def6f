"""Distillation on toy sizes: it writes a network that loads, learns, and goes on where it stopped."""

import csv
import sys

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scripting import loaded_script

from vidstyle.method.features.compact import CompactFeatures
from vidstyle.method.features.vgg19 import weight_shapes
from vidstyle.weights.loading import load_network

SHAPE = "4x1,6x1,8x2"


@pytest.fixture
def distill(monkeypatch):
    small = {
        "CROP_PX": 32,
        "STYLES": 4,
        "NATURAL_GROUPS": 2,
        "OPTIMIZED_GROUPS": 2,
        "NEW_NATURAL": 1,
        "NEW_OPTIMIZED": 1,
    }
    with loaded_script("distill") as module:
        training, optimized = sys.modules["distillation.training"], sys.modules["distillation.optimized"]
        for name, value in small.items():
            monkeypatch.setattr(training, name, value)
        monkeypatch.setattr(optimized, "STEPS", (2, 4))
        yield module


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
    network = load_network("compact", ["relu1_1"], tmp_path / "a.safetensors")
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
        if steps == 11:  # two steps after a checkpoint whose weights are an average already
            raise KeyboardInterrupt
        return advance(self)

    monkeypatch.setattr(distill, "LOG_EVERY", 5)
    monkeypatch.setattr(distill.Training, "advance", stopping)
    with pytest.raises(KeyboardInterrupt):
        distill.main(arguments("parts.safetensors", 12))
    distill.main(arguments("parts.safetensors", 12))
    assert (tmp_path / "whole.safetensors").read_bytes() == (tmp_path / "parts.safetensors").read_bytes()
    with (tmp_path / "parts.csv").open(encoding="utf-8") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["5", "10", "12"]
    capsys.readouterr()


def test_a_finished_run_writes_its_weights_again(distill, arguments, tmp_path, capsys):
    distill.main(arguments("a.safetensors", 4))
    written = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").unlink()
    distill.main(arguments("a.safetensors", 4))
    assert (tmp_path / "a.safetensors").read_bytes() == written
    capsys.readouterr()


def test_a_checkpoint_of_another_run_is_refused_by_name(distill, arguments, capsys):
    distill.main(arguments("a.safetensors", 4))
    with pytest.raises(SystemExit, match="batch was 8, is 4"):
        distill.main(arguments("a.safetensors", 4, "--batch=4"))
    capsys.readouterr()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("--shape=9x1", "is no shape"),
        ("--teacher=nowhere.safetensors", "no such weights"),
        ("--pictures=nowhere", "no pictures"),
    ],
)
def test_wrong_arguments_end_in_a_line(distill, arguments, more, message):
    with pytest.raises(SystemExit, match=message):
        distill.main(arguments("a.safetensors", 4, more))


def test_pictures_are_of_the_folder_asked_for_and_not_held_out(distill, arguments, tmp_path):
    arguments("none", 0)
    pictures = sys.modules["distillation.pictures"].Pictures
    folder = tmp_path / "pictures"
    assert [
        len(pictures(*more).images) for more in ((folder, set()), (folder, {"a"}), (folder, set(), "paintings"))
    ] == [3, 2, 1]
    # A folder above is not meant.
    folder.rename(tmp_path / "paintings")
    assert len(pictures(tmp_path / "paintings", set(), "photos").images) == 2
    with pytest.raises(SystemExit, match="no pictures"):
        pictures(tmp_path / "paintings" / "photos", set(), "paintings")
    crop = pictures(tmp_path / "paintings", set()).crop(np.random.default_rng(0), 32)
    assert crop.shape == (3, 32, 32)
    assert 0 <= float(crop.min()) < float(crop.max()) <= 1


def test_shipped_metrics_measure_what_the_maps_do(distill):
    torch.manual_seed(0)
    student = sys.modules["distillation.student"].Student(CompactFeatures(SHAPE))
    gram = torch.rand(8, 8)
    gram, a, r = gram @ gram.T, student.maps["relu3_4"].detach(), student.shipped()["metric_relu3_4"].float()
    assert float((r @ gram @ r.T).norm()) == pytest.approx(float((a @ gram @ a.T).norm()), rel=2e-3)


def test_the_bank_keeps_the_same_places_of_every_layer(distill):
    bank = sys.modules["distillation.bank"].Bank.__new__(sys.modules["distillation.bank"].Bank)
    bank.images = torch.zeros(8, 3, 16, 16)
    ramp = torch.arange(256.0).view(1, 1, 16, 16)
    assert bank.sampled(ramp, torch.tensor([[1, 2]])).flatten().tolist() == [
        16 * y + x for y in (1, 5, 9, 13) for x in (2, 6, 10, 14)
    ]
    small = torch.arange(16.0).view(1, 1, 4, 4)
    assert bank.sampled(small, torch.tensor([[1, 2]])).flatten().tolist() == list(range(16))


def test_log_error_and_learning_rate(distill):
    training = sys.modules["distillation.training"]
    wanted = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert float(training.log_error(wanted, wanted)) == 0
    assert float(training.log_error(torch.zeros(2, 2), wanted)) == pytest.approx(np.log(2))
    rates = [training.learning_rate(progress, 1.0) for progress in (0, 0.02, 0.51, 1)]
    assert rates == pytest.approx([0.05, 1, 0.505, 0.01])
