"""The network that ships: small, there, and consistent with what the objective expects of it."""

import os
from importlib import resources
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vidstyle import Settings, Stylizer
from vidstyle.errors import SettingsError, WeightsError
from vidstyle.frames import resize
from vidstyle.media.stills.images import read_image
from vidstyle.method.features import check_layers
from vidstyle.method.features.compact import (
    SHAPE,
    CompactFeatures,
    packed,
    shape_in,
    stages_of,
)
from vidstyle.method.objective import Objective, style_targets, to_tensor
from vidstyle.weights.loading import load_network, weights_file
from vidstyle.weights.reading import WeightsFile

LARGEST_BYTES = 1_000_000
LAYERS = CompactFeatures.layer_names
SAMPLES = Path(__file__).parents[3] / "samples"
REAL = os.environ.get("VIDSTYLE_VGG19_WEIGHTS")


def test_shipped_file_is_small():
    file = resources.files("vidstyle.method.features") / "compact.safetensors"
    assert 0 < len(file.read_bytes()) < LARGEST_BYTES


def test_shipped_metrics_are_symmetric_and_not_degenerate():
    network = load_network("compact", LAYERS)
    for layer, metric in network.metrics().items():
        assert metric.shape == (network.layer_channels[layer],) * 2
        torch.testing.assert_close(metric, metric.T, rtol=0, atol=0)
        assert torch.linalg.matrix_norm(metric, 2) > 0.1


def test_features_have_the_strides_of_the_layers_they_stand_for():
    features = CompactFeatures("2x1,3x2,5x3")(torch.rand(1, 3, 24, 40), LAYERS)
    assert {layer: tuple(f.shape) for layer, f in features.items()} == {
        "relu1_1": (1, 2, 24, 40),
        "relu2_1": (1, 3, 12, 20),
        "relu3_1": (1, 5, 6, 10),
        "relu3_4": (1, 5, 6, 10),
    }


def test_shape_names_the_layers_at_the_ends_of_the_last_stage():
    assert stages_of("2x1,3x2,5x4") == (
        (2, ("relu1_1",)),
        (3, ("relu2_1", None)),
        (5, ("relu3_1", None, None, "relu3_4")),
    )


@pytest.mark.parametrize(
    "shape",
    [
        "",
        "16",
        "16x2,32x2",
        "16x2,32x2,32x3",
        "16x2,32x2,64x1",
        "0x1,2x1,3x2",
        "1x0,2x1,3x2",
        "1x1,2x1,9999x2",
        "1x1,2x1,3x99",
    ],
)
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="is no shape"):
        stages_of(shape)


def test_only_the_first_convolution_replicates_the_border():
    network = CompactFeatures("2x1,3x2,5x3")
    with torch.no_grad():
        for convolution in network.convolutions:
            convolution.weight.fill_(0.1)
        features = network(torch.full((1, 3, 16, 16), 0.7), LAYERS)
    assert float(features["relu1_1"].var((2, 3)).max()) < 1e-9
    assert float(features["relu2_1"][..., 0, :].max()) < float(features["relu2_1"][..., 1:-1, 1:-1].min())


def test_weights_of_any_shape_are_told_by_their_file(tmp_path):
    torch.manual_seed(0)
    network = CompactFeatures("2x1,3x2,5x3")
    for suffix, save in ((".safetensors", save_file), (".pth", torch.save)):
        path = tmp_path / f"small{suffix}"
        save(packed(network.state_dict()), path)
        assert shape_in(WeightsFile(path)) == "2x1,3x2,5x3"
        loaded = load_network("compact", LAYERS, path).state_dict()
        for name, value in network.state_dict().items():
            # Half a step of 1/127 of the filter's largest value; all else in float16.
            step = (
                value.abs().amax((1, 2, 3), keepdim=True) / 127 if value.dim() == 4 else 2**-10 * value.abs() + 2**-25
            )
            assert bool(((loaded[name] - value).abs() <= 0.501 * step).all())
    assert shape_in(WeightsFile(weights_file("compact"))) == SHAPE


def test_filters_of_zeros_can_be_packed():
    file = packed({"convolutions.0.weight": torch.zeros(2, 3, 3, 3)})
    assert not file["convolutions.0.weight"].any()
    assert bool(file["convolutions.0.scale"].gt(0).all())


def test_a_file_that_promises_a_network_beyond_its_own_tensors_is_refused(tmp_path):
    # Thin tensors which, as one network, would want convolutions of 500 x 510 channels that are not there.
    state = {f"convolutions.{k}.weight": torch.zeros(width, 1, 1, 1) for k, width in enumerate((500, 505, 510, 510))}
    save_file(state, tmp_path / "thin.safetensors")
    with pytest.raises(WeightsError, match="another network"):
        shape_in(WeightsFile(tmp_path / "thin.safetensors"))


def parameters(state):
    return {name: torch.nn.Parameter(value.float()) for name, value in state.items()}


def with_one(name, value):
    return lambda state: {**state, name: value(state[name])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_one("convolutions.1.scale", lambda v: v * 0 + 3e38), "not finite"),
        (with_one("convolutions.1.scale", lambda v: v * torch.nan), "not finite"),
        (with_one("convolutions.1.weight", lambda v: v.to_sparse()), "another network"),
        (with_one("convolutions.1.bias", lambda v: v.to("meta")), "another network"),
        (with_one("metric_relu2_1", lambda v: v.float().to_sparse_csr()), "another network"),
        (with_one("metric_relu2_1", lambda v: v.to(torch.complex64)), "another network"),
        (with_one("metric_relu2_1", lambda v: v[:2]), "another network"),
        (lambda state: {k: v for k, v in state.items() if "scale" not in k}, "another network"),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_files_with_strange_tensors_are_refused(tmp_path, change, message):
    path = tmp_path / "strange.pth"
    torch.save(change(packed(CompactFeatures("2x1,3x2,5x3").state_dict())), path)
    with pytest.raises(WeightsError, match=rf"strange\.pth.*{message}"):
        load_network("compact", LAYERS, path)


def test_tensors_that_are_parameters_or_share_their_data_are_read_as_they_are(tmp_path):
    state = packed(CompactFeatures("2x1,3x2,5x2").state_dict())
    state["convolutions.4.weight"] = torch.ones(5, 5, 3, 3)
    expected = dict(state)
    torch.save(parameters(state), tmp_path / "parameters.pth")
    # One row for all, and the same data under two names.
    state["convolutions.4.scale"] = torch.full((1,), 0.5).expand(5)
    state["convolutions.4.bias"] = state["convolutions.4.scale"]
    torch.save(state, tmp_path / "shared.pth")
    wanted = load_network("compact", LAYERS, tmp_path / "parameters.pth").convolutions[4]
    assert torch.equal(wanted.weight, torch.ones(5, 5, 3, 3) * expected["convolutions.4.scale"].view(-1, 1, 1, 1))
    shared = load_network("compact", LAYERS, tmp_path / "shared.pth").convolutions[4]
    assert torch.equal(shared.weight, torch.full((5, 5, 3, 3), 0.5))
    assert torch.equal(shared.bias, torch.full((5,), 0.5))


def test_features_tell_pictures_apart():
    network = load_network("compact", LAYERS)
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
    stylized = Stylizer(style, settings)(content)
    teacher = load_network("vgg19", [*settings.style_layers, settings.content_layer], Path(REAL or ""))
    targets = style_targets(teacher, style, 168, 128, settings.options)
    objective = Objective(teacher, settings.options, targets, to_tensor(content))
    with torch.no_grad():
        before, after = (float(objective(to_tensor(image))) for image in (content, stylized))
    assert after < 0.3 * before
