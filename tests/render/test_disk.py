"""How much room a render takes."""

import pytest

from vidstyle.media.write.codecs import CODECS, Encoding
from vidstyle.render.disk import free_bytes, render_bytes, video_bytes

H264 = Encoding("h264", "yuv420p", 16, "medium")


def test_every_codec_has_its_figure_and_better_quality_takes_more():
    for name, codec in CODECS.items():
        usual = Encoding(name, "yuv420p", codec.crf, None)
        assert video_bytes(usual, 1000, 10) > 0
        if codec.crf is not None:
            better = Encoding(name, "yuv420p", codec.crf - 8, None)
            assert video_bytes(better, 1000, 10) > 1.2 * video_bytes(usual, 1000, 10)


def test_a_video_takes_its_size_several_times_and_a_segment_of_frames():
    assert video_bytes(H264, 640 * 360, 1000) == pytest.approx(0.45 / 8 * 640 * 360 * 1000)
    beside = render_bytes(H264, 640 * 360, 1000, is_png=True, is_elsewhere=False)
    assert beside == pytest.approx(2.5 * 0.45 / 8 * 640 * 360 * 1000 + 240 * 2.2 * 640 * 360)
    assert render_bytes(H264, 640 * 360, 1000, is_png=True, is_elsewhere=True) > beside


def test_a_folder_takes_its_frames_and_in_another_format_twice():
    as_png = render_bytes(None, 1000, 50, is_png=True, is_elsewhere=False)
    assert as_png == 110_000
    assert render_bytes(None, 1000, 50, is_png=False, is_elsewhere=False) == 2 * as_png
    assert render_bytes(None, 1000, 50, is_png=True, is_elsewhere=False, is_recolored=True) == 2 * as_png


def test_room_is_asked_of_the_nearest_folder_that_is_there(tmp_path):
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.1)
