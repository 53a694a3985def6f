"""Optical flow between two frames.

To add a way to estimate it, write a module with a class that is a `FlowEstimator` and name it in `FLOWS`: the
settings' choices and help derive from these. The table can be read without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from vidstyle.frames import Picture

if TYPE_CHECKING:
    import torch

    from vidstyle.method.warping import FlowField
    from vidstyle.method.weights import PublishedWeights, TensorReader


class FlowEstimator(Protocol):
    """Estimates where things have gone between two pictures.

    Attributes: `published`, its weights, if it has any; `memory_remedy`, advice that ends in " or ", or "".
    """

    published: PublishedWeights | None
    memory_remedy: str

    @classmethod
    def check(cls) -> None:
        """Makes sure that what it needs is installed.

        Raises:
            FlowError: it is not; the message says what is missing.
        """

    @classmethod
    def load(cls, read: TensorReader, device: torch.device) -> FlowEstimator:
        """Returns an estimator.

        Args:
            read: returns its weights' tensors; see `TensorReader`. device: where it computes, if it can choose.

        Raises:
            FlowError: see `check`. WeightsError: its weights cannot be had.
        """

    def __call__(self, here: Picture, there: Picture) -> FlowField:
        """Returns `(H, W, 2)` float32 px, x then y: what is at p in `here` is at ``p + flow[p]`` in `there`.

        Args:
            here, there: `(H, W, 3)` uint8 RGB of one size.
        """


@dataclass(frozen=True, slots=True)
class FlowEntry:
    """A way to estimate optical flow that can be chosen.

    Attributes:
        place: of its class, "module:name" beside this file. help: what the help says of it, after its name.
        package: whose release may change its results, besides those that vidstyle needs anyway.
    """

    place: str
    help: str
    package: str = ""


FLOWS = {
    "dis": FlowEntry("dis:DisFlow", "is OpenCV's"),
    "raft": FlowEntry(
        "raft:RaftFlow", "is torchvision's, better for fast motion, for GPUs, and downloaded once", "torchvision"
    ),
}


def flow_class(name: str) -> type[FlowEstimator]:
    """Returns the class of the estimator `name`, one of `FLOWS`."""
    module, _, attribute = FLOWS[name].place.partition(":")
    found: Any = getattr(import_module(f"{__name__}.{module}"), attribute)
    return found  # type: ignore[no-any-return]
