"""Which parts of a frame an earlier one shows, how sure that is, and where nothing moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.frames import FloatPicture, Mask, Picture
from vidstyle.method.warping import FlowField, is_inside, warped

if TYPE_CHECKING:
    from vidstyle.method.flow import FlowEstimator

# Sundaram, Brox, Keutzer: Dense Point Trajectories by GPU-accelerated Large Displacement Optical Flow, ECCV 2010;
# as Ruder et al. (2016, section 4.2) use it.
GAP_SHARE, GAP_SLACK = 0.01, 0.5
BOUNDARY_SHARE, BOUNDARY_SLACK = 0.01, 0.002
# A departure from Ruder et al., who give motion boundaries no weight at all: where things move by fractions of
# a pixel the criterion fires on a tenth of the frame, and without a temporal loss there paint flickers.
BOUNDARY_CONFIDENCE = 0.2
# Ours: forward and backward flow agree where both are wrong, as around thin things that move fast. Where the
# source itself, warped and relit, differs by more than grain does (gray levels of the worst channel),
# the paint must not be warped either.
GRAIN_LEVELS, MISMATCH_LEVELS = 8.0, 12.0
_MISMATCH_BLUR_PX = 1.0
_LEAST_CONTRAST_LEVELS = 2.0
_SLOPE = np.array([[-0.5, 0, 0.5]], np.float32)
# Where nothing moves, estimated flow still says that it does a little: of a still scene with grain it is some
# hundredths of a pixel where there is texture, and wanders by half a pixel and more where there is none. Paint warped
# by that is resampled in each frame, loses its finest detail, and flickers as it is optimized anew.
# The largest mean motion of the neighborhood that counts as still. Slower motion than that, a pixel
# in a second, is left to the optimizer.
_STILL_PX = 0.05
# Nearby: within about so much, near and far, relative to the frame's long side. Both must be still, so that a flat part
# of a thing that moves slowly before a still background is not taken for still.
_REACHES = (1 / 50, 1 / 12)
# Slopes and differences are taken of pictures blurred by so much; grain is then alike over 4 pi sigma^2 pixels.
_BLUR_PX = 1.0
# Levels squared: the least grain that is reckoned with, as 8-bit pictures have it.
_LEAST_GRAIN = 0.01
# Zero motion explains a place as well as the flow does if its difference is at most so many times the flow's, plus
# the frame's median: flow has the advantage that it fits grain, and that interpolation takes grain away.
_MORE, _SLACK_LEVELS = 1.6, 1.0
_WINDOW_PX, _SHRINK = 9, 4


@dataclass(frozen=True, slots=True)
class Motion:
    """How a frame follows from an earlier one.

    Attributes:
        flow: `(H, W, 2)` float32 px, from the frame back to the earlier one.
        trust: `(H, W)` float32 in [0, 1]: whether the same thing is seen there. 0 where it was hidden or outside.
        confidence: `(H, W)` float32 in [0, 1], at most `trust`: how much the temporal loss counts there.
    """

    flow: FlowField
    trust: FloatPicture
    confidence: FloatPicture


def motion_between(estimate: FlowEstimator, earlier: Picture, now: Picture) -> Motion:
    """Returns the motion that leads from `earlier` to `now`, both `(H, W, 3)` uint8 RGB."""
    backward, forward = estimate(now, earlier), estimate(earlier, now)
    return _motion(earlier, now, backward, forward)


def motions_between(estimate: FlowEstimator, earlier: Picture, now: Picture) -> tuple[Motion, Motion]:
    """Returns the motion that leads from `earlier` to `now`, and the one back in time, as if `now` were the earlier."""
    backward, forward = estimate(now, earlier), estimate(earlier, now)
    return _motion(earlier, now, backward.copy(), forward), _motion(now, earlier, forward.copy(), backward)


def _motion(earlier: Picture, now: Picture, backward: FlowField, forward: FlowField) -> Motion:
    """Returns the motion of two flows; changes `backward`."""
    is_consistent = consistent(backward, forward)
    still = is_still(earlier, now, backward, is_consistent)
    backward[still], is_consistent[still] = 0, True
    return with_confidence(backward, is_consistent * agreement(earlier, now, backward, is_consistent))


def with_confidence(flow: FlowField, trust: FloatPicture) -> Motion:
    """Returns the motion of a flow, `(H, W, 2)` float32 px, and its trust, `(H, W)` float32 in [0, 1]."""
    held = np.where(motion_boundaries(flow), np.float32(BOUNDARY_CONFIDENCE), np.float32(1))
    return Motion(flow, trust, trust * held)


def consistent(backward: FlowField, forward: FlowField) -> Mask:
    """Tells for each pixel, `(H, W)`, whether going back and forth along the flow leads there again.

    Fails where the earlier frame hid what is seen now, and where it comes from outside. Sundaram et al.
    (2010): ``|w + w'|^2 < 0.01 (|w|^2 + |w'|^2) + 0.5``.
    """
    there = warped(forward, backward)
    lengths = _squared_length(there) + _squared_length(backward)
    there += backward
    return np.asarray((_squared_length(there) < GAP_SHARE * lengths + GAP_SLACK) & is_inside(backward))


def motion_boundaries(flow: FlowField) -> Mask:
    """Tells for each pixel, `(H, W)`, whether things that move differently meet there.

    Sundaram et al. (2010): ``|grad u|^2 + |grad v|^2 > 0.01 |w|^2 + 0.002``.
    """
    along_x, along_y = (cv2.filter2D(flow, -1, k, borderType=cv2.BORDER_REPLICATE) for k in (_SLOPE, _SLOPE.T))
    slope = _squared_length(along_x) + _squared_length(along_y)
    return np.asarray(slope > BOUNDARY_SHARE * _squared_length(flow) + BOUNDARY_SLACK)


def agreement(earlier: Picture, now: Picture, backward: FlowField, where: Mask) -> FloatPicture:
    """Returns `(H, W)` float32 in [0, 1]: how well `earlier`, warped by the flow, shows what `now` shows.

    A change of light that the whole frame shares does not count. Nor does what looks like one where there is
    none, as when something bright comes in: what agrees without relighting agrees.

    Args:
        earlier, now: `(H, W, 3)` uint8 RGB. backward: from `now` to `earlier`. where: `(H, W)`, what may be
            compared, for the change of light.
    """
    expected = warped(earlier, backward)
    (mean, contrast), (seen_mean, seen_contrast) = (
        [part[:, 0] for part in cv2.meanStdDev(picture, mask=where.astype(np.uint8))] for picture in (expected, now)
    )
    gain = np.where(contrast > _LEAST_CONTRAST_LEVELS, seen_contrast / np.maximum(contrast, 1e-3), 1)
    relit: Any = cv2.transform(expected, np.column_stack([np.diag(gain), seen_mean - gain * mean]))
    seen = now.astype(np.float32)
    gap = cv2.min(_worst_gap(relit, seen), _worst_gap(expected, seen))
    gap = cv2.GaussianBlur(gap, (0, 0), _MISMATCH_BLUR_PX)
    excess = np.maximum(gap - GRAIN_LEVELS, 0) / np.float32(MISMATCH_LEVELS)
    return np.asarray(cv2.exp(-excess * excess), np.float32)


def _worst_gap(one: FloatPicture, other: FloatPicture) -> FloatPicture:
    """Returns `(H, W)`: the difference of the channel that differs most."""
    red, green, blue = cv2.split(cv2.absdiff(one, other))
    return np.asarray(cv2.max(red, cv2.max(green, blue)), np.float32)


def _squared_length(field: npt.NDArray[Any]) -> FloatPicture:
    x_px, y_px = cv2.split(field)
    return np.asarray(x_px * x_px + y_px * y_px, np.float32)


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
