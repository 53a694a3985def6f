"""The first look at an input."""

from fractions import Fraction

import pytest
from clips import cut, make_folder, make_video

from vidstyle.errors import DamagedSourceError
from vidstyle.media.read.open_source import open_source
from vidstyle.render.analysis import ANALYSIS_SIDE_PX, analyze


def surveyed(path, cuts="off", **options):
    with open_source(path, largest_side_px=ANALYSIS_SIDE_PX, **options) as source:
        return analyze(source, cuts)


def test_times_are_those_of_the_file(tmp_path):
    stamps = [100, 140, 141, 300]
    path = make_video(tmp_path / "in.mkv", frames=4, pts=stamps, time_base=Fraction(1, 1000))
    seen = surveyed(path)
    assert seen.timestamps == tuple(stamps)
    assert (seen.cuts, seen.notes) == ((), ())


def test_a_range_is_looked_at_alone_and_times_of_cuts_count_from_the_films_start(tmp_path):
    path = make_video(tmp_path / "in.mp4", frames=20)
    (tmp_path / "cuts.txt").write_text("3\n0.32s\n12\n19\n")
    seen = surveyed(path, str(tmp_path / "cuts.txt"), frames=(5, 15))
    assert len(seen.timestamps) == 10
    assert seen.cuts == (3, 7)


def test_pictures_are_glanced_at(tmp_path):
    path = make_video(tmp_path / "in.mp4", size=(640, 360), frames=2)
    with open_source(path, largest_side_px=ANALYSIS_SIDE_PX) as source:
        assert (source.info.width, source.info.height) == (640, 360)
        assert next(source).image.shape == (144, 256, 3)
    folder = make_folder(tmp_path / "frames", ["a.png"], (100, 400))
    with open_source(folder, largest_side_px=ANALYSIS_SIDE_PX) as source:
        assert next(source).image.shape == (256, 64, 3)


def test_progress_is_told(tmp_path):
    told = []
    with open_source(make_video(tmp_path / "in.mp4", frames=3)) as source:
        analyze(source, "auto", lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_damage_is_found_before_anything_is_painted(tmp_path):
    path = make_video(tmp_path / "in.mkv", frames=60)
    cut(path, 0.5)
    with pytest.raises(DamagedSourceError):
        surveyed(path)
    seen = surveyed(path, keep_going=True)
    assert 5 < len(seen.timestamps) < 60
    assert "cut off" in seen.notes[0]


def test_skipping_counts_frames_like_reading(tmp_path):
    path = make_video(tmp_path / "in.mp4", frames=8)
    folder = make_folder(tmp_path / "frames", [f"{k}.png" for k in range(8)])
    for source_path in (path, folder):
        with open_source(source_path, frames=(1, 7)) as source:
            source.skip()
            source.skip()
            assert next(source).index == 3
            for _ in range(3):
                source.skip()
            with pytest.raises(StopIteration):
                source.skip()
    (folder / "2.png").write_bytes(b"no picture")
    with open_source(folder, keep_going=True) as source:
        source.skip()
        source.skip()
        source.skip()
        assert next(source).index == 4
