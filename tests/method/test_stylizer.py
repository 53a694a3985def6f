"""One frame's way, without settings or files."""

import numpy as np
from chains import QUICK, picture

from vidstyle import Settings, Stylizer
from vidstyle.method.stylizer import FrameStylizer
from vidstyle.method.targets import StyleTargetCache
from vidstyle.weights.loading import load_network


def test_a_frame_goes_its_way_without_settings_or_files():
    class Blobs:
        name = "blobs"

        def pictures(self):
            yield picture(99, 64, 64), 1.0

    settings = Settings(**QUICK)
    whole = Stylizer(picture(99, 64, 64), settings)
    styles = StyleTargetCache(load_network("compact", settings.style_layers), [Blobs()], settings.options)
    alone = FrameStylizer(styles)
    assert np.array_equal(alone.stylize(picture(1), None, whole.look).image, whole(picture(1)))
