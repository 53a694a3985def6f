"""The bar on the screen, fed by finished frames."""

from __future__ import annotations

from typing import NoReturn

from tqdm import tqdm

from vidstyle.frames import FrameDone


class FrameBar:
    """A bar with frames done, seconds per frame and time left; an unknown total stays unknown."""

    def __init__(self, total: int | None, *, shown: bool, done: int = 0) -> None:
        known = "{l_bar}{bar}| {n_fmt}/{total_fmt} frames, {rate_inv_fmt}, ETA {remaining}{postfix}"
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
        self._bar.set_postfix(loss=f"{frame.loss:.3f}", refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()


class SurveyBar:
    """A bar for the first look at a long input; it appears when that takes longer than a moment."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, done: int, total: int | None) -> None:
        """Shows that `done` of `total` (None: unknown) frames were seen."""
        if self._bar is None:
            self._bar = tqdm(
                total=total,
                disable=not self._shown,
                unit="frame",
                desc="looking for cuts",
                delay=1,
                leave=False,
                dynamic_ncols=True,
            )
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Takes the bar away, if there was one."""
        if self._bar is not None:
            self._bar.close()


class DownloadBar:
    """A bar for weights that are being fetched; it appears with the first bytes."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, done_bytes: int, total_bytes: int | None) -> None:
        """Shows that `done_bytes` of `total_bytes` (None: unknown) have arrived."""
        if self._bar is None:
            self._bar = tqdm(
                total=total_bytes, disable=not self._shown, unit="B", unit_scale=True, desc="fetching VGG-19"
            )
        self._bar.update(done_bytes - self._bar.n)

    def close(self) -> None:
        """Leaves the bar as it stands, if there was one."""
        if self._bar is not None:
            self._bar.close()
