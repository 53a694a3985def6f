"""The command line that does what a render does."""

import shlex
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from vidstyle.cli.arguments import build_parser
from vidstyle.settings import Settings
from vidstyle.settings.command import SUBCOMMANDS, command_line
from vidstyle.settings.words import to_json

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="quoted for a POSIX shell")


def parsed(command):
    program, *words = shlex.split(command)
    assert program == "vidstyle"
    return build_parser().parse_args(words)


def test_every_setting_comes_back():
    settings = Settings(
        size=320,
        style_layers=("relu1_1", "relu3_1"),
        frames=(3, None),
        fps=Fraction(24000, 1001),
        keep_going=True,
        weights=Path("my weights.safetensors"),
        cuts="list of cuts.txt",
        region=("a mask=b.jpg", "c=d.jpg"),
        style_blend=(0.7, 0.3),
        style_crop=(0.5, 0, 0.25, 1),
        restart=True,
    )
    options = parsed(
        command_line(Path("in.mp4"), [Path("a b.jpg"), Path("c.jpg")], "out.mp4", settings, anywhere=False)
    )
    given = {name: getattr(options, name) for name in to_json(settings)}
    again = Settings(**given)
    assert to_json(again) == to_json(settings) | {"restart": False}
    assert (options.input, options.style, options.output) == ("in.mp4", ["a b.jpg", "c.jpg"], "out.mp4")


def test_names_that_look_like_flags_are_told_apart():
    settings = Settings(cuts="-c.txt", job_dir=Path("-j"))
    options = parsed(command_line(Path("-in.mp4"), [Path("-s.jpg")], "-o ut/", settings, anywhere=False))
    assert (options.input, options.style, options.output) == ("./-in.mp4", ["./-s.jpg"], "./-o ut/")
    assert (options.cuts, options.job_dir) == ("./-c.txt", Path("./-j"))


def test_an_input_that_is_called_like_a_command_is_told_apart():
    for name in SUBCOMMANDS:
        assert command_line(Path(name), [], "out.mp4", Settings(), anywhere=False) == f"vidstyle ./{name} -o out.mp4"
    for name in ("a/help", "frames"):
        assert command_line(Path(name), [], "o.mp4", Settings(), anywhere=False) == f"vidstyle {name} -o o.mp4"


@pytest.mark.parametrize("cuts", ["auto", "off", "./auto", "./off", "./list.txt"])
def test_files_that_are_called_like_other_words_are_told_apart(cuts):
    settings = Settings(cuts=cuts, style_at=("0:a.jpg", "0:./12:30.png"))
    options = parsed(command_line(Path("in.mp4"), [], "out.mp4", settings, anywhere=False))
    assert options.cuts == ("list.txt" if cuts == "./list.txt" else cuts)
    assert options.style_at == settings.style_at


def test_whole_paths_fit_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(cuts="cuts.txt", mask=Path("m.png"), region=("m.png=/s.jpg",))
    options = parsed(command_line(Path("in.mp4"), [Path("/s.jpg")], "out/", settings, anywhere=True))
    assert (options.input, options.style) == (str(tmp_path / "in.mp4"), ["/s.jpg"])
    assert (options.output, options.cuts) == (f"{tmp_path}/out/", str(tmp_path / "cuts.txt"))
    assert (options.mask, options.region) == (tmp_path / "m.png", (f"{tmp_path}/m.png=/s.jpg",))
    monkeypatch.setattr("pathlib.Path.cwd", lambda: Path("/e=q"))
    options = parsed(command_line(Path("i"), [Path("s")], "o", Settings(region=("m==n.png=s.jpg",)), anywhere=True))
    assert Settings(region=options.region).regions == ((Path("/e=q/m=n.png"), Path("/e=q/s.jpg")),)
    assert parsed(command_line(Path("i"), [Path("s")], "o", Settings(), anywhere=True)).cuts == "auto"
