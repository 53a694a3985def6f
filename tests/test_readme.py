"""What README and the manual say can be typed in works as it stands, and their tables are what the code does."""

import re
import shlex
import shutil
import tomllib
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

from vidstyle.cli import experiment, studio
from vidstyle.cli.arguments import build_parser, parsed, settings_of
from vidstyle.cli.help import TOPICS, page_of
from vidstyle.cli.main import main
from vidstyle.looks.animation import read_animation
from vidstyle.media.write.codecs import CODEC_NAMES, CODECS, LEGAL
from vidstyle.method.features import check_layers
from vidstyle.method.features.vgg19 import weight_shapes
from vidstyle.render.estimate import MEASURED_MEMORY_BYTES
from vidstyle.settings.command import SUBCOMMANDS

ROOT = Path(__file__).parent.parent
PAGES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *map(page_of, TOPICS))}
README = PAGES[ROOT / "README.md"]
SMALL = ["--size", "32", "--device", "cpu"]
QUICK = [*SMALL, "--iterations", "1", "--first-iterations", "2"]


def blocks(language):
    return [block for text in PAGES.values() for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]


def commands():
    """Returns every command that a page tells to type, once."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("vidstyle")))


RENDERS = [command for command in commands() if command.split()[1] not in SUBCOMMANDS]
EXPERIMENTS = [command for command in commands() if command.startswith("vidstyle experiment ")]


@pytest.fixture(scope="module")
def named_files(tmp_path_factory):
    """A folder with everything that the commands name; not to be changed."""
    place = tmp_path_factory.mktemp("named")
    rng = np.random.default_rng(0)
    for name in ("input.mp4", "film.mkv"):
        make_video(place / name, frames=3, size=(48, 32), audio="aac")
    pictures = "starry.jpg wave.jpg scream.jpg photo.jpg evening.jpg paintings/a.jpg paintings/b.jpg sky.png"
    folders = "frames/shot.0001.png frames/shot.0002.png dancer/0.png dancer/1.png dancer/2.png"
    for name in f"{pictures} {folders}".split():
        (place / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(place / name), cv2.resize(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8), (48, 32)))
    (place / "look.toml").write_text('style = "starry.jpg"\nstyle_weight = 60\n', encoding="utf-8")
    (place / "fades.csv").write_text(*blocks("csv"))
    shapes = weight_shapes("relu3_4")
    save_file({name: torch.rand(shape) * 0.01 for name, shape in shapes.items()}, place / "vgg19.safetensors")
    return place


@pytest.fixture
def folder(named_files, tmp_path, monkeypatch):
    """The same as the current folder."""
    shutil.copytree(named_files, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_there_are_commands_to_run():
    assert (len(RENDERS), len(EXPERIMENTS)) == (32, 10)
    assert set(commands()) - {*RENDERS, *EXPERIMENTS} == {"vidstyle studio films/"}


@pytest.mark.parametrize("command", RENDERS)
def test_each_command_runs(command, folder, capsys):
    words = shlex.split(command)[1:]
    if "--report" in words and find_spec("matplotlib") is None:
        pytest.skip("Matplotlib draws reports: pip install 'vidstyle[report]'")
    if words[0] in ("--status", "--measure"):
        output = words[-1] if words[0] == "--measure" else words[1]
        assert main(["input.mp4", "--style", "starry.jpg", "-o", output, *QUICK]) == 0
        assert main(words) == 0
        printed = capsys.readouterr().out
        assert ("warping error" if words[0] == "--measure" else "film.mp4: 3 of 3 frames") in printed
        return
    if "--save-config" in words:
        Path("look.toml").unlink()
    before = set(folder.iterdir())
    assert main([*words, *QUICK]) == 0, capsys.readouterr().err
    written = 0 if "--dry-run" in words else 2 if {"--save-config", "--report"} & set(words) else 1
    assert len(set(folder.iterdir()) - before) == written


@pytest.mark.parametrize("command", EXPERIMENTS)
def test_each_experiment_runs(command, folder, capsys):
    before = set(folder.iterdir())
    few = [] if "feature-maps" in command else ["--iterations", "2"]
    assert main([*shlex.split(command)[1:], *SMALL, *few]) == 0, capsys.readouterr().err
    assert len(set(folder.iterdir()) - before) == 1


def test_all_experiments_are_in_the_manual():
    assert {command.split()[2] for command in EXPERIMENTS} == set(experiment.COMMANDS)


def test_the_studios_command_is_understood():
    assert studio.build_parser().parse_args(["films/"]).folder == "films/"


def test_every_option_that_a_page_names_is_one():
    known = {option for action in build_parser()._actions for option in action.option_strings}
    known |= {option for action in studio.build_parser()._actions for option in action.option_strings}
    (names,) = (action.choices for action in experiment.build_parser()._actions if action.dest == "name")
    known |= {option for parser in names.values() for action in parser._actions for option in action.option_strings}
    # Of pip's index, Ray and scripts.
    known |= {"--generate", "--head", "--port", "--address", "--examples", "--teacher", "--pictures", "--shape"}
    for path, text in PAGES.items():
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*\b", text)) <= known, path


def test_the_layers_of_gatys_are_understood():
    (line,) = re.findall(r"`(--network vgg19 --levels.*)`", PAGES[page_of("options")])
    settings = settings_of(parsed(build_parser(), ["a.mp4", "--style", "b.jpg", *shlex.split(line)]))
    check_layers("vgg19", (settings.content_layer, *settings.style_layers))


def test_the_python_examples_run(folder, capsys):
    mask = np.zeros((32, 48), np.uint8)
    mask[:, :24] = 255
    names = {"frames": [np.full((32, 48, 3), 99, np.uint8)] * 2, "masks": [mask] * 2}
    quick = "size=48, iterations=1, first_iterations=2, device='cpu'"
    for code in dict.fromkeys(blocks("python")):
        quicker = re.sub("size=[0-9]+(, iterations=[0-9]+)?", quick, code)
        exec(compile(quicker, "README.md", "exec"), names)
    assert names["result"].frames == 3
    assert names["painted"].shape == (32, 48, 3)
    assert (names["painted"][:, 24:] == 99).all() and (names["painted"][:, :24] != 99).any()
    assert Path("trade-off.png").is_file()
    assert capsys.readouterr().out.startswith("1 ")


def test_the_files_of_settings_over_time_say_the_same(tmp_path):
    for kind in ("csv", "json"):
        (tmp_path / f"k.{kind}").write_text(*blocks(kind))
    points = [[point[:3] for point in read_animation(tmp_path / f"k.{kind}")] for kind in ("csv", "json")]
    assert points[0] == points[1]
    assert points[0][3] == (Fraction(5), "style_blend", (0.3, 0.7))


def test_the_tables_follow_from_the_code():
    with loaded_script("write_manual") as module:
        assert set(module.PAGES) == set(PAGES)
        for text in PAGES.values():
            assert module.with_tables(text) == text, "run: python scripts/write_manual.py --write"


def test_every_folder_is_in_readme():
    listed = re.findall(r"^\| `(\w+)/` \|", README, re.M)
    assert sorted(listed) == sorted(path.parent.name for path in ROOT.glob("vidstyle/*/__init__.py"))


def test_the_table_of_codecs_is_what_can_be_written():
    media = PAGES[page_of("media")]
    table = re.search(r"<!-- codecs: tested -->\n(.*?)<!-- end of codecs -->", media, re.DOTALL)[1]
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


def test_memory_is_what_was_measured():
    sizes = {int(px): float(gb) for gb, px in re.findall(r"([\d.]+) GB\s+at (\d+)", README)}
    assert sizes == {width: round(count / 1e9, 1) for (width, _), count in MEASURED_MEMORY_BYTES.items()}


def test_readme_is_what_a_visitor_reads():
    assert len(README.splitlines()) <= 150
    topics = re.findall(r"\[.*?\]\((vidstyle/.*?README\.md)\) \| `vidstyle help (\w+)`", README)
    assert {topic: ROOT / path for path, topic in topics} == {topic: page_of(topic) for topic in TOPICS}


def test_a_configuration_that_a_page_reads_was_saved_there():
    for path, text in PAGES.items():
        assert set(re.findall(r"--config (\S+\.toml)", text)) <= set(re.findall(r"--save-config (\S+\.toml)", text)), (
            path
        )


def test_the_manual_is_shipped():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "**/README.md" in project["tool"]["setuptools"]["package-data"]["vidstyle"]


def test_files_that_pages_name_are_there():
    for path, text in PAGES.items():
        for name in re.findall(r"\]\(([\w./][^):]*)\)", text):
            assert (path.parent / name).is_file(), f"{path}: {name}"


def test_the_demos_command_runs(tmp_path, monkeypatch):
    text = (ROOT / "scripts" / "demo.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"-m vidstyle (.*)", text)
    words = [word for word in shlex.split(line) if word != "$@"]
    monkeypatch.chdir(ROOT)
    words[words.index("--output") + 1] = str(tmp_path / "demo.mp4")
    assert main([*words, *QUICK, "--frames", "0:2", "--quiet"]) == 0
    assert (tmp_path / "demo.mp4").stat().st_size > 1000
