"""What is particular to video files: colours, sizes, quality, and the check of what was written."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import frames_of, info_of, make_video, picture, sink_to, times_s, write_raw

from vidstyle.errors import OutputError
from vidstyle.media.images import read_image
from vidstyle.media.sinks import open_sink
from vidstyle.media.sources import open_source


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.mov", "o.webm", "o.avi"])
def test_colour_round_trip(place: Path, inputs: Path, name: str) -> None:
    solid = np.zeros((48, 64, 3), np.uint8)
    solid[:] = (200, 60, 90)
    smooth = picture(0)
    smooth[:, :, 2] = 255 - smooth[:, :, 0]
    with sink_to(place / name, inputs) as sink:
        for i, image in enumerate((solid, smooth, solid[:, :, ::-1])):
            sink.write(replace(frames_of()[i], image=np.ascontiguousarray(image)))
    with open_source(place / name) as source:
        for frame, want in zip(source, (solid, smooth, solid[:, :, ::-1]), strict=True):
            assert np.abs(frame.image.astype(int) - want).mean() < 2
            assert np.abs((frame.image.astype(int) - want).mean((0, 1))).max() < (2.0 if name == "o.webm" else 1.1)


def test_gif_colours(place: Path, inputs: Path) -> None:
    with sink_to(place / "o.gif", inputs) as sink:
        sink.write(frames_of()[5])
    with open_source(place / "o.gif") as source:
        assert np.abs(next(source).image.astype(int) - picture(5)).mean() < 6


def test_gif_takes_odd_sizes(place: Path, inputs: Path) -> None:
    with open_sink(place / "o.gif", "video", info_of(inputs), 65, 49, overwrite=False) as sink:
        sink.write(replace(frames_of()[0], image=picture(0, (65, 49))))
    with open_source(place / "o.gif") as source:
        assert (source.info.width, source.info.height) == (65, 49)


def test_still_source_as_video(place: Path, still: Path) -> None:
    with (
        open_source(still) as source,
        open_sink(place / "o.mp4", "video", source.info, 64, 48, overwrite=False) as sink,
    ):
        for frame in source:
            sink.write(frame)
    assert times_s(place / "o.mp4") == [0]


def test_crf_chooses_the_quality(place: Path, inputs: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (48, 64, 3), np.uint8)
    for suffix in (".mp4", ".webm"):
        sizes = []
        for crf in (5, 40):
            output = place / f"{crf}{suffix}"
            with open_sink(output, "video", info_of(inputs), 64, 48, overwrite=False, crf=crf) as sink:
                sink.write(replace(frames_of()[0], image=noise))
            sizes.append(output.stat().st_size)
        assert sizes[0] > 1.5 * sizes[1]


def test_disk_error_is_reported_and_cleaned(place: Path, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="No space left"), sink_to(place / "o.mp4", inputs) as sink:
        sink.write(frames_of()[0])
    assert list(place.iterdir()) == []


def test_count_is_checked(place: Path, inputs: Path) -> None:
    with pytest.raises(OutputError, match="holds 2 of 3 frames"), sink_to(place / "o.mp4", inputs) as sink:
        for frame in frames_of(2):
            sink.write(frame)
        sink.frames_written += 1
    assert list(place.iterdir()) == []


def test_write_raw_helper_is_lossless(tmp_path: Path) -> None:
    assert np.array_equal(read_image(write_raw(tmp_path / "a.png", picture(1))), picture(1))


def test_silent_video_source(place: Path, tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4")
    with open_source(path) as source, open_sink(place / "o.mp4", "video", source.info, 64, 48, overwrite=False) as sink:
        for frame in source:
            sink.write(frame)
    assert sink.notes == []
    assert times_s(place / "o.mp4") == [Fraction(i, 25) for i in range(12)]
