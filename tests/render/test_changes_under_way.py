"""Files that change while a render is at work: what was painted of both is never delivered."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_folder, picture
from renders import QUICK, contents

from vidstyle import stylize
from vidstyle.errors import JobChangedError, SourceError

UNPAINTED = replace(QUICK, iterations=0, first_iterations=0)


@pytest.fixture(autouse=True)
def scene(tmp_path, monkeypatch):
    """Eight frames in two shots, with a mask each, and styles, in the current folder."""
    monkeypatch.chdir(tmp_path)
    make_folder(Path("frames"), [f"{k}.png" for k in range(8)])
    make_folder(Path("paintings"), ["a.png", "b.png"])
    Path("masks").mkdir()
    for k in range(8):
        cv2.imwrite(f"masks/{k}.png", np.full((48, 64), 200, np.uint8))
    cv2.imwrite("style.png", picture(99))
    Path("cuts.txt").write_text("4\n")


def changed(file):
    """Puts another picture into a file, and returns what was in it."""
    before = Path(file).read_bytes()
    cv2.imwrite(file, 255 - cv2.imread(file))
    return before


def render(settings, style="style.png", output="out/", change=None):
    def on_frame(frame):
        if change and frame.done == 2:
            changed(change)

    return stylize("frames", style, output, settings, on_frame=on_frame)


def test_a_folder_of_styles_is_read_again_only_as_it_was():
    settings = replace(UNPAINTED, cuts="cuts.txt", color="match", first_iterations=1)
    render(settings, "paintings", "whole/")
    before = Path("paintings/b.png").read_bytes()
    with pytest.raises(SourceError, match=r"b\.png: was changed under way; put the old one back"):
        render(settings, "paintings", change="paintings/b.png")
    assert not Path("out").exists()
    Path("paintings/b.png").write_bytes(before)
    assert 0 < render(settings, "paintings").stylized < 8
    assert contents(Path("out")) == contents(Path("whole"))


@pytest.mark.parametrize(("file", "what"), [("frames/1.png", "input"), ("masks/7.png", "mask")])
def test_what_is_read_along_must_stay_as_it_was(file, what):
    before, settings = Path(file).read_bytes(), replace(UNPAINTED, mask=Path("masks"))
    said = f"vidstyle: {what} changed during the render; start over with --restart"
    with pytest.raises(JobChangedError, match=said):
        render(settings, change=file)
    assert not Path("out").exists()
    Path(file).write_bytes(before)
    for _ in range(2):  # which frames are of which file is not known
        with pytest.raises(JobChangedError, match=said):
            render(settings)
    assert render(replace(settings, restart=True)).frames == 8


def test_workers_begin_with_the_files_that_the_job_was_begun_with():
    before = Path("style.png").read_bytes()
    settings = replace(UNPAINTED, cuts="cuts.txt", workers=2)
    with pytest.raises(SourceError, match=r"style\.png \(style\): has changed since"):
        stylize("frames", "style.png", "out/", settings, on_start=lambda plan: changed("style.png"))
    Path("style.png").write_bytes(before)
    assert render(replace(settings, workers=1)).frames == 8
