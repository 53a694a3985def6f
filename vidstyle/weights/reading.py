"""Weights files as untrusted input: names, shapes and sizes are checked before they are believed."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.method.weights import Shapes

# torchvision's VGG-19 with its classifier has 574,673,361 bytes; nothing we read is larger.
LARGEST_FILE_BYTES = 1 << 30


class WeightsFile:
    """A weights file as a network sees it; see `TensorFile` in `vidstyle.method.weights`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of all tensors in it; see `shapes_in`."""
        return shapes_in(self._path)

    def read(self, expected: Shapes) -> dict[str, Tensor]:
        """Returns some of the tensors in it; see `read_weights`."""
        return read_weights(self._path, expected)

    def check_finite(self, name: str, tensor: Tensor) -> None:
        """Makes sure that a tensor is finite; see `check_finite`."""
        check_finite(self._path, name, tensor)


def shapes_in(path: Path) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of all tensors in a safetensors or `.pth` file, by name.

    Raises:
        WeightsError: the file cannot be read or is no weights file.
    """
    _check_file(path)
    if path.suffix.lower() == ".safetensors":
        with _opened_safetensors(path) as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    return {str(k): tuple(v.shape) for k, v in _torch_content(path).items() if _is_plain(v)}


def read_weights(path: Path, expected: Shapes) -> dict[str, Tensor]:
    """Returns the tensors named in `expected`, float32, from a safetensors or `.pth` file.

    Other tensors in the file are ignored. A `.pth` is read with ``weights_only=True``, so no code
    in it can run. Safetensors are checked by their header before anything is allocated.

    Raises:
        WeightsError: the file cannot be read, is no weights file, lacks a tensor, has one of another
            shape, or holds values that are not finite.
    """
    _check_file(path)
    read = _read_safetensors if path.suffix.lower() == ".safetensors" else _read_torch
    return {name: _float32(path, name, tensor) for name, tensor in read(path, expected).items()}


def check_finite(path: Path, name: str, tensor: Tensor) -> None:
    """Makes sure that a tensor of a file holds finite values only.

    Raises:
        WeightsError: it does not.
    """
    if not bool(torch.isfinite(tensor).all()):
        raise WeightsError(f"{path}: {name} holds values that are not finite; get the file again")


def _is_plain(value: object) -> bool:
    """Returns whether a value is a tensor with numbers in rows: not sparse, nested, complex or without data."""
    if not isinstance(value, Tensor) or value.is_nested or value.layout != torch.strided:
        return False
    return not (value.is_complex() or value.is_quantized or value.is_meta)


def _float32(path: Path, name: str, tensor: Tensor) -> Tensor:
    try:
        # A tensor of its own: names in a file may share their data, or be parameters with gradients.
        values = tensor.detach().to(torch.float32).clone(memory_format=torch.contiguous_format)
    except (RuntimeError, TypeError) as error:  # number formats that torch knows by name only
        raise WeightsError(f"{path}: {name} is of a number format that cannot be read; give float tensors") from error
    check_finite(path, name, values)
    return values


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file; give a .safetensors or .pth file of the network")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise WeightsError(f"{path}: larger than any weights file of this network ({LARGEST_FILE_BYTES} bytes)")


@contextmanager
def _opened_safetensors(path: Path) -> Iterator[Any]:
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{path}: not a safetensors file ({error}); get the weights again") from error


def _read_safetensors(path: Path, expected: Shapes) -> dict[str, Tensor]:
    with _opened_safetensors(path) as file:
        present = set(file.keys())
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in expected if name in present}
        _check_shapes(path, shapes, expected)
        return {name: file.get_tensor(name) for name in expected}


def _torch_content(path: Path) -> dict[Any, Any]:
    try:
        # Files from before torch 1.6, torchvision's VGG-19 among them, are no archives and cannot be mapped.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # a damaged pickle raises nearly anything
        # torch's own words are not passed on: they advise reading the file with code execution allowed.
        raise WeightsError(
            f"{path}: not a weights file that can be read safely; give a .safetensors file, or a .pth of tensors only"
        ) from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, not a state dict of named tensors")
    return content


def _read_torch(path: Path, expected: Shapes) -> dict[str, Tensor]:
    content = _torch_content(path)
    tensors = {name: content[name] for name in expected if _is_plain(content.get(name))}
    _check_shapes(path, {name: tuple(tensor.shape) for name, tensor in tensors.items()}, expected)
    return tensors


def _check_shapes(path: Path, shapes: Shapes, expected: Shapes) -> None:
    for name, shape in expected.items():
        if name not in shapes:
            missing = sum(1 for other in expected if other not in shapes)
            raise WeightsError(
                f"{path}: has no tensor {name} ({missing} of {len(expected)} are missing); "
                "it belongs to another network (see --network) or lacks the layers asked for"
            )
        if shapes[name] != shape:
            raise WeightsError(
                f"{path}: {name} is {shapes[name]} ({math.prod(shapes[name])} values), "
                f"this network has {shape}; it belongs to another network"
            )
