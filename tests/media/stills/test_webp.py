"""WebP as chunks: what is counted, and what is no WebP."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.media.stills.headers import frame_durations_ms, pictures_in_a_row


def animation(path: Path, durations: list[int]) -> Path:
    made = cv2.Animation()
    made.frames = [np.full((16, 18, 4), 40 * k + 15, np.uint8) for k in range(len(durations))]
    made.durations = durations
    assert cv2.imwriteanimation(str(path), made)
    return path


def test_durations_are_those_that_another_writer_gave(tmp_path: Path) -> None:
    assert frame_durations_ms(animation(tmp_path / "a.webp", [40, 100, 7, 70000])) == [40, 100, 7, 70000]


def test_a_still_has_one_picture(tmp_path: Path) -> None:
    for quality in (50, 101):
        cv2.imwrite(str(tmp_path / "a.webp"), np.zeros((16, 16, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, quality])
        assert frame_durations_ms(tmp_path / "a.webp") == [0]


def test_what_is_no_whole_webp_is_an_error(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.webp", [40, 50])
    whole = path.read_bytes()
    for data in (b"", whole[:-9], b"GIF89a" + whole, whole[:11]):
        path.write_bytes(data)
        with pytest.raises(OSError, match="not a whole WebP"):
            frame_durations_ms(path)


def test_pictures_in_a_row_come_out_as_they_went_in(tmp_path: Path) -> None:
    pictures = [cv2.imencode(".webp", np.full((16, 16, 3), k, np.uint8))[1].tobytes() for k in range(3)]
    (tmp_path / "row").write_bytes(b"".join(pictures))
    assert list(pictures_in_a_row(tmp_path / "row")) == pictures
    (tmp_path / "row").write_bytes(b"".join(pictures)[:-1])
    with pytest.raises(OSError, match="in a row"):
        list(pictures_in_a_row(tmp_path / "row"))
