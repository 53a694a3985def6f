"""Weights files are untrusted: each way in which one can be wrong has its own message."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from vidstyle.errors import WeightsError
from vidstyle.weights.reading import read_weights

EXPECTED = {"a.weight": (2, 3), "a.bias": (2,)}


def state():
    return {"a.weight": torch.rand(2, 3), "a.bias": torch.rand(2)}


@pytest.fixture(params=["weights.safetensors", "weights.pth", "old.pth"])
def saved(request, tmp_path):
    def save(tensors):
        path = tmp_path / request.param
        if path.suffix == ".pth":
            # torchvision's VGG-19 is from before torch 1.6 and no archive.
            torch.save(tensors, path, _use_new_zipfile_serialization=not path.stem.startswith("old"))
        else:
            save_file(tensors, path)
        return path

    return save


def test_read_weights_returns_only_what_is_expected_as_float32(saved):
    tensors = state()
    read = read_weights(saved({**{k: v.double() for k, v in tensors.items()}, "other": torch.ones(1)}), EXPECTED)
    assert set(read) == set(EXPECTED)
    for name, tensor in read.items():
        torch.testing.assert_close(tensor, tensors[name], rtol=0, atol=0)


def test_read_weights_names_a_missing_tensor(saved):
    with pytest.raises(WeightsError, match=r"no tensor a\.bias \(1 of 2"):
        read_weights(saved({"a.weight": torch.rand(2, 3)}), EXPECTED)


def test_read_weights_names_a_wrong_shape(saved):
    with pytest.raises(WeightsError, match=r"a\.weight is \(3, 2\)"):
        read_weights(saved({**state(), "a.weight": torch.rand(3, 2)}), EXPECTED)


def test_read_weights_refuses_values_that_are_not_finite(saved):
    with pytest.raises(WeightsError, match="not finite"):
        read_weights(saved({**state(), "a.bias": torch.tensor([1.0, torch.nan])}), EXPECTED)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "weights.bin"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\xff" * 4096])
def test_read_weights_refuses_files_that_are_not_weights(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        read_weights(path, EXPECTED)


def test_read_weights_runs_no_code(tmp_path):
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"

    class Evil:
        def __reduce__(self):
            return (open, (str(trace), "w"))

    path.write_bytes(pickle.dumps({"a.weight": Evil()}))
    with pytest.raises(WeightsError):
        read_weights(path, EXPECTED)
    assert not trace.exists()


def test_read_weights_names_a_missing_file(tmp_path):
    with pytest.raises(WeightsError, match="no such weights file"):
        read_weights(tmp_path / "none.safetensors", EXPECTED)


def test_read_weights_refuses_a_list(tmp_path):
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="holds a list"):
        read_weights(tmp_path / "list.pth", EXPECTED)
