#!/usr/bin/env python3
"""Distills the compact network from VGG-19: makes `vidstyle/method/features/compact.safetensors`.

    python scripts/distill.py --teacher vgg19.safetensors --pictures FOLDER --output compact.safetensors

The student learns on crops of photographs and paintings, and on pictures that its own optimization
produces, renewed as it changes; the teacher is asked once about each (`distillation/bank.py`):
  features   each layer, through a linear map A into the teacher's channels, as the teacher has it,
             in units of the teacher's root mean square;
  gap        how far a picture's Gram matrix is from a style's, as the teacher finds it;
  gradient   the gradient of the style loss with respect to the picture, which is all that the
             optimizer ever uses of a network.
Same pictures, seed, machine and number of threads: same file, on the CPU. Interrupted runs go on from
the last checkpoint.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import torch
from distillation.teacher import LAYERS
from distillation.training import Training

from vidstyle.errors import VidstyleError
from vidstyle.files import check_writable
from vidstyle.method.features.compact import SHAPE, stages_of

LOG_EVERY = 20  # steps


def main(arguments: list[str] | None = None) -> None:
    """Reads the command line and trains, with a line on the screen and in the CSV file now and then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="VGG-19 weights, torchvision's key names")
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of photographs and paintings")
    parser.add_argument("--style-folder", default="paintings", help="name of the sub-folder that holds paintings")
    parser.add_argument("--held-out", default="", help="file stems, comma-separated, kept from training")
    parser.add_argument("--output", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--shape", default=SHAPE, help="channels x convolutions of each stage")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--rounds", type=int, default=8, help="how often new pictures are taken in")
    parser.add_argument("--batch", type=int, default=8, help="pictures a step")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--save-every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    # The teacher's bfloat16 gradients have a cosine of 0.998 with its float32 ones, at half the time.
    parser.add_argument("--teacher-precision", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--precision", default="bfloat16", choices=("float32", "bfloat16"), help="the student's")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
    try:
        stages_of(options.shape)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        check_writable(options.output.parent)
        train(options)
    except (VidstyleError, ValueError) as error:
        raise SystemExit(f"distill: {error}") from error


def train(options: argparse.Namespace) -> None:
    """Trains to the end, from the checkpoint if there is one."""
    started = time.perf_counter()
    training = Training(options)
    training.save_weights()
    columns = ["step", "features", "means", "gap", "gradient", *(f"features_{k}" for k in LAYERS)]
    log = options.output.with_suffix(".csv")
    rows = kept_rows(log, training.step)
    with log.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        while training.step < options.steps:
            row = training.advance()
            last = training.step == options.steps
            if training.step % LOG_EVERY == 0 or last:
                writer.writerow({k: (v if k == "step" else f"{v:.5f}") for k, v in row.items()})
                file.flush()
                figures = "  ".join(f"{k} {v:.4f}" for k, v in row.items() if k != "step")
                print(f"{row['step']:6d}  {time.perf_counter() - started:7.0f} s  {figures}", flush=True)
            if training.step % options.save_every == 0 or last:
                training.save()


def kept_rows(log: Path, step: int) -> list[dict[str, str]]:
    """Returns the rows of an earlier part of the run, up to the checkpoint that it goes on from."""
    if not step or not log.is_file():
        return []
    with log.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if (row.get("step") or "").isdigit() and int(row["step"]) <= step]


if __name__ == "__main__":
    main()
