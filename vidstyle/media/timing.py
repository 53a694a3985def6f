"""Timestamps: integers in units of a time base, strictly increasing."""

from __future__ import annotations

from fractions import Fraction

LARGEST_RATE = 1000
# FFmpeg keeps numerators and denominators in 32 bits, and multiplies them by time bases.
_LARGEST_DENOMINATOR = 1_000_000


class FrameClock:
    """Gives every frame a timestamp later than its predecessor's.

    Args:
        step: the usual distance of two frames, in ticks; at least one is used.

    Attributes:
        nudged: how many timestamps repeated or ran backwards and were moved to one tick after the last.
        invented: how many were missing and were continued at `step`.
    """

    def __init__(self, step: Fraction) -> None:
        self.nudged = 0
        self.invented = 0
        self._step = max(step, Fraction(1))
        self._last: int | None = None
        # Kept as a fraction, so that steps of 3.003 ticks do not drift.
        self._expected = Fraction(0)

    def stamp(self, pts: int | None) -> int:
        """Returns the timestamp to use for a frame whose container says `pts`."""
        if pts is None:
            self.invented += 1
            exact = self._expected
        else:
            exact = Fraction(pts)
        ticks = round(exact)
        if self._last is not None and ticks <= self._last:
            self.nudged += pts is not None
            ticks = self._last + 1
            exact = Fraction(ticks)
        self._last = ticks
        self._expected = exact + self._step
        return ticks


def usable_rate(*candidates: Fraction | None) -> Fraction | None:
    """Returns the first frame rate that is one: above 0 and at most 1000 per second, in numbers that FFmpeg holds."""
    for rate in candidates:
        if rate and 0 < rate <= LARGEST_RATE:
            return Fraction(rate).limit_denominator(_LARGEST_DENOMINATOR) or Fraction(1, _LARGEST_DENOMINATOR)
    return None
