"""How paint follows a look that changes: a part of the way in each frame, toward what the change leads to."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Picture
from vidstyle.method.carrying import SETTLED_AFTER_FRAMES, WarpedFrame, faded
from vidstyle.method.look import Look
from vidstyle.settings import Settings

# Steps from the carried paint alone do not follow a look: they go where the objective falls fastest, and give up
# with paint for another look in all the rest. So a frame is painted ahead, freely, in the look to come, and the
# carried paint is led there by a share. A larger one would be seen as a jump at the end of a fade; of what then is
# missing, a share of (1 - 1/3)^4 is left after as many frames as a look settles.
LARGEST_SHARE = 1 / 3
# A look has settled when it is as old as this: led until then, paint needs no more than steps.
SETTLING_FRAMES = 5
# New places meet the others softly.
_SOFT_PX = 5


class Transition(NamedTuple):
    """Where a frame's paint is led to.

    Attributes:
        look: in which the frame is painted ahead. share: of the way to there.
        new_share: of the way from the content to there, where nothing is painted yet.
        unpainted: share of the carried paint that is the content of its day, and is to be this frame's.
        is_enough: whether nothing is to be painted over it.
    """

    look: Look
    share: float
    new_share: float = 1
    content_share: float = 0
    is_enough: bool = False


class LookHistory:
    """The looks of a shot's last frames, and what follows from them for the next one's paint."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=SETTLING_FRAMES)

    @property
    def last(self) -> Look | None:
        """The previous frame's look; None at a shot's start."""
        return self._looks[-1] if self._looks else None

    def restart(self) -> None:
        """Forgets all looks, as at a cut."""
        self._looks.clear()

    def add(self, look: Look) -> None:
        """Takes the look of the next frame."""
        self._looks.append(look)

    def lead(self, look: Look) -> Transition | None:
        """Returns where a frame of that look is led; None where its look has settled, or only has paint vanish."""
        pairs = list(pairwise([*self._looks, look]))
        since = next((age for age, (old, new) in enumerate(reversed(pairs)) if old != new), None)
        if since is None or not look.strength:
            return None
        if since:
            # Steps in a strength below 1 would redo at once what was dissolved: they paint some places, and others not.
            return Transition(look, LARGEST_SHARE, is_enough=look.strength < 1)
        return _toward_end(*pairs[-1])


def _toward_end(old: Look, new: Look) -> Transition | None:
    """Returns the lead to the farthest look in the direction of a change, by as much of the way as that went.

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
    lead = Transition(end, min(LARGEST_SHARE, max(shares)))
    if not is_rising or new.strength == 1:
        return lead
    # Full paint is even, and the content shining through it, too; Gram matrices between theirs are met by painting
    # some places strongly and others not at all.
    return lead._replace(new_share=new.strength, content_share=1 - old.strength, is_enough=True)


def led(
    lead: Transition, content: Picture, ahead: FloatPicture, start: FloatPicture, carried: WarpedFrame | None
) -> tuple[FloatPicture, WarpedFrame | None]:
    """Returns a frame's start and what holds it, led to the frame painted ahead; pictures are `(H, W, 3)`, 0 to 255."""
    start = faded(start, ahead, 1 - lead.share)
    if carried is None:
        return start, None
    if lead.is_enough:
        new = cv2.blur(carried.new.astype(np.float32), (_SOFT_PX, _SOFT_PX))[..., None]
        start += new * (faded(ahead, content, lead.new_share) - start)
    return start, carried.fading(ahead, 1 - lead.share)


def needed_before(settings: Settings) -> int | None:
    """Returns how many frames of a shot, right before the one to be painted, must be passed over; None: all."""
    if settings.init == "noise" and settings.flow != "off":
        return None  # noise drifts from the shot's start on
    # Which paint is dry follows from the frames of so long, and what those were carried from.
    if settings.is_warped:
        return settings.looks_back_frames + SETTLED_AFTER_FRAMES
    # How a look is followed, from the looks of so long.
    return SETTLING_FRAMES if settings.looks_back_frames else 0
