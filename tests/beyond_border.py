"""Features as the objective takes them: of a picture that goes on beyond its border."""

from vidstyle.method.tiling import continued


def continued_features(network, image, layer):
    """Returns the features of `(1, 3, H, W)` at its own positions."""
    return network(continued(image, network.reach_px([layer])), [layer], has_border=True)[layer]
