"""Draw the sample clip and the sample styles of vidstyle; nothing is downloaded, everything is computed.

    python scripts/make_samples.py                  # samples/clip.mp4 and three style pictures
    python scripts/make_samples.py --only styles
    python scripts/make_samples.py --only clip --flow flow/

The clip is a landscape of flat layers in front of a moving camera, so the motion of every pixel is known
exactly. `render_frame(n)` gives the frame before encoding and `exact_flow(n)` the flow and the visibility
mask; `--flow` writes one `flow_NNNN.npz` per frame pair, with

    flow     (H, W, 2) float32, pixels, x then y: the pixel at p in frame N was at p + flow[p] in frame N-1
    visible  (H, W) bool: that place shows the same surface, and only that one
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

# The drawing modules lie beside this script; a test that loads it by path needs them too.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from samples_drawing.layers import FRAME_COUNT, FRAME_RATE_HZ
from samples_drawing.mosaic import paint_mosaic
from samples_drawing.movie import write_clip
from samples_drawing.noise import sample
from samples_drawing.scene import exact_flow, render_frame
from samples_drawing.sound import soundtrack
from samples_drawing.starry import paint_starry
from samples_drawing.wave import paint_wave

__all__ = ["FRAME_COUNT", "exact_flow", "main", "render_frame", "warp_error", "write_flow"]

CLIP_CRF = 18
JPEG_QUALITY = 93
STYLES: dict[str, Callable[[], np.ndarray]] = {
    "starry.jpg": paint_starry,
    "wave.jpg": paint_wave,
    "mosaic.jpg": paint_mosaic,
}


def warp_error(previous: np.ndarray, current: np.ndarray, flow: np.ndarray, visible: np.ndarray) -> float:
    """RMSE, on a scale of 0..255, between `current` and `previous` warped by the flow, over the mask.

    The frames are `(H, W, 3) float32` RGB in [0, 1], `flow` and `visible` as `exact_flow` gives them.
    """
    rows, columns = np.mgrid[0 : current.shape[0], 0 : current.shape[1]]
    warped = sample(previous, columns + flow[..., 0], rows + flow[..., 1])
    difference = 255.0 * (warped - current)[visible].astype(np.float64)
    return float(np.sqrt(np.mean(difference**2)))


def write_flow(folder: Path) -> None:
    """Write the exact flow of every frame pair and print how well it explains the frames."""
    folder.mkdir(parents=True, exist_ok=True)
    errors: list[float] = []
    seen: list[float] = []
    previous = render_frame(0)
    for number in range(1, FRAME_COUNT):
        current = render_frame(number)
        flow, visible = exact_flow(number)
        np.savez_compressed(folder / f"flow_{number:04d}.npz", flow=flow, visible=visible)
        errors.append(warp_error(previous, current, flow, visible))
        seen.append(float(visible.mean()))
        previous = current
    print(
        f"{folder}: {len(errors)} frame pairs, warp error {np.mean(errors):.2f} of 255 "
        f"(worst {max(errors):.2f}) over {100 * np.mean(seen):.0f} % of the pixels"
    )


def _write_style(path: Path, paint: Callable[[], np.ndarray]) -> None:
    picture = np.round(np.clip(paint(), 0.0, 1.0) * 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options):
        raise OSError(f"could not write {path}")


def _report(path: Path) -> None:
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Draw the sample clip and the sample styles.")
    parser.add_argument("--output", type=Path, default=Path("samples"), help="folder for the files (samples)")
    parser.add_argument("--flow", type=Path, metavar="FOLDER", help="write the clip's exact flow (.npz files)")
    parser.add_argument("--only", choices=["clip", "styles"], help="draw only the clip or only the styles")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Draw what the command line asks for; returns the exit status."""
    options = _parse(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.only != "styles":
        clip = options.output / "clip.mp4"
        frames = (render_frame(number) for number in range(FRAME_COUNT))
        write_clip(clip, frames, soundtrack(FRAME_COUNT / FRAME_RATE_HZ), CLIP_CRF)
        _report(clip)
    if options.only != "clip":
        for name, paint in STYLES.items():
            _write_style(options.output / name, paint)
            _report(options.output / name)
    if options.flow is not None:
        write_flow(options.flow)
    return 0


if __name__ == "__main__":
    sys.exit(main())
