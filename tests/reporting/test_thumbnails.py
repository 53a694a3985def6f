"""Pictures small enough for a page."""

from io import BytesIO

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidstyle.reporting import thumbnails
from vidstyle.reporting.thumbnails import LONGEST_SIDE_PX, FramePair, encode_pairs, encode_style, thumbnail_size


@given(st.integers(1, 33_000), st.integers(1, 33_000))
def test_shown_pictures_are_small_and_keep_their_shape(width, height):
    wide, high = thumbnail_size(width, height)
    assert 1 <= wide <= min(width, LONGEST_SIDE_PX)
    assert 1 <= high <= min(height, LONGEST_SIDE_PX)
    assert wide * high <= 260_000
    assert abs(wide * height - high * width) <= max(width, height)


def open_with_settings(data):
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def test_pictures_are_what_they_were_but_for_a_little():
    smooth = np.repeat(np.linspace(0, 255, 96).astype(np.uint8)[None, :, None], 64, 0).repeat(3, 2)
    (pair,) = encode_pairs([FramePair(3, 0.12, smooth, 255 - smooth)])
    assert (pair.position, pair.time_s, pair.width, pair.height) == (3, 0.12, 96, 64)
    assert np.abs(open_with_settings(pair.before).astype(int) - smooth).mean() < 2
    assert np.abs(open_with_settings(pair.after).astype(int) - (255 - smooth)).mean() < 2


def test_pictures_that_are_hard_to_compress_are_written_with_less_quality(monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)

    def taken():
        return sum(
            len(pair.before) + len(pair.after)
            for pair in encode_pairs([FramePair(k, 0.0, noise, noise) for k in (0, 1)])
        )

    most = taken()
    monkeypatch.setattr(thumbnails, "_MOST_BYTES", most * 3 // 4)
    assert taken() <= most * 3 // 4


def test_a_style_is_shown_small():
    assert open_with_settings(encode_style(np.zeros((900, 600, 3), np.uint8))).shape == (240, 160, 3)
