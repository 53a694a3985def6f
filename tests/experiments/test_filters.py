"""Feature maps as pictures."""

import numpy as np
import torch

from vidstyle import Settings
from vidstyle.experiments import feature_maps
from vidstyle.weights.loading import load_network

SETTINGS = Settings(size=32, precision="float32", device="cpu")


def test_each_filter_is_a_tile_that_is_white_where_it_answers_most():
    picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    sheet = feature_maps(picture, "relu2_1", SETTINGS)
    image = torch.tensor(picture).permute(2, 0, 1)[None].float() / 255
    maps = load_network("compact", ["relu2_1"])(image, ["relu2_1"])["relu2_1"][0]
    assert sheet.title == f"relu2_1 of network compact: {len(maps)} maps of 16x12"
    assert len(sheet.panels) == len(maps)
    for panel, values in zip(sheet.panels, maps, strict=True):
        assert panel.image.shape == (72, 96, 3)
        if float(values.max()) > 0:
            row, column = np.unravel_index(int(values.argmax()), values.shape)
            assert (panel.image[6 * row : 6 * row + 6, 6 * column : 6 * column + 6] == 255).all()
        else:
            assert not panel.image.any()
