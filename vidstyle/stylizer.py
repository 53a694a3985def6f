"""The chain: each frame starts from the painted frame before it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import DeviceError, SourceError
from vidstyle.features import OnDownload, load_network
from vidstyle.frames import SMALLEST_SIDE_PX, Picture
from vidstyle.media.images import read_image, resize
from vidstyle.objective import Objective, StyleTargets, style_targets, to_picture, to_tensor
from vidstyle.optimize import Outcome, optimize
from vidstyle.settings import Settings


@dataclass(frozen=True)
class Painted:
    """One painted frame: `image` `(H, W, 3)` uint8 RGB, and how it was come by (see `optimize.Outcome`)."""

    image: Picture
    loss: float
    evaluations: int
    retries: int
    seconds: float


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
    `targets`, its Gram matrices at the size of the frame painted last.

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
        self._previous: Picture | None = None

    def restart(self) -> None:
        """Forgets the previous frame, as at a cut: the next one is painted as a first frame."""
        self._previous = None

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
        settings = self.settings
        content_picture = self.fit(image)
        height, width = content_picture.shape[:2]
        if self.targets is None or (self.targets.width, self.targets.height) != (width, height):
            self.targets = style_targets(self.network, self.style, width, height, settings)
            self._previous = None
        with _memory_reported(width, height):
            outcome = self._optimized(to_tensor(content_picture, self.device), self.targets)
        # The chain goes on from the frame as delivered, in 8 bits, so that a render which was
        # interrupted can go on from its files and come out the same.
        self._previous = to_picture(outcome.image)
        seconds = time.perf_counter() - started
        return Painted(self._previous, outcome.loss, outcome.evaluations, outcome.retries, seconds)

    def _optimized(self, content: Tensor, targets: StyleTargets) -> Outcome:
        settings = self.settings
        objective = Objective(self.network, settings, targets, content)
        chained = self._previous is not None and settings.init == "previous"
        iterations = settings.iterations if chained else max(settings.iterations, settings.first_iterations)
        start = self._start(content) if iterations else content
        return optimize(start, objective, settings.optimizer, iterations)

    def _start(self, content: Tensor) -> Tensor:
        if self.settings.init == "noise":
            # The same noise for every frame, so that it does not flicker.
            generator = torch.Generator().manual_seed(self.settings.seed)
            return torch.rand(content.shape, generator=generator).to(self.device)
        if self.settings.init == "previous" and self._previous is not None:
            return to_tensor(self._previous, self.device)
        return content


@contextmanager
def _memory_reported(width: int, height: int) -> Iterator[None]:
    """Turns a want of memory into an error that says what to do."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise DeviceError(f"too little memory to paint {width}x{height} pixels; use a smaller --size") from error
    except RuntimeError as error:
        # The CPU's allocator has no class of its own for it.
        if "not enough memory" not in str(error) and "can't allocate memory" not in str(error):
            raise
        raise DeviceError(f"too little memory to paint {width}x{height} pixels; use a smaller --size") from error


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
