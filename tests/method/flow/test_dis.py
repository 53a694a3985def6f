"""Optical flow by DIS on pictures whose motion is known."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.method.flow.dis import DisFlow, finest_scale
from vidstyle.weights.loading import load_flow


def texture(width, height, seed=0):
    """Returns smooth noise, `(height, width, 3)` uint8 RGB."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


@given(x_px=st.integers(-6, 6), y_px=st.integers(-6, 6))
@settings(max_examples=20, deadline=None)
def test_a_shift_is_found(x_px, y_px):
    wide = texture(148, 100)
    here, there = wide[10:90, 10:138], wide[10 - y_px : 90 - y_px, 10 - x_px : 138 - x_px]
    # What is at p in `here` is at p + (x, y) in `there`.
    flow = DisFlow()(np.ascontiguousarray(here), np.ascontiguousarray(there))
    assert flow.shape == (80, 128, 2)
    assert flow.dtype == np.float32
    inner = flow[20:-20, 20:-20].reshape(-1, 2)
    assert np.median(inner, axis=0) == pytest.approx([x_px, y_px], abs=0.2)


@pytest.mark.parametrize("size", [(16, 16), (40, 20), (4000, 16), (33, 31)])
def test_small_and_narrow_pictures_have_flow_too(size):
    here = texture(*size)
    flow = DisFlow()(here, np.roll(here, 1, axis=1))
    assert flow.shape == (size[1], size[0], 2)
    assert bool(np.isfinite(flow).all())
    assert abs(float(np.median(flow[..., 0])) - 1) < 0.5


def test_flow_does_not_depend_on_the_number_of_threads():
    before = cv2.getNumThreads()
    fields = []
    try:
        for threads in (1, 3):
            cv2.setNumThreads(threads)
            fields.append(DisFlow()(texture(200, 120), texture(200, 120, 1)))
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(*fields)


def test_large_pictures_are_matched_at_a_smaller_scale():
    sizes = [(16, 16), (512, 288), (1024, 576), (1280, 720), (1920, 1080), (3840, 2160), (8000, 32)]
    assert [finest_scale(*size) for size in sizes] == [1, 1, 1, 2, 2, 3, 1]


def test_dis_is_always_to_be_had():
    assert isinstance(load_flow("dis", torch.device("cpu")), DisFlow)
