"""What makes two renders the same one."""

from dataclasses import replace

import torch

from vidstyle.job.identity import Identity, changed_versions, versions_of
from vidstyle.settings import Settings
from vidstyle.version import __version__


def test_versions_name_what_frames_depend_on():
    found = versions_of(Settings())
    assert found["vidstyle"] == __version__
    assert found["torch"] == torch.__version__
    assert {"python", "av", "opencv", "numpy"} <= set(found)


def test_only_what_both_name_can_have_changed():
    assert changed_versions({"torch": "2.12", "av": "18"}, {"torch": "2.13", "av": "18"}) == ["torch 2.12, now 2.13"]
    assert changed_versions({"torchvision": "0.28"}, {"torch": "2.13"}) == []


def test_identities_tell_what_changed_from_what_to_what():
    then = Identity({"--size": "640", "--seed": "0"}, {"style": ("a.jpg", "0123456789")}, {"device": "cpu"})
    assert then.differences(then) == []
    assert then.differences(replace(then, files={"style": ("copy.jpg", "0123456789")})) == []
    now = Identity({"--size": "320", "--seed": "0"}, {"style": ("b.jpg", "fedcba9876")}, {"device": "cuda"})
    assert then.differences(now) == [
        "--size was 640, is 320",
        "device was cpu, is cuda",
        "style was a.jpg (01234567), is b.jpg (fedcba98)",
    ]
    assert then.differences(replace(then, files={**then.files, "cuts": ("c.txt", "77")}))[0].startswith("cuts was not")
