"""RAFT: what happens without torchvision, and the way of pictures through it where it can be loaded."""

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vidstyle import Settings, stylize
from vidstyle.errors import FlowError
from vidstyle.files import cache_folder
from vidstyle.method.flow import raft
from vidstyle.method.flow.raft import RaftFlow
from vidstyle.weights.loading import load_flow


@pytest.fixture
def without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models.optical_flow", None)


@pytest.mark.usefixtures("without_torchvision", "painting_scene")
def test_without_torchvision_nothing_is_begun(tmp_path):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FlowError, match=r"--flow raft needs a torchvision that suits torch .*--flow dis"):
        stylize("in.mp4", "style.png", "out.mp4", Settings(flow="raft"))
    assert sorted(tmp_path.iterdir()) == before


def test_the_published_name_is_torchvisions():
    assert RaftFlow.published.url.endswith("/raft_large_C_T_SKHT_V2-ff5fadd5.pth")


class Shifted(torch.nn.Module):
    """Stands in for the network, which cannot be loaded beside every torch: the same answer for all pixels."""

    def __init__(self, weights=None):
        super().__init__()
        self.answer = torch.nn.Parameter(torch.zeros(2))

    def forward(self, here, there):
        assert here.shape == there.shape
        assert here.shape[2] % 8 == here.shape[3] % 8 == 0
        assert min(here.shape[2:]) >= 128
        assert (float(here.min()), float(there.max())) == (-1, 1)
        field = self.answer.view(1, 2, 1, 1).expand(1, 2, *here.shape[2:])
        return [torch.zeros_like(field), field]


def test_flow_comes_back_in_pixels_of_the_picture(monkeypatch):
    # 60 x 100 is enlarged to 128 x 216: what is 2 px there is less here.
    monkeypatch.setattr(raft, "_builder", lambda: Shifted)
    cache_folder().mkdir(parents=True, exist_ok=True)
    save_file({"answer": torch.tensor([4.32, 2.56])}, cache_folder() / RaftFlow.published.name)
    estimate = load_flow("raft", torch.device("cpu"))
    flow = estimate(np.zeros((60, 100, 3), np.uint8), np.full((60, 100, 3), 255, np.uint8))
    assert flow.shape == (60, 100, 2)
    assert flow.reshape(-1, 2) == pytest.approx(np.tile([2.0, 1.2], (6000, 1)), rel=1e-5)


def has_torchvision():
    try:
        RaftFlow.check()
    except FlowError:
        return False
    return True


@pytest.mark.skipif(not has_torchvision(), reason="torchvision cannot be loaded beside this torch")
def test_the_real_network_takes_odd_sizes():
    from torchvision.models.optical_flow import raft_large

    cache_folder().mkdir(parents=True, exist_ok=True)
    state = {k: v.float().contiguous() for k, v in raft_large(weights=None).state_dict().items()}
    save_file(state, cache_folder() / RaftFlow.published.name)
    picture = np.random.default_rng(0).integers(0, 256, (61, 99, 3), dtype=np.uint8)
    flow = load_flow("raft", torch.device("cpu"))(picture, picture)
    assert flow.shape == (61, 99, 2)
