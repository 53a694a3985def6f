#!/usr/bin/env python3
"""Distils the compact network from VGG-19: makes `vidstyle/features/compact.safetensors`.

    python scripts/distill.py --teacher vgg19.safetensors --pictures FOLDER --output compact.safetensors

The student learns, on crops of photographs and paintings and on pictures that its own optimisation
produces:
  features   each layer, through a linear map A into the teacher's channels, as the teacher has it,
             in units of the teacher's root mean square;
  Gram       the teacher's Gram matrix as the student sees it, A G A^T, relative to the teacher's;
  gradient   the gradient of the style loss with respect to the picture, which is all that the
             optimiser ever uses of a network.
Same pictures, same seed, same machine: same file. Interrupted runs go on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vidstyle.features.compact import LAYER_CHANNELS, CompactFeatures
from vidstyle.features.vgg19 import LAYER_TABLE, Vgg19Features, load_vgg19
from vidstyle.losses import gram_matrix, measured, relative_content_loss, relative_style_loss

LAYERS = tuple(LAYER_CHANNELS)
CROP_PX = 128
BATCH = 8
STYLE_BANK = 160
# Weights of the three terms of training. The Gram term at 0.3 spoils the early part of a run.
GRAM_WEIGHT, GRADIENT_WEIGHT = 0.03, 0.3
GRADIENT_EVERY = 2  # steps: the term costs more than the rest of a step together
GRADIENT_FROM = 0.15  # of the run: before, the student's gradients have nothing to do with the teacher's
POOL_SIZE, POOL_EVERY = 24, 16  # pictures, steps
AVERAGE_FROM, AVERAGE_DECAY = 0.5, 0.998


class Pictures:
    """Random crops of a folder's pictures, augmented; all pictures stay in memory as uint8 RGB."""

    def __init__(self, folder: Path, held_out: set[str], only: str = "") -> None:
        self.images: list[np.ndarray] = []
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in {".png", ".jpg", ".jpeg"} or path.stem in held_out:
                continue
            if only and only not in path.parts:
                continue
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise SystemExit(f"distill: {path} cannot be read")
            k = min(1.0, 1024 / max(image.shape[:2]))
            image = cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            self.images.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        if not self.images:
            raise SystemExit(f"distill: no pictures in {folder}")

    def crop(self, rng: np.random.Generator) -> Tensor:
        """Returns one augmented crop `(3, CROP_PX, CROP_PX)` float32 RGB in [0, 1]."""
        image = self.images[rng.integers(len(self.images))]
        # The part of the picture that the crop shows: log-uniform from the crop's own size to the whole.
        short = min(image.shape[:2])
        part_px = int(min(short, CROP_PX * math.exp(rng.uniform(0, math.log(max(short / CROP_PX, 1.01))))))
        top = rng.integers(image.shape[0] - part_px + 1)
        left = rng.integers(image.shape[1] - part_px + 1)
        part = image[top : top + part_px, left : left + part_px]
        part = cv2.resize(part, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        if rng.random() < 0.5:
            part = part[:, ::-1]
        if rng.random() < 0.2:
            part = part[..., rng.permutation(3)]
        if rng.random() < 0.3:
            part = (part - 0.5) * rng.uniform(0.5, 1.6) + 0.5 + rng.uniform(-0.15, 0.15)
        if rng.random() < 0.2:
            part = part + rng.normal(0, rng.uniform(0.01, 0.12), part.shape).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(part, np.float32)).permute(2, 0, 1).clamp(0, 1)

    def batch(self, rng: np.random.Generator, count: int) -> Tensor:
        """Returns `(count, 3, CROP_PX, CROP_PX)` float32 RGB in [0, 1]."""
        return torch.stack([self.crop(rng) for _ in range(count)])


class Student(nn.Module):
    """The compact network in training, with its maps A `(teacher's channels, student's channels)`."""

    def __init__(self) -> None:
        super().__init__()
        self.network = CompactFeatures()
        for convolution in self.network.convolutions:
            nn.init.kaiming_normal_(convolution.weight)
            nn.init.zeros_(convolution.bias)
        self.maps = nn.ParameterDict(
            {k: nn.Parameter(torch.randn(LAYER_TABLE[k][2], c) / math.sqrt(c)) for k, c in LAYER_CHANNELS.items()}
        )

    def style_loss(self, grams: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
        """Returns the style loss `(B,)` that the finished network will measure."""
        losses = []
        for layer in LAYERS:
            a = self.maps[layer]
            losses.append(relative_style_loss(measured(grams[layer], a), measured(targets[layer], a)))
        return torch.stack(losses).mean(0)

    def state(self) -> dict[str, Tensor]:
        """Returns what the package ships, float16: the convolutions, and R with A^T A = R^T R."""
        state = {}
        for name, value in self.network.state_dict().items():
            if name.startswith("metric_"):
                a = self.maps[name.removeprefix("metric_")].detach().double().cpu()
                values, vectors = torch.linalg.eigh(a.T @ a)
                value = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
            state[name] = value.detach().cpu().half().contiguous()
        return state


class OptimisedPictures:
    """Pictures on their way through style transfer under the student: where it will be asked, and errs."""

    def __init__(self, photos: Pictures, styles: Tensor, rng: np.random.Generator) -> None:
        self.photos, self.styles = photos, styles
        count = POOL_SIZE
        self.content = photos.batch(rng, count).to(styles.device)
        self.images = self.content.clone()
        self.style_index = rng.integers(len(styles), size=count)
        self.ages = rng.integers(0, 120, size=count)

    def advance(self, student: Student, rng: np.random.Generator, steps: int = 10) -> None:
        """Optimises a third of the pictures a little further against the student; restarts old ones."""
        chosen = rng.choice(len(self.images), len(self.images) // 3, replace=False)
        for i in chosen[self.ages[chosen] > 150]:
            self.content[i] = self.photos.crop(rng).to(self.content.device)
            noise = torch.from_numpy(rng.random(self.content[i].shape, dtype=np.float32))
            self.images[i] = noise.to(self.content.device) if rng.random() < 0.1 else self.content[i]
            self.style_index[i], self.ages[i] = rng.integers(len(self.styles)), 0
        self.ages[chosen] += steps
        picked = torch.from_numpy(chosen).to(self.images.device)
        with torch.no_grad():
            targets = student_grams(student, self.styles[self.style_index[chosen]])
            content = student.network(self.content[picked], ["relu3_4"])["relu3_4"]
        x = self.images[picked].clone().requires_grad_()
        strength = float(10 ** rng.uniform(0.8, 2.2))
        optimizer = torch.optim.Adam([x], lr=0.03, betas=(0.9, 0.99))
        for _ in range(steps):
            features = student.network(x, LAYERS)
            grams = {k: gram_matrix(f) for k, f in features.items()}
            scale = max(float(content.var()), 1e-6)
            loss = strength * student.style_loss(grams, targets).mean()
            loss = loss + relative_content_loss(features["relu3_4"], content, scale)
            (x.grad,) = torch.autograd.grad(loss, x)
            optimizer.step()
            with torch.no_grad():
                x.clamp_(0, 1)
        self.images[picked] = x.detach()


def student_grams(student: Student, images: Tensor) -> dict[str, Tensor]:
    """Returns the student's own Gram matrices `(B, C, C)` by layer of `(B, 3, H, W)` in [0, 1]."""
    return {k: gram_matrix(f) for k, f in student.network(images, LAYERS).items()}


def teacher_grams(teacher: ScaledTeacher, images: Tensor) -> dict[str, Tensor]:
    """Returns the teacher's Gram matrices by layer of `(B, 3, H, W)` in [0, 1]."""
    with torch.no_grad():
        parts = [{k: gram_matrix(f) for k, f in teacher(chunk, LAYERS).items()} for chunk in images.split(8)]
    return {k: torch.cat([part[k] for part in parts]) for k in LAYERS}


class ScaledTeacher(nn.Module):
    """VGG-19 with each layer in units of its own root mean square over some pictures.

    Its activations run into the hundreds, which the maps A would take thousands of steps to reach.
    All losses are relative, so the scale is free.
    """

    def __init__(self, teacher: Vgg19Features, images: Tensor) -> None:
        super().__init__()
        self.teacher = teacher
        with torch.no_grad():
            parts = [teacher(chunk, LAYERS) for chunk in images.split(8)]
        self.rms = {k: float(torch.stack([p[k].float().square().mean() for p in parts]).mean().sqrt()) for k in LAYERS}

    def forward(self, images: Tensor, layers: tuple[str, ...]) -> dict[str, Tensor]:
        """Returns scaled activations by layer of `(B, 3, H, W)` in [0, 1]."""
        return {k: f / self.rms[k] for k, f in self.teacher(images, layers).items()}


def losses_of(
    student: Student, teacher: ScaledTeacher, x: Tensor, styles: Tensor, targets: dict[str, Tensor], with_gradient: bool
) -> tuple[dict[str, Tensor], list[float]]:
    """Returns the three terms of training for crops `x` and style crops, and the feature error by layer."""
    x = x.clone().requires_grad_(with_gradient)
    with torch.set_grad_enabled(with_gradient):
        wanted = teacher(x, LAYERS)
        wanted_grams = {k: gram_matrix(f) for k, f in wanted.items()}
    seen = student.network(x, LAYERS)
    grams = {k: gram_matrix(f) for k, f in seen.items()}
    feature_losses, gram_losses = [], []
    for layer in LAYERS:
        a, want = student.maps[layer], wanted[layer].detach()
        mapped = torch.einsum("tc,bchw->bthw", a, seen[layer])
        feature_losses.append((mapped - want).square().mean() / want.square().mean())
        gram_losses.append(relative_style_loss(measured(grams[layer], a), wanted_grams[layer].detach()).mean())
    terms = {"features": torch.stack(feature_losses).mean(), "gram": torch.stack(gram_losses).mean()}
    if with_gradient:
        style = torch.stack([relative_style_loss(wanted_grams[k], targets[k]) for k in LAYERS]).mean(0)
        (want_gradient,) = torch.autograd.grad(style.sum(), x)
        own_style = student.style_loss(grams, student_grams(student, styles))
        (gradient,) = torch.autograd.grad(own_style.sum(), x, create_graph=True)
        gap = (gradient - want_gradient).square().sum((1, 2, 3))
        # Samples where the student is far off are many times the norm; the logarithm keeps them from ruling.
        terms["gradient"] = torch.log1p(gap / want_gradient.square().sum((1, 2, 3))).mean()
    return terms, [float(loss.detach()) for loss in feature_losses]


def learning_rate(progress: float, peak: float) -> float:
    """Returns the rate at `progress` in [0, 1]: a short rise, then a cosine to a hundredth."""
    if progress < 0.02:
        return peak * (0.05 + 0.95 * progress / 0.02)
    return peak * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * (progress - 0.02) / 0.98)))


class Training:
    """Everything that changes from step to step, and its checkpoint."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.options, device = options, torch.device(options.device)
        held_out = set(options.held_out.split(",")) if options.held_out else set()
        self.pictures = Pictures(options.pictures, held_out)
        paintings = Pictures(options.pictures, held_out, only=options.style_folder)
        vgg = load_vgg19(options.teacher, "relu3_4").to(device, getattr(torch, options.teacher_precision))
        self.student = Student().to(device).to(memory_format=torch.channels_last)
        self.average = {k: v.detach().clone() for k, v in self.student.named_parameters()}
        self.optimizer = torch.optim.Adam(self.student.parameters(), lr=options.rate, betas=(0.9, 0.99))
        rng = np.random.default_rng(options.seed)
        self.styles = paintings.batch(rng, STYLE_BANK).to(device)
        self.teacher = ScaledTeacher(vgg.to(memory_format=torch.channels_last), self.styles)
        self.targets = teacher_grams(self.teacher, self.styles)
        self.pool = OptimisedPictures(self.pictures, self.styles, rng)
        self.step, self.checkpoint = 0, options.output.with_suffix(".checkpoint.pt")
        if self.checkpoint.is_file():
            saved = torch.load(self.checkpoint, map_location=device, weights_only=True)
            if saved["of"] != self._identity():
                raise SystemExit(f"distill: {self.checkpoint} is of another run ({saved['of']}); move it away")
            self.student.load_state_dict(saved["student"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.average, self.step = saved["average"], saved["step"]
            self.pool.images, self.pool.content = saved["images"], saved["content"]
            self.pool.style_index, self.pool.ages = saved["style_index"].numpy(), saved["ages"].numpy()

    def _identity(self) -> str:
        """Returns what must not differ between the parts of a run."""
        keys = ("steps", "seed", "rate", "held_out", "style_folder", "teacher_precision")
        return " ".join(f"{key}={getattr(self.options, key)}" for key in keys)

    def advance(self) -> dict[str, float]:
        """Takes one step and returns its figures."""
        progress, step, options = self.step / self.options.steps, self.step, self.options
        rng = np.random.default_rng((options.seed, step))
        self.optimizer.param_groups[0]["lr"] = learning_rate(progress, options.rate)
        late = progress >= GRADIENT_FROM
        if late and step % POOL_EVERY == 0:
            self.pool.advance(self.student, rng)
        own = BATCH * 3 // 8 if late else 0
        picked = torch.from_numpy(rng.choice(len(self.pool.images), own, replace=False))
        natural = self.pictures.batch(rng, BATCH - own).to(self.styles.device)
        index = torch.from_numpy(rng.integers(len(self.styles), size=BATCH)).to(self.styles.device)
        targets = {k: v[index] for k, v in self.targets.items()}
        x, with_gradient = torch.cat([natural, self.pool.images[picked]]), late and step % GRADIENT_EVERY == 1
        terms, by_layer = losses_of(self.student, self.teacher, x, self.styles[index], targets, with_gradient)
        loss = terms["features"] + GRAM_WEIGHT * terms["gram"]
        if "gradient" in terms:
            loss = loss + GRADIENT_WEIGHT * terms["gradient"]
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        keep = AVERAGE_DECAY if progress >= AVERAGE_FROM else 0.0
        with torch.no_grad():
            for name, value in self.student.named_parameters():
                self.average[name].mul_(keep).add_(value, alpha=1 - keep)
        self.step += 1
        row = {"step": self.step, **{k: float(v.detach()) for k, v in terms.items()}}
        return row | {f"features_{k}": v for k, v in zip(LAYERS, by_layer, strict=True)}

    def save(self) -> None:
        """Writes the checkpoint and the weights as they would ship."""
        saved = {"student": self.student.state_dict(), "optimizer": self.optimizer.state_dict()}
        saved |= {"average": self.average, "step": self.step, "of": self._identity()}
        saved |= {"images": self.pool.images, "content": self.pool.content}
        saved |= {"style_index": torch.from_numpy(self.pool.style_index), "ages": torch.from_numpy(self.pool.ages)}
        new = self.checkpoint.with_suffix(".new")
        torch.save(saved, new)
        new.replace(self.checkpoint)
        shipped = Student()
        shipped.load_state_dict(self.student.state_dict() | self.average)
        save_file(shipped.state(), self.options.output)


def main(arguments: list[str] | None = None) -> None:
    """Reads the command line and trains, with a line on the screen and in the CSV file now and then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="VGG-19 weights, torchvision's key names")
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of photographs and paintings")
    parser.add_argument("--style-folder", default="paintings", help="name of the sub-folder that holds paintings")
    parser.add_argument("--held-out", default="", help="file stems, comma-separated, kept from training")
    parser.add_argument("--output", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--save-every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    # The teacher's bfloat16 gradients have a cosine of 0.998 with its float32 ones, at half the time.
    parser.add_argument("--teacher-precision", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    training = Training(options)
    columns = ["step", "features", "gram", "gradient", *(f"features_{k}" for k in LAYERS)]
    log = options.output.with_suffix(".csv")
    begun = log.is_file()
    with log.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        if not begun:
            writer.writeheader()
        while training.step < options.steps:
            row = training.advance()
            last = training.step == options.steps
            if training.step % 20 == 0 or last:
                writer.writerow({k: (v if k == "step" else f"{v:.5f}") for k, v in row.items()})
                file.flush()
                figures = "  ".join(f"{k} {v:.4f}" for k, v in row.items() if k != "step")
                print(f"{row['step']:6d}  {time.perf_counter() - started:7.0f} s  {figures}", flush=True)
            if training.step % options.save_every == 0 or last:
                training.save()


if __name__ == "__main__":
    main()
