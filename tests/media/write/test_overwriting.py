"""Nothing that a command reads is written to, not even with `overwrite`."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_folder, make_video
from renders import QUICK, everything, render

from vidstyle import preview
from vidstyle.cli.main import main
from vidstyle.errors import OutputError
from vidstyle.media.write.outputs import check_overwrites_no_input
from vidstyle.settings.named_files import NamedFile

FREE = replace(QUICK, iterations=0, first_iterations=0, overwrite=True)


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A picture, a folder of frames, and one of every kind of thing that is read beside the input."""
    monkeypatch.chdir(tmp_path)
    for name in ("photo.png", "style.png", "other.png", "mask.png"):
        cv2.imwrite(name, np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    for folder in ("frames", "paintings", "masks"):
        make_folder(Path(folder), ["1.png", "2.png"])
    Path("keys.png").write_text("0,strength,1\n")
    Path("cuts.png").write_text("1\n")


@pytest.mark.parametrize(
    ("source", "output", "style", "changes", "said"),
    [
        ("photo.png", "style.png", "style.png", {}, "is the style itself"),
        ("photo.png", "other.png", ["style.png", "other.png"], {}, "is the style itself"),
        ("photo.png", "mask.png", "style.png", {"mask": "mask.png"}, "is a mask itself"),
        ("photo.png", "other.png", "style.png", {"region": ("mask.png=other.png",)}, "is a region's style itself"),
        ("photo.png", "mask.png", "style.png", {"region": ("mask.png=other.png",)}, "is a mask itself"),
        ("photo.png", "other.png", None, {"style_at": ("0:style.png", "1s:other.png")}, "is the style itself"),
        ("photo.png", "keys.png", "style.png", {"keyframes": "keys.png"}, "is the list of keyframes itself"),
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
def test_a_render_or_a_preview_spares_what_it_reads(source, output, style, changes, said, scene, tmp_path):
    before, settings = everything(tmp_path), replace(FREE, **changes)
    with pytest.raises(OutputError, match=re.escape(said)):
        render(output, settings, source, style=style)
    if not output.endswith("/"):
        with pytest.raises(OutputError, match=re.escape(said)):
            preview(source, style, output, settings)
    assert everything(tmp_path) == before


def test_what_only_lies_beside_is_not_in_the_way(scene):
    settings = replace(FREE, mask=Path("%d.png"))
    shutil.copy("mask.png", "1.png")
    check_overwrites_no_input(
        Path("out.png"), [NamedFile(Path("style.png"), "the style"), NamedFile(settings.mask, "a mask")]
    )
    check_overwrites_no_input(Path("paintings/out.mp4"), [NamedFile(Path("paintings"), "the style")])
    check_overwrites_no_input(Path("none/out.png"), [NamedFile(Path("gone.png"), "the style")])
    check_overwrites_no_input(Path("new"), [NamedFile(Path("style.png"), "the style")], is_folder=True)
    check_overwrites_no_input(Path(), [NamedFile(Path("keys.csv"), "the list of keyframes")], is_folder=True)


def test_a_page_spares_what_it_tells_of(scene, tmp_path):
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
