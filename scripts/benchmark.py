#!/usr/bin/env python3
"""Times one evaluation of the objective, and frames of a clip, for the networks side by side.

    python scripts/benchmark.py --vgg19 vgg19.safetensors [--compact other_shape.safetensors ...]

The networks take turns in one run, since a machine's speed drifts; quote the ratios, and the
median seconds with the machine's name. Memory is what a process of its own needs more for a
picture of four megapixels than for one of one (Linux and macOS; not a GPU's own).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# As the command line does, before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

import av
import cv2
import numpy as np
import torch

from vidstyle import Settings, Stylizer
from vidstyle.features.compact import compact_weights, shape_in
from vidstyle.objective import Objective, style_targets, to_tensor

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
MEMORY_SIZES_PX = ((1152, 864), (2304, 1728))  # one megapixel, and four: less is hidden by what starting takes


@dataclass(frozen=True)
class Candidate:
    """A network with its weights, in a precision ("auto" is the device's best)."""

    network: str
    weights: Path | None
    precision: str

    @property
    def label(self) -> str:
        """The network's name, and of the compact ones the shape."""
        return f"compact {shape_in(self.weights or compact_weights())}" if self.network == "compact" else self.network

    def settings(self, **others: object) -> Settings:
        """Returns settings that use this network."""
        return Settings(network=self.network, weights=self.weights, precision=self.precision, **others)


def sample_frames(count: int) -> list[np.ndarray]:
    """Returns the first frames of the sample clip, each `(360, 640, 3)` uint8 RGB."""
    with av.open(str(SAMPLES / "clip.mp4")) as container:
        return [f.to_ndarray(format="rgb24") for f, _ in zip(container.decode(video=0), range(count), strict=False)]


def objective_of(stylizer: Stylizer, frame: np.ndarray) -> Objective:
    """Returns the objective of `frame`, `(H, W, 3)` uint8 RGB, with a style of the same size."""
    style = cv2.imread(str(SAMPLES / "starry.jpg"), cv2.IMREAD_COLOR)[..., ::-1].copy()
    height, width = frame.shape[:2]
    targets = style_targets(stylizer.network, style, width, height, stylizer.settings)
    return Objective(stylizer.network, stylizer.settings, targets, to_tensor(frame, stylizer.device))


def evaluation_seconds(objective: Objective, frame: np.ndarray) -> float:
    """Returns seconds for one objective with its gradient at `frame`, `(H, W, 3)` uint8 RGB."""
    image = to_tensor(frame, objective.content.device).requires_grad_()
    started = time.perf_counter()
    (gradient,) = torch.autograd.grad(objective(image), image)
    float(gradient[0, 0, 0, 0])  # waits for a GPU
    return time.perf_counter() - started


def peak_bytes(candidate: Candidate, width: int, height: int) -> int:
    """Returns the most memory that this process ever held, after evaluating one picture."""
    import resource  # not on Windows

    stylizer = Stylizer(SAMPLES / "starry.jpg", candidate.settings(levels=3))
    frame = cv2.resize(sample_frames(1)[0], (width, height))
    evaluation_seconds(objective_of(stylizer, frame), frame)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def bytes_per_pixel(candidate: Candidate) -> float:
    """Returns how much more memory a larger picture takes, per pixel."""
    peaks = []
    for size in MEMORY_SIZES_PX:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peaks.append(pool.apply(peak_bytes, (candidate, *size)))
    pixels = [width * height for width, height in MEMORY_SIZES_PX]
    return (peaks[1] - peaks[0]) / (pixels[1] - pixels[0])


def positive(text: str) -> int:
    """Returns a whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def main() -> None:
    """Prints a row for each network and precision, and seconds per frame of the default settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg19", type=Path, help="weights of VGG-19; left out if not given")
    parser.add_argument(
        "--compact", type=Path, nargs="*", default=[], help="weights of compact networks of other shapes"
    )
    parser.add_argument("--size", type=int, default=512, help="long side in pixels")
    parser.add_argument("--rounds", type=positive, default=9)
    parser.add_argument("--frames", type=int, default=6, help="frames of the clip to paint; 0: none")
    parser.add_argument("--no-memory", action="store_true", help="leave the memory out")
    options = parser.parse_args()
    candidates = [Candidate("compact", None, "auto"), Candidate("compact", None, "float32")]
    candidates += [Candidate("compact", weights, "auto") for weights in options.compact]
    if options.vgg19:
        candidates += [Candidate("vgg19", options.vgg19, precision) for precision in ("auto", "float32")]
    frames = sample_frames(max(1, options.frames))
    stylizers = [Stylizer(SAMPLES / "starry.jpg", c.settings(size=options.size)) for c in candidates]
    small = stylizers[0].fit(frames[0])
    objectives = [objective_of(stylizer, small) for stylizer in stylizers]
    times: list[list[float]] = [[] for _ in candidates]
    for turn in range(options.rounds + 1):
        for objective, seconds in zip(objectives, times, strict=True):
            # Twice, and the second counts: the first finds another network's data in the caches.
            evaluation_seconds(objective, small)
            if turn:
                seconds.append(evaluation_seconds(objective, small))
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    size = f"{small.shape[1]}x{small.shape[0]}"
    print(f"{size}, one evaluation of objective and gradient, median of {options.rounds}; memory per pixel")
    slowest = max(statistics.median(seconds) for seconds in times)
    for candidate, stylizer, seconds in zip(candidates, stylizers, times, strict=True):
        median = statistics.median(seconds)
        used = str(stylizer.precision).removeprefix("torch.")
        memory = "" if options.no_memory or sys.platform == "win32" else f"   {bytes_per_pixel(candidate):6.0f} bytes"
        print(f"  {candidate.label:24s} {used:9s} {median:7.4f} s   1/{slowest / median:<5.1f}{memory}", flush=True)
    if options.frames:
        whole = Stylizer(SAMPLES / "starry.jpg", Settings(size=options.size))
        spent = [whole.paint(frame).seconds for frame in frames]
        later = f", later {statistics.median(spent[1:]):.2f} s (median)" if spent[1:] else ""
        print(f"default settings: first frame {spent[0]:.2f} s{later}")


if __name__ == "__main__":
    main()
