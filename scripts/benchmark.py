#!/usr/bin/env python3
"""Shows how fast this machine paints, and where the time goes: one table, in under five minutes.

    python scripts/benchmark.py                                             # what comes with the package
    python scripts/benchmark.py --vgg19 vgg19.safetensors --judge judge.py  # and against VGG-19, with quality
    python scripts/benchmark.py --json today.json                           # kept for comparisons

The clip is the sample, the settings are the defaults at 512 px. A machine's speed drifts: quote ratios of one run. The
ceiling is one large convolution in the same precision. The peers' schedule is 1,000 iterations through the whole
VGG-19 in float32 (Johnson's neural-style and its ports); one iteration is timed here. The judge is a script with the
command `image CONTENT STYLE RESULT` that prints JSON with "total".
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# As the command line does, before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from speed_measures.ceiling import convolution_flops, convolution_flops_per_s, seconds_of
from speed_measures.peer import ITERATIONS, iteration_seconds
from speed_measures.sizes import SAMPLES, by_size
from speed_measures.stages import PER_FRAME, PER_RUN, stage_seconds

from vidstyle import Settings, Stylizer
from vidstyle.devices import keep_freed_memory
from vidstyle.frames import Picture, resize
from vidstyle.looks.styles import load_styles
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import write_image
from vidstyle.method.objective import to_tensor
from vidstyle.method.targets import FrameTargets, StyleTargetCache

SIZE_PX, GRAIN_LEVELS = 512, 2.0
CLIP, STYLE = SAMPLES / "clip.mp4", SAMPLES / "starry.jpg"
SIZES_PX = (256, 512, 1024, 1920)
CONVERGED_STEPS = 100


@dataclass(frozen=True)
class Network:
    """A network to time; weights only where they are not its own."""

    name: str
    weights: Path | None = None

    def settings(self, **others: Any) -> Settings:
        """Returns default settings with this network, and what else is asked for."""
        return Settings(network=self.name, weights=self.weights, size=SIZE_PX, **others)


def first_frame() -> Picture:
    """Returns the sample clip's first frame at the measured size, `(288, 512, 3)` uint8 RGB."""
    with open_source(CLIP) as source:
        image = next(iter(source)).image
    return resize(image, SIZE_PX, round(SIZE_PX * image.shape[0] / image.shape[1]))


def evaluation(network: Network, frame: Picture) -> dict[str, float]:
    """Returns seconds of one objective with its gradient, its convolutions' operations, and the ceiling for these."""
    stylizer = Stylizer(STYLE, network.settings())
    height, width = frame.shape[:2]
    styles = StyleTargetCache(stylizer.network, load_styles(STYLE, stylizer.settings), stylizer.settings.options)
    objective = FrameTargets(styles, stylizer.look, frame).objective(width, height)
    image = to_tensor(frame, stylizer.device)

    def evaluate() -> None:
        leaf = image.clone().requires_grad_()
        torch.autograd.grad(objective(leaf), leaf)

    before = convolution_flops_per_s(stylizer.device, stylizer.precision)
    seconds = seconds_of(evaluate, stylizer.device)
    ceiling = (before + convolution_flops_per_s(stylizer.device, stylizer.precision)) / 2
    return {
        "seconds": seconds,
        "convolution_flops": convolution_flops(objective, image),
        "ceiling_flops_per_s": ceiling,
    }


def still_seconds(frame: Picture, count: int) -> float:
    """Returns seconds for each frame after the first of a scene that stands still, with grain."""
    grain = np.random.default_rng(0)
    stylizer = Stylizer(STYLE, Settings(size=SIZE_PX))
    frames = [
        np.clip(frame + grain.normal(0, GRAIN_LEVELS, frame.shape), 0, 255).astype(np.uint8) for _ in range(count)
    ]
    return statistics.mean([stylizer.stylize(picture).seconds for picture in frames][1:])


def judged(judge: Path, network: Network, frame: Picture, **settings: Any) -> float:
    """Returns the judge's total of a painted frame."""
    with tempfile.TemporaryDirectory() as folder:
        content, result = Path(folder) / "content.png", Path(folder) / "result.png"
        write_image(content, frame)
        write_image(result, Stylizer(STYLE, network.settings(**settings)).stylize(frame).image)
        run = subprocess.run(
            [sys.executable, str(judge), "image", str(content), str(STYLE), str(result)],
            check=True,
            capture_output=True,
            text=True,
        )
    return float(json.loads(run.stdout)["total"])


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Returns all figures."""
    frame, compact = first_frame(), Network("compact")
    height, width = frame.shape[:2]
    device = Stylizer(STYLE, compact.settings()).device
    figures: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "device": str(device) if device.type == "cpu" else torch.cuda.get_device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "size": f"{width}x{height}",
        "evaluation": {"compact": evaluation(compact, frame)},
        "peer_iteration_s": iteration_seconds(width, height, device),
        "still_s": still_seconds(frame, 6),
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = compact.settings(frames=(30, 30 + options.frames))
        stylizer = Stylizer(STYLE, compact.settings())
        ceilings = [convolution_flops_per_s(device, stylizer.precision)]
        figures["stages"] = stage_seconds(CLIP, STYLE, settings, Path(folder) / "out.mp4")
        ceilings.append(convolution_flops_per_s(device, stylizer.precision))
        figures["ceiling_flops_per_s"] = statistics.mean(ceilings)
    if options.vgg19:
        vgg19 = Network("vgg19", options.vgg19)
        figures["evaluation"]["vgg19"] = evaluation(vgg19, frame)
        if options.judge:
            figures["judged"] = {
                "compact": judged(options.judge, compact, frame),
                "vgg19, converged": judged(options.judge, vgg19, frame, first_iterations=CONVERGED_STEPS),
            }
    if sys.platform != "win32":
        figures["sizes"] = by_size(SIZES_PX, "compact", None)
    return figures


def shown(figures: dict[str, Any]) -> str:
    """Returns the table."""
    lines = ["{machine} ({device}), {threads} threads, torch {torch}, {size}".format(**figures)]
    for name, row in figures["evaluation"].items():
        share = row["convolution_flops"] / row["seconds"] / row["ceiling_flops_per_s"]
        lines.append(
            f"{name}: an evaluation {1000 * row['seconds']:.0f} ms, {row['convolution_flops'] / 1e9:.1f} GFLOP, "
            f"{100 * share:.0f} % of the ceiling of {row['ceiling_flops_per_s'] / 1e9:.0f} GFLOP/s"
        )
    stages, compact = figures["stages"], figures["evaluation"]["compact"]
    loop = stages["evaluations"] * compact["convolution_flops"] / stages["optimize"] / figures["ceiling_flops_per_s"]
    lines.append(
        f"first frame {stages['first frame']:.1f} s, later {stages['later frame']:.2f} s ({stages['evaluations']:.1f} "
        f"evaluations), of a still scene with grain {figures['still_s']:.2f} s"
    )
    lines.append(f"the whole optimization reaches {100 * loop:.0f} % of the ceiling; stages of a later frame:")
    for stage in (*PER_FRAME, "other", *PER_RUN):
        lines.append(
            f"  {stage:15s} {1000 * stages[stage]:7.1f} ms  {100 * stages[stage] / stages['later frame']:5.1f} %"
        )
    peer = ITERATIONS * figures["peer_iteration_s"]
    lines.append(
        f"peers' schedule: {figures['peer_iteration_s']:.2f} s an iteration, {peer:.0f} s a frame, "
        f"{peer / stages['later frame']:.0f} times as long"
    )
    if "judged" in figures:
        ours, converged = figures["judged"].values()
        lines.append(f"judged: {ours:.3f}, VGG-19 converged {converged:.3f}: {ours / converged:.2f} times")
    for row in figures.get("sizes", []):
        lines.append(
            f"  {row['width']:4d} px, {row['megapixels']:.2f} megapixels: {row['s_per_megapixel']:.2f} s an evaluation "
            f"and megapixel, peak memory {row['peak_mib']:.0f} MiB"
        )
    return "\n".join(lines)


def positive(text: str) -> int:
    """Returns a whole number above 1."""
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"{text} is not above 1")
    return number


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg19", type=Path, help="weights of VGG-19; left out if not given")
    parser.add_argument("--judge", type=Path, help="script that judges content and style loss; with --vgg19")
    parser.add_argument("--frames", type=positive, default=13, help="frames of the clip to paint (13)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there")
    options = parser.parse_args(arguments)
    keep_freed_memory()
    figures = measured(options)
    print(shown(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
