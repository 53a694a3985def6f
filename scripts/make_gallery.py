#!/usr/bin/env python3
"""Draws README's pictures from the samples: source, styles and what the default settings make of them.

    python scripts/make_gallery.py
    python scripts/make_gallery.py --vgg19 vgg19.safetensors

The second shows VGG-19's pictures before those of the compact network.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from sample_files import SAMPLES, sample_frame, sample_style

from vidstyle import Settings, stylize_image

STYLES = ("starry", "wave", "mosaic")
GAP_PX = 8


def padded(image: np.ndarray) -> np.ndarray:
    """Returns the picture `(H, W, 3)` uint8 with a white border of half a gap."""
    half = GAP_PX // 2
    return np.pad(image, ((half, half), (half, half), (0, 0)), constant_values=255)


def row(source: np.ndarray, name: str, width: int, vgg19: Path | None) -> np.ndarray:
    """Returns source, style and results side by side, each `width` px wide, `(H, W, 3)` uint8 RGB."""
    networks = [Settings(network="vgg19", weights=vgg19)] if vgg19 else []
    results = [stylize_image(source, SAMPLES / f"{name}.jpg", settings) for settings in (*networks, Settings())]
    height = round(width * source.shape[0] / source.shape[1])
    cells = (source, sample_style(name, width, height), *results)
    return np.hstack([padded(cv2.resize(cell, (width, height), interpolation=cv2.INTER_AREA)) for cell in cells])


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="samples/gallery.jpg, or samples/networks.jpg with --vgg19")
    parser.add_argument("--vgg19", type=Path, help="weights of VGG-19, for a column of its own")
    parser.add_argument("--frame", type=int, default=40, help="frame of the sample clip")
    parser.add_argument("--width", type=int, default=420, help="of each cell, in pixels")
    options = parser.parse_args()
    source = sample_frame(options.frame)
    sheet = np.vstack([row(source, name, options.width, options.vgg19) for name in STYLES])
    output = options.output or SAMPLES / ("networks.jpg" if options.vgg19 else "gallery.jpg")
    if not cv2.imwrite(str(output), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]):
        raise SystemExit(f"make_gallery: {output} cannot be written")
    print(f"wrote {output}")


if __name__ == "__main__":
    main()
