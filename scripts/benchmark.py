#!/usr/bin/env python3
"""Times one evaluation of the objective, and frames of a clip, for the networks side by side.

    python scripts/benchmark.py --vgg19 vgg19.safetensors

The networks take turns in one run, since a machine's speed drifts; quote the ratios, and the
median seconds with the machine's name.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from pathlib import Path

# As the command line does, before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

import av
import numpy as np
import torch

from vidstyle import Settings, Stylizer
from vidstyle.objective import Objective, to_tensor

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


def sample_frames(count: int) -> list[np.ndarray]:
    """Returns the first frames of the sample clip, each `(360, 640, 3)` uint8 RGB."""
    with av.open(str(SAMPLES / "clip.mp4")) as container:
        return [f.to_ndarray(format="rgb24") for f, _ in zip(container.decode(video=0), range(count), strict=False)]


def evaluation_seconds(stylizer: Stylizer, frame: np.ndarray) -> float:
    """Returns seconds for one objective with its gradient at `frame`'s size, `(H, W, 3)` uint8 RGB."""
    stylizer.restart()
    stylizer.paint(frame)  # measures the style and warms up
    assert stylizer.targets is not None  # noqa: S101
    content = to_tensor(frame, stylizer.device)
    objective = Objective(stylizer.network, stylizer.settings, stylizer.targets, content)
    image = content.clone().requires_grad_()
    started = time.perf_counter()
    torch.autograd.grad(objective(image), image)
    return time.perf_counter() - started


def main() -> None:
    """Prints a row for each network and precision, and seconds per frame of the default settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg19", type=Path, help="weights of VGG-19; left out if not given")
    parser.add_argument("--size", type=int, default=512, help="long side in pixels")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=6, help="frames of the clip to paint")
    options = parser.parse_args()
    frames = sample_frames(options.frames)
    quick = {"size": options.size, "first_iterations": 1, "iterations": 1}
    candidates = [("compact", "auto"), ("compact", "float32")]
    if options.vgg19:
        candidates += [("vgg19", "auto"), ("vgg19", "float32")]
    stylizers = {}
    for network, precision in candidates:
        weights = options.vgg19 if network == "vgg19" else None
        settings = Settings(**quick, network=network, precision=precision, weights=weights)
        stylizers[network, precision] = Stylizer(SAMPLES / "starry.jpg", settings)
    small = [stylizers["compact", "auto"].fit(frame) for frame in frames]
    times: dict[tuple[str, str], list[float]] = {candidate: [] for candidate in candidates}
    for _ in range(options.rounds):
        for candidate, stylizer in stylizers.items():
            times[candidate].append(evaluation_seconds(stylizer, small[0]))
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    size = f"{small[0].shape[1]}x{small[0].shape[0]}"
    print(f"{size}, one evaluation of objective and gradient, median of {options.rounds}")
    base = statistics.median(times["compact", "auto"])
    for (network, precision), seconds in times.items():
        median = statistics.median(seconds)
        used = str(stylizers[network, precision].precision).removeprefix("torch.")
        print(f"  {network:8s} {used:9s} {median:7.4f} s   {median / base:6.2f}x")
    whole = Stylizer(SAMPLES / "starry.jpg", Settings(size=options.size))
    seconds = [whole.paint(frame).seconds for frame in frames]
    later = statistics.median(seconds[1:])
    print(f"default settings: first frame {seconds[0]:.2f} s, later frames {later:.2f} s (median)")


if __name__ == "__main__":
    main()
