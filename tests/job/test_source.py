"""The settings reach the source."""

from fractions import Fraction

from clips import make_folder, make_video, picture, write_raw

from vidstyle.job.source import open_with_settings
from vidstyle.settings import Settings


def test_a_video_is_opened_with_its_range_and_its_depth(tmp_path):
    path = make_video(tmp_path / "in.mkv", codec="ffv1", pix_fmt="yuv420p10le")
    with open_with_settings(path, Settings(frames=(3, 7)), largest_side_px=32) as source:
        assert source.info.bit_depth == 8
        assert [(frame.index, frame.image.shape) for frame in source] == [(k, (24, 32, 3)) for k in range(3, 7)]
    with open_with_settings(path, Settings(bit_depth="source")) as source:
        assert source.info.bit_depth == 10


def test_a_folder_is_opened_with_its_rate_and_the_depth_of_its_first_picture(tmp_path):
    folder = make_folder(tmp_path / "f", ["1.png", "2.png"])
    write_raw(folder / "0.png", picture(0).astype("uint16") * 257)
    with open_with_settings(folder, Settings(fps=Fraction(12), bit_depth="source")) as source:
        assert source.info.rate == 12
        assert source.info.bit_depth == 16
