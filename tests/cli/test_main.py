"""Words in, exit statuses out."""

import argparse
import os
import shlex
import signal
import sys
import traceback
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video
from zygote import Zygote

import vidstyle
from vidstyle.cli import progress
from vidstyle.cli.arguments import build_parser
from vidstyle.cli.main import main
from vidstyle.job.journal import read_journal
from vidstyle.method import losses
from vidstyle.settings.definitions import ALL_SETTINGS

PACKAGE = Path(vidstyle.__file__).parent
QUICK = ["--iterations", "1", "--first-iterations", "2", "--size", "32", "--device", "cpu"]


@pytest.fixture
def style(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "starry.png"), image)
    return str(tmp_path / "starry.png")


@pytest.fixture
def clip(tmp_path):
    return str(make_video(tmp_path / "clip.mp4", frames=4, size=(48, 32), audio="aac"))


def actions():
    return {action.dest: action for action in build_parser()._actions}


def test_every_setting_is_a_flag_with_its_default_and_help():
    known = actions()
    for spec in ALL_SETTINGS.values():
        action = known[spec.name]
        assert action.option_strings == [f"--{spec.name.replace('_', '-')}"]
        assert action.default == spec.default
        assert spec.help in action.help
        assert tuple(action.choices or ()) == spec.kind.choices


def test_no_flag_is_beside_the_settings():
    extra = set(actions()) - ALL_SETTINGS.keys()
    assert extra == {
        "help",
        "input",
        "style",
        "output",
        "quiet",
        "verbose",
        "version",
        "status",
        "measure",
        "config",
        "save_config",
        "quality",
        "dry_run",
        "preview",
    }


def test_help_can_be_printed(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert "starry.jpg" in printed
    assert "shot.%04d.png" in printed


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vidstyle {vidstyle.__version__}\n"


def test_a_render_says_what_it_will_do_and_what_it_did(clip, style, tmp_path, capsys):
    output = tmp_path / "out.mp4"
    assert main([clip, "--style", style, "-o", str(output), *QUICK]) == 0
    printed = capsys.readouterr()
    first, last = printed.out.splitlines()
    assert f"{clip} -> {output}: 4 frames at 32x22, network compact, cpu" in first
    assert last.startswith(f"wrote {output}: 4 frames in ")
    assert "4/4 frames" in printed.err
    assert "ETA" in printed.err


def test_quiet_prints_nothing(clip, style, tmp_path, capsys):
    assert main([clip, "--style", style, "-o", str(tmp_path / "out.mp4"), "--quiet", *QUICK]) == 0
    assert capsys.readouterr() == ("", "")


def test_notes_are_printed_once(clip, style, tmp_path, capsys):
    assert main([clip, "--style", style, "-o", str(tmp_path / "out.gif"), *QUICK]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert len(notes) == 1
    assert "sound" in notes[0].lower() or "audio" in notes[0].lower()


def test_a_count_that_the_container_does_not_tell_is_known_all_the_same(style, tmp_path, capsys):
    clip = make_video(tmp_path / "clip.mkv", frames=4, size=(48, 32), audio=None)
    assert main([str(clip), "--style", style, "-o", str(tmp_path / "out.mkv"), *QUICK]) == 0
    printed = capsys.readouterr()
    assert "4 frames at" in printed.out
    assert "4/4 frames" in printed.err


def test_without_an_output_the_name_comes_from_input_and_style(clip, style, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main([clip, "--style", style, "--quiet", *QUICK]) == 0
    assert [p.name for p in Path().iterdir()] == ["clip_starry.mp4"]


def test_an_output_of_other_settings_needs_overwrite(clip, style, tmp_path, capsys):
    command = [clip, "--style", style, "-o", str(tmp_path / "out.mp4"), *QUICK]
    assert main(command) == 0
    assert main([*command, "--seed", "7"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--seed", "7", "--overwrite"]) == 0


def test_the_same_command_again_says_that_all_is_done(clip, style, tmp_path, capsys):
    output = tmp_path / "out.mp4"
    command = [clip, "--style", style, "-o", str(output), *QUICK]
    assert main(command) == 0
    before = output.stat().st_mtime_ns
    capsys.readouterr()
    assert main(command) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{output}: finished already by the same command (4 frames); nothing to do\n"
    assert printed.err == ""
    assert output.stat().st_mtime_ns == before
    assert main(["--status", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}: 4 of 4 frames (100.0 %), finished\n"
    output.write_bytes(output.read_bytes() + b"changed")
    assert main(command) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--iterations", "many"],
        ["--iterations", "-1"],
        ["--size", "8"],
        ["--network", "resnet"],
        ["--frames", "7"],
        ["--frames", "9:3"],
        ["--style-weight", "nan"],
        ["--optimizer", "sgd"],
        ["--fps", "1/0"],
        ["--nonsense"],
        ["--status", "out.mp4"],
        ["--quiet", "--verbose"],
    ],
)
def test_wrong_usage_exits_with_2_and_touches_nothing(wrong, clip, style, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    assert main([clip, "--style", style, "-o", str(tmp_path / "out.mp4"), *wrong]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vidstyle: error: ") and line.endswith("; see vidstyle --help")
    assert sorted(tmp_path.iterdir()) == before


def test_a_value_that_cannot_be_read_is_told_its_form(clip, style, capsys):
    for flag, form in (("--frames", "A:B"), ("--size", "PX|source"), ("--fps", "RATE"), ("--iterations", "N")):
        assert main([clip, "--style", style, flag, "x"]) == 2
        assert capsys.readouterr().err.endswith(f"argument {flag}: 'x' cannot be read as {form}; see vidstyle --help\n")


def test_no_arguments_are_wrong_usage(capsys):
    assert main([]) == 2
    assert "--style" in capsys.readouterr().err


def test_a_failure_is_one_line_and_exits_with_1(style, tmp_path, capsys):
    assert main([str(tmp_path / "none.mp4"), "--style", style]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("vidstyle: ")
    assert "none.mp4" in printed.err


def test_unknown_layers_are_a_failure_that_lists_the_legal_ones(clip, style, capsys):
    assert main([clip, "--style", style, "--style-layers", "relu1_1", "relu4_1"]) == 1
    assert "relu1_1, relu2_1, relu3_1, relu3_4" in capsys.readouterr().err


def test_verbose_shows_the_traceback(style, tmp_path, capsys):
    assert main([str(tmp_path / "none.mp4"), "--style", style, "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_fault_of_ours_is_one_line_too(clip, style, monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("oh no")

    monkeypatch.setattr(vidstyle, "stylize", broken)
    assert main([clip, "--style", style]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "ZeroDivisionError" in error


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """Starts commands in processes of their own, quickly."""
    # A process started in the background ignores SIGINT, and hands that down to its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with Zygote() as zygote:
        zygote.folder = tmp_path_factory.mktemp("processes")
        yield zygote
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to send to one process")
@pytest.mark.parametrize(
    ("number", "status", "printed"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_has_its_exit_status_and_leaves_nothing(style, clip, tmp_path, processes, number, status, printed):
    before = sorted(tmp_path.iterdir())
    processes.log.write_text("")
    command = [clip, "--style", style, "-o", str(tmp_path / "out.mp4"), *QUICK]
    # Adam takes all steps, while L-BFGS ends where it gains nothing more.
    pid = processes.start([*command, "--optimizer", "adam", "--first-iterations", "100000"])
    processes.until(lambda: "4 frames" in processes.log.read_text())
    os.kill(pid, number)
    assert processes.end() == status
    text = processes.log.read_text()
    assert printed in text
    assert "Traceback" not in text
    assert sorted(tmp_path.iterdir()) == before


def test_status_says_how_far_a_render_is(clip, style, tmp_path, monkeypatch, capsys):
    output = tmp_path / "out.mp4"
    command = [clip, "--style", style, "-o", str(output), "--seed", "3", *QUICK]

    def stop_after_two(plan):
        raise KeyboardInterrupt

    assert main(["--status", str(output)]) == 1
    assert "no job is known by this name" in capsys.readouterr().err
    monkeypatch.setattr(
        progress.FrameBar, "frame_done", lambda self, frame: stop_after_two(0) if frame.done == 2 else 0
    )
    assert main(command) == 130
    printed = capsys.readouterr()
    job = f"{output}.vidstyle"
    assert f"vidstyle: interrupted; 2 frames are kept in {job}; continue with: vidstyle {clip} --style" in printed.err
    monkeypatch.undo()
    assert main(["--status", str(output)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{output}: 2 of 4 frames (50.0 %), ")
    assert first.endswith("left for one process, stopped")
    assert second.startswith(f"continue with: vidstyle {clip}")
    # What it says can be typed in as it stands.
    assert main(shlex.split(second.removeprefix("continue with: "))[1:]) == 0
    assert "continuing at frame 3 of 4\n" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to send to one process")
@pytest.mark.parametrize(("name", "workers"), [("SIGINT", "1"), ("SIGTERM", "2"), ("SIGHUP", "1")])
def test_a_signal_under_way_keeps_what_is_done(style, tmp_path, processes, name, workers):
    if signal.getsignal(getattr(signal, name)) == signal.SIG_IGN:
        pytest.skip(f"{name} is ignored by what started the tests, and so by what they start")
    clip = make_video(tmp_path / "clip.mp4", frames=8, size=(48, 32), audio=None)
    (tmp_path / "cuts.txt").write_text("4\n")
    output = tmp_path / "out.mp4"
    command = [str(clip), "--style", style, "-o", str(output), *QUICK, "--cuts", str(tmp_path / "cuts.txt")]
    slow = [*command, "--iterations", "40", "--least-gain", "0"]
    processes.log.write_text("")
    pid = processes.start([*slow, "--workers", workers])
    # Lines of the journal stay, while frames are removed once they are encoded.
    processes.until(lambda: len(read_journal(tmp_path / "out.mp4.vidstyle")) >= 2)
    os.kill(pid, getattr(signal, name))
    assert processes.end() == {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}[name]
    text = processes.log.read_text()
    assert " kept in " in text  # of the two frames, perhaps one only was told of yet
    assert "Traceback" not in text
    assert not output.exists()
    assert main(slow) == 0  # with one process


def test_the_parser_takes_no_abbreviations_by_accident():
    assert isinstance(build_parser(), argparse.ArgumentParser)
    with pytest.raises(SystemExit):
        build_parser().parse_args(["in.mp4", "--style", "a.png", "--iter", "3"])


def test_few_calls_lead_from_main_to_a_gram_product(clip, style, tmp_path, monkeypatch):
    product, depths = losses._product, []

    def counted(left, right, has_sums):
        files = [Path(frame.filename) for frame in traceback.extract_stack()]
        depths.append(sum(file.is_relative_to(PACKAGE) for file in files))
        return product(left, right, has_sums)

    monkeypatch.setattr(losses, "_product", counted)
    assert main([str(clip), "--style", str(style), "-o", str(tmp_path / "out.mp4"), *QUICK, "--frames", "0:2"]) == 0
    assert max(depths) + 1 <= 20
