#!/usr/bin/env python3
"""Measures what the job folder costs: disk, memory, and time against a checkout that has none.

    python scripts/benchmark_job.py --frames 1500 --size 64 --baseline ../older-checkout

Both checkouts take turns; quote the ratio. Sizes are looked at every quarter of a second while the render runs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vidstyle.shots import SEGMENT_FRAMES

# Often enough to see every segment fill up, seldom enough to take no time from the render.
POLL_S = 0.25
ROOT = Path(__file__).resolve().parent.parent


def make_clip(path: Path, frames: int, size_px: int) -> None:
    """Writes a clip in which colored waves move, a new set of them every 300 frames."""
    y, x = np.mgrid[0:size_px, 0:size_px] / size_px
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=Fraction(25), options={"crf": "16"})
        stream.width = stream.height = size_px
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            shot = index // 300
            waves = [np.sin(9 * (x * (1 + shot % 3) + y * k) + index / 10 + k * shot) for k in (0.3, 1.0, 1.7)]
            image = (np.stack(waves, axis=-1) * 100 + 128).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        output.mux(stream.encode(None))


def folder_bytes(folder: Path) -> int:
    """Returns the bytes of all files below a folder, which may vanish meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def render(checkout: Path, folder: Path, output: str, size_px: int) -> tuple[float, int, int]:
    """Returns seconds, peak bytes of job folder and output together, and peak memory in MiB."""
    command = [sys.executable, "-m", "vidstyle", "clip.mp4", "--style", str(ROOT / "samples" / "starry.jpg")]
    command += ["--size", str(size_px), "--quiet", "-o", output]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "VIDSTYLE_CACHE": str(folder / "cache")}
    started, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, cwd=folder, env=environment)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        made = [folder / output, *folder.glob(f".{Path(output).stem}.part*")]
        here = sum(path.stat().st_size for path in made if path.is_file())
        peak = max(peak, here + folder_bytes(folder / f"{output}.vidstyle"))
        if pid:
            break
        time.sleep(POLL_S)
    if status:
        raise SystemExit(f"{checkout}: the render failed")
    return time.perf_counter() - started, peak, usage.ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Prints a line for each run, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--baseline", type=Path, help="a checkout to compare with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_clip(folder / "clip.mp4", options.frames, options.size)
        checkouts = [path.resolve() for path in (options.baseline, ROOT) if path is not None]
        seconds: dict[Path, list[float]] = {path: [] for path in checkouts}
        for turn in range(options.rounds):
            for number, checkout in enumerate(checkouts):
                output = f"out{turn}_{number}.mp4"
                took_s, peak, memory_mib = render(checkout, folder, output, options.size)
                final = (folder / output).stat().st_size
                seconds[checkout].append(took_s)
                each_frame = final / options.frames
                print(
                    f"{checkout.name}: {took_s:.1f} s, {1000 * took_s / options.frames:.1f} ms a frame; video "
                    f"{final / 1e6:.2f} MB ({each_frame:.0f} bytes a frame), job folder and output at most "
                    f"{peak / 1e6:.2f} MB ({peak / final:.2f} of the video; a segment is {SEGMENT_FRAMES} frames); "
                    f"memory at most {memory_mib} MiB",
                    flush=True,
                )
        if options.baseline is not None:
            before, now = (min(times) for times in seconds.values())
            print(f"time against the baseline: {now / before:.3f}")


if __name__ == "__main__":
    main()
