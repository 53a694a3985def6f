"""What README says can be typed in works as it stands."""

import re
import shlex
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from clips import make_video
from safetensors.torch import save_file
from scripting import loaded_script

from vidstyle.cli.experiment import COMMANDS
from vidstyle.cli.experiment import main as experiment
from vidstyle.cli.main import main
from vidstyle.looks.keyframes import read_keyframes
from vidstyle.media.write.codecs import CODEC_NAMES, CODECS, LEGAL
from vidstyle.method.features.vgg19 import weight_shapes
from vidstyle.settings.quality import QUALITIES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SMALL = ["--size", "32", "--iterations", "1", "--first-iterations", "2", "--device", "cpu"]


def commands(program="vidstyle"):
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith(f"{program} ")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Everything that README's commands name, in the current folder."""
    rng = np.random.default_rng(0)

    def save(name):
        Path(name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(name), cv2.resize(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8), (48, 32)))

    monkeypatch.chdir(tmp_path)
    for name in ("input.mp4", "film.mkv"):
        make_video(tmp_path / name, frames=3, size=(48, 32), audio="aac")
    pictures = "starry.jpg wave.jpg scream.jpg photo.jpg evening.jpg paintings/a.jpg paintings/b.jpg"
    for name in (*pictures.split(), "frames/shot.0001.png", "frames/shot.0002.png"):
        save(name)
    for name in ("sky.png", "dancer/0.png", "dancer/1.png", "dancer/2.png"):
        save(name)
    Path("look.toml").write_text('style = "starry.jpg"\nstyle_weight = 60\n', encoding="utf-8")
    Path("keyframes.csv").write_text("time,setting,value\n0,strength,0\n0.1s,strength,1\n")
    shapes = weight_shapes("relu3_4")
    save_file({name: torch.rand(shape) * 0.01 for name, shape in shapes.items()}, "vgg19.safetensors")
    return tmp_path


def test_readme_has_the_recipes():
    assert len(commands()) == 30


@pytest.mark.parametrize("command", commands())
def test_each_command_runs(command, folder, capsys):
    if "--report" in command and find_spec("matplotlib") is None:
        pytest.skip("Matplotlib draws reports: pip install 'vidstyle[report]'")
    if "--status" in command:
        assert main(["film.mkv", "--style", "starry.jpg", "-o", "film.mp4", *SMALL]) == 0
        assert main(shlex.split(command)[1:]) == 0
        assert "film.mp4: 3 of 3 frames" in capsys.readouterr().out
        return
    if "--measure" in command:
        assert main(["input.mp4", "--style", "starry.jpg", "-o", "steady.mp4", *SMALL]) == 0
        assert main(shlex.split(command)[1:]) == 0
        assert "warping error" in capsys.readouterr().out
        return
    before = set(folder.iterdir())
    assert main([*shlex.split(command)[1:], *SMALL]) == 0, capsys.readouterr().err
    written = 0 if "--dry-run" in command else 2 if {"--save-config", "--report"} & set(command.split()) else 1
    assert len(set(folder.iterdir()) - before) == written


@pytest.mark.parametrize("command", commands("vidstyle-experiment"))
def test_each_experiment_runs(command, folder, capsys):
    before = set(folder.iterdir())
    few = [] if "feature-maps" in command else ["--iterations", "2"]
    words = [*shlex.split(command)[1:], "--size", "32", "--device", "cpu"]
    assert experiment([*words, *few]) == 0, capsys.readouterr().err
    assert len(set(folder.iterdir()) - before) == 1


def test_all_experiments_are_in_readme():
    assert {command.split()[1] for command in commands("vidstyle-experiment")} == set(COMMANDS)


def test_the_python_examples_run(folder, monkeypatch, capsys):
    codes = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    mask = np.zeros((32, 48), np.uint8)
    mask[:, :24] = 255
    names = {"frames": [np.full((32, 48, 3), 99, np.uint8)] * 2, "masks": [mask] * 2}
    for code in codes:
        exec(compile(re.sub("iterations=[0-9]+", "iterations=2", code), "README.md", "exec"), names)
    assert names["result"].frames == 3
    assert names["painted"].shape == (32, 48, 3)
    assert (names["painted"][:, 24:] == 99).all() and (names["painted"][:, :24] != 99).any()
    assert Path("trade-off.png").is_file()
    assert len(codes) == 3
    assert capsys.readouterr().out.startswith("1 ")


def test_the_files_of_keyframes_say_the_same(tmp_path):
    for kind in ("csv", "json"):
        (text,) = re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)
        (tmp_path / f"k.{kind}").write_text(text)
    keys = [[key[:3] for key in read_keyframes(tmp_path / f"k.{kind}")] for kind in ("csv", "json")]
    assert keys[0] == keys[1]
    assert keys[0][3] == (Fraction(5), "style_blend", (0.3, 0.7))


def test_the_table_of_options_is_the_settings():
    with loaded_script("readme_options") as module:
        assert module.readme_with_table(README) == README


def test_the_table_of_qualities_is_what_they_are():
    for name, quality in QUALITIES.items():
        values = [quality.settings[key] for key in ("size", "network", "iterations", "first_iterations")]
        seconds = f"{quality.first_frame_s:g} s | {quality.later_frame_s:g} s"
        assert f"| {name} | {' | '.join(map(str, values))} | {seconds} |" in README


def test_the_table_of_codecs_is_what_can_be_written():
    table = re.search(r"<!-- codecs: tested -->\n(.*?)<!-- end of codecs -->", README, re.DOTALL)[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]
    containers = {row[0].strip("`"): row[1] for row in rows if row[0].startswith("`.")}
    codecs = {row[0]: row for row in rows if row[0] in CODEC_NAMES}
    assert {suffix: re.findall(r"[a-z]+[0-9]+|prores|hevc", text) for suffix, text in containers.items()} == {
        suffix: list(legal) for suffix, legal in LEGAL.items() if suffix not in (".gif", ".webp")
    }
    hevc = LEGAL[".mkv"]["hevc"]
    for name, (_, formats, crf, preset) in codecs.items():
        listed = set(re.findall(r"yuv\w+|gbrp\w*|bgr0", formats)) - {"yuv"}
        listed |= set(LEGAL[".mkv"]["h264"]) if "as h264" in formats else set()
        listed |= {name for name in hevc if name.startswith("yuv")} if "all YUV of hevc" in formats else set()
        assert listed == set(LEGAL[".mkv"][name])
        codec = CODECS[name]
        assert crf == ("" if codec.crf is None else f"0 to {codec.worst_crf} ({codec.crf})")
        assert bool(preset) == bool(codec.presets)
    assert len(codecs) == len(CODEC_NAMES)


def test_files_that_readme_names_are_there():
    for name in re.findall(r"\]\(([a-z][^):]*)\)", README):
        assert (ROOT / name).is_file(), name


def test_the_demos_command_runs(tmp_path, monkeypatch):
    text = (ROOT / "scripts" / "demo.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"-m vidstyle (.*)", text)
    words = [word for word in shlex.split(line) if word != "$@"]
    monkeypatch.chdir(ROOT)
    words[words.index("--output") + 1] = str(tmp_path / "demo.mp4")
    assert main([*words, "--frames", "0:2", "--first-iterations", "10", "--quiet"]) == 0
    assert (tmp_path / "demo.mp4").stat().st_size > 1000
