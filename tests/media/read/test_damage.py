"""Files that are cut off or damaged, with and without `keep_going`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import cut, level, make_video
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import DamagedSourceError
from vidstyle.media.read.damage import whole_pictures
from vidstyle.media.read.open_source import open_source
from vidstyle.media.timestamps import FrameClock

INTRA = {"g": "1", "bf": "0"}


def _mp4(folder: Path, audio: str | None = "aac") -> Path:
    path = folder / "a.mp4"
    return make_video(path, frames=15, audio=audio, options=INTRA, container={"movflags": "+faststart"})


def _mkv(folder: Path, audio: str | None = "aac") -> Path:
    return make_video(folder / "a.mkv", frames=15, audio=audio, options=INTRA)


def _webm(folder: Path, audio: str | None = "libopus") -> Path:
    options = {"g": "1", "cpu-used": "8"}
    return make_video(folder / "a.webm", frames=15, audio=audio, codec="libvpx-vp9", options=options)


def _avi(folder: Path, audio: str | None = "pcm_s16le") -> Path:
    return make_video(folder / "a.avi", frames=15, audio=audio, codec="mpeg4", options={"g": "1", "b": "8000000"})


MAKERS = [_mp4, _mkv, _webm, _avi]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("sound", [True, False])
class TestCutOff:
    """A file of which 60 % are left."""

    def _make(self, make: Callable[..., Path], folder: Path, sound: bool) -> Path:
        return make(folder) if sound else make(folder, audio=None)

    def test_whole_file_is_not_accused(self, tmp_path: Path, make: Callable[..., Path], sound: bool) -> None:
        with open_source(self._make(make, tmp_path, sound)) as source:
            assert len(list(source)) == 15
            assert source.notes == []

    def test_error_comes_up_front_and_names_the_frame(
        self, tmp_path: Path, make: Callable[..., Path], sound: bool
    ) -> None:
        path = cut(self._make(make, tmp_path, sound), 0.6)
        with pytest.raises(DamagedSourceError, match=r"cut off: frame \d+ .*at 0\.\d\d s .*--keep-going"):
            open_source(path)

    def test_keep_going_yields_what_is_there(self, tmp_path: Path, make: Callable[..., Path], sound: bool) -> None:
        path = cut(self._make(make, tmp_path, sound), 0.6)
        with open_source(path, keep_going=True) as source:
            levels = [level(frame.image) for frame in source]
            assert source.info.frame_count is None
            assert "cut off at about frame" in source.notes[0]
        assert 2 <= len(levels) < 15
        assert levels == list(range(len(levels)))


def test_range_before_the_damage_is_no_error(tmp_path: Path) -> None:
    path = cut(make_video(tmp_path / "a.mp4", frames=60, options=INTRA, container={"movflags": "+faststart"}), 0.9)
    with open_source(path, frames=(0, 20)) as source:
        assert len(list(source)) == 20
        assert source.notes == []
    with pytest.raises(DamagedSourceError):
        open_source(path, frames=(0, 58))


def _spoil(path: Path, frames: list[int]) -> Path:
    """Overwrites whole frames of an MP4 with rubbish."""
    with av.open(str(path)) as container:
        places = [(e.pos, e.size) for e in container.streams.video[0].index_entries]
    data = bytearray(path.read_bytes())
    for frame in frames:
        pos, size = places[frame]
        data[pos : pos + size] = b"\x55" * size
    path.write_bytes(bytes(data))
    return path


def test_damage_in_the_middle_names_the_frame(tmp_path: Path) -> None:
    path = _spoil(_mp4(tmp_path), [7])
    with open_source(path) as source, pytest.raises(DamagedSourceError, match=r"frame \d+ at 0\.\d\d s .*--keep-going"):
        list(source)


def test_damage_in_the_middle_keep_going(tmp_path: Path) -> None:
    path = _spoil(_mp4(tmp_path), [7, 8])
    with open_source(path, keep_going=True) as source:
        frames = list(source)
        assert source.notes == [
            "a.mp4: 2 damaged frames were left out (first: frame 7 at 0.28 s); 13 of 15 could be decoded"
        ]
    assert [level(f.image) for f in frames] == [*range(7), *range(9, 15)]
    assert [f.index for f in frames] == list(range(13))
    assert [f.pts * f.time_base for f in frames] == [Fraction(i, 25) for i in (*range(7), *range(9, 15))]


@pytest.mark.parametrize("share", np.linspace(0.02, 0.98, 9).round(2).tolist())
@pytest.mark.parametrize("make", MAKERS)
def test_any_cut_is_reported_or_harmless(tmp_path: Path, make: Callable[..., Path], share: float) -> None:
    """Nothing but the project's errors escapes, and frames never go missing without a word."""
    path = cut(make(tmp_path), share)
    try:
        with open_source(path) as source:
            assert len(list(source)) == 15
    except OSError as error:
        assert type(error).__module__ == "vidstyle.errors"


@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), max_size=40), st.fractions(Fraction(1, 3), 20))
def test_clock_is_strictly_increasing(stamps: list[int | None], step: Fraction) -> None:
    clock = FrameClock(step)
    out = [clock.stamp(stamp) for stamp in stamps]
    assert all(a < b for a, b in pairwise(out))
    assert clock.invented == stamps.count(None)


@given(st.lists(st.integers(-(10**12), 10**12), unique=True, max_size=40))
def test_clock_leaves_good_timestamps_alone(stamps: list[int]) -> None:
    clock = FrameClock(Fraction(7))
    assert [clock.stamp(s) for s in sorted(stamps)] == sorted(stamps)
    assert clock.nudged == 0


@given(st.fractions(1, 5000, max_denominator=1001), st.integers(0, 500))
def test_clock_invents_times_without_drift(step: Fraction, count: int) -> None:
    clock = FrameClock(step)
    last = [clock.stamp(None) for _ in range(count + 1)][-1]
    assert abs(last - step * count) <= Fraction(1, 2)


def test_clock_nudges_and_counts() -> None:
    clock = FrameClock(Fraction(40))
    assert [clock.stamp(s) for s in (0, 40, 40, 20, 120)] == [0, 40, 41, 42, 120]
    assert clock.nudged == 2


def test_pictures_that_the_decoder_patches_are_counted(tmp_path: Path) -> None:
    grain = np.random.default_rng(0)
    images = [grain.integers(0, 256, (96, 128, 3), dtype=np.uint8) for _ in range(20)]
    options = {"g": "10", "bf": "0", "sc_threshold": "0"}
    whole = make_video(tmp_path / "whole.mkv", images=images, size=(128, 96), options=options)
    with av.open(str(whole)) as source, av.open(str(tmp_path / "spoilt.mkv"), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            data = bytearray(bytes(packet))
            if not data:
                continue
            if packet.pts == 14 * 40:
                data[len(data) // 2 : len(data) // 2 + 8] = b"\xaa" * 8
            copy = av.Packet(bytes(data))
            copy.pts, copy.dts, copy.time_base, copy.stream = packet.pts, packet.dts, packet.time_base, stream
            copy.is_keyframe = packet.is_keyframe
            output.mux(copy)
    with open_source(tmp_path / "spoilt.mkv") as video:
        assert len(list(video)) == 20
        assert video.notes == ["spoilt.mkv: frame 14 was damaged and patched up by the decoder"]


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
