"""Time and memory by picture size, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from pathlib import Path

import numpy as np

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
STEPS = 5
# The first later frame of a process pays for what is prepared once.
LATER_FRAMES = 3


def _stylized(width: int, height: int, network: str, weights: Path | None) -> tuple[float, int]:
    """Returns seconds an evaluation of a later frame, and the most bytes that this process ever held."""
    from vidstyle import Settings, Stylizer
    from vidstyle.devices import keep_freed_memory, share_cores
    from vidstyle.frames import resize
    from vidstyle.media.stills.images import read_image

    share_cores()
    keep_freed_memory()
    settings = Settings(
        size="source", network=network, weights=weights, iterations=STEPS, first_iterations=STEPS, least_gain=0
    )
    stylizer = Stylizer(SAMPLES / "starry.jpg", settings)
    frame = resize(read_image(SAMPLES / "wave.jpg"), width, height)
    stylizer.stylize(frame)
    later = [stylizer.stylize(np.roll(frame, 3 * k, 1)) for k in range(1, 1 + LATER_FRAMES)]
    return statistics.median(stylized.seconds / stylized.evaluations for stylized in later), _peak_bytes()


def _peak_bytes() -> int:
    """Returns the most memory that this process held since it began."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage on Linux begins with what the process that started this one held
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def by_size(long_sides_px: tuple[int, ...], network: str, weights: Path | None) -> list[dict[str, float]]:
    """Returns for each size of 16:9 megapixels, seconds an evaluation and megapixel, and peak bytes."""
    rows = []
    for width in long_sides_px:
        height = round(width * 9 / 16)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, peak = pool.apply(_stylized, (width, height, network, weights))
        megapixels = width * height / 1e6
        rows.append(
            {
                "width": width,
                "megapixels": megapixels,
                "s_per_megapixel": seconds / megapixels,
                "peak_mib": peak / 2**20,
            }
        )
    return rows
