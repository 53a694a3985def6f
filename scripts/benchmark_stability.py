"""Compare ways to carry paint from frame to frame: how steady, how well painted, how fast.

    python scripts/benchmark_stability.py                                   # the sample clip, exact flow
    python scripts/benchmark_stability.py --clips CLIP=STYLE ... --judge judge.py --frames 24 --output FOLDER
    python scripts/benchmark_stability.py --drift 300                       # a still scene and a slow pan, 256 px

For each clip and method a row: warping error (with exact flow for the sample clip, else DIS) and the source's own,
flicker, drift, content and style loss by the judge (a script with the command `video SOURCE STYLE RESULT`, if given),
style loss of uncovered regions and of their surroundings, evaluations and seconds per frame after the first, and
milliseconds per evaluation. Frames are painted at 512 px, and kept as PNG where --output says, with a strip of
consecutive frames per clip, cropped where most is uncovered.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from samples_drawing.scene import exact_flow
from stability_measures.drift import departures, pan, still
from stability_measures.strips import write_strip
from stability_measures.uncovered import UncoveredStyle

import vidstyle
from vidstyle import Settings, Stylizer
from vidstyle.devices import keep_freed_memory
from vidstyle.frames import FrameDone, Picture, resize
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import reduced_size, write_image
from vidstyle.method.disocclusion import motion_between
from vidstyle.method.warping import FlowField
from vidstyle.metrics import StabilityMeter
from vidstyle.weights.loading import load_flow

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SIZE_PX = 512
METHODS = {
    "noise": Settings(init="noise", flow="off"),
    "content": Settings(init="content"),
    "previous": Settings(init="previous"),
    "warped": Settings(temporal_weight=0),
    "warped + loss (default)": Settings(),
    "+ long-term 1,5,15": Settings(temporal_window=(1, 5, 15)),
    "keyframes auto": Settings(keyframe_every="auto"),
    "keyframes 2": Settings(keyframe_every=2),
    "keyframes 4": Settings(keyframe_every=4),
    "keyframes 8": Settings(keyframe_every=8),
    "keyframes 16": Settings(keyframe_every=16),
}


@dataclass
class Row:
    """What one method makes of one clip; NaN where it was not measured."""

    clip: str
    method: str
    warp_error: float
    source_warp_error: float
    flicker: float
    drift: float
    content: float
    style: float
    total: float
    uncovered_style: float
    surroundings_style: float
    evaluations: float
    seconds: float
    ms_per_evaluation: float


def sample_motion(position: int) -> tuple[FlowField, np.ndarray]:
    """Returns the sample clip's exact flow into a frame, and where it holds, at 512 px."""
    flow, visible = exact_flow(position)
    height, width = flow.shape[:2]
    size = reduced_size(width, height, SIZE_PX)
    small = cv2.resize(flow, size, interpolation=cv2.INTER_AREA) * np.float32([size[0] / width, size[1] / height])
    seen = cv2.resize(visible.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return small, seen == 1


def read_frames(path: Path, first: int, count: int) -> list[Picture]:
    """Returns frames of a clip at 512 px, `(H, W, 3)` uint8 RGB."""
    with open_source(path, frames=(first, first + count)) as source:
        pictures = [frame.image for frame in source]
    height, width = pictures[0].shape[:2]
    return [resize(picture, *reduced_size(width, height, SIZE_PX)) for picture in pictures]


@contextlib.contextmanager
def folder_for(output: Path | None) -> Iterator[Path]:
    """Gives the folder that was asked for, or one that goes."""
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        yield output
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def save(folder: Path, pictures: list[Picture]) -> None:
    """Writes frames as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        write_image(folder / f"{number:04d}.png", picture)


def judged(judge: Path | None, source: Path, style: Path, result: Path) -> dict[str, float]:
    """Returns the judge's content, style and total."""
    names = ("content", "style", "total")
    if judge is None:
        return dict.fromkeys(names, math.nan)
    command = [sys.executable, str(judge), "video", str(source), str(style), str(result), "--every", "3"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {name: report[name] for name in names}


def row_of(clip: str, method: str, stylized: list, frames: list[Picture], first: int, uncovered: UncoveredStyle) -> Row:
    """Measures what was painted; the judge's columns are left open."""
    meter = StabilityMeter()
    estimate = load_flow("dis", torch.device("cpu"))
    for number, (frame, result) in enumerate(zip(frames, stylized, strict=True)):
        exact = sample_motion(first + number) if clip == "sample" and number else None
        meter.add(frame, result.image, exact)
        if number:
            uncovered.add(result.image, motion_between(estimate, frames[number - 1], frame))
    stability, later = meter.result(), stylized[1:]
    evaluations = sum(result.evaluations for result in later)
    seconds = sum(result.seconds for result in later)
    return Row(
        clip,
        method,
        stability.warp_error,
        stability.source_warp_error,
        stability.flicker,
        stability.drift,
        *[math.nan] * 3,
        *uncovered.losses(),
        evaluations / len(later),
        seconds / len(later),
        1000 * seconds / max(1, evaluations),
    )


def compare(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yields a row for each clip and method."""
    clips = dict(pair.split("=", 1) for pair in options.clips)
    for path, style in [
        (SAMPLES / "clip.mp4", SAMPLES / "starry.jpg"),
        *((Path(c), Path(s)) for c, s in clips.items()),
    ]:
        name = "sample" if path.parent == SAMPLES else path.stem
        frames = read_frames(path, options.first, options.frames)
        if len(frames) < 2:
            raise SystemExit(f"{path}: has fewer than two frames from frame {options.first} on")
        place = folder / name
        save(place / "source", frames)
        results: dict[str, list[Picture]] = {}
        for method, settings in METHODS.items():
            if options.methods and method.split(" (")[0] not in options.methods:
                continue
            target = place / method.replace(" ", "_").replace("(", "").replace(")", "")
            stylized: list[FrameDone] = []
            settings = replace(settings, size=SIZE_PX, cuts="off", restart=True, overwrite=True)
            vidstyle.stylize(place / "source", style, f"{target}/", settings, on_frame=stylized.append)
            stylized.sort(key=lambda frame: frame.index)
            results[method] = [frame.image for frame in stylized]
            row = row_of(
                name, method, stylized, frames, options.first, UncoveredStyle(Stylizer(style, settings), style)
            )
            vars(row).update(judged(options.judge, place / "source", style, target))
            yield row
        write_strip(place / "strip.png", frames, results)


def shown(rows: list[Row]) -> str:
    """Returns the table in Markdown, with each method's mean over the clips."""
    methods = dict.fromkeys(row.method for row in rows)
    for method in methods:
        own = [asdict(row) for row in rows if row.method == method]
        numbers = {
            k: float(np.nanmean([r[k] for r in own])) if not all(math.isnan(r[k]) for r in own) else math.nan
            for k in own[0]
            if k not in ("clip", "method")
        }
        rows = [*rows, Row("mean", method, **numbers)]
    names = list(asdict(rows[0]))
    lines = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = [f"{v:.3g}" if isinstance(v, float) else v for v in asdict(row).values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def show_drift(count: int) -> None:
    """Prints how far mean and contrast go in scenes that do not change them."""
    (picture,) = read_frames(SAMPLES / "clip.mp4", 48, 1)
    print("| scene | method | mean, of 255 | contrast, of 255 | fine detail | evaluations |\n|---|---|---|---|---|---|")
    for name, scene in (("still, with grain", still), ("slow pan", pan)):
        for method in ("previous", "warped + loss (default)"):
            gaps = departures(Stylizer(SAMPLES / "starry.jpg", METHODS[method]), scene(picture, count))
            print(f"| {name} | {method} | " + " | ".join(f"{gap:.2f}" for gap in gaps) + " |", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; returns the exit status."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", nargs="*", default=[], metavar="CLIP=STYLE", help="more clips and their paintings")
    parser.add_argument("--methods", nargs="*", help=f"only these, of {', '.join(m.split(' (')[0] for m in METHODS)}")
    parser.add_argument("--judge", type=Path, help="script that judges content and style loss")
    parser.add_argument("--first", type=int, default=30, help="first frame of each clip (30)")
    parser.add_argument("--frames", type=int, default=16, help="frames of each clip (16)")
    parser.add_argument("--drift", type=int, metavar="N", help="only drift, over N frames of a still and of a pan")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="keep frames and strips there")
    options = parser.parse_args(arguments)
    if min(options.frames, options.drift or 2) < 2:
        parser.error("steadiness is between frames: give two or more")
    unknown = sorted(set(options.methods or []) - {name.split(" (")[0] for name in METHODS})
    if unknown:
        parser.error(f"no method is called {', '.join(unknown)}")
    if options.drift:
        show_drift(options.drift)
        return 0
    rows = []
    with folder_for(options.output) as folder:
        for row in compare(options, folder):
            rows.append(row)
            print(json.dumps(asdict(row)), file=sys.stderr, flush=True)
    print(shown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
