"""What every source promises, whatever is opened, and bad inputs with a message of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import level, make_folder, make_sound, make_video, picture, write_raw

from vidstyle.errors import DamagedSourceError, SettingsError, SourceError
from vidstyle.frames import Frame
from vidstyle.media.read.open_source import VideoSource, open_source, stored_bits

H264_LOSSLESS = {"crf": "0", "preset": "ultrafast"}


def _frames(path: Path, **options: object) -> list[Frame]:
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        return list(source)


def _video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.mp4")


def _folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "folder", [f"f{i}.png" for i in range(1, 13)])


def _pattern(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pattern", [f"f.{i:04d}.png" for i in range(7, 19)]) / "f.%04d.png"


def _gif(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.gif", codec="gif", pix_fmt="rgb8")


MAKERS = [_video, _folder, _pattern, _gif]


@pytest.mark.parametrize("make", MAKERS)
class TestEverySource:
    """What a source promises, whatever it reads."""

    def test_yields_all_frames_in_order(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        frames = _frames(make(tmp_path))
        assert [f.index for f in frames] == list(range(12))
        if make is not _gif:
            assert [level(f.image) for f in frames] == list(range(12))

    def test_frames_are_rgb_of_the_size_told(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        with open_source(make(tmp_path)) as source:
            frame = next(source)
            assert frame.image.shape == (source.info.height, source.info.width, 3) == (48, 64, 3)
            assert frame.image.dtype == np.uint8
            assert frame.image.flags.c_contiguous
            assert frame.time_base == source.info.time_base

    def test_time_advances_by_the_rate(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        times = [f.pts * f.time_base for f in _frames(make(tmp_path))]
        assert times == [Fraction(i, 25) for i in range(12)]

    def test_range_is_half_open(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        with open_source(make(tmp_path), frames=(3, 6)) as source:
            frames = list(source)
            assert source.info.range_start == 3
            assert source.info.range_stop == 6
            assert source.info.frame_count in (3, None)
        assert [f.index for f in frames] == [3, 4, 5]
        assert [f.pts * f.time_base for f in frames] == [Fraction(i, 25) for i in (3, 4, 5)]

    def test_range_beyond_the_end_gives_what_there_is(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        assert [f.index for f in _frames(make(tmp_path), frames=(10, 99))] == [10, 11]

    def test_empty_range_tells_how_many_frames_there_are(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        with pytest.raises(SourceError, match=r"has 12 frames \(0 to 11\), so none from 12 on"):
            _frames(make(tmp_path), frames=(12, None))

    def test_end_stays_the_end(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        with open_source(make(tmp_path)) as source:
            assert len(list(source)) == 12
            assert next(source, None) is None

    def test_close_ends_it_and_may_be_repeated(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        source = open_source(make(tmp_path))
        next(source)
        source.close()
        source.close()
        assert next(source, None) is None

    def test_healthy_input_has_no_notes(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        for keep_going in (False, True):
            with open_source(make(tmp_path), keep_going=keep_going) as source:
                assert len(list(source)) == 12
                assert source.notes == []


def test_exact_times_24000_1001(tmp_path: Path) -> None:
    path = make_video(tmp_path / "film.mp4", rate=Fraction(24000, 1001))
    with open_source(path) as source:
        assert source.info.rate == Fraction(24000, 1001)
        assert source.info.frame_count == 12
        assert [f.pts * f.time_base for f in source] == [Fraction(1001 * i, 24000) for i in range(12)]


def test_variable_rate_times_are_kept(tmp_path: Path) -> None:
    pts = [0, 20, 40, 100, 101, 500, 520, 700, 710, 1000]
    path = make_video(tmp_path / "vfr.mp4", frames=10, pts=pts, time_base=Fraction(1, 1000))
    assert [f.pts * f.time_base for f in _frames(path)] == [Fraction(p, 1000) for p in pts]


def test_start_other_than_zero_is_kept(tmp_path: Path) -> None:
    path = make_video(tmp_path / "late.mkv", pts=[i * 40 + 5000 for i in range(12)], time_base=Fraction(1, 1000))
    times = [f.pts * f.time_base for f in _frames(path)]
    assert times == [5 + Fraction(i, 25) for i in range(12)]


def test_b_frames_come_in_display_order(tmp_path: Path) -> None:
    path = make_video(tmp_path / "b.mp4", options={"crf": "4", "bf": "3", "b-adapt": "0"})
    with av.open(str(path)) as container:
        stored = [p.pts for p in container.demux(video=0) if p.size]
    assert stored != sorted(stored)
    frames = _frames(path)
    assert [level(f.image) for f in frames] == list(range(12))
    assert [f.pts * f.time_base for f in frames] == [Fraction(i, 25) for i in range(12)]


@pytest.mark.parametrize(("codec", "bf"), [("mpeg4", "0"), ("mpeg4", "2"), ("libx264", "0"), ("libx264", "2")])
def test_avi_times_are_counted(tmp_path: Path, codec: str, bf: str) -> None:
    path = make_video(tmp_path / "clip.avi", codec=codec, options={"bf": bf, "b": "8000000"}, audio="pcm_s16le")
    with open_source(path) as source:
        frames = list(source)
        assert source.notes == []
    assert [f.pts * f.time_base for f in frames] == [Fraction(i, 25) for i in range(12)]
    assert [level(f.image) for f in frames] == list(range(12))


def test_odd_size(tmp_path: Path) -> None:
    path = make_video(tmp_path / "odd.mkv", size=(65, 49), codec="ffv1", pix_fmt="yuv444p")
    frames = _frames(path)
    assert {f.image.shape for f in frames} == {(49, 65, 3)}
    assert np.abs(frames[3].image.astype(int) - picture(3, (65, 49))).mean() < 2


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (-90, 3), (180, 2)])
def test_rotation_is_applied(tmp_path: Path, degrees: int, turns: int) -> None:
    path = make_video(tmp_path / "turned.mp4", rotation=degrees, options=H264_LOSSLESS, aspect=Fraction(4, 3))
    with open_source(path) as source:
        frames = list(source)
        want = np.rot90(picture(4), turns)
        assert (source.info.height, source.info.width) == want.shape[:2]
        assert source.info.sample_aspect_ratio == (Fraction(3, 4) if turns % 2 else Fraction(4, 3))
    assert np.abs(frames[4].image.astype(int) - want).mean() < 3
    assert frames[4].image.flags.c_contiguous


@pytest.mark.parametrize(
    ("size", "tag", "kr", "kb"),
    [
        ((64, 48), None, 0.299, 0.114),
        ((64, 720), None, 0.2126, 0.0722),
        ((64, 48), 1, 0.2126, 0.0722),
        ((64, 48), 6, 0.299, 0.114),
        ((64, 720), 5, 0.299, 0.114),
        ((64, 48), 9, 0.2627, 0.0593),
    ],
)
def test_color_matrix(tmp_path: Path, size: tuple[int, int], tag: int | None, kr: float, kb: float) -> None:
    y, cb, cr = 120, 100, 160
    width, height = size
    path = tmp_path / "color.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        if tag is not None:
            stream.codec_context.colorspace = tag
        planes = np.zeros((3, height, width), np.uint8)
        planes[0], planes[1], planes[2] = y, cb, cr
        frame = av.VideoFrame.from_ndarray(planes, format="yuv444p")
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    luma, blue, red = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    got = _frames(path)[0].image[height // 2, width // 2].astype(float)
    assert np.abs(got - np.array([r, g, b]) * 255).max() <= 1.0


def test_sample_aspect_ratio(tmp_path: Path) -> None:
    with open_source(make_video(tmp_path / "wide.mp4", aspect=Fraction(16, 11))) as source:
        assert source.info.sample_aspect_ratio == Fraction(16, 11)


def test_unknown_frame_count_stays_unknown(tmp_path: Path) -> None:
    with open_source(make_video(tmp_path / "clip.mkv")) as source:
        assert source.info.frame_count is None
        assert len(list(source)) == 12


def test_repeated_timestamps_move_forward(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mkv", codec="mjpeg", pix_fmt="yuvj420p", pts=[0, 40, 80, 120], frames=4,
                      time_base=Fraction(1, 1000))  # fmt: skip
    data = path.read_bytes()
    # The third block's relative time, two bytes after its track number, becomes the second's.
    at = data.index(b"\x81\x00\x50\x80")
    path.write_bytes(data[:at] + b"\x81\x00\x28\x80" + data[at + 4 :])
    with open_source(path) as source:
        assert [f.pts for f in source] == [0, 40, 41, 120]
        assert len(source.notes) == 1
        assert "first at frame 2" in source.notes[0]


def test_gif_is_a_video(tmp_path: Path) -> None:
    with open_source(_gif(tmp_path)) as source:
        assert isinstance(source, VideoSource)
        assert source.info.kind == "video"


def test_still(still: Path) -> None:
    with open_source(still) as source:
        frames = list(source)
        assert source.info.kind == "still"
        assert source.info.rate is None
        assert source.info.frame_count == 1
    assert [(f.index, f.pts, f.name) for f in frames] == [(0, 0, "still")]
    assert np.array_equal(frames[0].image, picture(3))


def test_folder_natural_order_names_and_strangers(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "Aufnahme 雪", ["f2.png", "f10.png", "f1.png", "é9.png"])
    (folder / "notes.txt").write_text("x")
    (folder / "._f1.png").write_bytes(b"resource fork")
    (folder / "sub.png").mkdir()
    frames = _frames(folder)
    assert [f.name for f in frames] == ["f1", "f2", "f10", "é9"]
    assert [level(f.image) for f in frames] == [2, 0, 1, 3]


def test_folder_fps(frame_folder: Path) -> None:
    with open_source(frame_folder, fps=Fraction(24000, 1001)) as source:
        assert source.info.kind == "frames"
        assert source.info.rate == Fraction(24000, 1001)
        assert source.info.time_base == Fraction(1001, 24000)
        assert source.info.frame_count == 12
        assert [f.pts for f in source] == list(range(12))


def test_folder_same_stem_twice_keeps_names_apart(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "f", ["a.png", "a.jpg", "b.png"])
    assert sorted(f.name for f in _frames(folder)) == ["a.jpg", "a.png", "b"]


def test_pattern_with_gaps_and_any_start(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", ["s.0007.png", "s.0003.png", "s.12345.png", "s.07.png", "s.0003.jpg", "x.png"])
    with open_source(folder / "s.%04d.png") as source:
        assert source.info.frame_count == 3
        assert [(f.index, f.name) for f in source] == [(0, "s.0003"), (1, "s.0007"), (2, "s.12345")]


def test_pattern_without_width(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", ["10.png", "9.png", "8a.png"])
    assert [f.name for f in _frames(folder / "%d.png")] == ["9", "10"]


def test_literal_name_wins_over_pattern(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", ["s%02d.png", "s01.png", "s02.png"])
    with open_source(folder / "s%02d.png") as source:
        assert source.info.kind == "still"


@pytest.mark.parametrize("name", ["s%02d.png", "%d_%d.png", "s%03d.txt"])
def test_pattern_that_finds_nothing(tmp_path: Path, name: str) -> None:
    make_folder(tmp_path / "p", ["t01.png"])
    with pytest.raises(SourceError, match="pattern"):
        open_source(tmp_path / "p" / name)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp"])
def test_folder_of_different_sizes_is_refused_up_front(tmp_path: Path, suffix: str) -> None:
    folder = make_folder(tmp_path / "f", [f"f1.{suffix}", f"f2.{suffix}"])
    write_raw(folder / f"f3.{suffix}", picture(2, (32, 48)))
    with pytest.raises(SourceError, match=rf"f3.{suffix}: 32x48 pixels, but f1.{suffix} has 64x48"):
        open_source(folder)
    assert [f.index for f in _frames(folder, frames=(0, 2))] == [0, 1]


@pytest.mark.parametrize("keep_going", [False, True])
def test_damaged_picture_in_folder(frame_folder: Path, keep_going: bool) -> None:
    (frame_folder / "f4.png").write_bytes((frame_folder / "f4.png").read_bytes()[:-40])
    with open_source(frame_folder, keep_going=keep_going) as source:
        if keep_going:
            assert [f.index for f in source] == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]
            assert source.notes == ["f4.png: frame 3 cannot be read and was left out"]
        else:
            with pytest.raises(DamagedSourceError, match=r"frame 3: .*f4\.png.*cut off"):
                list(source)


@pytest.mark.parametrize(
    ("fps", "frames"),
    [(Fraction(0), (0, None)), (Fraction(-1), (0, None)), (Fraction(1001), (0, None)), (None, (-1, None)),
     (None, (3, 3)), (None, (3, 2))],
)  # fmt: skip
def test_impossible_settings(frame_folder: Path, fps: Fraction | None, frames: tuple[int, int | None]) -> None:
    with pytest.raises(SettingsError):
        open_source(frame_folder, fps=fps, frames=frames)


def test_fps_is_for_folders(clip: Path, still: Path) -> None:
    for path in (clip, still):
        with pytest.raises(SettingsError, match="has its own timing"):
            open_source(path, fps=Fraction(25))


def test_name_that_looks_like_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "concat_a%03d 雪.mp4" if os.name == "nt" else "pipe:1%d 雪.mp4"
    make_video(tmp_path / "x.mp4").rename(tmp_path / name)
    assert len(_frames(Path(name))) == 12


def test_no_file_stays_open(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4")
    with open_source(path) as source:
        next(source)
    path.rename(tmp_path / "moved.mp4")  # Windows refuses this while a handle is open
    if Path("/proc/self/fd").is_dir():
        held = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
        assert not [name for name in held if str(tmp_path) in name]


def test_missing_numbers_are_noted(tmp_path: Path) -> None:
    make_folder(tmp_path / "in", [f"a.{k:03}.png" for k in (7, 8, 11, 12, 20)])
    with open_source(tmp_path / "in" / "a.%03d.png") as source:
        assert source.notes == [
            "a.%03d.png: 9 numbers are missing (the first is 9); the frames around them follow each other"
        ]
    with open_source(tmp_path / "in" / "a.%03d.png", frames=(2, 4)) as source:
        assert source.notes == []
    with open_source(tmp_path / "in") as source:
        assert source.notes == ["in: 9 numbers are missing (the first is 9); the frames around them follow each other"]
    make_folder(tmp_path / "in", ["b.030.png"])
    with open_source(tmp_path / "in") as source:  # names that differ in more than their numbers are no sequence
        assert source.notes == []


def test_a_fragmented_mp4_is_not_taken_at_its_word(tmp_path):
    path = make_video(tmp_path / "f.mp4", frames=50, container={"movflags": "frag_keyframe"}, options={"g": "10"})
    with open_source(path, frames=(30, None)) as source:
        assert source.info.frame_count is None
        assert [frame.index for frame in source] == list(range(30, 50))


@pytest.mark.parametrize(
    ("pix_fmt", "bits"), [("yuv420p", 8), ("yuv422p10le", 10), ("gbrp12le", 12), ("gray16le", 16), ("bgr0", 8)]
)
def test_of_a_video(tmp_path: Path, pix_fmt: str, bits: int) -> None:
    assert stored_bits(make_video(tmp_path / "a.mkv", frames=1, codec="ffv1", pix_fmt=pix_fmt)) == bits


@pytest.mark.parametrize(("kind", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_of_a_picture(tmp_path: Path, kind: type, bits: int) -> None:
    for name in ("a.png", "a.tif"):
        cv2.imwrite(str(tmp_path / name), np.zeros((16, 16, 3), kind))
        assert stored_bits(tmp_path / name) == bits


def test_of_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    assert stored_bits(tmp_path / "a.mp4") == stored_bits(tmp_path / "none.mp4") == 8


def _missing(folder: Path) -> Path:
    return folder / "none.mp4"


def _empty(folder: Path) -> Path:
    (folder / "a.mp4").touch()
    return folder / "a.mp4"


def _no_images(folder: Path) -> Path:
    (folder / "a.txt").write_text("x")
    return folder


def _garbage(folder: Path) -> Path:
    (folder / "a.mp4").write_bytes(np.random.default_rng(0).integers(0, 255, 5000, np.uint8).tobytes())
    return folder / "a.mp4"


def _text(folder: Path) -> Path:
    (folder / "a.txt").write_text("some text\n" * 50)
    return folder / "a.txt"


def _playlist(folder: Path) -> Path:
    clip = make_video(folder / "b.mp4")
    (folder / "a.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip.name}\n#EXT-X-ENDLIST\n")
    return folder / "a.m3u8"


def _picture_as_video(folder: Path) -> Path:
    return write_raw(folder / "a.png", picture(0)).rename(folder / "a.mp4")


def _sound(folder: Path) -> Path:
    return make_sound(folder / "a.m4a")


def _covered_sound(folder: Path) -> Path:
    return make_sound(folder / "a.mp4", cover=True)


def _small(folder: Path) -> Path:
    return make_video(folder / "a.mkv", size=(64, 14))


def _small_still(folder: Path) -> Path:
    return write_raw(folder / "a.png", picture(0, (15, 64)))


def _undecodable(folder: Path) -> Path:
    path = make_video(folder / "a.mp4", codec="mpeg4", options={"g": "1"})
    with av.open(str(path)) as container:
        places = [(e.pos, e.size) for e in container.streams.video[0].index_entries]
    data = bytearray(path.read_bytes())
    for pos, size in places:
        data[pos : pos + size] = b"\x55" * size
    path.write_bytes(bytes(data))
    return path


def _no_moov(folder: Path) -> Path:
    path = make_video(folder / "a.mp4", frames=25, size=(128, 96))
    path.write_bytes(path.read_bytes()[:-600])
    return path


BAD = [
    (_missing, "no such file"),
    (_empty, "empty"),
    (_no_images, "no image in this folder"),
    (_garbage, "not a video that can be read"),
    (_text, "not a video"),
    (_playlist, "not a video"),
    (_picture_as_video, "not a video"),
    (_sound, "holds sound but no video"),
    (_covered_sound, "holds sound but no video"),
    (_small, r"too small \(64x14 pixels; at least 16"),
    (_small_still, r"too small \(15x64 pixels; at least 16"),
    (_undecodable, "frame"),
    (_no_moov, "cut off before its index"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
@pytest.mark.parametrize("keep_going", [False, True])
def test_bad_input_has_its_own_message(
    tmp_path: Path, make: Callable[[Path], Path], message: str, keep_going: bool
) -> None:
    path = make(tmp_path)
    with pytest.raises(SourceError, match=message) as caught:
        open_source(path, keep_going=keep_going)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("name", ["-", "http://example.org/a.mp4", "https://example.org/a.mp4", "rtsp://x/y"])
def test_pipes_and_addresses(name: str) -> None:
    with pytest.raises(SourceError, match="pipes and addresses"):
        open_source(Path(name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_named_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        open_source(tmp_path / "pipe")
