"""Frames for machines that see no disk of the first one's."""

from types import SimpleNamespace

import numpy as np
from clips import picture

from vidstyle.cluster.frame_store import StoredFrames
from vidstyle.frames import Frame
from vidstyle.method.coverage import Coverage
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
