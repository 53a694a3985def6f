"""The terms of the objective as pure functions of features and pictures.

F is a layer's activations, N its channels, M its positions (Gatys et al. 2016, section 2). The
functions named after Gatys are the paper's own formulas; the objective uses the relative ones, whose
values do not depend on size, layer or network, so that one set of default weights serves all.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# What a loss is divided by at the least: a blank picture has features of no norm and no variance.
SMALLEST_NORM = 1e-8
# A bfloat16 product rounds its sum to 3 digits: the float32 sum of so many parts is some 4 times as exact.
GRAM_PARTS = 16


def at_least_float32(values: Tensor) -> Tensor:
    """Returns the same values in float32, or as they are where they are finer."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


class _Gram(torch.autograd.Function):
    """Rows^T Rows / M of channels-last features, and of some of their rows alone, with one gradient for both.

    What autograd makes of the plain formula takes two products where one does (the gradient of G is
    symmetric here), divides every activation, and hands the network a gradient in another memory layout
    than its own, whose sum with the next layer's is the slowest operation of the whole evaluation. For the
    rows alone it would fill a gradient of the whole layer's size with zeros, and add that.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, places: Tensor | None) -> Tensor:
        """Returns `(B, C, C)`, float32 or finer, of `(B, C, h, w)`; `(2 B, C, C)` with places `(P,)`, theirs last."""
        ctx.save_for_backward(features, places)
        rows = _rows(features)
        gram = _mean_product(rows)
        return gram if places is None else torch.cat([gram, _mean_product(_at(rows, places))])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Returns `(B, C, h, w)`, channels last, in the features' precision; can be differentiated again."""
        features, places = ctx.saved_tensors
        rows = _rows(features)
        batch, channels, height, width = features.shape
        both = gradient + gradient.transpose(1, 2)
        down = rows @ (both[:batch] / rows.shape[1]).to(rows.dtype)
        if places is not None:
            of_places = _at(rows, places) @ (both[batch:] / len(places)).to(rows.dtype)
            for picture in range(batch):  # along the second dimension this takes four times as long
                down[picture].index_add_(0, places, of_places[picture])
        return down.view(batch, height, width, channels).permute(0, 3, 1, 2).to(features.dtype), None


def _at(rows: Tensor, places: Tensor) -> Tensor:
    """Returns some rows, `(B, P, C)`, of `(B, M, C)`."""
    return rows.index_select(1, places)


def _mean_product(rows: Tensor) -> Tensor:
    """Returns rows^T rows / M, `(B, C, C)` float32 or finer, of `(B, M, C)`."""
    batch, positions, channels = rows.shape
    even = positions - positions % GRAM_PARTS
    parts = rows[:, :even].reshape(batch * GRAM_PARTS, even // GRAM_PARTS, channels)
    gram = at_least_float32(parts.transpose(1, 2) @ parts).view(batch, GRAM_PARTS, channels, channels).sum(1)
    if even < positions:
        rest = rows[:, even:]
        gram = gram + at_least_float32(rest.transpose(1, 2) @ rest)
    return gram / positions


def _rows(features: Tensor) -> Tensor:
    """Returns `(B, h w, C)` of `(B, C, h, w)`: a view where that is channels last."""
    rows = features.permute(0, 2, 3, 1).reshape(len(features), -1, features.shape[1])
    return rows.float() if rows.dtype == torch.float16 else rows  # float16 sums overflow at 65,504


def gram_matrix(features: Tensor) -> Tensor:
    """Returns the Gram matrices `(B, C, C)`, float32 or finer, of features `(B, C, h, w)`: F F^T / (h w).

    Gatys et al. (2016, equation 3) do not divide by the number of positions; dividing makes the
    matrices of pictures of different sizes comparable.
    """
    gram: Tensor = _Gram.apply(features, None)  # type: ignore[no-untyped-call]
    return gram


def gram_matrices(features: Tensor, places: Tensor) -> Tensor:
    """Returns the Gram matrices of all positions of features `(B, C, h, w)`, then those of some, `(2 B, C, C)`.

    `places` are numbers of positions, counted by rows, int64 `(P,)`, at least one.
    """
    grams: Tensor = _Gram.apply(features, places)  # type: ignore[no-untyped-call]
    return grams


def measured(gram: Tensor, metric: Tensor | None) -> Tensor:
    """Returns ``R G R^T`` for Gram matrices `(B, C, C)` and a metric R `(C, C)`, or G where R is None."""
    if metric is None:
        return gram
    metric = metric.to(gram.dtype)
    return metric @ gram @ metric.T


def relative_style_loss(gram: Tensor, target: Tensor) -> Tensor:
    """Returns ``|G - A|^2 / |A|^2`` for each of `(B, C, C)` Gram matrices, shape `(B,)`.

    A departure from Gatys et al. (2016, equation 4), who divide by 4 N^2 M^2: the target's own norm
    gives every layer the same say, whatever the scale of its activations.
    """
    norm = target.square().sum((1, 2)).clamp_min(SMALLEST_NORM)
    return (gram - target).square().sum((1, 2)) / norm


def relative_content_loss(features: Tensor, target: Tensor, scale: float) -> Tensor:
    """Returns the mean squared difference of features `(B, C, h, w)` divided by `scale`, shape ().

    A departure from Gatys et al. (2016, equation 1), who sum and halve: `scale` is the variance of the
    content's features (`content_scale`), so 1 means "as far off as a flat picture".
    """
    return (at_least_float32(features) - target).square().mean() / scale


def content_scale(target: Tensor) -> float:
    """Returns the variance over all values of content features `(B, C, h, w)`, at least 1e-8.

    A blank picture has features without variance; the floor keeps its loss finite.
    """
    return max(float(target.float().var()), SMALLEST_NORM)


def total_variation(image: Tensor) -> Tensor:
    """Returns the mean squared difference of neighbouring pixels of `(B, 3, H, W)`, shape ().

    The exponent beta = 2 of Mahendran and Vedaldi (2015, section 3). A picture one pixel wide or high
    has no neighbours in that direction, which then counts as 0.
    """
    pairs = ((image[..., :, 1:], image[..., :, :-1]), (image[..., 1:, :], image[..., :-1, :]))
    return sum((F.mse_loss(a, b) for a, b in pairs if a.numel()), image.new_zeros(()))


class _Held(torch.autograd.Function):
    """mean(c (x - r)^2) and its gradient in two passes over the picture each, where autograd takes eight."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, reference: Tensor, confidence: Tensor) -> Tensor:
        """Returns a loss of shape ()."""
        gap = image - reference
        pull = gap * confidence
        ctx.save_for_backward(pull)
        return torch.dot(pull.flatten(), gap.flatten()) / gap.numel()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Returns the gradient for the picture; none leads into the past."""
        (pull,) = ctx.saved_tensors
        return pull * (2 * gradient / pull.numel()), None, None


def temporal_loss(image: Tensor, reference: Tensor, confidence: Tensor) -> Tensor:
    """Returns ``mean(c (x - r)^2)`` of pictures `(B, 3, H, W)` and a confidence c, `(1, 1, H, W)` in [0, 1], shape ().

    Ruder et al. (2016, section 4.2): the mean goes over all pixels, held or not, so what is uncovered does not
    make the rest stiffer. The reference is the carried past, and no gradient leads into it.
    """
    held: Tensor = _Held.apply(image, reference, confidence)  # type: ignore[no-untyped-call]
    return held


def gatys_content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Returns ``1/2 sum (F - P)^2`` (Gatys et al. 2016, equation 1), shape ()."""
    return (features - target).square().sum() / 2


def gatys_style_loss(features: Tensor, target: Tensor) -> Tensor:
    """Returns ``sum (G - A)^2 / (4 N^2 M^2)`` of `(1, C, h, w)` features, G not divided (equations 3-4)."""
    channels, positions = features.shape[1], features.shape[2] * features.shape[3]
    flat, flat_target = features.flatten(2)[0], target.flatten(2)[0]
    gap = flat @ flat.T - flat_target @ flat_target.T
    return gap.square().sum() / (4 * channels**2 * positions**2)
