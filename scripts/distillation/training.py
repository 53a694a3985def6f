"""The training of the student, its terms, its schedule and its checkpoint."""

from __future__ import annotations

import argparse
import math

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from distillation.bank import GROUP, Bank
from distillation.optimized import OptimizedPictures
from distillation.pictures import Pictures
from distillation.student import Student, grams_of
from distillation.teacher import LAYERS, Styles, load_teacher
from vidstyle.files import sha256_of, written_whole
from vidstyle.method.features.compact import CompactFeatures
from vidstyle.method.losses import SMALLEST_NORM

CROP_PX = 128
STYLES = 96  # parts of paintings; two targets each
# Groups of pictures in the bank, natural and optimized, and how many of each are new in every round.
NATURAL_GROUPS, OPTIMIZED_GROUPS = 160, 60
NEW_NATURAL, NEW_OPTIMIZED = 10, 8
OPTIMIZED_SHARE = 0.625  # of a batch
# Of the whole run: when the first and the last round of optimized pictures are made.
FIRST_ROUND, LAST_ROUND = 0.1, 0.95
# Weights of the terms; the features' by layer: what the shallow ones lack shows least in pictures, and
# relu3_4 serves as content besides.
FEATURE_WEIGHTS = {"relu1_1": 0.25, "relu2_1": 0.5, "relu3_1": 1.25, "relu3_4": 2.5}
MEAN_WEIGHT, GAP_WEIGHT, GRADIENT_WEIGHT = 4.0, 0.5, 0.3
STYLE_EVERY = 2  # steps: gap and gradient cost twice the rest of a step
AVERAGE_FROM, AVERAGE_DECAY = 0.5, 0.999


def losses_of(student: Student, bank: Bank, places: Tensor, with_style: bool) -> dict[str, Tensor]:
    """Returns the terms of training, each of shape (), for the bank's pictures at `places`, and the features' by layer.

    features  the mapped activations against the teacher's, relative to the teacher's mean square;
    means     a picture's mean activations: a Gram matrix is nearly theirs alone (over nine tenths of its
              norm), but of the features' error they are a small part;
    gap       how the picture's Gram matrix differs from its style's, against how the teacher finds
              that it differs: near an optimum of the student's own, the only thing that counts;
    gradient  the style loss's gradient with respect to the picture against the teacher's.
    """
    x = bank.images[places].float().requires_grad_(with_style)
    seen, terms, means = student.features(x), {}, []
    for layer in LAYERS:
        want = bank.features[layer][places].float()
        mapped = student.mapped(layer, bank.sampled(seen[layer], bank.offsets[places]))
        terms[f"features_{layer}"] = (mapped - want).square().mean() / want.square().mean()
        mean, want_mean = seen[layer].float().mean((2, 3)) @ student.maps[layer].T, bank.means[layer][places]
        means.append((mean - want_mean).square().sum(1) / want_mean.square().sum(1).clamp_min(SMALLEST_NORM))
    terms["features"] = torch.stack([weight * terms[f"features_{k}"] for k, weight in FEATURE_WEIGHTS.items()]).mean()
    terms["means"] = torch.stack(means).mean()
    if with_style:
        styles = bank.style_index[places]
        grams, targets = grams_of(seen), grams_of(student.features(bank.styles.images[styles]))
        gaps = []
        for layer in LAYERS:
            want_gap = bank.grams[layer][places] - bank.styles.grams[layer][styles]
            gaps.append(log_error(student.gap(layer, grams, targets), want_gap))
        terms["gap"] = torch.stack(gaps).mean()
        (gradient,) = torch.autograd.grad(student.style_loss(grams, targets).sum(), x, create_graph=True)
        gradient = gradient / bank.gradient_rms[places].view(-1, 1, 1, 1)
        terms["gradient"] = log_error(gradient, bank.gradients[places].float())
    return terms


def log_error(values: Tensor, wanted: Tensor) -> Tensor:
    """Returns the mean over samples of log(1 + |v - w|^2 / |w|^2), shape (), of `(B, ...)` float32.

    Samples where the student is far off are many times the norm; the logarithm keeps them from ruling.
    """
    gap, norm = (t.flatten(1).square().sum(1) for t in (values - wanted, wanted))
    return torch.log1p(gap / norm.clamp_min(SMALLEST_NORM)).mean()


def learning_rate(progress: float, peak: float) -> float:
    """Returns the rate at `progress` in [0, 1]: a short rise, then a cosine to a hundredth."""
    if progress < 0.02:
        return peak * (0.05 + 0.95 * progress / 0.02)
    return peak * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * (progress - 0.02) / 0.98)))


class Training:
    """Everything that changes from step to step, and its checkpoint."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Reads pictures, teacher and the checkpoint beside the output, or begins anew.

        Raises:
            SystemExit: no pictures, or the checkpoint is of another run. VidstyleError: unreadable files.
        """
        torch.manual_seed(options.seed)
        self.options, self.device = options, torch.device(options.device)
        held_out = set(options.held_out.split(",")) if options.held_out else set()
        self.pictures = Pictures(options.pictures, held_out)
        paintings = Pictures(options.pictures, held_out, only=options.style_folder)
        self.student = Student(CompactFeatures(options.shape), getattr(torch, options.precision)).to(self.device)
        self.student.to(memory_format=torch.channels_last)
        self.average = {k: v.detach().clone() for k, v in self.student.named_parameters()}
        self.optimizer = torch.optim.Adam(self.student.parameters(), lr=options.rate, betas=(0.9, 0.99))
        rng = np.random.default_rng(options.seed)
        self.styles = Styles(paintings.batch(rng, STYLES, 2 * CROP_PX, noisy=False).to(self.device))
        precision = getattr(torch, options.teacher_precision)
        teacher = load_teacher(options.teacher, self.device, precision, self.styles.images)
        self.styles.grams = teacher.grams(self.styles.images)
        self.bank = Bank(teacher, self.styles, (NATURAL_GROUPS + OPTIMIZED_GROUPS) * GROUP)
        self.pool = OptimizedPictures(self.pictures, self.styles, OPTIMIZED_GROUPS, rng)
        self.rounds_made = self.optimized_groups = 0  # the groups of the bank are filled in turn
        self.step, self.checkpoint = 0, options.output.with_suffix(".checkpoint.pt")
        if self.checkpoint.is_file():
            self._load()
        else:
            for group in range(NATURAL_GROUPS):
                self._put_natural(group, rng)

    def _put_natural(self, group: int, rng: np.random.Generator) -> None:
        images = self.pictures.batch(rng, GROUP, CROP_PX).to(self.device)
        index = torch.from_numpy(rng.integers(len(self.styles), size=GROUP)).to(self.device)
        self.bank.put(group * GROUP, images, index, rng)

    def _identity(self) -> dict[str, str]:
        """Returns what must not differ between the parts of a run, by name."""
        names = "shape steps rounds batch seed rate held_out style_folder teacher_precision precision device"
        facts = {name: str(getattr(self.options, name)) for name in names.split()}
        facts |= {"teacher": sha256_of(self.options.teacher), "pictures": self.pictures.digest.hexdigest()}
        # Sums depend on the number of threads in their last bits.
        return facts | {"threads": str(torch.get_num_threads())}

    def _renew(self, rng: np.random.Generator) -> None:
        """Takes in new pictures: natural ones, and some that the present student's optimization makes."""
        for group in rng.choice(NATURAL_GROUPS, NEW_NATURAL, replace=False):
            self._put_natural(int(group), rng)
        # The first round fills a part worth drawing from.
        for _ in range(NEW_OPTIMIZED if self.optimized_groups else 2 * NEW_OPTIMIZED):
            group = self.optimized_groups % OPTIMIZED_GROUPS
            images, index = self.pool.advance(self.student, group, rng)
            self.bank.put((NATURAL_GROUPS + group) * GROUP, images, index, rng)
            self.optimized_groups += 1

    def _batch(self, rng: np.random.Generator) -> Tensor:
        available = min(self.optimized_groups, OPTIMIZED_GROUPS) * GROUP
        own = round(self.options.batch * OPTIMIZED_SHARE) if available else 0
        natural = rng.integers(NATURAL_GROUPS * GROUP, size=self.options.batch - own)
        optimized = NATURAL_GROUPS * GROUP + rng.integers(max(available, 1), size=own)
        return torch.from_numpy(np.concatenate([natural, optimized]))

    def advance(self) -> dict[str, float]:
        """Takes one step and returns its figures."""
        progress, step, options = self.step / self.options.steps, self.step, self.options
        rng = np.random.default_rng((options.seed, step))
        self.optimizer.param_groups[0]["lr"] = learning_rate(progress, options.rate)
        every = (LAST_ROUND - FIRST_ROUND) * options.steps / max(1, options.rounds - 1)
        due = max(0, 1 + math.floor((step - FIRST_ROUND * options.steps) / every))
        if options.rounds and due <= options.rounds and due > self.rounds_made:
            self._renew(rng)
            self.rounds_made = due
        late = progress >= FIRST_ROUND
        terms = losses_of(self.student, self.bank, self._batch(rng), late and step % STYLE_EVERY == 1)
        loss = terms["features"] + MEAN_WEIGHT * terms["means"]
        if "gap" in terms:
            loss = loss + GAP_WEIGHT * terms["gap"] + GRADIENT_WEIGHT * terms["gradient"]
        if not bool(torch.isfinite(loss)):
            raise SystemExit(
                f"distill: the loss is not finite at step {step}; try a lower --rate from the last checkpoint"
            )
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        keep = AVERAGE_DECAY if progress >= AVERAGE_FROM else 0.0
        with torch.no_grad():
            for name, value in self.student.named_parameters():
                self.average[name].mul_(keep).add_(value, alpha=1 - keep)
        self.step += 1
        return {"step": self.step, **{k: float(v.detach()) for k, v in terms.items()}}

    def save(self) -> None:
        """Writes the checkpoint and the weights as they would ship."""
        saved = {"student": self.student.state_dict(), "optimizer": self.optimizer.state_dict()}
        saved |= {"average": self.average, "step": self.step, "of": self._identity()}
        saved |= {"rounds_made": self.rounds_made, "optimized_groups": self.optimized_groups}
        for name in ("images", "style_index", "offsets"):
            saved[f"bank_{name}"] = getattr(self.bank, name)
        for name in ("images", "content", "style", "fresh"):
            saved[f"pool_{name}"] = getattr(self.pool, name)
        # The weights first: a run that is killed in between writes them again.
        self.save_weights()
        with written_whole(self.checkpoint) as part:
            torch.save(saved, part)

    def save_weights(self) -> None:
        """Writes the weights as they would ship."""
        average = Student(CompactFeatures(self.options.shape))
        average.load_state_dict(self.student.state_dict() | self.average)
        with written_whole(self.options.output) as part:
            save_file(average.shipped(), part)

    def _load(self) -> None:
        saved = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        mine = self._identity()
        differing = [f"{k} was {v}, is {mine.get(k)}" for k, v in saved["of"].items() if mine.get(k) != v]
        if differing:
            raise SystemExit(f"distill: {self.checkpoint} is of another run ({'; '.join(differing)}); move it away")
        self.student.load_state_dict(saved["student"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.average, self.step = {k: v.to(self.device) for k, v in saved["average"].items()}, saved["step"]
        self.rounds_made, self.optimized_groups = saved["rounds_made"], saved["optimized_groups"]
        for name in ("images", "style_index", "offsets"):
            getattr(self.bank, name).copy_(saved[f"bank_{name}"])
        for name in ("images", "content", "style", "fresh"):
            getattr(self.pool, name).copy_(saved[f"pool_{name}"])
        # What the teacher says is not saved, being ten times the pictures: it is asked again.
        for group in range(NATURAL_GROUPS + min(self.optimized_groups, OPTIMIZED_GROUPS)):
            self.bank.ask(group * GROUP)
