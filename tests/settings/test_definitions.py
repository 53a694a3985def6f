"""Settings are checked when they are made, and stated once."""

from dataclasses import FrozenInstanceError, fields
from fractions import Fraction
from pathlib import Path

import pytest

from vidstyle.errors import SettingsError
from vidstyle.settings import Settings
from vidstyle.settings.values import no_such_kind


def test_defaults_are_legal_and_frozen():
    settings = Settings()
    assert (settings.size, settings.network, settings.init, settings.flow) == (640, "compact", "warped", "dis")
    with pytest.raises(FrozenInstanceError):
        settings.size = 3  # type: ignore[misc]


def test_every_field_has_help_text():
    assert [spec.name for spec in fields(Settings) if not spec.metadata["help"]] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 15}, "16 to 16384"),
        ({"size": "big"}, "size is 'big'"),
        ({"network": "vgg16"}, "compact, vgg19"),
        ({"iterations": -1}, "iterations"),
        ({"style_weight": float("nan")}, "style_weight"),
        ({"content_weight": float("inf")}, "content_weight"),
        ({"precision": "float64"}, "bfloat16"),
        ({"frames": (5, 5)}, "5:5 is empty"),
        ({"frames": (-1, None)}, "is empty"),
        ({"style_layers": ()}, "at least one layer"),
        ({"temporal_window": ()}, "begins with 1"),
        ({"temporal_window": (5, 1)}, "ascends"),
        ({"temporal_window": (1, 1)}, "ascends"),
        ({"temporal_window": (5, 15)}, "begins with 1"),
        ({"temporal_window": (0, 1)}, "1 to 120"),
        ({"temporal_window": (1, 121)}, "1 to 120"),
        ({"temporal_window": (1.5,)}, r"temporal_window is \(1.5,\)"),
        ({"temporal_window": "15"}, "temporal_window is '15'"),
        ({"temporal_window": (True,)}, r"temporal_window is \(True,\)"),
        ({"temporal_window": 3}, "temporal_window is 3"),
        ({"temporal_weight": -1}, "temporal_weight"),
        ({"least_gain": 1.5}, "0 to 1"),
        ({"flow": "farneback"}, "dis, raft, off"),
        ({"style_layers": ("relu1_1", "relu1_1")}, "once"),
        ({"fps": Fraction(0)}, "fps"),
        ({"crf": 101}, "crf"),
        ({"first_iterations": 2.5}, "first_iterations"),
        ({"levels": True}, "levels"),
        ({"overwrite": "no"}, "overwrite"),
        ({"frames": None}, "frames"),
        ({"frames": (0.5, 3)}, "frames"),
        ({"frames": "0:3"}, r"frames is '0:3'; give A and B: from Python \(0, 100\) or \(5, None\)"),
        ({"style_layers": "relu1_1"}, "style_layers"),
        ({"pooling": "max"}, "for vgg19"),
        ({"strength": 1.1}, "0 to 1"),
        ({"style_blend": (0, 0)}, "all 0"),
        (
            {"content_weight": 0, "style_weight": 0, "tv_weight": 0},
            "tv_weight are all 0",
        ),
        ({"style_blend": (1, -1)}, "style_blend is -1"),
        ({"style_blend": "1"}, "style_blend"),
        ({"style_blend": (True,)}, "style_blend"),
        ({"style_size": 0}, "0.1 to 4"),
        ({"style_crop": (0.5, 0, 0.6, 1)}, "style_crop 0.5,0,0.6,1 reaches out"),
        ({"style_crop": (0, 0, 1, 0)}, "nothing of it"),
        ({"style_crop": (0, 0, 1)}, "style_crop"),
    ],
)
def test_illegal_values_are_refused_with_the_legal_ones(changes, said):
    with pytest.raises(SettingsError, match=said):
        Settings(**changes)


def test_values_take_the_type_of_their_setting():
    settings = Settings(fps=25, weights="vgg.safetensors", style_layers=["relu1_1"], frames=[2, None], tv_weight=1)
    assert (settings.fps, settings.weights) == (Fraction(25), Path("vgg.safetensors"))
    assert isinstance(settings.fps, Fraction)
    assert (settings.style_layers, settings.frames) == (("relu1_1",), (2, None))
    assert isinstance(settings.tv_weight, float)


def test_settings_error_is_a_value_error():
    with pytest.raises(ValueError, match="device"):
        Settings(device="tpu")


def test_every_setting_says_what_it_takes():
    for spec in fields(Settings):
        if not spec.metadata["choices"]:
            assert f"{spec.name} is 1j; give " in str(no_such_kind(spec.name, 1j, spec.metadata))
