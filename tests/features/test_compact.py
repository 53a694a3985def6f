"""The network that ships: small, there, and consistent with what the objective expects of it."""

import os
from importlib import resources
from pathlib import Path

import pytest
import torch

from vidstyle import Settings, Stylizer
from vidstyle.errors import SettingsError, WeightsError
from vidstyle.features import check_layers, load_network
from vidstyle.features.compact import LAYER_CHANNELS, load_compact
from vidstyle.media.images import read_image, resize
from vidstyle.objective import Objective, style_targets, to_tensor

LARGEST_BYTES = 2_000_000
SAMPLES = Path(__file__).parents[2] / "samples"
REAL = os.environ.get("VIDSTYLE_VGG19_WEIGHTS")


def test_shipped_file_is_small():
    file = resources.files("vidstyle.features") / "compact.safetensors"
    assert 0 < len(file.read_bytes()) < LARGEST_BYTES


def test_shipped_metrics_are_symmetric_and_not_degenerate():
    for layer, metric in load_compact().metrics().items():
        assert metric.shape == (LAYER_CHANNELS[layer],) * 2
        torch.testing.assert_close(metric, metric.T, rtol=0, atol=0)
        assert torch.linalg.matrix_norm(metric, 2) > 0.1


def test_features_have_the_strides_of_the_layers_they_stand_for():
    features = load_compact()(torch.rand(1, 3, 24, 40), LAYER_CHANNELS)
    assert {layer: tuple(f.shape) for layer, f in features.items()} == {
        "relu1_1": (1, 16, 24, 40),
        "relu2_1": (1, 32, 12, 20),
        "relu3_1": (1, 64, 6, 10),
        "relu3_4": (1, 64, 6, 10),
    }


def test_features_tell_pictures_apart():
    network = load_compact()
    flat, noise = torch.full((1, 3, 32, 32), 0.5), torch.rand(1, 3, 32, 32)
    a, b = (network(image, ["relu3_4"])["relu3_4"] for image in (flat, noise))
    assert float((a - b).square().mean()) > 0.01 * float(b.square().mean())


def test_other_layers_are_refused_with_a_list():
    with pytest.raises(SettingsError, match="relu1_1, relu2_1, relu3_1, relu3_4"):
        check_layers("compact", ["relu4_2"])


def test_another_networks_weights_are_refused(tmp_path):
    torch.save({"features.0.weight": torch.rand(64, 3, 3, 3)}, tmp_path / "vgg.pth")
    with pytest.raises(WeightsError, match="another network"):
        load_network("compact", ["relu1_1"], tmp_path / "vgg.pth")


@pytest.mark.skipif(not REAL, reason="VIDSTYLE_VGG19_WEIGHTS names no file of real weights")
def test_what_the_student_paints_pleases_the_teacher():
    content = resize(read_image(SAMPLES / "mosaic.jpg"), 168, 128)
    style = resize(read_image(SAMPLES / "starry.jpg"), 160, 128)
    settings = Settings(first_iterations=40, device="cpu", tv_weight=0)
    painted = Stylizer(style, settings)(content)
    teacher = load_network("vgg19", [*settings.style_layers, settings.content_layer], Path(REAL or ""))
    targets = style_targets(teacher, style, 168, 128, settings)
    objective = Objective(teacher, settings, targets, to_tensor(content))
    with torch.no_grad():
        before, after = (float(objective(to_tensor(image))) for image in (content, painted))
    assert after < 0.3 * before
