"""Pictures warped by optical flow.

A flow field here is backward: for each pixel of the picture to be made, where in the other one it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.frames import FloatPicture, Mask, Picture

# (H, W, 2) float32 px, x then y.
FlowField = npt.NDArray[np.float32]

# What comes from so little beyond the border still counts as seen: estimated flow of a still scene is some
# hundredths of a pixel, and the outermost pixels would begin anew in every other frame.
BORDER_SLACK_PX = 0.1

# How much of a warped picture is bicubic, the rest bilinear. A chain resamples hundreds of times. Bilinear
# alone takes much of the brushwork's sharpness away. OpenCV's bicubic (a = -0.75) raises waves of some 10 px by
# up to 2.5 % each time: on a slow pan of 200 frames the finest detail doubled, and Lanczos is not free of it.
# Two thirds of it come closest to a = -0.5, which raises none (Keys: Cubic Convolution Interpolation for Digital
# Image Processing, 1981).
BICUBIC_SHARE = 2 / 3


def came_from(flow: FlowField) -> tuple[FloatPicture, FloatPicture]:
    """Returns x and y, each `(H, W)` float32 px, of the places that the pixels come from."""
    height, width = flow.shape[:2]
    x_px, y_px = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    return flow[..., 0] + x_px, flow[..., 1] + y_px


def is_inside(flow: FlowField) -> npt.NDArray[np.bool_]:
    """Tells for each pixel, `(H, W)`, whether it comes from within the other picture, or nearly."""
    height, width = flow.shape[:2]
    x_px, y_px = came_from(flow)
    pairs = ((x_px, width), (y_px, height))
    inside = [(c_px >= -BORDER_SLACK_PX) & (c_px <= side_px - 1 + BORDER_SLACK_PX) for c_px, side_px in pairs]
    return np.asarray(inside[0] & inside[1])


def warped(picture: npt.NDArray[Any], flow: FlowField) -> FloatPicture:
    """Returns float32 of `(H, W)` or `(H, W, C)`, up to four channels, warped; bilinear.

    What comes from outside is as at the border.
    """
    return _sampled(np.asarray(picture, np.float32), flow, cv2.INTER_LINEAR)


def warped_sharply(picture: npt.NDArray[Any], flow: FlowField) -> FloatPicture:
    """Returns float32 of `(H, W, 3)` on a scale of 0 to 255, warped with little blur.

    It can be done over and over: see `BICUBIC_SHARE`.
    """
    values = np.asarray(picture, np.float32)
    smooth, sharp = (_sampled(values, flow, method) for method in (cv2.INTER_LINEAR, cv2.INTER_CUBIC))
    return np.asarray(np.clip(smooth + BICUBIC_SHARE * (sharp - smooth), 0, 255), np.float32)


def warped_once(picture: npt.NDArray[Any], flow: FlowField) -> FloatPicture:
    """Returns float32 of `(H, W, 3)` on a scale of 0 to 255, warped by Lanczos: as sharp as can be, not to be repeated.

    The more alike pictures are that were moved by whole pixels and by halves, the less they flicker.
    """
    return np.asarray(np.clip(_sampled(np.asarray(picture, np.float32), flow, cv2.INTER_LANCZOS4), 0, 255), np.float32)


def _sampled(picture: FloatPicture, flow: FlowField, method: int) -> FloatPicture:
    x_px, y_px = came_from(flow)
    return np.asarray(cv2.remap(picture, x_px, y_px, method, borderMode=cv2.BORDER_REPLICATE), np.float32)


@dataclass(frozen=True, slots=True)
class WarpedFrame:
    """The stylized frames before, warped to the frame to be stylized.

    Attributes:
        start: `(H, W, 3)` float32 RGB, 0 to 255: warped paint, and where there is none, content in its colors.
        reference: `(H, W, 3)` float32 RGB, 0 to 255: warped paint only.
        confidence: `(H, W)` float32 in [0, 1]: how firmly the temporal loss holds the frame to the reference.
        unsettled: `(H, W)` bool: what was disoccluded so lately that its paint is still forming.
        disoccluded: `(H, W)` bool: what no frame before shows.
        covered: share of the frame that the frames before cover.
    """

    start: FloatPicture
    reference: FloatPicture
    confidence: FloatPicture
    unsettled: Mask
    disoccluded: Mask
    covered: float

    def mixed(self, other: Picture | FloatPicture, share: float) -> WarpedFrame:
        """Returns the same with only a share of the paint's difference to a picture, `(H, W, 3)` RGB, left."""
        return replace(self, start=mixed(self.start, other, share), reference=mixed(self.reference, other, share))


def mixed(paint: FloatPicture, other: Picture | FloatPicture, share: float) -> FloatPicture:
    """Returns a picture between paint (a share of 1) and another (0), all `(H, W, 3)` on a scale of 0 to 255."""
    return np.asarray(other + np.float32(share) * (paint - other), np.float32)


def with_new_content(paint: FloatPicture, old: FloatPicture | Picture, new: Picture, share: float) -> FloatPicture:
    """Returns paint with that share of the old frame's content in it replaced by the new frame's; all `(H, W, 3)`."""
    return np.asarray(np.clip(paint + np.float32(share) * (new - np.float32(old)), 0, 255), np.float32)
