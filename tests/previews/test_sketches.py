"""Single frames: as they are, in any order, and painted better and better."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from clips import make_video, picture, write_raw

from vidstyle import Clip, Settings, Sketcher, Stylizer
from vidstyle.errors import SourceError
from vidstyle.media.read.open_source import open_source
from vidstyle.media.read.video import VideoSource
from vidstyle.weights.loading import weights_file

SETTINGS = Settings(first_iterations=3, iterations=1, size=48, device="cpu")


@pytest.fixture
def style(tmp_path):
    return write_raw(tmp_path / "style.png", picture(5))


@pytest.fixture
def pictures(silent_clip):
    with open_source(silent_clip) as source:
        return [frame.image for frame in source]


def test_frames_come_in_any_order(silent_clip, pictures):
    with Clip(silent_clip) as clip:
        for position in (5, 0, 11, 4, 5):
            frame = clip.frame(position)
            assert frame.index == position
            assert np.array_equal(frame.image, pictures[position])
        assert clip.frame_count == 12


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_frames_far_away_are_sought_and_are_the_same(tmp_path, monkeypatch, suffix):
    path = make_video(tmp_path / f"clip{suffix}", frames=40, options={"g": "8"})
    with open_source(path) as source:
        pictures = [(frame.index, frame.pts, frame.image) for frame in source]
        first_pts = source.first_pts
    skipped = []
    skip = VideoSource.skip
    monkeypatch.setattr(VideoSource, "skip", lambda source: skipped.append(1) or skip(source))
    monkeypatch.setattr("vidstyle.media.read.frame_reader.FAR_FRAMES", 4)
    with Clip(path) as clip:
        for position in (30, 31, 12, 39, 2, 25):
            frame = clip.frame(position)
            assert (frame.index, frame.pts) == pictures[position][:2]
            assert np.array_equal(frame.image, pictures[position][2])
            assert clip.first_pts == first_pts
    assert (len(skipped) < 4) == (suffix == ".mp4")


def test_past_the_end_is_the_last_frame(silent_clip, pictures):
    with Clip(silent_clip) as clip:
        assert np.array_equal(clip.frame(99).image, pictures[-1])
        clip._count = 40  # a container that promises too much
        assert np.array_equal(clip.frame(30).image, pictures[-1])
        assert clip.frame_count == 12


def test_frames_are_counted_where_the_input_does_not_say(silent_clip):
    with Clip(silent_clip) as clip:
        clip._count = None
        assert clip.frame_count == 12


def test_what_is_no_clip_is_said(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no clip")
    with pytest.raises(SourceError, match=r"bad\.mp4"):
        Clip(tmp_path / "bad.mp4")


def test_a_closed_clip_opens_again(silent_clip, pictures):
    clip = Clip(silent_clip)
    clip.close()
    assert np.array_equal(clip.frame(3).image, pictures[3])
    clip.close()


def test_the_last_sketch_is_what_a_render_paints_first(silent_clip, pictures, style):
    sketcher = Sketcher()
    with Clip(silent_clip) as clip:
        sketches = list(sketcher.sketches(clip, 4, [style], SETTINGS))
    assert [sketch.is_final for sketch in sketches][-1:] == [True]
    assert np.array_equal(sketches[-1].image, Stylizer(style, SETTINGS)(pictures[4]))


def test_a_draft_comes_first_where_more_is_asked_for(tmp_path, style):
    clip_path = make_video(tmp_path / "large.mp4", frames=2, size=(400, 64))
    settings = Settings(first_iterations=2, iterations=1, size=400, device="cpu")
    with Clip(clip_path) as clip:
        sketcher = Sketcher()
        draft, *_, last = sketcher.sketches(clip, 0, [style], settings)
        assert (draft.is_draft, draft.is_final, draft.image.shape) == (True, False, (51, 320, 3))
        assert (last.is_draft, last.is_final, last.image.shape) == (False, True, (64, 400, 3))
        assert np.array_equal(sketcher.draft(clip, 0, [style], settings).image, draft.image)
        whole = list(sketcher.sketches(clip, 0, [style], settings, has_draft=False))
        assert not any(sketch.is_draft for sketch in whole)


def test_styles_are_measured_once_for_looks_that_differ(silent_clip, pictures, style, tmp_path, monkeypatch):
    styles, sketcher = [style, write_raw(tmp_path / "other.png", picture(6))], Sketcher()
    made = []
    real = Stylizer.__init__
    monkeypatch.setattr(Stylizer, "__init__", lambda *a, **k: (made.append(1), real(*a, **k))[1])
    with Clip(silent_clip) as clip:
        for change in ({}, {"strength": 0.4}, {"style_blend": (0.9, 0.1)}, {"content_weight": 3.0}):
            settings = replace(SETTINGS, **change)
            *_, last = sketcher.sketches(clip, 2, styles, settings)
            assert np.array_equal(last.image, Stylizer(styles, settings)(pictures[2])), change
    assert len(made) == 1 + 4


@pytest.mark.parametrize("changed", ["plain.png", "folder/b.png", "region.png", "net.safetensors"])
def test_a_file_that_has_changed_is_measured_again(silent_clip, tmp_path, monkeypatch, changed):
    (tmp_path / "folder").mkdir()
    for number, name in enumerate(("plain.png", "folder/a.png", "folder/b.png", "region.png", "mask.png")):
        write_raw(tmp_path / name, picture(number))
    shutil.copy(weights_file("compact"), tmp_path / "net.safetensors")
    region, weights = f"{tmp_path / 'mask.png'}={tmp_path / 'region.png'}", tmp_path / "net.safetensors"
    settings = replace(SETTINGS, size=16, region=(region,), weights=weights)
    made, real = [], Stylizer.__init__
    monkeypatch.setattr(Stylizer, "__init__", lambda *a, **k: (made.append(1), real(*a, **k))[1])
    sketcher, numbers = Sketcher(), []
    with Clip(silent_clip) as clip:
        for later_ns in (0, 0, 10**9, 0):
            seen = (tmp_path / changed).stat()
            os.utime(tmp_path / changed, ns=(seen.st_atime_ns, seen.st_mtime_ns + later_ns))
            sketcher.draft(clip, 0, [tmp_path / "plain.png", tmp_path / "folder"], settings)
            numbers.append(len(made))
    assert numbers == [1, 1, 2, 2]


def test_what_is_not_wanted_any_more_ends_without_a_picture(silent_clip, style):
    with Clip(silent_clip) as clip:
        sketcher, asked = Sketcher(), []

        def is_wanted():
            asked.append(1)
            return len(asked) < 4

        assert list(sketcher.sketches(clip, 0, [style], SETTINGS, is_wanted=is_wanted)) == []
        # The painter is as good as new.
        assert list(sketcher.sketches(clip, 0, [style], SETTINGS))[-1].is_final


def test_who_waits_behind_another_picture_can_give_up(silent_clip, style):
    sketcher, begun, may_go_on = Sketcher(), threading.Event(), threading.Event()

    def is_wanted():
        if threading.current_thread().name == "vidstyle-sketch":
            begun.set()
            may_go_on.wait()
        return True

    with Clip(silent_clip) as clip, ThreadPoolExecutor() as pool:
        before = pool.submit(list, sketcher.sketches(clip, 0, [style], SETTINGS, is_wanted=is_wanted))
        assert begun.wait(timeout=60)
        wanted = iter([True])  # once
        behind = pool.submit(list, sketcher.sketches(clip, 0, [style], SETTINGS, is_wanted=lambda: next(wanted, False)))
        try:
            assert behind.result(timeout=20) == []
            assert not before.done()
        finally:
            may_go_on.set()
        assert before.result()[-1].is_final


def test_what_is_wrong_with_a_style_is_said(silent_clip, tmp_path):
    with Clip(silent_clip) as clip, pytest.raises(SourceError, match="nowhere"):
        list(Sketcher().sketches(clip, 0, tmp_path / "nowhere.jpg", SETTINGS))
