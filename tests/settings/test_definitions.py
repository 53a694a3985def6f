"""Settings are checked when they are made, and stated once."""

from dataclasses import FrozenInstanceError
from fractions import Fraction
from pathlib import Path

import pytest

from vidstyle.errors import SettingsError
from vidstyle.method.losses import STYLE_LOSSES
from vidstyle.settings import Settings
from vidstyle.settings.definitions import ALL_SETTINGS
from vidstyle.settings.setting import GROUPS


def test_defaults_are_legal_and_frozen():
    settings = Settings()
    assert (settings.size, settings.network, settings.init, settings.flow) == (640, "compact", "warped", "dis")
    with pytest.raises(FrozenInstanceError):
        settings.size = 3  # type: ignore[misc]


def test_every_field_has_help_text():
    assert [spec.name for spec in ALL_SETTINGS.values() if not spec.help] == []


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
        ({"fps": "1/0"}, "fps is '1/0'; give a number above 0"),
        ({"cluster": 3}, "cluster is 3; give a name"),
        ({"cuts": 3}, "cuts is 3; give 'auto', 'off'"),
        ({"gpus_per_shot": 1}, "gpus_per_shot is for a cluster"),
        ({"cpus_per_shot": 2}, "cpus_per_shot is for a cluster"),
        ({"no_shared_storage": True}, "no_shared_storage is for a cluster"),
        ({"cluster": "auto", "workers": 2}, "leave --workers out"),
        ({"cluster": "ray://head:10001"}, "on a machine of the cluster"),
        ({"cluster": "auto", "gpus_per_shot": 1.5}, "whole number"),
        ({"cluster": " "}, "cluster is ' '"),
    ],
)
def test_illegal_values_are_refused_with_the_legal_ones(changes, said):
    with pytest.raises(SettingsError, match=said):
        Settings(**changes)


def test_values_take_the_type_of_their_setting():
    assert Settings(cluster="auto", gpus_per_shot=0.25).gpus_per_shot == 0.25
    settings = Settings(fps=25, weights="vgg.safetensors", style_layers=["relu1_1"], frames=[2, None], tv_weight=1)
    assert (settings.fps, settings.weights) == (Fraction(25), Path("vgg.safetensors"))
    assert isinstance(settings.fps, Fraction)
    assert (settings.style_layers, settings.frames) == (("relu1_1",), (2, None))
    assert isinstance(settings.tv_weight, float)


def test_settings_error_is_a_value_error():
    with pytest.raises(ValueError, match="device"):
        Settings(device="tpu")


def test_every_setting_says_what_it_takes():
    for spec in ALL_SETTINGS.values():
        if not spec.kind.choices:
            assert f"{spec.name} is 1j; give " in str(spec.kind.refusal(spec.name, 1j))


def test_every_setting_has_a_topic_and_the_topics_follow_each_other():
    assert list(dict.fromkeys(spec.group for spec in ALL_SETTINGS.values())) == list(GROUPS)


def test_what_a_setting_changes_follows_from_what_it_belongs_to():
    unlike = {spec.name for spec in ALL_SETTINGS.values() if spec.changes_frames and spec.scope in ("machine", "run")}
    assert unlike == set()
    assert {name for name, spec in ALL_SETTINGS.items() if spec.when_joining} == {"audio", "no_audio", "no_location"}
    free = {name for name, spec in ALL_SETTINGS.items() if spec.scope in ("look", "film") and not spec.changes_frames}
    assert free == {"animate", "style_at", "weights", "cuts", "mask", "region"}  # files, compared by their content


def test_every_style_loss_can_be_chosen():
    assert set(ALL_SETTINGS["style_loss"].kind.choices) == set(STYLE_LOSSES)
