"""Keyframes and the frames between them: the same whenever a render is stopped, and whoever does it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video
from renders import QUICK, contents, memory_failures, render

from vidstyle import stylize
from vidstyle.job.journal import read_journal

FRAMES = 11
EVERY_THIRD = replace(QUICK, keyframe_every=3)


@pytest.fixture(autouse=True)
def scene(tmp_path, monkeypatch):
    """A pan over 11 frames in segments of 8, with a square that goes its own way; styles and masks beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vidstyle.render.plan.SEGMENT_FRAMES", 8)
    rng = np.random.default_rng(3)
    wide = cv2.resize(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8), (96, 48))
    images = [np.ascontiguousarray(wide[:, 2 * i : 2 * i + 64]) for i in range(FRAMES)]
    for number, image in enumerate(images):
        image[10:24, 50 - 4 * number : 64 - 4 * number] = (250, 30, 30)
    images[6] = images[5].copy()  # a held drawing
    make_video(Path("in.mp4"), images=images)
    for name in ("style", "other"):
        cv2.imwrite(f"{name}.png", rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    Path("masks").mkdir()
    for number in range(FRAMES):
        mask = np.zeros((48, 64), np.uint8)
        cv2.circle(mask, (20 + 2 * number, 24), 18, 255, -1)
        cv2.imwrite(f"masks/{number:04}.png", cv2.GaussianBlur(mask, (0, 0), 2))


def evaluations(job="out.mp4.vidstyle"):
    """Evaluations of each frame in order, of a job that was kept."""
    return [entry.evaluations for entry in sorted(read_journal(Path(job)), key=lambda entry: entry.frame)]


def test_only_keyframes_are_optimized():
    render(settings=replace(EVERY_THIRD, keep_job=True))
    # Every third frame from the shot's first on, and the last of each segment.
    assert [position for position, count in enumerate(evaluations()) if count] == [0, 3, 6, 7, 10]


def test_frames_are_saved_in_the_order_in_which_they_depend_on_each_other():
    _, _, frames = render(settings=EVERY_THIRD)
    assert [frame.index for frame in frames] == [0, 3, 1, 2, 6, 4, 5, 7, 10, 8, 9]


KINDS = {
    "every third": {"keyframe_every": 3},
    "chosen": {"keyframe_every": "auto"},
    "masks": {"keyframe_every": 3, "mask": Path("masks")},
    "region": {"keyframe_every": 3, "region": ("masks=other.png",)},
    "content's colors": {"keyframe_every": 4, "color": "content"},
    "matched colors": {"keyframe_every": 4, "color": "match"},
    "strength": {"keyframe_every": 3, "strength": 0.5},
    "styles over time": {"keyframe_every": 3, "style_at": ("0:style.png", "5:style.png", "8:other.png")},
}


@pytest.mark.parametrize("output", ["out.mp4", "out/"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_render_that_is_stopped_after_every_frame_comes_out_the_same(kind, output):
    settings = replace(QUICK, **KINDS[kind])
    style = () if settings.style_at else "style.png"
    whole, _, _ = render(f"whole_{output}", settings, style=style)
    for done in range(FRAMES - 1):
        result, plan, _ = render(output, settings, style=style, stop_after=1)
        assert (result, plan.done) == (None, done)
    result, _, _ = render(output, settings, style=style)
    assert contents(result.output) == contents(whole.output)


def test_where_the_look_changes_every_frame_is_a_keyframe():
    style_at = ("0:style.png", "5:style.png", "8:other.png")
    render(settings=replace(QUICK, keyframe_every=4, style_at=style_at, keep_job=True), style=())
    assert [position for position, count in enumerate(evaluations()) if count] == [0, 4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    "damage",
    ["frames/00000000.png", "frames/00000008.png", "frames/00000010.png", "segments/00000000-00000008.segment"],
)
def test_what_was_damaged_is_painted_again(damage):
    whole, _, _ = render("whole.mp4", EVERY_THIRD)
    render(settings=EVERY_THIRD, stop_after=FRAMES - 1)
    file = Path("out.mp4.vidstyle", damage)
    file.write_bytes(file.read_bytes()[:-9])
    result, _, _ = render(settings=EVERY_THIRD)
    assert contents(result.output) == contents(whole.output)


def test_a_long_shot_in_parts_is_continued_whatever_was_damaged():
    rng = np.random.default_rng(3)
    wide = cv2.resize(rng.integers(0, 256, (6, 12, 3), dtype=np.uint8), (124, 48))
    make_video(Path("in.mp4"), images=[np.ascontiguousarray(wide[:, i : i + 64]) for i in range(50)])
    settings = replace(EVERY_THIRD, split_shots=48)
    whole, _, _ = render("whole.mp4", settings)
    result = None
    while result is None:
        # Each time the newest of the frames that are there, or of those that lead in, is damaged.
        result, _, _ = render(settings=settings, stop_after=13)
        frames = sorted(Path("out.mp4.vidstyle/frames").glob("*.png"), key=lambda file: file.stat().st_mtime_ns)
        for file in frames[-2:-1]:
            file.write_bytes(file.read_bytes()[:-9])
    assert contents(result.output) == contents(whole.output)


def test_a_memory_fallback_stays_after_an_interruption(monkeypatch):
    failures = memory_failures(monkeypatch)

    def on_frame(frame):
        if frame.done == 4:
            failures[0] = 3  # the third keyframe, once more, and in tiles
        if frame.done == 6:
            raise KeyboardInterrupt

    settings = replace(EVERY_THIRD, keep_job=True)
    with pytest.raises(KeyboardInterrupt):
        stylize("in.mp4", "style.png", "out.mp4", settings, on_frame=on_frame)
    render(settings=settings)
    fallbacks = {entry.frame: entry.fallback for entry in read_journal(Path("out.mp4.vidstyle"))}
    assert fallbacks == dict.fromkeys(range(4), 0) | dict.fromkeys(range(4, FRAMES), 2)


def test_keyframes_come_sooner_where_much_is_lost_from_sight():
    calm = [np.ascontiguousarray(cv2.imread("style.png"))] * 9
    fast = [np.ascontiguousarray(cv2.resize(np.roll(calm[0], 9 * k, axis=1), (40, 40))) for k in range(9)]
    found = {}
    for name, images in {"calm": calm, "fast": fast}.items():
        make_video(Path("in.mp4"), images=images)
        render(f"{name}.mp4", replace(QUICK, keyframe_every="auto", keep_job=True))
        _, _, frames = render(f"{name}_again.mp4", replace(QUICK, keyframe_every="auto"))
        found[name] = [frame.index for frame in frames]
    assert found["calm"][:2] == [0, 7]  # the last frame of the first segment
    assert found["fast"][1] < 4


def test_a_still_shot_keeps_its_paint():
    Path("still").mkdir()
    for number in range(6):
        cv2.imwrite(f"still/{number}.png", np.random.default_rng(5).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    render("out/", EVERY_THIRD, source="still")
    assert len({file.read_bytes() for file in Path("out").glob("*.png")}) == 1
