"""README's way from one machine to ten, on one: a cluster of its own stands for that of others."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SMALL = ["--size", "64", "--iterations", "0", "--first-iterations", "0", "--device", "cpu"]


def commands():
    """The commands of the section, in order, with where they are typed."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From one machine to ten\n")[2]
    block = re.search(r"```console\n(.*?)```", text, re.DOTALL)[1]
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
@pytest.mark.skipif(sys.platform == "win32", reason="Ray is not stable on Windows")
def test_a_film_is_painted_by_a_cluster_of_its_own(film):
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    ((folder,),), (render, status) = words_of("cd"), words_of("vidstyle")
    (film / "in.mp4").rename(render[0])
    (film / "style.png").rename(render[render.index("--style") + 1])
    render[render.index("--cluster") + 1] = "local"
    # A token would be left in the user's home.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}

    def run(*words):
        command = [sys.executable, "-m", "vidstyle", *words]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    run(*render, *SMALL, "--cuts", "cuts.txt")
    assert "50 of 50 frames" in run(status[0], status[1].removeprefix(f"{folder}/"))
    assert (film / render[render.index("-o") + 1]).stat().st_size > 1000
