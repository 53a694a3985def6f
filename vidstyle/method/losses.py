"""The terms of the objective as pure functions of features and pictures.

F is a layer's activations, N its channels, M its positions (Gatys et al. 2016, section 2). The
functions named after Gatys are the paper's own formulas; the objective uses the relative ones, whose
values do not depend on size, layer or network, so that one set of default weights serves all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# What a loss is divided by at the least: a blank picture has features of no norm and no variance.
SMALLEST_NORM = 1e-8
# A bfloat16 product rounds its sum to 3 digits: the float32 sum of so many parts is some 4 times as exact.
GRAM_PARTS = 16
# How much means and covariances count. By measure and by eye: the more the covariances, the bolder strokes are, and the
# more things dissolve in them. Pyramid levels whose long side has at most COARSE_PX show shapes and no strokes: there
# covariances only dissolve things. The weight grows with the logarithm of the long side from there to FINE_PX.
MEANS_WEIGHT, FINE_COVARIANCE_WEIGHT, COARSE_COVARIANCE_WEIGHT = 0.9, 0.3, 0.1
COARSE_PX, FINE_PX = 160, 320
# The least share of a Gram matrix's squared norm that its covariances' is taken for: a blank style has none. Paintings
# have 0.02 to 0.4.
SMALLEST_COVARIANCE = 0.01


def at_least_float32(values: Tensor) -> Tensor:
    """Returns the same values in float32, or as they are where they are finer."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


class _Gram(torch.autograd.Function):
    """Rows^T Rows / M of channels-last features, and of some of their rows alone, with one gradient for both.

    With means they stand below each matrix, as one more row.

    What autograd makes of the plain formula takes two products where one does (the gradient of G is
    symmetric here), divides every activation, and hands the network a gradient in another memory layout
    than its own, whose sum with the next layer's is the slowest operation of the whole evaluation. For the
    rows alone it would fill a gradient of the whole layer's size with zeros, and add that.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, places: Tensor | None, has_means: bool) -> Tensor:
        """Returns `(B, C, C)`, float32 or finer, of `(B, C, h, w)`; `(2 B, C, C)` with places `(P,)`, theirs last.

        With means, `(., C + 1, C)`.
        """
        ctx.save_for_backward(features, places)
        rows = _rows(features)
        grams = [_product(rows, rows, has_means) / rows.shape[1]]
        if places is not None:
            of_places = _at(rows, places)
            grams.append(_product(of_places, of_places, has_means) / len(places))
        return torch.cat(grams) if len(grams) > 1 else grams[0]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Returns `(B, C, h, w)`, channels last, in the features' precision; can be differentiated again."""
        features, places = ctx.saved_tensors
        rows = _rows(features)
        batch, channels, height, width = features.shape
        down = _gradient_of_rows(rows, gradient[:batch], rows.shape[1])
        if places is not None:
            of_places = _gradient_of_rows(_at(rows, places), gradient[batch:], len(places))
            for picture in range(batch):  # along the second dimension this takes four times as long
                down[picture].index_add_(0, places, of_places[picture])
        return down.view(batch, height, width, channels).permute(0, 3, 1, 2).to(features.dtype), None, None


class _WeightedGrams(torch.autograd.Function):
    """Sums of w f f^T over some positions' features f, one for each of several groups, with one gradient for all."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, has_means: bool, *groups: Tensor) -> Tensor:
        """Returns `(K, C, C)`, float32 or finer, of `(1, C, h, w)` and K pairs of places `(P,)` and weights `(P,)`.

        With means, `(K, C + 1, C)`.
        """
        ctx.save_for_backward(features, *groups)
        rows = _rows(features)
        grams = []
        for places, weights in _pairs(groups):
            of_places = _at(rows, places)
            weighted = of_places * weights[:, None].to(rows.dtype)
            grams.append(_product(weighted, of_places, has_means))
        return torch.cat(grams)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Returns `(1, C, h, w)`, channels last, in the features' precision; can be differentiated again."""
        features, *groups = ctx.saved_tensors
        rows = _rows(features)
        _, channels, height, width = features.shape
        down = torch.zeros_like(rows[0])
        for number, (places, weights) in enumerate(_pairs(groups)):
            pulled = _gradient_of_rows(
                _at(rows, places), gradient[number : number + 1], 1, weights[:, None].to(rows.dtype)
            )
            down = down.index_add(0, places, pulled[0])
        gradients = down.view(1, height, width, channels).permute(0, 3, 1, 2).to(features.dtype)
        return (gradients, None, *[None] * len(groups))


def _pairs(groups: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return list(zip(groups[::2], groups[1::2], strict=True))


def _at(rows: Tensor, places: Tensor) -> Tensor:
    """Returns some rows, `(B, P, C)`, of `(B, M, C)`."""
    return rows.index_select(1, places)


def _gradient_of_rows(rows: Tensor, gradient: Tensor, count: int, weights: Tensor | None = None) -> Tensor:
    """Returns the gradient for rows `(B, M, C)` from that for Gram matrices `(B, C, C)`, or `(B, C + 1, C)` with sums.

    Args:
        count: what matrices and sums were divided by. weights: `(M, 1)`, what each row counts.
    """
    channels = rows.shape[2]
    sums, both = (gradient[:, channels:] / count).to(rows.dtype), gradient[:, :channels]
    both = ((both + both.transpose(1, 2)) / count).to(rows.dtype)
    if weights is not None:
        rows = rows * weights
    if not sums.numel():
        return rows @ both
    return torch.baddbmm(sums if weights is None else weights * sums, rows, both)


def _product(left: Tensor, right: Tensor, has_sums: bool) -> Tensor:
    """Returns left^T right, `(B, C, C)` float32 or finer, of two `(B, M, C)`; with the sums of left `(B, C + 1, C)`."""
    batch, positions, channels = left.shape
    even = positions - positions % GRAM_PARTS
    shape = (batch * GRAM_PARTS, even // GRAM_PARTS, channels)
    left_parts, right_parts = left[:, :even].reshape(shape), right[:, :even].reshape(shape)
    parts = left_parts.transpose(1, 2) @ right_parts
    if has_sums:
        # Summed in float32 and rounded once for each part, which takes a tenth of the time of a float32 result.
        parts = torch.cat([parts, left_parts.sum(1, keepdim=True)], 1)
    gram = at_least_float32(parts).view(batch, GRAM_PARTS, -1, channels).sum(1)
    if even < positions:
        rest = left[:, even:]
        of_rest = [rest.transpose(1, 2) @ right[:, even:], *([rest.sum(1, keepdim=True)] if has_sums else [])]
        gram = gram + at_least_float32(torch.cat(of_rest, 1) if has_sums else of_rest[0])
    return gram


def _rows(features: Tensor) -> Tensor:
    """Returns `(B, h w, C)` of `(B, C, h, w)`: a view where that is channels last."""
    rows = features.permute(0, 2, 3, 1).reshape(len(features), -1, features.shape[1])
    return rows.float() if rows.dtype == torch.float16 else rows  # float16 sums overflow at 65,504


def gram_matrix(features: Tensor, has_means: bool = False) -> Tensor:
    """Returns the Gram matrices `(B, C, C)`, float32 or finer, of features `(B, C, h, w)`: F F^T / (h w).

    Gatys et al. (2016, equation 3) do not divide by the number of positions; dividing makes the
    matrices of pictures of different sizes comparable.

    Args:
        has_means: whether the features' means stand below each matrix as one more row: `(B, C + 1, C)`. As the
            matrices, they can be added up over tiles, mixed and averaged.
    """
    gram: Tensor = _Gram.apply(features, None, has_means)  # type: ignore[no-untyped-call]
    return gram


def gram_matrices(features: Tensor, places: Tensor, has_means: bool = False) -> Tensor:
    """Returns the Gram matrices of all positions of features `(B, C, h, w)`, then those of some, `(2 B, C, C)`.

    `places` are numbers of positions, counted by rows, int64 `(P,)`, at least one. See `gram_matrix` for the means.
    """
    grams: Tensor = _Gram.apply(features, places, has_means)  # type: ignore[no-untyped-call]
    return grams


def weighted_grams(features: Tensor, groups: Sequence[tuple[Tensor, Tensor]], has_means: bool = False) -> Tensor:
    """Returns sum_p w_p f_p f_p^T for each of K groups of positions p of features `(1, C, h, w)`: `(K, C, C)`.

    Args:
        groups: numbers of positions, counted by rows, int64 `(P,)`, and their weights `(P,)`. Divided by the
            weights' sum the result is the Gram matrix of a region (Gatys et al., Controlling Perceptual Factors in
            Neural Style Transfer, 2017, section 4.1, who scale each row by the weight's root).
        has_means: whether sum_p w_p f_p stands below each matrix, `(K, C + 1, C)`; see `gram_matrix`.
    """
    flat = [tensor for group in groups for tensor in group]
    grams: Tensor = _WeightedGrams.apply(features, has_means, *flat)  # type: ignore[no-untyped-call]
    return grams


def measured(gram: Tensor, metric: Tensor | None) -> Tensor:
    """Returns ``R G R^T`` for Gram matrices `(B, C, C)` and a metric R `(C, C)`, or G where R is None.

    Means below the matrices, `(B, C + 1, C)`, become ``R m``.
    """
    if metric is None:
        return gram
    metric, channels = metric.to(gram.dtype), gram.shape[2]
    if gram.shape[1] == channels:
        return metric @ gram @ metric.T
    return torch.cat([metric @ gram[:, :channels], gram[:, channels:]], 1) @ metric.T


def mixture(shares: Sequence[tuple[float, Tensor]]) -> Tensor:
    """Returns the mean of several statistics, `(B, C, C)` or `(B, C + 1, C)` each, by shares that add up to 1.

    The mean of Gram matrices is that of a picture partly in one style and partly in the other. Where means stand below
    them, covariances are averaged apart, so that the difference of the means does not count as contrast.
    """
    total = torch.stack([share * statistics for share, statistics in shares]).sum(0)
    if total.shape[1] == total.shape[2]:
        return total
    _, means = _parted(total)
    covariances = [share * _covariance(*_parted(statistics)) for share, statistics in shares]
    return torch.cat([torch.stack(covariances).sum(0) + means.transpose(1, 2) * means, means], 1)


def relative_style_loss(gram: Tensor, target: Tensor, long_side_px: float = FINE_PX) -> Tensor:
    """Returns ``|G - A|^2 / |A|^2`` for each of `(B, C, C)` Gram matrices, shape `(B,)`; the same at every level.

    A departure from Gatys et al. (2016, equation 4), who divide by 4 N^2 M^2: the target's own norm
    gives every layer the same say, whatever the scale of its activations. `long_side_px` makes no difference; it is
    there because `StyleLoss.distance` has it.
    """
    norm = target.square().sum((1, 2)).clamp_min(SMALLEST_NORM)
    return (gram - target).square().sum((1, 2)) / norm


def relative_moments_loss(moments: Tensor, target: Tensor, long_side_px: float) -> Tensor:
    """Returns ``v |m - n|^2 / |n|^2 + w |C - D|^2 / |D|^2`` of `(B, C + 1, C)` Gram matrices with means, shape `(B,)`.

    m and n are the means, C = G - m m^T and D the covariances, v is `MEANS_WEIGHT` and w the `covariance_weight` of
    the pyramid level, whose picture is `long_side_px` long. A departure from Gatys et al. (2016): of the norm of a
    Gram matrix of theirs most is the means', so that brush strokes, which are in the covariances, count for little
    beside colors. Risser et al. (Stable and Controllable Neural Texture Synthesis and Style Transfer Using Histogram
    Losses, 2017) name the same weakness, and add histograms.
    """
    (gram, means), (target_gram, target_means) = (_parted(each) for each in (moments, target))
    own, wanted = _covariance(gram, means), _covariance(target_gram, target_means)
    norm = torch.maximum(_squares(wanted), SMALLEST_COVARIANCE * _squares(target_gram)).clamp_min(SMALLEST_NORM)
    of_means = _squares(means - target_means) / _squares(target_means).clamp_min(SMALLEST_NORM)
    return MEANS_WEIGHT * of_means + covariance_weight(long_side_px) * _squares(own - wanted) / norm


def covariance_weight(long_side_px: float) -> float:
    """Returns what covariances count of a pyramid level whose picture has that long side.

    0.1 up to 160 px, 0.3 from 320 px on, and between them linear in the logarithm.
    """
    fineness = math.log(long_side_px / COARSE_PX) / math.log(FINE_PX / COARSE_PX)
    return COARSE_COVARIANCE_WEIGHT + (FINE_COVARIANCE_WEIGHT - COARSE_COVARIANCE_WEIGHT) * min(1, max(0, fineness))


def _parted(moments: Tensor) -> tuple[Tensor, Tensor]:
    """Returns Gram matrices `(B, C, C)` and means `(B, 1, C)` of `(B, C + 1, C)`."""
    return moments[:, :-1], moments[:, -1:]


def _covariance(gram: Tensor, means: Tensor) -> Tensor:
    """Returns ``G - m m^T``, `(B, C, C)`, of Gram matrices and means `(B, 1, C)`."""
    return gram - means.transpose(1, 2) * means


def _squares(values: Tensor) -> Tensor:
    """Returns the sum of squares of each of `(B, ., C)`, shape `(B,)`."""
    return values.square().sum((1, 2))


@dataclass(frozen=True, slots=True)
class StyleLoss:
    """How far a layer's statistics are from a style's.

    Attributes:
        has_means: whether it needs the means below the Gram matrices; see `gram_matrix`.
        is_smooth: how the pyramid's levels are made; see `objective.pyramid`.
        distance: takes what was measured and the target, `(B, C, C)` or `(B, C + 1, C)`, and the long side in pixels
            of the pyramid level that they are of; returns `(B,)`.
    """

    has_means: bool
    is_smooth: bool
    distance: Callable[[Tensor, Tensor, float], Tensor]


STYLE_LOSSES = {
    "moments": StyleLoss(has_means=True, is_smooth=True, distance=relative_moments_loss),
    "gram": StyleLoss(has_means=False, is_smooth=False, distance=relative_style_loss),
}


def relative_content_loss(features: Tensor, target: Tensor, scale: float, weights: Tensor | None = None) -> Tensor:
    """Returns the mean squared difference of features `(B, C, h, w)` divided by `scale`, shape ().

    With weights `(h, w)` in [0, 1] each position's difference counts times its own; the mean still goes over all.

    A departure from Gatys et al. (2016, equation 1), who sum and halve: `scale` is the variance of the
    content's features (`content_scale`), so 1 means "as far off as a flat picture".
    """
    squares = (at_least_float32(features) - target).square()
    return (squares if weights is None else squares * weights).mean() / scale


def content_scale(target: Tensor, weights: Tensor | None = None) -> float:
    """Returns the variance over all values of content features `(B, C, h, w)`, at least 1e-8.

    A blank picture has features without variance; the floor keeps its loss finite. With weights `(h, w)` each
    position counts times its own.
    """
    if weights is None:
        return max(float(target.float().var()), SMALLEST_NORM)
    values, shares = target.double(), weights.double().expand_as(target)
    total = shares.sum().clamp_min(SMALLEST_NORM)
    mean = (values * shares).sum() / total
    return max(float(((values - mean).square() * shares).sum() / total), SMALLEST_NORM)


def total_variation(image: Tensor, weights: Tensor | None = None) -> Tensor:
    """Returns the mean squared difference of neighboring pixels of `(B, 3, H, W)`, shape ().

    The exponent beta = 2 of Mahendran and Vedaldi (2015, section 3). A picture one pixel wide or high
    has no neighbors in that direction, which then counts as 0. With weights `(1, 1, H, W)` in [0, 1] a pair counts
    times the mean of its two; the mean still goes over all pairs.
    """
    if weights is not None:
        weighted: Tensor = _WeightedVariation.apply(image, weights)  # type: ignore[no-untyped-call]
        return weighted
    pairs = ((image[..., :, 1:], image[..., :, :-1]), (image[..., 1:, :], image[..., :-1, :]))
    return sum((F.mse_loss(a, b) for a, b in pairs if a.numel()), image.new_zeros(()))


class _WeightedVariation(torch.autograd.Function):
    """mean(w (a - b)^2) over neighbors a and b, and its gradient in few passes over the picture."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, weights: Tensor) -> Tensor:
        """Returns a loss of shape ()."""
        total, pulls = image.new_zeros(()), []
        for side in (3, 2):
            gap = image.diff(dim=side)
            count = image.shape[side] - 1
            pair = (weights.narrow(side, 0, count) + weights.narrow(side, 1, count)) / (2 * max(1, gap.numel()))
            pulls.append(gap * pair)
            total = total + torch.dot(pulls[-1].flatten(), gap.flatten())
        ctx.save_for_backward(*pulls)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Returns the gradient for the picture."""
        across, down = (pull * (2 * gradient) for pull in ctx.saved_tensors)
        return F.pad(across, (1, 0)) - F.pad(across, (0, 1)) + F.pad(down, (0, 0, 1, 0)) - F.pad(
            down, (0, 0, 0, 1)
        ), None


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
    make the rest stiffer. The reference is the warped frame before, and no gradient leads into it.
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
