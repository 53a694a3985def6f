"""How steady a video is, on videos whose steadiness is known."""

import math

import cv2
import numpy as np
import pytest
from clips import make_folder
from method.test_disocclusion import texture

from vidstyle import measure
from vidstyle.cli import main as cli
from vidstyle.errors import SourceError
from vidstyle.metrics import StabilityMeter

WIDE = texture(0, width=260)


def frames(count=5, step_px=3):
    return [np.ascontiguousarray(WIDE[:, step_px * k : step_px * k + 160]) for k in range(count)]


def measured(sources, results, exact=None):
    meter = StabilityMeter()
    for source, result in zip(sources, results, strict=True):
        meter.add(source, result, exact)
    return meter.result()


def test_paint_that_moves_with_the_picture_has_no_error():
    steady = measured(frames(), [255 - frame for frame in frames()])
    assert steady.frames == 5
    assert steady.warp_error == pytest.approx(steady.source_warp_error, rel=0.05)
    assert steady.warp_error < 3
    # A negative's level goes the other way: its drift is twice the source's.
    source_drift = max(np.abs(f.mean((0, 1)) - frames()[0].mean((0, 1))).max() for f in frames())
    assert steady.drift == pytest.approx(2 * source_drift, rel=0.01)


def test_paint_that_sticks_to_the_screen_has_a_large_one():
    stuck = measured(frames(), [255 - frames()[0]] * 5)
    assert stuck.warp_error > 20


def test_with_exact_flow_the_error_is_exact():
    flow = np.full((100, 160, 2), (3, 0), np.float32)
    seen = np.ones((100, 160), bool)
    seen[:, -3:] = False
    assert measured(frames(), frames(), (flow, seen)).warp_error == 0
    brighter = [(frame // 2 + 20 * (k % 2)).astype(np.uint8) for k, frame in enumerate(frames())]
    assert measured(frames(), brighter, (flow, seen)).warp_error == pytest.approx(20)


def test_flicker_is_measured_where_the_source_is_still():
    still = [texture(1)] * 4
    results = [texture(2)] * 4
    assert measured(still, results).flicker == 0
    results = [np.full((100, 160, 3), 100 + 5 * (k % 2), np.uint8) for k in range(4)]
    assert measured(still, results).flicker == pytest.approx(5)
    assert measured(still, results).source_flicker == 0
    assert measured(still, results).drift == pytest.approx(5)
    assert math.isnan(measured(frames(4), results).flicker)


def test_drift_is_the_largest_departure_of_any_channel():
    still = [texture(1)] * 4
    results = [np.full((100, 160, 3), (50, 60 + 3 * k, 70 - k), np.uint8) for k in range(4)]
    assert measured(still, results).drift == pytest.approx(9)


def test_each_step_is_told_and_the_whole_is_their_mean():
    meter = StabilityMeter()
    steps = [meter.add(frame, 255 - frame) for frame in frames()]
    assert steps[0] is None
    for name in ("warp_error", "source_warp_error"):
        assert np.mean([getattr(step, name) for step in steps[1:]]) == pytest.approx(getattr(meter.result(), name))


def test_one_frame_has_nothing_to_measure():
    single = measured(frames(1), frames(1))
    assert (single.frames, math.isnan(single.warp_error), math.isnan(single.drift)) == (1, True, True)


def test_files_are_measured_at_one_size(tmp_path):
    large = [cv2.resize(frame, (320, 200), interpolation=cv2.INTER_CUBIC) for frame in frames()]
    for name, pictures in (("source", large), ("result", frames())):
        make_folder(tmp_path / name, [f"{k}.png" for k in range(5)])
        for k, picture in enumerate(pictures):
            cv2.imwrite(str(tmp_path / name / f"{k}.png"), picture[..., ::-1])
    stability = measure(tmp_path / "source", tmp_path / "result")
    assert stability.frames == 5
    assert stability.warp_error == pytest.approx(stability.source_warp_error, rel=0.2)


def test_files_are_measured_with_exact_flow_where_it_is_given(tmp_path):
    for name, pictures in (("source", frames()), ("result", [255 - frame for frame in frames()])):
        make_folder(tmp_path / name, [f"{k}.png" for k in range(5)])
        for k, picture in enumerate(pictures):
            cv2.imwrite(str(tmp_path / name / f"{k}.png"), picture[..., ::-1])
    asked, seen = [], np.ones((100, 160), bool)
    seen[:, -3:] = False

    def exact_flow(position):
        asked.append(position)
        return np.full((100, 160, 2), (3, 0), np.float32), seen

    assert measure(tmp_path / "source", tmp_path / "result", exact_flow).warp_error == 0
    assert asked == [1, 2, 3, 4]


def test_a_part_is_measured_against_the_frames_that_it_was_painted_from(tmp_path, capsys):
    for name, pictures in (("source", frames(6)), ("part", frames(6)[2:5])):
        make_folder(tmp_path / name, [f"{k}.png" for k in range(len(pictures))])
        for k, picture in enumerate(pictures):
            cv2.imwrite(str(tmp_path / name / f"{k}.png"), picture)
    part = measure(tmp_path / "source", tmp_path / "part", frames=(2, 5))
    assert (part.frames, part.warp_error) == (3, part.source_warp_error)
    assert cli.main(["--measure", str(tmp_path / "source"), str(tmp_path / "part"), "--frames", "2:5"]) == 0
    assert "frames         3\n" in capsys.readouterr().out


def test_one_picture_is_refused(tmp_path):
    folder = make_folder(tmp_path / "one", ["1.png"])
    with pytest.raises(SourceError, match="one: has one frame only"):
        measure(folder, folder)


def test_different_lengths_are_refused_and_the_shorter_named(tmp_path):
    short = make_folder(tmp_path / "short", ["1.png", "2.png"])
    long = make_folder(tmp_path / "long", ["1.png", "2.png", "3.png"])
    with pytest.raises(SourceError, match=r"long: has more than the 2 frames of .*short; is it of this source"):
        measure(short, long)
    with pytest.raises(
        SourceError,
        match=r"short: has 2 frames and .*long has more; .*: frames=\(A, B\), .* --frames A:B",
    ):
        measure(long, short)


def test_the_command_line_prints_the_measures(tmp_path, capsys):
    folder = make_folder(tmp_path / "one", [f"{k}.png" for k in range(3)])
    assert cli.main(["--measure", str(folder), str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["frames", "warping error", "flicker", "drift"]
    assert cli.main(["--measure", str(folder), "nowhere"]) == 1
    for extra in (["--style", "x.png"], ["--size", "99"], ["-o", "out.mp4"], ["--status", "out.mp4"]):
        assert cli.main(["--measure", str(folder), str(folder), *extra]) == 2
