"""The chain from frame to frame."""

import numpy as np
import pytest

from vidstyle import Settings, Stylizer, VidstyleError, optimize
from vidstyle.errors import DeviceError, SettingsError, SourceError
from vidstyle.features import load_network
from vidstyle.features.compact import CompactFeatures
from vidstyle.stylizer import working_size

QUICK = {"iterations": 4, "first_iterations": 6, "precision": "float32", "device": "cpu"}


def picture(seed, height=48, width=64):
    """Returns coloured blobs, `(H, W, 3)` uint8 RGB: smooth enough to be content."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(small, np.ones((8, 8, 1), np.uint8)))


@pytest.fixture
def stylizer():
    return Stylizer(picture(99, 64, 64), Settings(**QUICK))


def test_a_painted_frame_differs_from_its_content_and_lowers_the_loss(stylizer):
    content = picture(1)
    first = stylizer.paint(content)
    assert first.image.shape == content.shape
    assert first.image.dtype == np.uint8
    assert first.evaluations == 7
    longer = Stylizer(picture(99, 64, 64), Settings(**QUICK | {"first_iterations": 30})).paint(content)
    assert longer.loss < first.loss
    assert np.abs(longer.image.astype(int) - content).mean() > 2


def test_later_frames_start_from_the_frame_before(stylizer):
    content = picture(1)
    first, second, third = (stylizer.paint(content) for _ in range(3))
    assert (second.evaluations, third.evaluations) == (5, 5)
    assert first.loss > second.loss > third.loss


def test_a_chain_goes_on_from_the_frame_as_delivered(stylizer):
    # A render that was interrupted has nothing but the 8-bit frame to go on from.
    contents = [picture(seed) for seed in (1, 2)]
    painted = [stylizer(content) for content in contents]
    other = Stylizer(picture(99, 64, 64), Settings(**QUICK))
    other(contents[1])
    other._previous = painted[0].copy()
    assert np.array_equal(other(contents[1]), painted[1])


def test_restart_paints_a_first_frame_again(stylizer):
    contents = [picture(seed) for seed in (1, 2)]
    stylizer(contents[0])
    stylizer.restart()
    fresh = Stylizer(picture(99, 64, 64), Settings(**QUICK))
    assert np.array_equal(stylizer(contents[1]), fresh(contents[1]))


@pytest.mark.parametrize("init", ["content", "noise"])
def test_without_the_chain_a_frame_does_not_depend_on_the_one_before(init):
    settings = Settings(**QUICK, init=init)
    chain, alone = (Stylizer(picture(99, 64, 64), settings) for _ in range(2))
    chain(picture(1))
    second = chain.paint(picture(2))
    assert second.evaluations == 7
    assert np.array_equal(second.image, alone(picture(2)))


def test_noise_follows_the_seed():
    painted = [Stylizer(picture(99, 64, 64), Settings(**QUICK, init="noise", seed=s))(picture(1)) for s in (1, 1, 2)]
    assert np.array_equal(painted[0], painted[1])
    assert not np.array_equal(painted[0], painted[2])


def test_zero_iterations_return_each_frames_own_content():
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK | {"iterations": 0, "first_iterations": 0}))
    for seed in (1, 2):
        assert np.array_equal(stylizer(picture(seed)), picture(seed))


def test_views_with_other_strides_are_painted_alike(stylizer):
    content = picture(1)
    painted = stylizer(content)
    stylizer.restart()
    assert np.array_equal(stylizer(np.ascontiguousarray(content[..., ::-1])[..., ::-1]), painted)


def short_of_memory(monkeypatch, is_too_much, words="DefaultCPUAllocator: can't allocate memory: 99999 bytes"):
    """Makes each start of an optimisation fail for which `is_too_much(height, width, method, history)`."""
    tried = []

    def greedy(start, objective, method, iterations, history):
        tried.append((*start.shape[2:], method, history, iterations))
        if is_too_much(*start.shape[2:], method, history):
            raise RuntimeError(words)
        return optimize.optimize(start, objective, method, iterations, history)

    monkeypatch.setattr("vidstyle.stylizer.optimize", greedy)
    return tried


def test_too_little_memory_is_met_with_cheaper_ways_and_remembered(stylizer, monkeypatch):
    tried = short_of_memory(monkeypatch, lambda height, width, method, history: method == "lbfgs")
    first, second = stylizer.paint(picture(1)), stylizer.paint(picture(2))
    assert [way[2:4] for way in tried] == [("lbfgs", 10), ("lbfgs", 10), ("lbfgs", 3), ("adam", 0), ("adam", 0)]
    assert (first.economy, second.economy) == (2, 2)
    stylizer.restart()
    assert stylizer.economy == 0


def test_a_want_of_memory_that_passes_changes_nothing(stylizer, monkeypatch):
    whole = stylizer(picture(1))
    stylizer.restart()
    failures = iter([True, False])
    short_of_memory(monkeypatch, lambda *_: next(failures))
    painted = stylizer.paint(picture(1))
    assert painted.economy == 0
    assert np.array_equal(painted.image, whole)


def test_an_economy_goes_on_with_the_chain(monkeypatch):
    tried = short_of_memory(monkeypatch, lambda *_: False)
    stylizer = Stylizer(picture(99, 64, 64), Settings(**QUICK))
    stylizer.go_on_from(picture(1), economy=1)
    assert stylizer.paint(picture(2)).economy == 1
    assert tried == [(48, 64, "lbfgs", 3, QUICK["iterations"])]


@pytest.mark.parametrize(
    ("most_px", "advice"), [(40 * 30, "--size 40"), (60 * 60, "--size 51"), (0, "a machine with more memory")]
)
def test_what_cannot_be_painted_at_all_comes_with_a_size_that_can(stylizer, monkeypatch, most_px, advice):
    tried = short_of_memory(monkeypatch, lambda height, width, *_: height * width > most_px or height > 40)
    with pytest.raises(DeviceError, match="64x48 pixels") as caught:
        stylizer(picture(1))
    assert advice in str(caught.value)
    assert [way[2] for way in tried[:4]] == ["lbfgs", "lbfgs", "lbfgs", "adam"]


@pytest.mark.parametrize("words", ["std::bad_alloc", "could not create a primitive", "CUDA out of memory"])
def test_the_words_of_all_allocators_are_understood(stylizer, monkeypatch, words):
    short_of_memory(monkeypatch, lambda *_: True, words)
    with pytest.raises(DeviceError):
        stylizer(picture(1))


def test_other_faults_are_not_taken_for_a_want_of_memory(stylizer, monkeypatch):
    short_of_memory(monkeypatch, lambda *_: True, "the sky is falling")
    with pytest.raises(RuntimeError, match="sky"):
        stylizer(picture(1))


def test_a_frame_of_another_size_starts_a_new_chain(stylizer):
    stylizer(picture(1))
    assert stylizer.paint(picture(1, 64, 48)).evaluations == 7


def test_style_is_measured_once_for_all_frames(monkeypatch):
    seen = []
    whole = CompactFeatures.forward

    def counting(self, image, layers):
        seen.append(tuple(image.shape[2:]))
        return whole(self, image, layers)

    monkeypatch.setattr(CompactFeatures, "forward", counting)
    stylizer = Stylizer(picture(99, 80, 80), Settings(**QUICK))
    for seed in range(4):
        stylizer(picture(seed))
    # 48 x 64 frames: the style, 80 x 80, comes at the frame's area, 55 x 55.
    assert seen.count((55, 55)) == 1


@pytest.mark.parametrize("blank", [0, 128, 255])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_blank_frames_and_styles_stay_finite(blank, optimizer):
    flat = np.full((32, 32, 3), blank, np.uint8)
    for style, content in ((flat, picture(1)), (picture(2), flat), (flat, flat)):
        painted = Stylizer(style, Settings(**QUICK, optimizer=optimizer)).paint(content)
        assert np.isfinite(painted.loss)


def test_bfloat16_paints_nearly_the_same():
    painted = {}
    for precision in ("float32", "bfloat16"):
        settings = Settings(**QUICK | {"precision": precision, "first_iterations": 20})
        painted[precision] = Stylizer(picture(99, 64, 64), settings).paint(picture(1))
    assert painted["bfloat16"].loss == pytest.approx(painted["float32"].loss, rel=0.1)


@pytest.mark.parametrize(
    ("size", "limit", "even", "expected"),
    [
        ((1920, 1080), 640, False, (640, 360)),
        ((320, 180), 640, False, (320, 180)),
        ((451, 300), "source", False, (451, 300)),
        ((451, 300), "source", True, (452, 300)),
        ((1080, 1920), 640, True, (360, 640)),
        ((4000, 16), 100, True, (4000, 16)),
        ((4000, 64), 100, True, (1000, 16)),
    ],
)
def test_working_size_limits_the_long_side_and_never_enlarges(size, limit, even, expected):
    assert working_size(*size, Settings(size=limit), even=even) == expected


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
