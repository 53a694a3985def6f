"""What networks say of their weights' files, and how they get the tensors in them; `vidstyle.weights` reads files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

# Shapes of tensors by name.
Shapes = Mapping[str, tuple[int, ...]]
# Returns the float32 tensors of these names and shapes, from wherever a network's own weights are.
TensorReader = Callable[[Shapes], "dict[str, Tensor]"]


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """Weights that are published on a server.

    Attributes:
        url: its name ends in the first eight digits of the file's SHA-256, which is torch.hub's convention.
        name: of the safetensors file in the cache. owner: whose weights they are, for messages.
        remedy: what to do where they cannot be fetched; {url} stands for the address.
    """

    url: str
    name: str
    owner: str
    remedy: str


class TensorFile(Protocol):
    """A file of named tensors, not to be trusted; `str` of it is its name, for messages."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of all tensors in it.

        Raises:
            WeightsError: it cannot be read or holds no tensors.
        """

    def read(self, expected: Shapes) -> dict[str, Tensor]:
        """Returns those tensors, float32 and finite.

        Raises:
            WeightsError: it cannot be read, or lacks one, or has one of another shape or with values not finite.
        """

    def check_finite(self, name: str, tensor: Tensor) -> None:
        """Makes sure that a tensor made of what the file holds has finite values only.

        Raises:
            WeightsError: it has not.
        """
