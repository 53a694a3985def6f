"""The look of one frame."""

from vidstyle import Settings
from vidstyle.looks import Look, look_of


def test_the_settings_own_look():
    assert look_of(Settings(strength=0.25, content_weight=2), 1) == Look(0.25, (1.0,), 2.0)


def test_a_look_brings_its_strength_and_content_weight():
    settings = Settings()
    assert look_of(settings, 1).applied(settings) is settings
    assert Look(0.5, (1.0,), 3.0).applied(settings) == Settings(strength=0.5, content_weight=3)
