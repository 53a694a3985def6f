"""Presets are values of settings, and nothing else."""

from dataclasses import fields
from itertools import pairwise

import pytest

from vidstyle.errors import SettingsError
from vidstyle.settings import Settings
from vidstyle.settings.quality import QUALITIES, STANDARD, quality_help, quality_settings


def test_standard_is_the_default():
    assert Settings.of_quality(STANDARD) == Settings()


def test_each_is_slower_and_finer_than_the_one_before():
    rows = list(QUALITIES.values())
    for before, after in pairwise(rows):
        assert after.settings.keys() == before.settings.keys()
        for name in ("size", "iterations", "first_iterations"):
            assert after.settings[name] > before.settings[name]
        assert after.later_frame_s > before.later_frame_s
        assert after.first_frame_s > before.first_frame_s
    assert list(QUALITIES) == ["draft", "standard", "high", "best"]


@pytest.mark.parametrize("name", QUALITIES)
def test_they_are_legal_and_what_is_given_wins(name):
    assert set(QUALITIES[name].settings) <= {spec.name for spec in fields(Settings)}
    assert Settings.of_quality(name, size=123, seed=4).size == 123
    assert Settings.of_quality(name).network == QUALITIES[name].settings["network"]
    assert f"{name}: {QUALITIES[name].settings['size']} px" in quality_help()
    assert f"{QUALITIES[name].later_frame_s:g} s a frame" in quality_help()


def test_a_preset_cannot_be_changed_by_who_asks_for_it():
    quality_settings("draft")["size"] = 1
    assert quality_settings("draft")["size"] != 1


@pytest.mark.parametrize("name", ["superb", None, 3, []])
def test_unknown_ones_are_an_error_that_lists_the_known(name):
    with pytest.raises(SettingsError, match="draft, standard, high, best"):
        quality_settings(name)
