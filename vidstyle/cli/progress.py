"""Progress bars on the terminal."""

from __future__ import annotations

import math
from typing import Any, NoReturn

from tqdm import tqdm

from vidstyle.frames import FrameDone


class FrameBar:
    """A bar with the frames that are done, their loss and speed, and the time left; the total may be unknown.

    Args:
        done: frames of an earlier run. shots: how many there are.
        is_clustered: whether machines work on it, so that frames per second, shots and machines are shown as well.
    """

    def __init__(
        self, total: int | None, *, shown: bool, done: int = 0, shots: int = 1, is_clustered: bool = False
    ) -> None:
        self._shots, self._is_clustered = shots, is_clustered
        rate = "{rate_noinv_fmt}" if is_clustered else "{rate_inv_fmt}"
        known = "{l_bar}{bar}| {n_fmt}/{total_fmt} frames, " + rate + ", ETA {remaining}{postfix}"
        unknown = "{n_fmt} frames of an unknown number, {rate_inv_fmt}, {elapsed} so far{postfix}"
        self._bar = tqdm(
            total=total,
            initial=done,  # frames of an earlier run do not count for the rate
            disable=not shown,
            unit="frame",
            bar_format=known if total else unknown,
            dynamic_ncols=True,
            delay=1e-9,  # nothing is drawn before show()
        )

    def show(self) -> None:
        """Draws the bar for the first time."""
        self._bar.refresh()

    def frame_done(self, frame: FrameDone) -> None:
        """Moves the bar on by one frame."""
        # A frame that is left as it is has no loss.
        postfix = {} if math.isnan(frame.loss) else {"loss": f"{frame.loss:.3f}"}
        if self._is_clustered:
            postfix |= {"shots": f"{frame.shots_done:,}/{self._shots:,}", "machines": f"{frame.machines:,}"}
        self._bar.set_postfix(postfix, refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()


class LateBar:
    """A bar that appears with the first report of progress: for what often takes no time, as fetching weights.

    Args:
        description: what stands before it. shown: whether anything is drawn.
        options: of `tqdm.tqdm`.
    """

    def __init__(self, description: str, *, shown: bool, **options: Any) -> None:
        self._options = {"desc": description, "disable": not shown, "dynamic_ncols": True, **options}
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, done: int, total: int | None) -> None:
        """Shows that `done` of `total` (None: unknown) are done; a smaller number than before begins a new bar."""
        if self._bar is None:
            self._bar = tqdm(total=total, **self._options)
        elif done < self._bar.n:
            self._bar.reset(total)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leaves the bar as it stands, or takes it away, if there was one."""
        if self._bar is not None:
            self._bar.close()
