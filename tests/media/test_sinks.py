"""Every kind of sink: what it writes, what it refuses, and that it leaves nothing half done."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import frames_of, info_of, level, make_folder, picture, sink_to, times_s

from vidstyle.errors import DamagedSourceError, OutputError
from vidstyle.media.images import IMAGE_SUFFIXES, read_image
from vidstyle.media.sinks import VIDEO_SUFFIXES, Sink, open_sink, output_kind
from vidstyle.media.sources import open_source


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.mov", "o.webm", "o.avi", "o.gif", "folder", "o.png", "o.jpg"])
class TestEverySink:
    """What a sink promises, whatever it writes."""

    def _count(self, name: str) -> int:
        return 1 if name in ("o.png", "o.jpg") else 12

    def _write(self, output: Path, inputs: Path, overwrite: bool = False) -> Sink:
        with sink_to(output, inputs, overwrite) as sink:
            for frame in frames_of(self._count(output.name)):
                sink.write(frame)
        return sink

    def test_writes_every_frame(self, place: Path, inputs: Path, name: str) -> None:
        sink = self._write(place / name, inputs)
        assert sink.frames_written == self._count(name)
        assert sink.notes == []
        with open_source(place / name) as source:
            levels = [level(f.image) for f in source]
        tolerance = 1 if name == "o.gif" else 0
        assert len(levels) == self._count(name)
        assert all(abs(got - i) <= tolerance for i, got in enumerate(levels))

    def test_leaves_nothing_beside_the_output(self, place: Path, inputs: Path, name: str) -> None:
        self._write(place / name, inputs)
        assert [p.name for p in place.iterdir()] == [name]

    def test_output_appears_only_at_the_end(self, place: Path, inputs: Path, name: str) -> None:
        with sink_to(place / name, inputs) as sink:
            sink.write(frames_of()[0])
            assert not (place / name).exists()
        assert (place / name).exists()

    @pytest.mark.parametrize("after", [0, 5])
    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, DamagedSourceError, OSError])
    def test_exception_leaves_no_trace_and_passes_through(
        self, place: Path, inputs: Path, name: str, after: int, error: type[BaseException]
    ) -> None:
        with pytest.raises(error) as caught, sink_to(place / name, inputs) as sink:
            for frame in frames_of(min(after, self._count(name))):
                sink.write(frame)
            raise error("stop")
        assert type(caught.value) is error
        assert list(place.iterdir()) == []

    def test_exception_leaves_the_old_output(self, place: Path, inputs: Path, name: str) -> None:
        self._write(place / name, inputs)
        before = _snapshot(place)
        with pytest.raises(RuntimeError), sink_to(place / name, inputs, overwrite=True) as sink:
            sink.write(frames_of()[0])
            raise RuntimeError
        assert _snapshot(place) == before

    def test_existing_output_needs_overwrite(self, place: Path, inputs: Path, name: str) -> None:
        self._write(place / name, inputs)
        before = _snapshot(place)
        with pytest.raises(OutputError, match=r"--overwrite") as caught:
            sink_to(place / name, inputs)
        assert name in str(caught.value)
        assert _snapshot(place) == before
        self._write(place / name, inputs, overwrite=True)

    def test_same_frames_same_bytes(self, place: Path, inputs: Path, name: str) -> None:
        self._write(place / name, inputs)
        first = _snapshot(place)
        self._write(place / name, inputs, overwrite=True)
        assert _snapshot(place) == first

    def test_no_frame_is_an_error(self, place: Path, inputs: Path, name: str) -> None:
        with pytest.raises(OutputError, match="no frame to write"), sink_to(place / name, inputs):
            pass
        assert list(place.iterdir()) == []

    def test_missing_parent_folder(self, place: Path, inputs: Path, name: str) -> None:
        with pytest.raises(OutputError, match="no such folder"):
            sink_to(place / "none" / name, inputs)
        assert list(place.iterdir()) == []

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
    def test_folder_not_writable(self, place: Path, inputs: Path, name: str) -> None:
        place.chmod(0o500)
        with pytest.raises(OutputError, match="not writable"):
            sink_to(place / name, inputs)

    def test_opening_creates_nothing(self, place: Path, inputs: Path, name: str) -> None:
        sink_to(place / name, inputs)
        assert list(place.iterdir()) == []

    def test_wrong_shape(self, place: Path, inputs: Path, name: str) -> None:
        with pytest.raises(ValueError, match="uint8"), sink_to(place / name, inputs) as sink:
            sink.write(replace(frames_of()[0], image=np.zeros((48, 64), np.uint8)))
        assert list(place.iterdir()) == []

    def test_write_outside_the_block(self, place: Path, inputs: Path, name: str) -> None:
        sink = sink_to(place / name, inputs)
        if self._count(name) == 12:
            with pytest.raises(ValueError, match="outside"):
                sink.write(frames_of()[0])
        assert list(place.iterdir()) == []

    def test_unicode_name(self, place: Path, inputs: Path, name: str) -> None:
        target = place / f"Gemälde 雪 %03d {name}"
        self._count = lambda _: 1  # type: ignore[method-assign]
        self._write(target, inputs)
        assert [p.name for p in place.iterdir()] == [target.name]

    def test_caller_may_reuse_the_array(self, place: Path, inputs: Path, name: str) -> None:
        if self._count(name) == 1:
            pytest.skip("one frame only")
        canvas = picture(0)
        with sink_to(place / name, inputs) as sink:
            for frame in frames_of():
                canvas[:] = frame.image
                sink.write(replace(frame, image=canvas))
        with open_source(place / name) as source:
            assert all(abs(level(f.image) - f.index) <= (name == "o.gif") for f in source)


def _snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_output_kind(tmp_path: Path) -> None:
    for suffix in VIDEO_SUFFIXES:
        assert output_kind(f"a{suffix}") == output_kind(f"a{suffix.upper()}") == "video"
    for suffix in IMAGE_SUFFIXES:
        assert output_kind(f"a{suffix}") == "still"
    assert output_kind("a/") == output_kind("a.mp4/") == output_kind(f"a{os.sep}") == "frames"
    (tmp_path / "x.mp4").mkdir()
    assert output_kind(str(tmp_path / "x.mp4")) == "frames"


@pytest.mark.parametrize("name", ["a", "a.txt", "mp4", ".mp4", ""])
def test_output_kind_unknown_lists_what_is_known(name: str) -> None:
    if name == "":
        assert output_kind("") == "frames"  # Path("") is the current folder
        return
    with pytest.raises(OutputError) as caught:
        output_kind(name)
    assert all(suffix in str(caught.value) for suffix in (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES))


def test_constants() -> None:
    assert VIDEO_SUFFIXES == (".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif")


@pytest.mark.parametrize("how", ["same", "dots", "symlink", "hardlink"])
def test_output_is_the_input(tmp_path: Path, silent_clip: Path, how: str) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(silent_clip.read_bytes())
    (tmp_path / "sub").mkdir()
    output = {"same": source, "dots": tmp_path / "sub" / ".." / "in.mp4"}.get(how, tmp_path / "other.mp4")
    if how == "symlink":
        output.symlink_to(source)
    if how == "hardlink":
        output.hardlink_to(source)
    info = info_of(source, kind="video")
    with pytest.raises(OutputError, match="is the input itself"):
        open_sink(output, "video", info, 64, 48, overwrite=True)
    assert source.read_bytes() == silent_clip.read_bytes()


@pytest.mark.parametrize("how", ["same", "dots", "symlink", "above"])
def test_output_folder_holds_the_input(tmp_path: Path, how: str) -> None:
    folder = make_folder(tmp_path / "in", ["a.png"])
    (tmp_path / "sub").mkdir()
    output = {"same": folder, "dots": tmp_path / "sub" / ".." / "in", "above": tmp_path}.get(how, tmp_path / "link")
    if how == "symlink":
        output.symlink_to(folder, target_is_directory=True)
    for path in (folder, folder / "a.%04d.png"):
        with pytest.raises(OutputError, match="the input lies in this folder"):
            open_sink(output, "frames", info_of(path), 64, 48, overwrite=True)


def test_still_over_an_input_frame(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", ["a.png", "b.png"])
    info = info_of(folder, frame_count=1)
    with pytest.raises(OutputError, match="is the input itself"):
        open_sink(folder / "a.png", "still", info, 64, 48, overwrite=True)


def test_output_folder_inside_the_input_folder_is_fine(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", ["a.png"])
    with sink_to(folder / "painted", folder) as sink:
        sink.write(frames_of()[0])
    assert [p.name for p in (folder / "painted").iterdir()] == ["in0.png"]


def test_file_where_a_folder_is_wanted_and_reverse(place: Path, inputs: Path) -> None:
    (place / "a").write_text("x")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        open_sink(place / "a", "frames", info_of(inputs), 64, 48, overwrite=True)
    (place / "b.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        open_sink(place / "b.mp4", "video", info_of(inputs), 64, 48, overwrite=True)


def test_wrong_arguments(place: Path, inputs: Path) -> None:
    for kind, size, crf, message in [
        ("film", (64, 48), 16, "kind"), ("video", (65, 48), 16, "even"), ("video", (64, 47), 16, "even"),
        ("video", (64, 48), 52, "crf"), ("video", (64, 48), -1, "crf"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            open_sink(place / "a.mp4", kind, info_of(inputs), *size, overwrite=False, crf=crf)
    with pytest.raises(OutputError, match="unknown suffix"):
        open_sink(place / "a.txt", "video", info_of(inputs), 64, 48, overwrite=False)
    with pytest.raises(OutputError):
        open_sink(place / "a\0.mp4", "video", info_of(inputs), 64, 48, overwrite=False)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(("count", "start", "stop"), [(12, 0, None), (2, 3, 5), (None, 0, None), (None, 3, 5)])
def test_still_needs_one_frame(place: Path, inputs: Path, count: int | None, start: int, stop: int | None) -> None:
    info = info_of(inputs, frame_count=count, range_start=start, range_stop=stop)
    with pytest.raises(OutputError, match="holds one frame"):
        open_sink(place / "a.png", "still", info, 64, 48, overwrite=False)


def test_still_from_a_range_of_one(place: Path, inputs: Path) -> None:
    info = info_of(inputs, frame_count=None, range_start=3, range_stop=4)
    with open_sink(place / "a.png", "still", info, 64, 48, overwrite=False) as sink:
        sink.write(frames_of()[3])
    assert np.array_equal(read_image(place / "a.png"), picture(3))


def test_still_refuses_a_second_frame(place: Path, inputs: Path) -> None:
    with pytest.raises(OutputError, match="one frame only"), sink_to(place / "a.png", inputs) as sink:
        sink.write(frames_of()[0])
        sink.write(frames_of()[1])
    assert list(place.iterdir()) == []


def test_folder_names(place: Path, inputs: Path) -> None:
    with sink_to(place / "f", inputs) as sink:
        sink.write(frames_of()[0])
        sink.write(replace(frames_of()[1], name=""))
        sink.write(replace(frames_of()[2], index=1234567, name=""))
    assert sorted(p.name for p in (place / "f").iterdir()) == ["000001.png", "1234567.png", "in0.png"]
    assert np.array_equal(read_image(place / "f" / "in0.png"), picture(0))


def test_folder_same_name_twice(place: Path, inputs: Path) -> None:
    with pytest.raises(ValueError, match="written before"), sink_to(place / "f", inputs) as sink:
        sink.write(frames_of()[0])
        sink.write(frames_of()[0])


def test_folder_keeps_strangers(place: Path, inputs: Path) -> None:
    folder = make_folder(place / "f", ["in0.png", "mine.png"])
    (folder / "notes.txt").write_text("keep")
    mine = (folder / "mine.png").read_bytes()
    with sink_to(folder, inputs, overwrite=True) as sink:
        sink.write(replace(frames_of()[0], image=picture(9)))
    assert sorted(p.name for p in folder.iterdir()) == ["in0.png", "mine.png", "notes.txt"]
    assert (folder / "mine.png").read_bytes() == mine
    assert np.array_equal(read_image(folder / "in0.png"), picture(9))


def test_folder_without_pictures_needs_no_overwrite(place: Path, inputs: Path) -> None:
    (place / "f").mkdir()
    (place / "f" / "notes.txt").write_text("keep")
    with sink_to(place / "f", inputs) as sink:
        sink.write(frames_of()[0])
    assert sorted(p.name for p in (place / "f").iterdir()) == ["in0.png", "notes.txt"]


def test_video_wrong_size_or_order(place: Path, inputs: Path) -> None:
    with sink_to(place / "a.mp4", inputs) as sink:
        sink.write(frames_of()[1])
        with pytest.raises(ValueError, match="not later"):
            sink.write(frames_of()[0])
        with pytest.raises(ValueError, match="is 32x48"):
            sink.write(replace(frames_of()[2], image=picture(2, (32, 48))))
    assert times_s(place / "a.mp4") == [0]
