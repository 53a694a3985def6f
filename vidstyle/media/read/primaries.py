"""From one set of color primaries to another, in linear light."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

BT709, BT2020 = 1, 9
_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
# ITU-T H.273, table 2: x, y of red, green, blue and white.
_CHROMATICITIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
# Those that are worth a conversion. BT.601's two (5, 6, and 7 and 22, which are nearly the same) lie so close to
# BT.709's that players show them as they are.
WIDE = frozenset(_CHROMATICITIES) - {BT709}
# Bradford's cone responses, for whites other than D65.
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def luminance_weights(primaries: int) -> npt.NDArray[np.float64]:
    """Returns how much linear red, green and blue add to luminance, `(3,)`; their sum is 1."""
    return np.asarray(_to_xyz(primaries)[1])


def to_bt709(primaries: int) -> Matrix:
    """Returns `(3, 3)`: linear RGB of these primaries (an H.273 code) to linear BT.709; gray stays gray.

    Colors that BT.709 does not have come out below 0 or above 1.
    """
    white, target = (_xyz(_CHROMATICITIES[code][3]) for code in (primaries, BT709))
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ target) / (_BRADFORD @ white)) @ _BRADFORD
    return np.asarray(np.linalg.inv(_to_xyz(BT709)) @ adapt @ _to_xyz(primaries))


def _to_xyz(primaries: int) -> Matrix:
    *colors, white = _CHROMATICITIES[primaries]
    columns = np.stack([_xyz(color) for color in colors], axis=1)
    return np.asarray(columns * np.linalg.solve(columns, _xyz(white)))


def _xyz(chromaticity: tuple[float, float]) -> npt.NDArray[np.float64]:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])
