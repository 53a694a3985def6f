"""The experiments' command: every subcommand runs, errors are one line, nothing is there that was not finished."""

import inspect
import subprocess
import sys
from dataclasses import fields

import cv2
import numpy as np
import pytest
from renders import everything

from vidstyle import experiments
from vidstyle.cli.experiment import COMMANDS, build_parser, main
from vidstyle.settings import Settings

QUICK = ["--size", "32", "--device", "cpu"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("photo.png", "starry.png")):
        cv2.imwrite(name, np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8))
    return tmp_path


def names_of(experiment):
    return ["photo.png", "starry.png"][: len(experiment.pictures)]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_experiment_writes_its_sheet(name, place, capsys):
    experiment = COMMANDS[name]
    steps = ["--iterations", "2"] if "iterations" in experiment.settings else []
    assert main([name, *names_of(experiment), *QUICK, *steps]) == 0, capsys.readouterr().err
    assert f"wrote photo_{name}.png" in capsys.readouterr().out
    assert cv2.imread(f"photo_{name}.png").shape[0] > 24
    assert len(list(place.iterdir())) == 3


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_are_the_functions_arguments_and_its_defaults(name):
    experiment = COMMANDS[name]
    parameters = inspect.signature(getattr(experiments, experiment.function)).parameters
    given = {*experiment.pictures, *experiment.flags, "settings", "on_download"}
    assert set(parameters) - {"on_progress"} == given
    assert set(experiment.settings) <= {spec.name for spec in fields(Settings)}
    options = build_parser().parse_args([name, *names_of(experiment)])
    for flag in experiment.flags:
        assert getattr(options, flag) == parameters[flag].default


def test_progress_can_be_a_gif(place, capsys):
    words = [
        "progress",
        "photo.png",
        "starry.png",
        "-o",
        "p.gif",
        "--every",
        "1",
        "--iterations",
        "2",
        "--quiet",
        *QUICK,
    ]
    assert main(words) == 0
    assert (place / "p.gif").read_bytes()[:6] == b"GIF89a"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["content-reconstruction", "none.png"], 1, "none.png: no such file"),
        (["content-reconstruction", "photo.png", "--layers", "relu5_2"], 1, "compact has no layer 'relu5_2'"),
        (["style-reconstruction", "photo.png", "--layers", "9"], 1, "give 1 to 4"),
        (["style-reconstruction", "photo.png", "--layers", "x"], 2, "'x' cannot be read as a number"),
        (["trade-off", "photo.png", "starry.png", "--style-weights", "-1"], 1, "--style-weights is -1;"),
        (["feature-maps", "photo.png", "-o", "photo.png"], 1, "photo.png: is an input itself"),
        (
            ["normalization", "photo.png", "--over", "starry.png", "-o", "starry.png", "--overwrite"],
            1,
            "starry.png: is an input itself",
        ),
        (["feature-maps", "photo.png", "-o", "a.gif"], 1, "a.gif: unknown suffix"),
        (["feature-maps", "photo.png", "--size", "3"], 2, "--size is 3"),
        (["feature-maps", "photo.png", "--pooling", "max"], 2, "--pooling max is for vgg19"),
        (["feature-maps", "photo.png", "--network", "vgg19", "--weights", "w.pth"], 1, "w.pth: no such weights file"),
        (["painting", "photo.png"], 2, "invalid choice: 'painting'"),
        ([], 2, "required: NAME"),
    ],
)
def test_errors_are_a_line_and_write_nothing(words, status, message, place, capsys):
    before = everything(place)
    assert main(words) == status
    printed = capsys.readouterr().err
    assert message in printed
    assert len(printed.splitlines()) == 1
    assert (status == 2) == ("; see vidstyle-experiment" in printed)
    assert everything(place) == before


def test_an_interrupted_experiment_says_so(place, capsys, monkeypatch):
    def interrupted(*pictures, **words):
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "feature_maps", interrupted, raising=False)
    assert main(["feature-maps", "photo.png"]) == 130
    assert capsys.readouterr().err == "vidstyle-experiment: interrupted; no picture was written\n"


def test_public_names_can_be_imported():
    for name in experiments.__all__:
        assert getattr(experiments, name).__doc__
    assert not hasattr(experiments, "painting")


def test_help_does_not_import_torch():
    code = (
        "import sys, vidstyle.cli.experiment\n"
        "status = vidstyle.cli.experiment.main(['progress', '--help'])\n"
        "print(status, sorted({'torch', 'cv2', 'av'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "0 []"


def test_usage_lines_name_the_program(capsys):
    assert main(["progress", "--unknown"], "vidstyle experiment") == 2
    assert "; see vidstyle experiment" in capsys.readouterr().err
    assert main(["--version"], "vidstyle experiment") == 0
    assert capsys.readouterr().out.startswith("vidstyle experiment ")
