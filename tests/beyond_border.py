"""Features as the objective takes them: of a picture that goes on beyond its border."""

import torch.nn.functional as F

from vidstyle.tiling import MARGIN_PX


def continued_features(network, image, layer):
    """Returns the features of `(1, 3, H, W)` at its own positions, of a layer that has one for each pixel."""
    features = network(F.pad(image, (MARGIN_PX,) * 4, mode="reflect"), [layer])[layer]
    return features[..., MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
