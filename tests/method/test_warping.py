"""Pictures carried along flow."""

import cv2
import numpy as np
import pytest

from vidstyle.method.warping import is_inside, warped, warped_sharply


def constant_flow(height, width, x_px, y_px):
    return np.full((height, width, 2), (x_px, y_px), np.float32)


def noise(height=40, width=50):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("carry", [warped, warped_sharply])
def test_whole_pixels_come_from_where_the_flow_points(carry):
    picture = noise()
    moved = carry(picture, constant_flow(40, 50, 3, -2))
    assert moved.dtype == np.float32
    assert np.array_equal(moved[2:, :-3], picture[:-2, 3:])


@pytest.mark.parametrize("carry", [warped, warped_sharply])
def test_no_motion_changes_nothing(carry):
    assert np.array_equal(carry(noise(), constant_flow(40, 50, 0, 0)), noise())


def test_what_comes_from_outside_is_told():
    inside = is_inside(constant_flow(4, 5, 1.5, 0))
    assert inside.tolist() == [[True, True, True, False, False]] * 4
    assert not is_inside(constant_flow(4, 5, 0, -9)).any()


def test_a_hair_beyond_the_border_is_still_inside():
    assert is_inside(constant_flow(4, 5, 0.05, -0.05)).all()
    assert not is_inside(constant_flow(4, 5, 0.2, 0))[:, -1].any()


def test_sharp_carrying_stays_on_the_scale():
    moved = warped_sharply(noise(), constant_flow(40, 50, 0.5, 0.5))
    assert float(moved.min()) >= 0 and float(moved.max()) <= 255


@pytest.mark.parametrize("step_px", [0.1, 0.25, 0.37, 0.5])
@pytest.mark.parametrize("period_px", [4, 6, 8, 12, 20])
def test_resampling_over_and_over_raises_no_frequency(step_px, period_px):
    wave = 128 + 20 * np.sin(2 * np.pi * np.arange(480) / period_px)
    picture = np.repeat(np.tile(wave.astype(np.float32), (3, 1))[..., None], 3, 2)
    flow = constant_flow(3, 480, step_px, 0)
    carried = picture
    for _ in range(30):
        carried = warped_sharply(carried, flow)
    middle = carried[1, 160:320, 0]
    assert middle.std() <= 1.001 * picture[1, 160:320, 0].std()
    smooth = picture
    for _ in range(30):
        smooth = warped(smooth, flow)
    assert middle.std() > smooth[1, 160:320, 0].std()


def test_bicubic_alone_would_raise_them():
    wave = 128 + 20 * np.sin(2 * np.pi * np.arange(480) / 8)
    carried = picture = np.tile(wave.astype(np.float32), (3, 1))
    x_px, y_px = np.meshgrid(np.arange(480, dtype=np.float32) + 0.5, np.arange(3, dtype=np.float32))
    for _ in range(30):
        carried = cv2.remap(carried, x_px, y_px, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    assert carried[1, 160:320].std() > 1.5 * picture[1, 160:320].std()
