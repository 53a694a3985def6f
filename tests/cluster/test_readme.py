"""The manual's way from one machine to ten: what it tells to type is understood, and paints a film on a cluster."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from vidstyle.cli.help import page_of
from vidstyle.cli.main import main

ROOT = Path(__file__).parent.parent.parent
SMALL = ["--size", "64", "--iterations", "0", "--first-iterations", "0", "--device", "cpu", "--cpus-per-shot", "1"]


def commands():
    """The commands of the page, in order, with where they are typed."""
    block = re.search(r"```console\n(.*?)```", page_of("cluster").read_text(encoding="utf-8"), re.DOTALL)[1]
    return [tuple(re.match(r"(\w+)\$ +(.*)", line).groups()) for line in block.splitlines()]


def words_of(program):
    """The words of each command of a program, without it; `&&` separates two in one line."""
    lines = [shlex.split(part) for _, line in commands() for part in line.split(" && ")]
    return [line[1:] for line in lines if line[0] == program]


def test_every_command_is_one_of_those_that_are_tried():
    assert [len(words_of(program)) for program in ("pip", "ray", "cd", "vidstyle")] == [1, 2, 1, 2]
    assert len(commands()) == 5


def test_what_is_installed_is_there():
    (words,) = words_of("pip")
    (extra,) = re.findall(r"\.\[(\w+)\]", words[1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert any(package.startswith("ray") for package in project["optional-dependencies"][extra])


def test_ray_understands_its_commands():
    scripts = pytest.importorskip("ray.scripts.scripts", reason="the extra 'cluster' is not installed")
    parsed = [scripts.cli.commands[name].make_context(name, words) for name, *words in words_of("ray")]
    head, other = (context.params for context in parsed)
    assert head["head"]
    assert other["address"] == f"FIRST:{head['port']}"


@pytest.mark.slow
@pytest.mark.xdist_group("cluster")
def test_a_film_is_painted_by_a_cluster(film, nodes, capsys):
    ((folder,),), (render, status) = words_of("cd"), words_of("vidstyle")
    (film / "in.mp4").rename(render[0])
    (film / "style.png").rename(render[render.index("--style") + 1])
    render[render.index("--cluster") + 1] = nodes.address
    assert main([*render, *SMALL, "--cuts", "cuts.txt"]) == 0
    assert main([status[0], status[1].removeprefix(f"{folder}/")]) == 0
    assert "50 of 50 frames" in capsys.readouterr().out
    assert (film / render[render.index("-o") + 1]).stat().st_size > 1000
