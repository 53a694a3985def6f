"""Frames and files for machines that do not see the first one's disks."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from clips import picture
from jobs import fill, make_job

from vidstyle.cluster.no_shared_storage import (
    StoredFrames,
    frame_bytes,
    names_of,
    packed,
    segments_since,
    take_frame,
    take_segment,
    unpacked,
)
from vidstyle.cluster.stylizer import with_whole_paths
from vidstyle.frames import Frame, split_moment
from vidstyle.method.coverage import Coverage
from vidstyle.settings import Settings
from vidstyle.settings.kinds import join_region
from vidstyle.settings.words import to_json
from vidstyle.shots import Shot


def arrays_of(frame, coverage):
    return [frame.image, frame.alpha, coverage.shown, coverage.shares]


def test_nothing_keeps_room_in_the_object_store():
    shown = np.full((48, 64), 255, np.uint8)
    sent = Frame(3, picture(1), 3, 1, alpha=shown), Coverage(shown, np.ones((1, 48, 64), np.float32))
    for array in arrays_of(*sent):
        array.flags.writeable = False
    # What a cluster is asked is not the matter here.
    store = SimpleNamespace(load=SimpleNamespace(remote=lambda *_: None))
    ray = SimpleNamespace(get=lambda _: (0, [sent]))
    frames = StoredFrames(ray, store, Shot(0, 3, 4))
    frame = frames.frame(3)
    for got, was in zip(arrays_of(frame, frames.of(frame, 64, 48)), arrays_of(*sent), strict=True):
        assert np.array_equal(got, was)
        assert got.flags.writeable
        assert not np.shares_memory(got, was)


def test_every_file_arrives_and_is_named_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "many").mkdir()
    for name in ("a.png", "wave.png", "fades.csv", "net.safetensors", "many/1.png", "many/2.png"):
        (tmp_path / name).write_text(name)
    settings = Settings(region=("mask.png=wave.png",), animate="fades.csv", weights="net.safetensors")
    place = tmp_path / "there"
    place.mkdir()
    named, styles = unpacked(packed(settings, [tmp_path / "a.png", tmp_path / "many"]), settings, place)
    assert styles[0].read_text() == "a.png"
    assert sorted(path.name for path in styles[1].iterdir()) == ["1.png", "2.png"]
    (region,) = named.regions
    assert str(region[0]) == "mask.png"
    assert region[1].read_text() == "wave.png"
    assert named.animate.read_text() == "fades.csv"
    assert named.weights.read_text() == "net.safetensors"
    assert all(place in path.parents for path in (*styles, region[1], named.animate, named.weights))


def test_a_style_that_is_named_twice_travels_once(tmp_path):
    style = tmp_path / "a.png"
    style.write_text("a")
    settings = Settings(style_at=(f"0:{style}", f"2s:{style}"))
    shipped = packed(settings, [style])
    assert len(shipped.contents) == 1
    named, _ = unpacked(shipped, settings, tmp_path)
    assert [text.partition(":")[0] for text in named.style_at] == ["0", "2s"]


def test_names_with_signs_that_settings_are_split_at_arrive_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("w=a=ve.png", "=b.png", "1:30.png"):
        Path(name).write_text(name)
    settings = Settings(
        region=(join_region("m=ask.png", "w=a=ve.png"), join_region("m.png", "=b.png")), style_at=("0:./1:30.png",)
    )
    whole = with_whole_paths(settings)
    assert whole.regions == tuple((mask.resolve(), style.resolve()) for mask, style in settings.regions)
    assert [split_moment(text) for text in whole.style_at] == [("0", str(tmp_path / "1:30.png"))]
    there = tmp_path / "a=there"
    there.mkdir()
    named, _ = unpacked(packed(whole, []), whole, there)
    assert [mask for mask, _ in named.regions] == [mask for mask, _ in whole.regions]
    assert [style.read_text() for _, style in named.regions] == ["w=a=ve.png", "=b.png"]
    assert [Path(split_moment(text)[1]).read_text() for text in named.style_at] == ["1:30.png"]


@pytest.mark.parametrize("color", ["style", "content"])
def test_frames_and_segments_arrive(tmp_path, color):
    changes = {"settings": to_json(Settings(color=color))}
    here, there = make_job(tmp_path / "here", **changes), make_job(tmp_path / "there", **changes)
    shot = here.manifest.shots[0]
    known = set()
    for run in shot.segments:
        for position in run:
            fill(there, [position])
            take_frame(here, position, frame_bytes(there, position))
            assert here.has_frame(position)
        there.close_segment(shot, run)
        for parcel in segments_since(there, shot, known):
            take_segment(here, shot, parcel["segment"], parcel["content"])
    assert known == {0, 4}
    assert here.is_done(shot)
    assert names_of(here, shot) == ([], [0, 4])
    for run in shot.segments:
        assert here.segment_path(run).read_bytes() == there.segment_path(run).read_bytes()


def test_what_is_there_is_named(tmp_path):
    job = make_job(tmp_path / "job")
    shot = job.manifest.shots[1]
    fill(job, [7, 9])
    assert names_of(job, shot) == (["frames/00000007.png", "frames/00000009.png"], [])
