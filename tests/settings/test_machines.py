"""What is said of processes and clusters goes together."""

import pytest

from vidstyle import Settings
from vidstyle.errors import SettingsError


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gpus_per_shot": 1}, "gpus_per_shot is for a cluster"),
        ({"cpus_per_shot": 2}, "cpus_per_shot is for a cluster"),
        ({"no_shared_storage": True}, "no_shared_storage is for a cluster"),
        ({"cluster": "auto", "workers": 2}, "leave --workers out"),
        ({"cluster": "ray://head:10001"}, "on a machine of the cluster"),
        ({"cluster": "auto", "gpus_per_shot": 1.5}, "whole number"),
        ({"cluster": " "}, "cluster is ' '"),
    ],
)
def test_what_contradicts_is_refused(changes, said):
    with pytest.raises(SettingsError, match=said):
        Settings(**changes)


def test_a_gpu_may_be_shared():
    assert Settings(cluster="auto", gpus_per_shot=0.25).gpus_per_shot == 0.25
