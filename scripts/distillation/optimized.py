"""Pictures that style transfer under the student produces: where it will be asked, and errs."""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distillation.bank import GROUP
from distillation.pictures import Pictures
from distillation.student import Student, grams_of
from distillation.teacher import LAYERS, Styles
from vidstyle.method.losses import content_scale, relative_content_loss, total_variation
from vidstyle.method.solver import Budget, optimize

# What the optimization is varied over: its steps, and how a picture begins.
STEPS = (12, 25, 50)
FROM_NOISE, GO_ON = 0.1, 0.4


class OptimizedPictures:
    """A pool of pictures twice as wide as the bank's, optimized by L-BFGS on two levels of a pyramid.

    Some go on from where an earlier student left them, so that later ones are also asked about
    pictures after many hundreds of steps.
    """

    def __init__(self, photos: Pictures, styles: Styles, groups: int, rng: np.random.Generator) -> None:
        self.photos, self.styles = photos, styles
        side_px = 2 * styles.images.shape[-1]
        count = groups * GROUP // 2  # each picture gives two of the bank's
        self.content = photos.batch(rng, count, side_px).half().to(styles.images.device)
        self.images = self.content.clone()
        self.style = torch.from_numpy(rng.integers(len(styles) // 2, size=count))
        self.fresh = torch.ones(count, dtype=torch.bool)

    def advance(self, student: Student, group: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Optimizes the pictures of one group and returns parts of them, for the bank, and their styles.

        Returns:
            `(GROUP, 3, s, s)` float32 RGB in [0, 1] and `(GROUP,)` int64.
        """
        count = GROUP // 2
        places = range(group * count, (group + 1) * count)
        for place in places:
            if not self.fresh[place] and rng.random() >= GO_ON:
                self._begin(place, rng)
            self.fresh[place] = False
        chosen = torch.tensor(list(places))
        x = self._optimized(student, chosen, rng)
        self.images[chosen] = x.half()
        side_px = x.shape[-1] // 2
        top, left = rng.integers(0, side_px + 1, 2)
        crops = torch.cat([x[:, :, top : top + side_px, left : left + side_px], F.avg_pool2d(x, 2)])
        return crops, torch.cat([2 * self.style[chosen], 2 * self.style[chosen] + 1]).to(crops.device)

    def _begin(self, place: int, rng: np.random.Generator) -> None:
        content = self.photos.crop(rng, self.images.shape[-1])
        noise = torch.from_numpy(rng.random(content.shape, dtype=np.float32))
        self.content[place] = content.half()
        self.images[place] = (noise if rng.random() < FROM_NOISE else content).half()
        self.style[place] = int(rng.integers(len(self.styles) // 2))

    def _optimized(self, student: Student, chosen: Tensor, rng: np.random.Generator) -> Tensor:
        # As in use: without gradients of its own, and in its precision there.
        eye = copy.deepcopy(student).requires_grad_(False)
        eye.network.placed(self.images.device, eye.precision)
        styles = [self.styles.images[2 * self.style[chosen] + level] for level in range(2)]
        content = eye.network(F.avg_pool2d(self.content[chosen].float(), 2), ["relu3_4"])["relu3_4"].float()
        scale, targets = content_scale(content), [grams_of(eye.network(style, LAYERS)) for style in styles]
        steps, style_weight = int(rng.choice(STEPS)), float(10 ** rng.uniform(1, 2))
        tv_weight = float(rng.choice((0.0, 1.0)))

        def objective(x: Tensor) -> Tensor:
            levels = [eye.network(picture, LAYERS) for picture in (x, F.avg_pool2d(x, 2))]
            loss = len(x) * relative_content_loss(levels[1]["relu3_4"], content, scale)
            loss = loss + tv_weight * len(x) * total_variation(x)
            for features, target in zip(levels, targets, strict=True):
                loss = loss + style_weight / 2 * eye.style_loss(grams_of(features), target).sum()
            return loss

        return optimize(self.images[chosen].float(), objective, "lbfgs", Budget(steps)).image
