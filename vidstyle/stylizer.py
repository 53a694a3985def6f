"""The chain: each frame starts from the painted frame before it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import SourceError
from vidstyle.features import load_network
from vidstyle.frames import SMALLEST_SIDE_PX, Picture
from vidstyle.media.images import read_image, resize
from vidstyle.memory import Economy, economies, free_caches, is_memory_error, too_little_memory
from vidstyle.objective import Objective, StyleTargets, style_targets, to_picture, to_tensor
from vidstyle.optimize import Outcome, optimize
from vidstyle.settings import Settings
from vidstyle.weights.fetching import OnDownload

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Painted:
    """One painted frame: `image` `(H, W, 3)` uint8 RGB, and how it was come by (see `optimize.Outcome`).

    `economy` says how far the optimiser was cut down for want of memory: an index into `economies()`.
    """

    image: Picture
    loss: float
    evaluations: int
    retries: int
    seconds: float
    economy: int = 0


def working_size(width: int, height: int, settings: Settings, *, even: bool = False) -> tuple[int, int]:
    """Returns width and height in pixels at which an input of that size is painted.

    The long side is at most `settings.size`, unless the short one would fall under 16 px; inputs are
    never enlarged. With `even`, both are
    multiples of two, as video with half-size colour planes needs; that moves a side by one pixel at most.
    """
    ratio = 1.0 if settings.size == "source" else min(1.0, settings.size / max(width, height))
    # A panorama's short side stays paintable, at the cost of a longer long side.
    ratio = min(1.0, max(ratio, SMALLEST_SIDE_PX / min(width, height)))
    step = 2 if even else 1
    return max(step, round(width * ratio / step) * step), max(step, round(height * ratio / step) * step)


class Stylizer:
    """Paints frames in one style, each starting from the one before.

    Attributes: `settings`; `device` and `precision` as resolved; `network`; `style`, the picture;
    `targets`, its Gram matrices at the size of the frame painted last; `economy`, an index into
    `economies()`: above 0 where memory did not suffice for the optimiser asked for.

    ::

        stylizer = Stylizer("starry.jpg", Settings(size=480))
        for image in my_frames:           # (H, W, 3) uint8 RGB
            painted = stylizer(image)     # the same, at most 480 px long

    The network is loaded and the style measured once. Pictures of another size start a new chain.
    """

    def __init__(
        self, style: Picture | str | Path, settings: Settings | None = None, *, on_download: OnDownload | None = None
    ) -> None:
        """Loads the network and the style, a picture file or `(H, W, 3)` uint8 RGB.

        Args:
            on_download: called with bytes done and in all while weights are fetched.

        Raises:
            SourceError: the style cannot be read or is smaller than 16 px.
            SettingsError: the network has no such layer. WeightsError: no weights.
            DeviceError: no such device or precision here.
        """
        self.settings = settings = settings or Settings()
        self.device = resolve_device(settings.device)
        self.precision = resolve_precision(settings.precision, self.device)
        self.style = checked_picture(style, "style")
        layers = (*settings.style_layers, settings.content_layer)
        network = load_network(settings.network, layers, settings.weights, settings.pooling, on_download)
        self.network = network.placed(self.device, self.precision)
        self.targets: StyleTargets | None = None
        self.economy = 0
        self._previous: Picture | None = None

    def restart(self) -> None:
        """Forgets the previous frame, as at a cut: the next one is painted as a first frame."""
        self._previous, self.economy = None, 0

    def go_on_from(self, painted: Picture, economy: int = 0) -> None:
        """Takes `(H, W, 3)` uint8 RGB, at the size frames are painted at, for the previous painted frame.

        Args:
            economy: the `Painted.economy` that came with it.
        """
        self._previous = checked_picture(painted, "painted frame")
        self.economy = min(economy, len(economies(self.settings.optimizer)) - 1)

    def __call__(self, image: Picture) -> Picture:
        """Returns the painted frame, `(h, w, 3)` uint8 RGB, of `(H, W, 3)` uint8 RGB."""
        return self.paint(image).image

    def fit(self, image: Picture) -> Picture:
        """Returns `(H, W, 3)` uint8 RGB at the size it is painted at."""
        image = checked_picture(image, "frame")
        return resize(image, *working_size(image.shape[1], image.shape[0], self.settings))

    def paint(self, image: Picture) -> Painted:
        """Paints `(H, W, 3)` uint8 RGB, reduced to the size that the settings allow.

        Raises:
            SourceError: the picture is not `(H, W, 3)` uint8, or smaller than 16 px.
            OptimizationError: no finite picture could be found.
            DeviceError: the device's memory is too small for a picture of this size.
        """
        started = time.perf_counter()
        content_picture = self.fit(image)
        outcome = self._within_memory(content_picture, self._previous)
        # The chain goes on from the frame as delivered, in 8 bits, so that a render which was
        # interrupted can go on from its files and come out the same.
        self._previous = to_picture(outcome.image)
        seconds = time.perf_counter() - started
        return Painted(self._previous, outcome.loss, outcome.evaluations, outcome.retries, seconds, self.economy)

    def _within_memory(self, content: Picture, previous: Picture | None) -> Outcome:
        """Paints; where memory runs out, again after making room, and then in cheaper ways."""
        ways, failures = economies(self.settings.optimizer), 0
        height, width = content.shape[:2]
        while True:
            try:
                return self._optimized(content, previous, ways[self.economy])
            except Exception as error:
                if not is_memory_error(error):
                    raise
            # Outside the handler: the exception held the failed attempt's pictures.
            free_caches(self.device)
            failures += 1
            if failures == 1:
                logger.warning("too little memory for %dx%d pixels; trying again", width, height)
            elif self.economy + 1 < len(ways):
                self.economy += 1
                logger.warning("still too little memory; going on with %s", ways[self.economy])
            else:
                raise too_little_memory(width, height, lambda w, h: self._fits(resize(content, w, h)), SMALLEST_SIDE_PX)

    def _fits(self, content: Picture) -> bool:
        try:
            self._optimized(content, None, economies("adam")[0], iterations=1)
        except Exception as error:
            if not is_memory_error(error):
                raise
            return False
        finally:
            self.targets = None
            free_caches(self.device)
        return True

    def _optimized(
        self, content_picture: Picture, previous: Picture | None, way: Economy, iterations: int | None = None
    ) -> Outcome:
        settings = self.settings
        height, width = content_picture.shape[:2]
        if self.targets is None or (self.targets.width, self.targets.height) != (width, height):
            self.targets = style_targets(self.network, self.style, width, height, settings)
        content = to_tensor(content_picture, self.device)
        objective = Objective(self.network, settings, self.targets, content)
        chained = settings.init == "previous" and previous is not None and previous.shape == content_picture.shape
        if iterations is None:
            iterations = settings.iterations if chained else max(settings.iterations, settings.first_iterations)
        start = self._start(content, previous if chained else None) if iterations else content
        return optimize(start, objective, way.method, iterations, way.history)

    def _start(self, content: Tensor, previous: Picture | None) -> Tensor:
        if self.settings.init == "noise":
            # The same noise for every frame, so that it does not flicker.
            generator = torch.Generator().manual_seed(self.settings.seed)
            return torch.rand(content.shape, generator=generator).to(self.device)
        return content if previous is None else to_tensor(previous, self.device)


def checked_picture(picture: Picture | str | Path, what: str) -> Picture:
    """Returns a picture file's or array's `(H, W, 3)` uint8 RGB, if it is one of 16 px or more.

    Raises:
        SourceError: it is not; `what` says in the message what it was to be.
    """
    if isinstance(picture, (str, Path)):
        image, name = read_image(Path(picture)), str(picture)
    else:
        image, name = picture, what
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise SourceError(f"{name}: a {what} is an array (H, W, 3) of uint8 RGB")
    if min(image.shape[:2]) < SMALLEST_SIDE_PX:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise SourceError(f"{name}: {size} is too small for a {what}; it needs {SMALLEST_SIDE_PX} px on each side")
    # Views such as `bgr[..., ::-1]` have strides that torch does not take.
    return np.ascontiguousarray(image)
