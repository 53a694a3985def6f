"""Every reason why an output cannot be written, found before anything is created."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import info_of, make_folder, make_video
from renders import QUICK, everything, render

from vidstyle import preview
from vidstyle.cli.main import main
from vidstyle.errors import OutputError
from vidstyle.media.containers import CONTAINERS, VIDEO_SUFFIXES
from vidstyle.media.stills.images import IMAGE_SUFFIXES
from vidstyle.media.write.codecs import LEGAL, EncodeOptions
from vidstyle.media.write.outputs import check_encoding, check_output, check_overwrites_no_input, output_kind


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.mov", "o.webm", "o.avi", "o.gif", "folder", "o.png", "o.jpg"])
class TestEveryOutput:
    """What is checked whatever is written."""

    def _check(self, output: Path, inputs: Path, overwrite: bool = False) -> None:
        kind = output_kind(str(output) if output.suffix else f"{output}/")
        count = 1 if kind == "still" else 12
        check_output(output, kind, info_of(inputs, frame_count=count), overwrite=overwrite)

    def test_checking_creates_nothing(self, place: Path, inputs: Path, name: str) -> None:
        self._check(place / name, inputs)
        assert list(place.iterdir()) == []

    def test_existing_output_needs_overwrite(self, place: Path, inputs: Path, name: str) -> None:
        if name == "folder":
            make_folder(place / name, ["old.png"])
        else:
            (place / name).write_bytes(b"precious")
        with pytest.raises(OutputError, match=r"--overwrite") as caught:
            self._check(place / name, inputs)
        assert name in str(caught.value)
        self._check(place / name, inputs, overwrite=True)

    def test_missing_parent_folder(self, place: Path, inputs: Path, name: str) -> None:
        with pytest.raises(OutputError, match="no such folder"):
            self._check(place / "none" / name, inputs)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
    def test_folder_not_writable(self, place: Path, inputs: Path, name: str) -> None:
        place.chmod(0o500)
        with pytest.raises(OutputError, match="not writable"):
            self._check(place / name, inputs)


def test_output_kind(tmp_path: Path) -> None:
    for suffix in set(VIDEO_SUFFIXES) - {".webp"}:
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
    assert VIDEO_SUFFIXES == (".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif", ".webp")
    assert set(LEGAL) == set(CONTAINERS)


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
        check_output(output, "video", info, overwrite=True)
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
            check_output(output, "frames", info_of(path), overwrite=True)


def test_still_over_an_input_frame(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", ["a.png", "b.png"])
    info = info_of(folder, frame_count=1)
    with pytest.raises(OutputError, match="is the input itself"):
        check_output(folder / "a.png", "still", info, overwrite=True)


def test_output_folder_inside_the_input_folder_is_fine(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", ["a.png"])
    check_output(folder / "painted", "frames", info_of(folder), overwrite=False)


def test_file_where_a_folder_is_wanted_and_reverse(place: Path, inputs: Path) -> None:
    (place / "a").write_text("x")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        check_output(place / "a", "frames", info_of(inputs), overwrite=True)
    (place / "b.mp4").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_output(place / "b.mp4", "video", info_of(inputs), overwrite=True)


def test_wrong_arguments(place: Path, inputs: Path) -> None:
    with pytest.raises(ValueError, match="kind"):
        check_output(place / "a.mp4", "film", info_of(inputs), overwrite=False)
    with pytest.raises(OutputError, match="unknown suffix"):
        check_output(place / "a.txt", "video", info_of(inputs), overwrite=False)
    with pytest.raises(OutputError):
        check_output(place / "a\0.mp4", "video", info_of(inputs), overwrite=False)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(("count", "start", "stop"), [(12, 0, None), (2, 3, 5), (None, 0, None), (None, 3, 5)])
def test_still_needs_one_frame(place: Path, inputs: Path, count: int | None, start: int, stop: int | None) -> None:
    info = info_of(inputs, frame_count=count, range_start=start, range_stop=stop)
    with pytest.raises(OutputError, match="holds one frame"):
        check_output(place / "a.png", "still", info, overwrite=False)


def test_a_still_from_a_range_of_one_is_fine(place: Path, inputs: Path) -> None:
    info = info_of(inputs, frame_count=None, range_start=3, range_stop=4)
    check_output(place / "a.png", "still", info, overwrite=False)


def test_a_folder_without_pictures_needs_no_overwrite(place: Path, inputs: Path) -> None:
    (place / "f").mkdir()
    (place / "f" / "notes.txt").write_text("keep")
    check_output(place / "f", "frames", info_of(inputs), overwrite=False)


@pytest.mark.parametrize(
    ("count", "start", "stop", "kind"),
    [(1, 0, None, "still"), (12, 0, None, "video"), (None, 0, None, "video"), (None, 3, 4, "still")],
)
def test_a_webp_moves_where_there_is_more_than_one_frame(
    inputs: Path, count: int | None, start: int, stop: int | None, kind: str
) -> None:
    info = info_of(inputs, frame_count=count, range_start=start, range_stop=stop)
    assert output_kind("a.webp", info) == kind
    assert output_kind("a.png", info) == "still"


@pytest.mark.parametrize("wish", [{"codec": "h264"}, {"crf": 3}, {"pixel_format": "yuv420p"}, {"bit_depth": "10"}])
def test_only_a_video_has_a_codec(place: Path, inputs: Path, wish: dict[str, Any]) -> None:
    for name, kind in (("a.png", "still"), ("a", "frames")):
        with pytest.raises(OutputError, match="has no --codec"):
            check_encoding(place / name, kind, info_of(inputs), EncodeOptions(**wish))
        assert check_encoding(place / name, kind, info_of(inputs), EncodeOptions()) is False


@pytest.mark.parametrize(
    ("name", "wish", "even"),
    [
        ("a.mp4", {}, True),
        ("a.mp4", {"pixel_format": "yuv444p"}, False),
        ("a.gif", {}, False),
        ("a.webp", {}, False),
        ("a.mov", {"codec": "prores"}, True),
        ("a.mkv", {"codec": "ffv1"}, False),
    ],
)
def test_sides_are_even_where_pixels_share_their_color(
    place: Path, inputs: Path, name: str, wish: dict[str, Any], even: bool
) -> None:
    assert check_encoding(place / name, "video", info_of(inputs), EncodeOptions(**wish)) is even


FREE = replace(QUICK, iterations=0, first_iterations=0, overwrite=True)


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A picture, a folder of frames, and one of every kind of file that is read besides the input."""
    monkeypatch.chdir(tmp_path)
    for name in ("photo.png", "style.png", "other.png", "mask.png"):
        cv2.imwrite(name, np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    for folder in ("frames", "paintings", "masks"):
        make_folder(Path(folder), ["1.png", "2.png"])
    Path("fades.png").write_text("0,strength,1\n")
    Path("cuts.png").write_text("1\n")


@pytest.mark.parametrize(
    ("source", "output", "style", "changes", "message"),
    [
        ("photo.png", "style.png", "style.png", {}, "is the style itself"),
        ("photo.png", "other.png", ["style.png", "other.png"], {}, "is the style itself"),
        ("photo.png", "mask.png", "style.png", {"mask": "mask.png"}, "is a mask itself"),
        ("photo.png", "other.png", "style.png", {"region": ("mask.png=other.png",)}, "is a region's style itself"),
        ("photo.png", "mask.png", "style.png", {"region": ("mask.png=other.png",)}, "is a mask itself"),
        ("photo.png", "other.png", None, {"style_at": ("0:style.png", "1s:other.png")}, "is the style itself"),
        ("photo.png", "fades.png", "style.png", {"animate": "fades.png"}, "is the list of settings over time itself"),
        ("photo.png", "cuts.png", "style.png", {"cuts": "cuts.png"}, "is the list of cuts itself"),
        ("photo.png", "style.png", "style.png", {"weights": "style.png"}, "is the style itself"),
        ("photo.png", "paintings/1.png", "paintings", {}, "lies among the pictures of the style"),
        # A new one would change the style.
        ("photo.png", "paintings/3.png", "paintings", {}, "lies among the pictures of the style"),
        ("photo.png", "masks/1.png", "style.png", {"mask": "masks/%d.png"}, "lies among the pictures of a mask"),
        ("frames", "paintings/", "paintings", {}, "is the style itself"),
        ("frames", "masks/", "style.png", {"mask": "masks/%d.png"}, "a mask lies in this folder (%d.png)"),
        ("frames", "masks/", "masks/1.png", {}, "the style lies in this folder (1.png)"),
    ],
)
def test_a_render_or_a_preview_overwrites_nothing_that_it_reads(
    source, output, style, changes, message, scene, tmp_path
):
    before, settings = everything(tmp_path), replace(FREE, **changes)
    with pytest.raises(OutputError, match=re.escape(message)):
        render(output, settings, source, style=style)
    if not output.endswith("/"):
        with pytest.raises(OutputError, match=re.escape(message)):
            preview(source, style, output, settings)
    assert everything(tmp_path) == before


def test_other_files_are_not_in_the_way(scene):
    settings = replace(FREE, mask=Path("%d.png"))
    shutil.copy("mask.png", "1.png")
    check_overwrites_no_input(Path("out.png"), [(Path("style.png"), "the style"), (settings.mask, "a mask")])
    check_overwrites_no_input(Path("paintings/out.mp4"), [(Path("paintings"), "the style")])
    check_overwrites_no_input(Path("none/out.png"), [(Path("gone.png"), "the style")])
    check_overwrites_no_input(Path("new"), [(Path("style.png"), "the style")], is_folder=True)
    check_overwrites_no_input(Path(), [(Path("fades.csv"), "the list of settings over time")], is_folder=True)


def test_a_report_overwrites_nothing_that_it_reads(scene, tmp_path):
    Path("cuts.html").write_text("1\n")
    before = everything(tmp_path)
    with pytest.raises(OutputError, match=r"cuts\.html: is the list of cuts itself"):
        render("out/", replace(FREE, cuts="cuts.html", report=Path("cuts.html")), "frames")
    assert everything(tmp_path) == before


def test_settings_are_not_kept_over_a_list_that_they_name(scene, tmp_path, capsys):
    make_video(Path("in.mp4"), frames=2)
    Path("cuts.toml").write_text("1\n")
    before = everything(tmp_path)
    words = ["--cuts", "cuts.toml", "--iterations", "0", "--first-iterations", "0", "--size", "32", "--overwrite"]
    assert main(["in.mp4", "--style", "style.png", *words, "--save-config", "cuts.toml"]) == 1
    assert "cuts.toml: is the list of cuts itself" in capsys.readouterr().err
    assert everything(tmp_path) == before
