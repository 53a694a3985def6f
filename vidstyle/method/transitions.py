"""How paint follows a look that changes over time: a part of the way in each frame.

Optimizer steps from the warped paint alone do not follow a look: they go where the objective falls fastest, and give
up with paint for another look in all the rest. So a frame is first stylized ahead, freely, in the look that the change
leads to, and its start is then moved toward that by a share.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Picture
from vidstyle.method.look import Look
from vidstyle.method.warping import WarpedFrame, mixed

# A larger share would be seen as a jump at the end of a transition. Of what is missing then, (2/3)^4 (about 20 %) is
# left when the look counts as settled.
LARGEST_SHARE = 1 / 3
# A look has settled when it is as old as this: until then frames are moved on, after that steps alone will do.
SETTLING_FRAMES = 5
# New places meet the others softly.
_SOFT_PX = 5


class Transition(NamedTuple):
    """How a frame's start follows a change of look.

    Attributes:
        look: in which the frame is stylized ahead. share: of the way to that frame.
        new_share: the same from the content, where nothing is stylized yet.
        content_share: share of the old content in the warped paint, to be replaced by this frame's.
        is_enough: whether no steps follow.
    """

    look: Look
    share: float
    new_share: float = 1
    content_share: float = 0
    is_enough: bool = False


class LookHistory:
    """The looks of a shot's last frames, and the transition that follows from them."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=SETTLING_FRAMES)

    @property
    def last(self) -> Look | None:
        """The previous frame's look; None at a shot's start."""
        return self._looks[-1] if self._looks else None

    def reset(self) -> None:
        """Forgets all looks, as at a cut."""
        self._looks.clear()

    def add(self, look: Look) -> None:
        """Takes the look of the next frame."""
        self._looks.append(look)

    def transition(self, look: Look) -> Transition | None:
        """Returns how a frame of that look follows; None where its look has settled, or only lets paint vanish."""
        pairs = list(pairwise([*self._looks, look]))
        since = next((age for age, (old, new) in enumerate(reversed(pairs)) if old != new), None)
        if since is None or not look.strength:
            return None
        if since:
            # Steps at a strength below 1 would undo the dissolve at once: they stylize some places, and others not.
            return Transition(look, LARGEST_SHARE, is_enough=look.strength < 1)
        return _toward_end(*pairs[-1])


def _toward_end(old: Look, new: Look) -> Transition | None:
    """Returns the transition to the farthest look in the direction of a change, by as much of the way as that went.

    None where strength falls and nothing else changes: paint that is there fades by itself.
    """
    shares, end, is_rising = [], new, new.strength > old.strength
    if is_rising:
        shares.append((new.strength - old.strength) / (1 - old.strength))
        end = replace(end, strength=1.0)
    if new.blend != old.blend:
        share = max((a - b) / a for a, b in zip(old.blend, new.blend, strict=True) if b < a)
        # Until one of the styles is gone.
        blend = [max(0.0, a + (b - a) / share) for a, b in zip(old.blend, new.blend, strict=True)]
        shares.append(share)
        end = replace(end, blend=tuple(each / sum(blend) for each in blend))
    if new.content_weight != old.content_weight:
        shares.append(LARGEST_SHARE)
    if not shares:
        return None
    transition = Transition(end, min(LARGEST_SHARE, max(shares)))
    if not is_rising or new.strength == 1:
        return transition
    # Optimizing for Gram matrices between those of content and style stylizes some places fully and others not at all,
    # so full paint, which is even, is blended with the content instead.
    return transition._replace(new_share=new.strength, content_share=1 - old.strength, is_enough=True)


def moved_on(
    transition: Transition,
    content: Picture,
    ahead: FloatPicture,
    start: FloatPicture,
    warped: WarpedFrame | None,
) -> tuple[FloatPicture, WarpedFrame | None]:
    """Returns a frame's start, and what it is held to, moved toward the frame that was stylized ahead.

    Pictures are `(H, W, 3)` RGB on a scale of 0 to 255.
    """
    start = mixed(start, ahead, 1 - transition.share)
    if warped is None:
        return start, None
    if transition.is_enough:
        new = cv2.blur(warped.disoccluded.astype(np.float32), (_SOFT_PX, _SOFT_PX))[..., None]
        start += new * (mixed(ahead, content, transition.new_share) - start)
    return start, warped.mixed(ahead, 1 - transition.share)
