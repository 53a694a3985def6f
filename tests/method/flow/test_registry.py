"""Ways to estimate optical flow: one class and one line each."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from vidstyle import Settings
from vidstyle.method.flow import FLOWS, FlowEntry, flow_class
from vidstyle.weights.loading import load_flow


def test_settings_offer_what_there_is_and_none():
    (choices,) = (spec.metadata["kind"].choices for spec in fields(Settings) if spec.name == "flow")
    assert choices == (*FLOWS, "off")
    for name in FLOWS:
        assert callable(flow_class(name).check)


def test_a_new_flow_is_one_class_and_one_line(monkeypatch):
    class Nothing:
        """Says that nothing moves."""

        published, memory_remedy = None, ""

        @classmethod
        def check(cls):
            """Needs nothing."""

        @classmethod
        def load(cls, read, device):
            return cls()

        def __call__(self, here, there):
            return np.zeros((*here.shape[:2], 2), np.float32)

    monkeypatch.setitem(FLOWS, "nothing", FlowEntry("dis:Nothing", "says that nothing moves"))
    monkeypatch.setattr("vidstyle.method.flow.dis.Nothing", Nothing, raising=False)
    picture = np.zeros((4, 6, 3), np.uint8)
    assert load_flow("nothing", torch.device("cpu"))(picture, picture).shape == (4, 6, 2)


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_says_what_needs_less_memory(name):
    assert flow_class(name).memory_remedy in ("", "--flow dis or ")
