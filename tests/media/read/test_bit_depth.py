"""How many bits per channel a file has."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video

from vidstyle.media.read.open_source import stored_bits


@pytest.mark.parametrize(
    ("pix_fmt", "bits"), [("yuv420p", 8), ("yuv422p10le", 10), ("gbrp12le", 12), ("gray16le", 16), ("bgr0", 8)]
)
def test_of_a_video(tmp_path: Path, pix_fmt: str, bits: int) -> None:
    assert stored_bits(make_video(tmp_path / "a.mkv", frames=1, codec="ffv1", pix_fmt=pix_fmt)) == bits


@pytest.mark.parametrize(("kind", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_of_a_picture(tmp_path: Path, kind: type, bits: int) -> None:
    for name in ("a.png", "a.tif"):
        cv2.imwrite(str(tmp_path / name), np.zeros((16, 16, 3), kind))
        assert stored_bits(tmp_path / name) == bits


def test_of_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    assert stored_bits(tmp_path / "a.mp4") == stored_bits(tmp_path / "none.mp4") == 8
