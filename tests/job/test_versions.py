"""Which releases a render was made with."""

import torch

from vidstyle.job.versions import changed, versions_of
from vidstyle.settings import Settings
from vidstyle.version import __version__


def test_versions_name_what_frames_depend_on():
    found = versions_of(Settings())
    assert found["vidstyle"] == __version__
    assert found["torch"] == torch.__version__
    assert {"python", "av", "opencv", "numpy"} <= set(found)


def test_only_what_both_name_can_have_changed():
    assert changed({"torch": "2.12", "av": "18"}, {"torch": "2.13", "av": "18"}) == ["torch 2.12, now 2.13"]
    assert changed({"torchvision": "0.28"}, {"torch": "2.13"}) == []
