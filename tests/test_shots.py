"""Cuts are found where a new shot begins, and only there; lists of cuts are read as written."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidstyle.errors import SourceError
from vidstyle.shots import SEGMENT_FRAMES, CutDetector, Shot, read_cuts, shots_of

WIDTH, HEIGHT = 192, 108


def scene(seed):
    """A large picture of colored clouds, discs and bars."""
    rng = np.random.default_rng(seed)
    picture = np.full((160, 320, 3), rng.uniform(40, 200, 3))
    for cells in (3, 8, 24):
        picture += cv2.resize(rng.normal(0, 30, (cells, 2 * cells, 3)), (320, 160), interpolation=cv2.INTER_CUBIC)
    for x, y, size in rng.integers((0, 0, 6), (320, 160, 30), (12, 3)).tolist():
        cv2.rectangle(picture, (x, y), (x + size, y + 2 * size), rng.uniform(0, 255, 3).tolist(), -1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def shot(seed, count, step=1):
    """A pan of `step` pixels per frame."""
    picture = scene(seed)
    return [picture[20 : 20 + HEIGHT, 5 + i * step : 5 + i * step + WIDTH] for i in range(count)]


def plain(level, count=1):
    return [np.full((HEIGHT, WIDTH, 3), level, np.uint8)] * count


def blend(first, second, share):
    return cv2.addWeighted(first, 1 - share, second, share, 0)


def ramp(count):
    return [(i + 1) / (count + 1) for i in range(count)]


def cuts_of(*shots):
    detector = CutDetector()
    for image in (image for frames in shots for image in frames):
        detector.add(image)
    assert detector.finish() == detector.finish()
    return detector.finish()


def noisy(frames, sigma):
    rng = np.random.default_rng(0)
    return [np.clip(f + rng.normal(0, sigma, f.shape), 0, 255).astype(np.uint8) for f in frames]


def test_hard_cuts_are_found_at_their_frame():
    assert cuts_of(shot(1, 20), shot(2, 15), shot(3, 20)) == (20, 35)


def test_one_shot_has_no_cut():
    assert cuts_of(shot(1, 40, step=3)) == ()


def test_identical_frames_have_no_cut():
    assert cuts_of(shot(1, 1) * 30) == ()


def test_no_frames_have_no_cut():
    assert CutDetector().finish() == ()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_short_clips(count):
    assert cuts_of(shot(1, count)) == ()
    assert cuts_of(shot(1, count), shot(2, 1)) == (count,)
    assert cuts_of(shot(1, 1), shot(2, count)) == (1,)


@pytest.mark.parametrize("length", [4, 5, 8])
def test_short_shots_are_found(length):
    shots = [shot(seed, length) for seed in range(6)]
    assert cuts_of(*shots) == tuple(range(length, 6 * length, length))


@pytest.mark.parametrize("length", [4, 5, 8])
def test_stills_are_found_although_nothing_moves_between_them(length):
    shots = [shot(seed, 1) * length for seed in range(6)]
    assert cuts_of(*shots) == tuple(range(length, 6 * length, length))


def test_shots_in_the_dark():
    frames = [(image * 0.1).astype(np.uint8) for image in [*shot(1, 15), *shot(2, 15)]]
    assert cuts_of(noisy(frames, 1)) == (15,)


def test_cut_to_another_part_of_the_same_scene():
    picture = scene(1)
    assert cuts_of([picture[:90, :160]] * 12, [picture[70:, 160:]] * 12) == (12,)


@pytest.mark.parametrize(
    ("first", "second"), [((255, 0, 0), (0, 0, 255)), ((60, 60, 60), (180, 180, 180)), ((0, 0, 0), (255, 255, 255))]
)
def test_cut_between_plain_colors(first, second):
    assert cuts_of(plain(first, 10), plain(second, 10)) == (10,)


def test_hue_of_gray_does_not_count():
    # One gray level apart, these have opposite hues.
    assert cuts_of(plain((121, 120, 120), 10), plain((120, 121, 121), 10)) == ()


def test_hue_is_circular():
    assert cuts_of(plain((200, 40, 42), 10), plain((200, 42, 40), 10)) == ()


def test_grain_hides_no_cut_and_makes_none():
    assert cuts_of(noisy(shot(1, 1) * 15 + shot(2, 1) * 15, 22)) == (15,)


def test_letterbox_hides_no_cut_and_makes_none():
    frames = [image.copy() for image in [*shot(1, 15), *shot(2, 15)]]
    for image in frames:
        image[:15] = image[-15:] = 0
    assert cuts_of(frames) == (15,)


@pytest.mark.parametrize("repeats", [2, 3])
def test_animation_on_twos_and_threes(repeats):
    places = [0, 4, 10, 12, 22, 25, 34, 40, 42, 50, 60, 64]
    moves = [[scene(seed)[20:128, x : x + WIDTH] for x in places for _ in range(repeats)] for seed in (1, 2)]
    assert cuts_of(*moves) == (len(places) * repeats,)


def test_left_out_frames_are_no_cut():
    places = [0, 2, 4, 6, 8, 8, 8, 20, 22, 24, 26, 28, 30, 30, 30, 30, 46, 48, 50, 52]
    assert cuts_of([scene(1)[20:128, x : x + WIDTH] for x in places]) == ()


def test_whip_pan_is_no_cut():
    places = [0, 1, 2, 3, 15, 33, 55, 80, 100, 112, 113, 114, 115]
    frames = [scene(1)[20:128, x : x + WIDTH] for x in places]
    steps = [1, *np.diff(places).tolist()]
    assert cuts_of([cv2.blur(image, (step, 1)) for image, step in zip(frames, steps, strict=True)]) == ()


def test_dissolve_is_one_cut_at_most():
    for count in (6, 12, 24):
        mixed = [blend(a, b, s) for a, b, s in zip(shot(1, count), shot(2, count), ramp(count), strict=True)]
        assert len(cuts_of(shot(1, 12), mixed, shot(2, 12))) <= 1


@pytest.mark.parametrize("lights", [(0.9,), (1.0, 1.0), (1.0, 0.8, 0.6), (1.0, 0.7, 0.4, 0.2, 0.1)])
def test_flash_is_no_cut(lights):
    frames = shot(1, 30)
    for i, light in enumerate(lights, 12):
        frames[i] = blend(frames[i], plain(255)[0], light)
    assert cuts_of(frames) == ()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_frames_of_something_else_for_a_moment_are_no_shot(count):
    frames = shot(1, 30)
    frames[12 : 12 + count] = shot(2, count)
    assert cuts_of(frames) == ()
    frames[12 : 12 + count] = plain(0, count)
    assert cuts_of(frames) == ()


def test_shot_begins_after_a_flash_or_blended_frame():
    assert cuts_of(shot(1, 12), plain(255), shot(2, 12)) == (13,)
    assert cuts_of(shot(1, 12), [blend(shot(1, 1)[0], shot(2, 1)[0], 0.5)], shot(2, 12)) == (13,)


def test_lamp_that_goes_on_is_no_cut():
    assert cuts_of([(image * 0.4).astype(np.uint8) for image in shot(1, 12)], shot(1, 12)) == ()


def test_captions_are_no_cut():
    frames = [image.copy() for image in shot(1, 30, step=0)]
    for image in frames[10:20]:
        cv2.putText(image, "what is said", (10, 90), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 3)
    assert cuts_of(frames) == ()


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize(("count", "hold"), [(6, 1), (12, 8), (25, 4)])
def test_shot_begins_where_the_picture_comes_out_of_black_or_white(level, count, hold):
    ground = plain(level)[0]
    fading = [blend(image, ground, share) for image, share in zip(shot(1, count), ramp(count), strict=True)]
    coming = [blend(ground, image, share) for image, share in zip(shot(2, count), ramp(count), strict=True)]
    (cut,) = cuts_of(shot(1, 10), fading, plain(level, hold), coming, shot(2, 10))
    begins = 10 + count + hold
    assert begins <= cut <= begins + count // 3


def test_cuts_to_and_from_black_stand_both():
    assert cuts_of(shot(1, 12), plain(0, 8), shot(2, 12)) == (12, 20)


def test_unpredictable_pictures_are_not_cut_to_pieces():
    rng = np.random.default_rng(0)
    flames = [cv2.resize(rng.integers(0, 255, (9, 16, 3), np.uint8), (WIDTH, HEIGHT)) for _ in range(60)]
    assert cuts_of(flames) == ()


@pytest.mark.parametrize("size", [(16, 16), (36, 64), (64, 36), (257, 31), (640, 360)])
def test_pictures_of_any_size(size):
    assert cuts_of([cv2.resize(image, size) for image in [*shot(1, 10), *shot(2, 10)]]) == (10,)


def test_pictures_given_are_left_alone_and_may_be_reused():
    detector = CutDetector()
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    for frame in [*shot(1, 10), *shot(2, 10)]:
        image[:] = frame
        detector.add(image)
        assert (image == frame).all()
    assert detector.finish() == (10,)


cut_lists = st.integers(1, 3000).flatmap(
    lambda count: st.tuples(st.sets(st.integers(1, max(1, count - 1)), max_size=20 if count > 1 else 0), st.just(count))
)


@given(cut_lists)
def test_shots_and_segments_cover_every_frame_once(cuts_and_count):
    cuts, count = sorted(cuts_and_count[0]), cuts_and_count[1]
    shots = shots_of(cuts, count)
    assert [s.number for s in shots] == list(range(len(cuts) + 1))
    assert [s.start for s in shots] == [0, *cuts]
    segments = [segment for s in shots for segment in s.segments]
    assert [position for segment in segments for position in segment] == list(range(count))
    assert all(0 < len(segment) <= SEGMENT_FRAMES for segment in segments)
    assert {s.start for s in shots} <= {segment.start for segment in segments}


def test_segments_of_a_long_shot():
    assert Shot(0, 10, 500).segments == (range(10, 250), range(250, 490), range(490, 500))


def test_no_frames_have_no_shots():
    assert shots_of((), 0) == ()


@pytest.mark.parametrize(
    ("cuts", "count"), [((0,), 5), ((5,), 5), ((3, 3), 5), ((3, 2), 5), ((1,), 1), ((0,), 0), ((), -1)]
)
def test_cuts_out_of_order_or_range_are_refused(cuts, count):
    with pytest.raises(ValueError):
        shots_of(cuts, count)


RATE = Fraction(30000, 1001)


@pytest.fixture
def read(tmp_path):
    """Reads cuts from text or bytes for frames 100 to 399 of a film."""

    def read_text(text, indices=range(100, 400)):
        path = tmp_path / "cuts.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_cuts(path, indices, [index / RATE for index in indices])

    return read_text


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("", ()),
        ("\n# nothing\n   \n", ()),
        ("150\n120\n150\n", (20, 50)),
        ("  120,Scene 2,foo\n130\tbar\n140 # why\n150#why\n160 , x", (20, 30, 40, 50, 60)),
        ("120\r\n130\r140", (20, 30, 40)),
        ("0\n99\n100\n101\n399\n400\n999999999999999", (1, 299)),
        ("5s\n5.005s\n0:06\n00:00:07.5", (50, 80, 125)),
        ("1:00:00\n60:00\n0:13.279", (298,)),
        (b"\xef\xbb\xbf120", (20,)),
    ],
)
def test_lists_of_cuts_are_read(read, text, cuts):
    assert read(text) == cuts


def test_time_rounded_up_to_milliseconds_names_the_same_frame(read):
    # Frame 200 is at 6.67333... s, frame 202 at 6.74006... s.
    assert read("6.673s\n6.674s\n6.741s") == (100, 101, 103)
    assert read("00:00:06.740") == (102,)
    assert read("00:00:06.7068") == (101,)


def test_cuts_in_frames_that_are_left_out_move_to_the_next(read):
    assert read("104\n105\n106\n0.2s", indices=range(0, 400, 5)) == (2, 21, 22)


@given(cuts=st.sets(st.integers(101, 399)), as_time=st.booleans(), order=st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_every_list_of_frames_or_times_comes_back(read, cuts, as_time, order):
    lines = [f"{float(cut / RATE):.3f}s" if as_time else str(cut) for cut in cuts]
    order.shuffle(lines)
    assert read("\n".join(lines)) == tuple(sorted(cut - 100 for cut in cuts))


@pytest.mark.parametrize(
    "field",
    [
        "x",
        "-5",
        "12.5",
        "1:60",
        "1:60:00",
        "1:2:3:4",
        "12:",
        ":30",
        "1e3",
        "s",
        "nan",
        "²",
        "٣",
        ",5",
        "\0",
        "9" * 5000,
    ],
)
def test_lines_that_are_no_cut_are_refused_with_the_legal_forms(read, field):
    with pytest.raises(SourceError, match=r"cuts\.txt, line 3: .* is no cut; .*12\.5s.*HH:MM:SS") as caught:
        read(f"120\n# note\n{field} rest\n130")
    assert len(str(caught.value)) < 400


def test_text_that_is_not_utf8_is_refused(read):
    with pytest.raises(SourceError, match="line 2: not UTF-8"):
        read(b"120\n\xff\xfe1\x00")


def test_large_and_missing_lists_are_refused(read, tmp_path):
    with pytest.raises(SourceError, match="16 MiB"):
        read(b"#" * (16 * 2**20 + 1))
    assert read(b"120\n#".ljust(16 * 2**20, b"#")) == (20,)
    with pytest.raises(SourceError, match="cannot be read"):
        read_cuts(tmp_path / "none.txt", range(5), [Fraction(i) for i in range(5)])
    with pytest.raises(SourceError, match="cannot be read"):
        read_cuts(tmp_path, range(5), [Fraction(i) for i in range(5)])


@given(data=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_any_bytes_give_cuts_or_a_source_error(read, data):
    try:
        cuts = read(data)
    except SourceError:
        return
    assert list(cuts) == sorted(set(cuts))
    assert all(0 < cut < 300 for cut in cuts)
