"""The chain from frame to frame."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from chains import QUICK, picture

from vidstyle import Settings, Stylizer, VidstyleError
from vidstyle.errors import SettingsError, SourceError
from vidstyle.method import solver
from vidstyle.method.features.compact import CompactFeatures
from vidstyle.method.options import Steps
from vidstyle.method.temporal import SETTLED_AFTER_FRAMES, frames_needed_before
from vidstyle.method.tiling import bytes_per_px
from vidstyle.metrics import StabilityMeter
from vidstyle.weights.loading import load_network


def test_a_painted_frame_differs_from_its_content_and_lowers_the_loss(stylizer):
    content = picture(1)
    first = stylizer.stylize(content)
    assert first.image.shape == content.shape
    assert first.image.dtype == np.uint8
    assert first.evaluations == 7
    longer = Stylizer(picture(99, 64, 64), Settings(**QUICK | {"first_iterations": 30})).stylize(content)
    assert longer.loss < first.loss
    assert np.abs(longer.image.astype(int) - content).mean() > 2


@pytest.mark.parametrize("init", ["warped", "previous"])
def test_later_frames_start_from_the_frame_before(init):
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK, init=init, least_gain=0))
    first, second, third = (stylizer.stylize(picture(1)) for _ in range(3))
    assert (second.evaluations, third.evaluations) == (5, 5)
    assert first.loss > second.loss > third.loss


def test_a_frame_that_is_repeated_is_not_painted_again(stylizer):
    first, second = stylizer.stylize(picture(1)), stylizer.stylize(picture(1))
    assert second.evaluations == 1
    assert np.array_equal(first.image, second.image)
    assert stylizer.stylize(picture(2)).evaluations > 1


def test_a_drawing_that_is_held_is_painted_until_it_is_dry():
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK))
    stylizer.stylize(panorama(3)[:, :64])
    evaluations = [stylizer.stylize(panorama(3)[:, 6:70]).evaluations for _ in range(SETTLED_AFTER_FRAMES + 2)]
    assert min(evaluations[:SETTLED_AFTER_FRAMES]) > 1
    assert evaluations[SETTLED_AFTER_FRAMES + 1] == 1


def panorama(seed, length=160):
    """Returns smooth noise, wider than a frame, `(48, length, 3)` uint8 RGB."""
    noise = np.random.default_rng(seed).integers(0, 256, (48, length, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)


def pan(count, step_px=2):
    """Returns frames of a camera that moves to the right."""
    wide = panorama(5, 64 + step_px * count)
    return [np.ascontiguousarray(wide[:, step_px * k : step_px * k + 64]) for k in range(count)]


CHAINS = {
    "warped": {},
    "long-term": {"temporal_window": (1, 3)},
    "previous": {"init": "previous"},
    "off": {"flow": "off"},
    "noise": {"init": "noise"},
    "content": {"init": "content"},
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_goes_on_from_the_frames_as_delivered(chain):
    # A render that was interrupted has nothing but the 8-bit frames to go on from.
    settings, frames = Settings(**QUICK, **CHAINS[chain]), pan(14 if Settings(**CHAINS[chain]).is_warped else 7)
    frames[-5] = frames[-6]  # a repeat
    now = len(frames) - 1
    whole = Stylizer(picture(99, 64, 64), settings)
    stylized = [whole(frame) for frame in frames]
    other = Stylizer(picture(99, 64, 64), settings)
    other(picture(7))  # of another shot
    other.restart(stylized[0] if settings.is_warped else None)
    for n in range(now - frames_needed_before(settings.options), now):
        other.skip(frames[n], stylized[n] if n >= now - settings.looks_back_frames else None)
    assert np.array_equal(other(frames[now]), stylized[now])


def test_paint_moves_with_what_is_seen():
    # One step each, so that what a frame begins with shows.
    def error(**changes):
        settings = Settings(**QUICK | {"iterations": 1, "first_iterations": 20}, **changes)
        stylizer, meter = Stylizer(picture(99, 64, 64), settings), StabilityMeter()
        for frame in pan(4, step_px=3):
            meter.add(frame, stylizer(frame))
        return meter.result().warp_error

    warped = error()
    assert warped < 0.3 * error(init="previous")
    assert warped < 0.3 * error(init="content")


def test_a_firmer_hold_makes_paint_move_less():
    stylized = []
    for weight in (0.0, 1e5):
        stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK, least_gain=0, temporal_weight=weight))
        stylized.append([stylizer(frame) for frame in pan(2)])
    errors = []
    for pair in stylized:
        meter = StabilityMeter()
        for frame, image in zip(pan(2), pair, strict=True):
            meter.add(frame, image)
        errors.append(meter.result().warp_error)
    assert errors[1] < 0.8 * errors[0]


def test_mean_and_contrast_stay_where_they_were_over_a_slow_pan():
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK | {"first_iterations": 20}))
    half = panorama(3, 64)
    wide = np.hstack([half, half[:, ::-1]] * 2).astype(np.float32)  # so that every view has the same levels
    levels = []
    for step in range(18):
        move = np.array([[1, 0, -0.6 * step], [0, 1, 0]], np.float32)
        frame = cv2.warpAffine(wide, move, (128, 48), flags=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
        stylized = stylizer(frame)
        levels.append(np.concatenate([stylized.mean((0, 1)), stylized.std((0, 1))]))
    assert np.abs(levels[-1] - levels[5]).max() < 1.5


def test_restart_paints_a_first_frame_again(stylizer):
    contents = [picture(seed) for seed in (1, 2)]
    stylizer(contents[0])
    stylizer.restart()
    fresh = Stylizer(picture(99, 64, 64), Settings(**QUICK))
    assert np.array_equal(stylizer(contents[1]), fresh(contents[1]))


@pytest.mark.parametrize(("init", "flow"), [("content", "dis"), ("noise", "off")])
def test_without_the_chain_a_frame_does_not_depend_on_the_one_before(init, flow):
    settings = Settings(**QUICK, init=init, flow=flow)
    chain, alone = (Stylizer(picture(99, 64, 64), settings) for _ in range(2))
    chain(picture(1))
    second = chain.stylize(picture(2))
    assert second.evaluations == 7
    assert np.array_equal(second.image, alone(picture(2)))


def test_zero_iterations_return_each_frames_own_content():
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK | {"iterations": 0, "first_iterations": 0}))
    for seed in (1, 2):
        assert np.array_equal(stylizer(picture(seed)), picture(seed))


def test_views_with_other_strides_are_painted_alike(stylizer):
    content = picture(1)
    stylized = stylizer(content)
    stylizer.restart()
    assert np.array_equal(stylizer(np.ascontiguousarray(content[..., ::-1])[..., ::-1]), stylized)


def test_tiles_leave_the_painting_as_it_is():
    settings = Settings(precision="float32", iterations=1, first_iterations=1, levels=2)
    tiled = replace(settings, activations_gib=0.01)
    style, frame = picture(99, 64, 64), picture(1, 160, 240)
    whole, pieces = (Stylizer(style, each).stylize(frame) for each in (settings, tiled))
    assert tiled.activations_gib * 2**30 < bytes_per_px(Stylizer(style).network, tiled.style_layers) * 160 * 240
    # The same steps, but for rounding, which L-BFGS makes larger with every step.
    assert np.abs(whole.image.astype(int) - pieces.image).mean() < 0.1
    assert pieces.loss == pytest.approx(whole.loss, rel=1e-3)


def test_a_frame_of_another_size_that_is_passed_over_starts_a_new_chain(stylizer):
    stylizer.skip(picture(1), picture(2))
    stylizer.skip(picture(1, 64, 48), picture(2, 64, 48))
    assert stylizer.stylize(picture(1, 64, 48)).evaluations == 1


def test_a_frame_of_another_size_starts_a_new_chain(stylizer):
    stylizer(picture(1))
    assert stylizer.stylize(picture(1, 64, 48)).evaluations == 7


def test_style_is_measured_once_for_all_frames(monkeypatch):
    seen = []
    whole = CompactFeatures.forward

    def counting(self, image, layers, **others):
        seen.append(tuple(image.shape[2:]))
        return whole(self, image, layers, **others)

    monkeypatch.setattr(CompactFeatures, "forward", counting)
    stylizer = Stylizer(picture(99, 80, 80), Settings(**QUICK))
    for seed in range(4):
        stylizer(picture(seed))
    # 48 x 64 frames: the style, 80 x 80, comes at the frame's area, 55 x 55, with a border of 22 px.
    assert seen.count((99, 99)) == 1


@pytest.mark.parametrize(("blank", "optimizer"), [(0, "lbfgs"), (128, "adam"), (255, "lbfgs")])
def test_blank_frames_and_styles_stay_finite(blank, optimizer):
    flat = np.full((32, 32, 3), blank, np.uint8)
    for style, content in ((flat, picture(1)), (picture(2), flat), (flat, flat)):
        stylized = Stylizer(style, Settings(**QUICK, optimizer=optimizer)).stylize(content)
        assert np.isfinite(stylized.loss)


def test_bfloat16_paints_nearly_the_same():
    stylized = {}
    for precision in ("float32", "bfloat16"):
        settings = Settings(**QUICK | {"precision": precision, "first_iterations": 20})
        stylized[precision] = Stylizer(picture(99, 64, 64), settings).stylize(picture(1))
    assert stylized["bfloat16"].loss == pytest.approx(stylized["float32"].loss, rel=0.1)


def test_pictures_of_the_wrong_kind_are_refused(stylizer):
    for wrong in (np.zeros((32, 32), np.uint8), np.zeros((32, 32, 3), np.float32), np.zeros((32, 32, 4), np.uint8)):
        with pytest.raises(SourceError, match="uint8 RGB"):
            stylizer(wrong)


def test_small_styles_and_frames_are_refused(stylizer):
    with pytest.raises(VidstyleError, match="15x40 is too small"):
        stylizer(np.zeros((40, 15, 3), np.uint8))
    with pytest.raises(SourceError, match="style"):
        Stylizer(np.zeros((15, 40, 3), np.uint8))


def test_unknown_layers_are_refused_before_anything_is_painted():
    with pytest.raises(SettingsError, match="relu9_9"):
        Stylizer(picture(99), Settings(content_layer="relu9_9"))


def test_network_is_loaded_without_gradients():
    assert not any(p.requires_grad for p in load_network("compact", ["relu1_1"]).parameters())


def test_steps_are_an_argument_and_the_settings_stay_as_they_are(stylizer):
    asked = stylizer.settings
    assert stylizer.stylize(picture(1), steps=Steps(2, 1, 0.0)).evaluations == 3
    assert stylizer.stylize(picture(1) // 2, steps=Steps(2, 1, 0.0)).evaluations == 2
    assert stylizer.settings is asked
    stylizer.restart()
    assert stylizer.stylize(picture(1)).evaluations == 7


def test_a_cheaper_way_goes_on_with_the_shot(stylizer):
    stylizer.restart(fallback=2)
    assert stylizer.stylize(picture(1)).fallback == 2
    stylizer.restart()
    assert stylizer.stylize(picture(1)).fallback == 0


def test_only_later_frames_step_shortly_and_stop_early(stylizer):
    first, later = [], []
    stylizer.on_evaluation = lambda number, loss, image: first.append(image)
    stylizer.stylize(picture(1))
    stylizer.on_evaluation = lambda number, loss, image: later.append(image)
    stylizer.stylize(picture(1) // 2)
    steps = [float((each[1] - each[0]).square().mean().sqrt()) for each in (first, later)]
    assert steps[0] == pytest.approx(solver.FIRST_STEP_RMS, rel=0.3)
    assert steps[1] == pytest.approx(solver.NEAR_STEP_RMS, rel=0.3)
