"""GIF as video: times, what stays on the screen, what shows through."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from clips import cut, make_video

from vidstyle.errors import DamagedSourceError
from vidstyle.media.read.damage import whole_pictures
from vidstyle.media.read.open_source import open_source

RED, GREEN, BLUE, WHITE = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]
SIDE = 16
KEEP, CLEAR, RESTORE = 1, 2, 3
SEE_THROUGH = 3


def _gif(path: Path, pictures: list[tuple[int, int, tuple[int, int, int, int], int]]) -> Path:
    """Writes (delay in 1/100 s, disposal, (x, y, width, height), color index) each; index 3 is transparent."""
    palette = bytes([*RED, *GREEN, *BLUE, 9, 9, 9])
    data = b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0xF1, 0, 0) + palette
    for delay, disposal, (x, y, width, height), color in pictures:
        data += b"\x21\xf9\x04" + struct.pack("<BHB", disposal << 2 | 1, delay, SEE_THROUGH) + b"\x00"
        data += b"\x2c" + struct.pack("<HHHHB", x, y, width, height, 0) + b"\x02"
        # LZW that is emptied (code 4) before every pixel, so that codes stay three bits long; 5 is the end.
        codes = [code for _ in range(width * height) for code in (4, color)] + [5]
        bits = sum(code << 3 * place for place, code in enumerate(codes))
        packed = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
        for at in range(0, len(packed), 255):
            block = packed[at : at + 255]
            data += bytes([len(block)]) + block
        data += b"\x00"
    path.write_bytes(data + b"\x3b")
    return path


ALL = (0, 0, SIDE, SIDE)


def test_gif_pictures_come_as_browsers_show_them(tmp_path: Path) -> None:
    path = _gif(tmp_path / "a.gif", [(10, KEEP, ALL, 0), (25, RESTORE, (4, 4, 8, 8), 1), (7, CLEAR, (0, 0, 4, 4), 2),
                                     (50, KEEP, (8, 8, 8, 8), 2)])  # fmt: skip
    with open_source(path) as source:
        frames = list(source)
        assert source.notes == ["a.gif: has transparency; shown on white"]
    assert [f.pts * f.time_base for f in frames] == [Fraction(t, 100) for t in (0, 10, 35, 42)]
    shown = [[f.image[at, at].tolist() for at in (1, 6, 10)] for f in frames]
    assert shown == [[RED, RED, RED], [RED, GREEN, GREEN], [BLUE, RED, RED], [WHITE, RED, BLUE]]


def test_what_is_transparent_in_a_gif_is_white(tmp_path: Path) -> None:
    path = _gif(tmp_path / "a.gif", [(10, KEEP, (0, 0, 16, 8), 0), (10, KEEP, ALL, SEE_THROUGH)])
    with open_source(path) as source:
        for frame in source:
            assert [frame.image[at, at].tolist() for at in (1, 12)] == [RED, WHITE]
        assert source.notes == ["a.gif: has transparency; shown on white"]
    with open_source(_gif(tmp_path / "b.gif", [(10, KEEP, ALL, 0), (10, KEEP, ALL, SEE_THROUGH)])) as source:
        assert len(list(source)) == 2
        assert source.notes == []


@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_a_gif_that_is_cut_off_is_found_up_front(tmp_path: Path, share: float) -> None:
    path = cut(make_video(tmp_path / "a.gif", codec="gif", pix_fmt="rgb8"), share)
    found = whole_pictures(path)
    assert found is not None
    with pytest.raises(DamagedSourceError, match=rf"cut off: frame {found[0]} at {found[0] / 25:.2f} s"):
        open_source(path)
    with open_source(path, keep_going=True) as source:
        assert len(list(source)) in (found[0], found[0] + 1)
        assert "cut off" in source.notes[0]


def test_a_gif_without_trailer_or_with_a_comment_is_whole(tmp_path: Path) -> None:
    path = _gif(tmp_path / "a.gif", [(10, KEEP, ALL, 0)])
    data = path.read_bytes()
    for changed in (data, data[:-1], data[:-1] + b"\x21\xfe\x02hi\x00\x3b", data + b"padding"):
        path.write_bytes(changed)
        assert whole_pictures(path) is None
    path.write_bytes(data[:-1] + b"\x55" * 9)
    assert whole_pictures(path) == (1, Fraction(1, 10))


def test_zeros_in_place_of_the_trailer_are_no_damage(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "a.gif", frames=3, codec="gif", pix_fmt="rgb8").read_bytes()
    assert whole.endswith(b";")
    for end in (b"\0", b"\0" * 100):
        (tmp_path / "b.gif").write_bytes(whole[:-1] + end)
        assert whole_pictures(tmp_path / "b.gif") is None
    (tmp_path / "b.gif").write_bytes(whole[:-1] + b"\0\1")
    assert whole_pictures(tmp_path / "b.gif")[0] == 3
