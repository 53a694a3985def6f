"""Where nothing moves, although estimated flow says that it does a little.

Flow of a still scene with grain is some hundredths of a pixel where there is texture, and wanders by half a pixel and
more where there is none. Paint that is carried along it is resampled in each frame, loses its finest detail, and
flickers as it is painted anew.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Mask, Picture
from vidstyle.method.warping import FlowField, warped

# The motion that what is nearby has at the most, on average, where things are still. Slower motion than that, a pixel
# in a second, is left to the optimizer.
_STILL_PX = 0.05
# Nearby: within about so much, near and far, relative to the frame's long side. Both must be still, so that a flat part
# of a thing that moves slowly before a still background is not taken for still.
_REACHES = (1 / 50, 1 / 12)
# Slopes and differences are taken of pictures blurred by so much; grain is then alike over 4 pi sigma^2 pixels.
_BLUR_PX = 1.0
# Levels squared: the least grain that is reckoned with, as 8-bit pictures have it.
_LEAST_GRAIN = 0.01
# That nothing moves explains a place as well as the flow does, if it leaves at most so much more of a difference, and
# the frame's usual one: flow has the advantage that it fits grain, and that interpolation takes grain away.
_MORE, _SLACK_LEVELS = 1.6, 1.0
_WINDOW_PX, _SHRINK = 9, 4


def is_still(earlier: Picture, now: Picture, backward: FlowField, consistent: Mask) -> Mask:
    """Tells for each pixel, `(H, W)`, whether nothing moves there.

    Args:
        earlier, now: `(H, W, 3)` uint8 RGB. backward: the flow from `now` to `earlier`. consistent: `(H, W)`, where
            it can be relied on; elsewhere pictures say nothing of what is nearby.
    """
    before, gray = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (earlier, now))
    change, unexplained = gray - before, gray - warped(before, backward)
    unmoved, moved = _mean_square(change), _mean_square(unexplained)
    grain = max(float(np.median(moved)), _SLACK_LEVELS**2)
    explains = unmoved <= _MORE * moved + grain
    mean, change, unexplained = (
        _blurred(picture) for picture in (cv2.addWeighted(before, 0.5, gray, 0.5, 0), change, unexplained)
    )
    # What stays unexplained is grain; in what has changed there may be motion, too.
    grain = max(float(np.median(_mean_square(unexplained))), _LEAST_GRAIN)
    return explains & _is_still_nearby(mean, change, grain, consistent)


def _mean_square(values: FloatPicture) -> FloatPicture:
    return np.asarray(cv2.blur(cv2.multiply(values, values), (_WINDOW_PX, _WINDOW_PX)), np.float32)


def _blurred(values: Any) -> FloatPicture:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), _BLUR_PX), np.float32)


def _is_still_nearby(mean: FloatPicture, change: FloatPicture, grain: float, consistent: Mask) -> Mask:
    """Tells where the one motion that explains best how what is nearby has changed is next to none.

    Lucas and Kanade (An Iterative Image Registration Technique, IJCAI 1981), over windows so wide that grain averages
    out, which it does not in those of a dense flow.
    """
    height, width = mean.shape
    size = (max(1, width // _SHRINK), max(1, height // _SHRINK))
    right, down = (cv2.Sobel(mean, cv2.CV_32F, *axis, scale=1 / 8) * consistent for axis in ((1, 0), (0, 1)))
    pairs = ((right, right), (down, down), (right, down), (right, change), (down, change))
    products = [cv2.resize(cv2.multiply(*pair), size, interpolation=cv2.INTER_AREA) for pair in pairs]
    still = np.ones((size[1], size[0]), bool)
    for reach in _REACHES:
        sigma_px = max(1.0, reach * max(size))
        xx, yy, xy, xt, yt = (cv2.GaussianBlur(product, (0, 0), sigma_px) for product in products)
        # A Gaussian window holds 4 pi sigma^2 pixels, too, of which so many are independent.
        independent = (sigma_px * _SHRINK / _BLUR_PX) ** 2
        # With so much added to the squares of slopes, what grain alone looks like deviates by a quarter of the motion
        # asked about, at most.
        doubt = 4 * grain / (independent * _STILL_PX**2)
        xx, yy = xx + doubt, yy + doubt
        # |v| = |(yy xt - xy yt, xx yt - xy xt)| / (xx yy - xy xy)
        still &= np.hypot(yy * xt - xy * yt, xx * yt - xy * xt) <= _STILL_PX * (xx * yy - xy * xy)
    return np.asarray(cv2.resize(still.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST), bool)
