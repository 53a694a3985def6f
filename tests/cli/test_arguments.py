"""Where settings come from: the command line, a file, a preset, and who wins."""

import re
import shlex
from dataclasses import fields, replace
from pathlib import Path

import pytest
from renders import everything

from vidstyle.cli.arguments import build_parser, in_flags, parsed, settings_of
from vidstyle.cli.main import main
from vidstyle.errors import SettingsError
from vidstyle.settings import Settings
from vidstyle.settings.config import read_config
from vidstyle.settings.quality import QUALITIES
from vidstyle.settings.words import flag_of

QUICK = ["--size", "32", "--iterations", "0", "--first-iterations", "0", "--device", "cpu", "--cuts", "off"]


def settings_from(line):
    return settings_of(parsed(build_parser(), shlex.split(line)))


@pytest.fixture
def look(tmp_path, monkeypatch):
    """A file of settings in a folder of its own, and the folder above it as the current one."""
    monkeypatch.chdir(tmp_path)
    Path("looks").mkdir()
    Path("looks/a.toml").write_text('style = "s.png"\nsize = 200\nseed = 5\nquality = "draft"\n', encoding="utf-8")
    return "looks/a.toml"


def test_without_words_settings_are_the_defaults():
    assert settings_from("in.mp4 --style s.jpg") == Settings()


def test_explicit_options_win_over_a_quality_even_where_they_say_the_default():
    assert settings_from("in.mp4 --style s.jpg --quality best") == Settings.of_quality("best")
    settings = settings_from("in.mp4 --style s.jpg --quality best --size 640 --network compact")
    assert settings == Settings.of_quality("best", size=640, network="compact")


def test_a_file_gives_settings_and_style(look):
    options = parsed(build_parser(), ["in.mp4", "--config", look])
    assert settings_of(options) == Settings.of_quality("draft", size=200, seed=5)
    assert [Path(style) for style in options.style] == [Path("looks/s.png")]


def test_the_command_line_wins_over_the_file_and_its_quality_over_the_files_settings(look):
    line = f"in.mp4 --config {look} --style t.png --seed 0"
    options = parsed(build_parser(), shlex.split(line))
    assert settings_of(options) == Settings.of_quality("draft", size=200, seed=0)
    assert options.style == ["t.png"]
    assert settings_from(f"{line} --quality high") == Settings.of_quality("high", seed=0)
    assert settings_from(f"{line} --quality high --size 99") == Settings.of_quality("high", seed=0, size=99)


def test_a_quality_with_another_network_leaves_out_what_is_of_the_files_own(look):
    own = 'weights = "w.pth"\ncontent_layer = "relu4_2"\nstyle_layers = ["relu1_1", "relu5_1"]\n'
    Path("vgg.toml").write_text(f'network = "vgg19"\npooling = "max"\nseed = 3\n{own}', encoding="utf-8")
    line = "in.mp4 --style s.png --config vgg.toml --quality"
    assert settings_from(f"{line} draft") == Settings.of_quality("draft", seed=3)
    assert settings_from(f"{line} best").pooling == "max"
    assert settings_from(f"{line} best").content_layer == "relu4_2"
    assert settings_from(f"{line} draft --network vgg19").pooling == "max"
    given = settings_from(f"{line} draft --content-layer relu2_1")
    assert given == Settings.of_quality("draft", seed=3, content_layer="relu2_1")
    Path("compact.toml").write_text('style_layers = ["relu1_1"]', encoding="utf-8")
    line = "in.mp4 --style s.png --config compact.toml --quality"
    assert settings_from(f"{line} draft").style_layers == ("relu1_1",)
    assert settings_from(f"{line} best") == Settings.of_quality("best")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("in.mp4", "--style"),
        ("--config looks/a.toml", "INPUT"),
        ("in.mp4 --config none.toml", "none.toml: cannot be read"),
        ("in.mp4 --style s.png --dry-run --save-config b.toml", "--dry-run writes nothing"),
        ("--status out.mp4 --config looks/a.toml", "stands alone"),
        ("--status out.mp4 --quality draft", "stands alone"),
        ("--status out.mp4 --size 640", "stands alone"),
        ("--measure a.mp4 b.mp4 --save-config b.toml", "stands alone"),
    ],
)
def test_wrong_usage_is_said(line, said, look, capsys):
    with pytest.raises(SettingsError, match=re.escape(said)):
        settings_from(line)
    assert main(shlex.split(line)) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("--style-blend -1 1", 2, "vidstyle: error: --style-blend is -1; the range is 0 to 1000000000; see vidstyle"),
        ("--style-blend 0 0", 2, "--style-blend is all 0"),
        ("--strength 1.5", 2, "--strength is 1.5; the range is 0 to 1;"),
        ("--frames 3:3", 2, "--frames 3:3 is empty"),
        ("--no-audio --audio aac", 2, "--no-audio and --audio aac contradict each other"),
        (
            "--content-weight 0 --style-weight 0 --tv-weight 0",
            2,
            "--content-weight, --style-weight and --tv-weight are",
        ),
        ("--style-blend 1 2", 1, "vidstyle: --style-blend has 2 weights for 1 style; give one"),
        (
            "--animate fades.csv --strength 0.5",
            1,
            "--strength and --animate (fades.csv, line 1) both say what strength",
        ),
        ("--config b.toml", 2, "b.toml: style_blend is -1;"),
        ("--config c.toml", 1, "vidstyle: style_blend has 2 weights for 1 style;"),
    ],
)
def test_errors_call_settings_by_what_was_typed(words, status, said, painting_scene, capsys):
    Path("fades.csv").write_text("0,strength,1\n", encoding="utf-8")
    Path("b.toml").write_text("style_blend = [-1, 1]", encoding="utf-8")
    Path("c.toml").write_text("style_blend = [1, 1]\nstyle='style.png'", encoding="utf-8")
    own = [] if words == "--config c.toml" else ["--style", "style.png"]
    assert main(["in.mp4", *own, "-o", "out.mp4", *words.split(" ")]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_names_within_names_of_files_stay():
    flags = {"style_size": "--style-size", "mask": "--mask"}
    for message in ("a/style_size.png: no such file", "the mask of b", "old_style_size is 3", "mask.png: black"):
        assert in_flags(message, flags) == message
    assert in_flags("mask and style_size, both", flags) == "--mask and --style-size, both"


def test_a_file_may_name_several_styles(look):
    text = 'style = ["a.jpg", "b.jpg"]\nstyle_blend = [0.7, 0.3]\nstyle_crop = [0, 0, 0.5, 1]\n'
    Path("b.toml").write_text(text, encoding="utf-8")
    options = parsed(build_parser(), ["in.mp4", "--config", "b.toml"])
    assert settings_of(options) == Settings(style_blend=(0.7, 0.3), style_crop=(0, 0, 0.5, 1))
    assert options.style == ["a.jpg", "b.jpg"]


def test_styles_of_the_command_line_replace_those_of_a_file(look):
    Path("at.toml").write_text('style_at = ["0:a.jpg", "2s:b.jpg"]', encoding="utf-8")
    assert settings_from("in.mp4 --config at.toml") == Settings(style_at=("0:a.jpg", "2s:b.jpg"))
    assert settings_from("in.mp4 --config at.toml --style c.jpg") == Settings()
    options = parsed(build_parser(), ["in.mp4", "--config", look, "--style-at", "0:a.jpg", "2s:b.jpg"])
    assert settings_of(options).style_at == ("0:a.jpg", "2s:b.jpg")
    assert options.style is None


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("--style c.jpg", {}),
        ("--style c.jpg d.jpg e.jpg --style-blend 1 2 3", {"style_blend": (1, 2, 3)}),
        ("--style-at 0:a.jpg 2s:b.jpg", {"style_at": ("0:a.jpg", "2s:b.jpg")}),
        ("--style-blend 1 3", {"style_blend": (1, 3)}),
        ("", {"style_blend": (0.7, 0.3)}),
    ],
)
def test_what_each_style_of_a_file_counts_goes_with_them(line, changes, look):
    Path("two.toml").write_text('style = ["a.jpg", "b.jpg"]\nstyle_blend = [0.7, 0.3]', encoding="utf-8")
    assert settings_from(f"in.mp4 --config two.toml {line}") == Settings(**changes)


def test_a_quality_can_change_without_changing_a_job(painting_scene, monkeypatch, capsys):
    small = {"size": 32, "network": "compact", "iterations": 1, "first_iterations": 2}
    draft = QUALITIES["draft"]
    words = ["in.mp4", "--style", "style.png", "-o", "out.mp4", "--quality", "draft", "--device", "cpu"]
    with monkeypatch.context() as patch:
        patch.setitem(QUALITIES, "draft", replace(draft, settings=small))
        patch.setattr("vidstyle.cli.progress.FrameBar.frame_done", stop_at(2))
        assert main(words) == 130
    said = capsys.readouterr().err
    monkeypatch.setitem(QUALITIES, "draft", replace(draft, settings=small | {"size": 48}))
    # The same words mean something else now, which is said; what was printed goes on as it was begun.
    assert main(words) == 1
    assert "--size was 32, is 48" in capsys.readouterr().err
    command = said.splitlines()[-1].partition("continue with: ")[2]
    assert "--quality" not in command and "--size 32" in command
    assert main(shlex.split(command)[1:]) == 0
    assert "continuing at frame 3 of 10" in capsys.readouterr().out


def stop_at(count):
    def frame_done(bar, frame):
        if frame.done == count:
            raise KeyboardInterrupt

    return frame_done


def test_settings_are_kept_when_all_is_done_and_do_the_same_again(painting_scene, capsys):
    Path("kept").mkdir()
    words = ["in.mp4", "--style", "style.png", "-o", "out.mp4", *QUICK, "--seed", "7"]
    assert main([*words, "--save-config", "kept/look.toml"]) == 0
    assert Path("kept/look.toml").read_text(encoding="utf-8").splitlines()[1] == 'style = "../style.png"'
    assert read_config("kept/look.toml").values["seed"] == 7
    # The very same render, as far as the job knows.
    assert main(["in.mp4", "--config", "kept/look.toml", "--device", "cpu", "-o", "out.mp4"]) == 0
    assert "finished already by the same command" in capsys.readouterr().out
    # And again with the file there already, which holds the same.
    assert main([*words, "--save-config", "kept/look.toml"]) == 0


def test_what_belongs_to_the_film_is_not_kept_and_that_is_said(painting_scene, capsys):
    words = ["in.mp4", "--style", "style.png", "-o", "out.mp4", *QUICK, "--frames", "2:4", "--crf", "20"]
    assert main([*words, "--save-config", "look.toml"]) == 0
    said = "note: look.toml: holds the look, without what is of this film: frames, crf"
    assert said in capsys.readouterr().out.splitlines()
    assert not {"frames", "crf"} & set(read_config("look.toml").values)


def test_a_file_that_is_in_the_way_is_said_before_anything_is_painted(painting_scene, tmp_path, capsys):
    Path("look.toml").write_text("size = 3\n", encoding="utf-8")
    before = everything(tmp_path)
    words = ["in.mp4", "--style", "style.png", "-o", "out.mp4", *QUICK]
    for name, said in (
        ("look.toml", "exists already"),
        ("in.mp4", "end the name in .toml"),
        ("no/a.toml", "no such folder"),
    ):
        assert main([*words, "--save-config", name]) == 1
        assert said in capsys.readouterr().err
        assert everything(tmp_path) == before
    # A render that fails keeps no settings.
    assert main(["none.mp4", *words[1:], "--save-config", "b.toml"]) == 1
    assert everything(tmp_path) == before
    assert main([*words, "--save-config", "look.toml", "--overwrite"]) == 0
    assert read_config("look.toml").values["size"] == 32


def test_a_previews_settings_can_be_kept(painting_scene):
    assert main(["in.mp4", "--style", "style.png", *QUICK, "--preview", "sheet.png", "--save-config", "a.toml"]) == 0
    assert read_config("a.toml").values["size"] == 32


def test_help_lists_settings_by_topic_and_leaves_none_out(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    first, *groups = re.split(r"^(?=[a-z][^\n]*:\n)", build_parser().format_help(), flags=re.M)
    assert len(first.splitlines()) < 10  # how it is called, to be seen at once
    topics = {group.splitlines()[0]: re.findall(r"^  (--[a-z-]+)", group, re.M) for group in groups}
    assert topics["from frame to frame:"] == [
        "--init",
        "--flow",
        "--temporal-weight",
        "--temporal-window",
        "--keyframe-every",
        "--least-gain",
    ]
    settings = [flag for topic, flags in topics.items() if topic != "options:" for flag in flags]
    assert settings == [flag_of(spec.name) for spec in fields(Settings)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["in.mp4", "--stlye", "a.jpg"], "unrecognized arguments: --stlye a.jpg; did you mean --style?"),
        (["in.mp4", "--style", "a.jpg", "--sizes=3"], "unrecognized arguments: --sizes=3; did you mean --size?"),
        (["in.mp4", "--style", "a.jpg", "--qqqq"], "unrecognized arguments: --qqqq; see"),
        (["in.mp4", "--style", "a.jpg", "--keyframes", "k.csv"], "vidstyle: error: --keyframes is now --animate; see"),
        (["in.mp4", "--keyframes=k.csv", "--style", "a.jpg"], "vidstyle: error: --keyframes is now --animate; see"),
        (["in.mp4", "--style", ""], "--style is empty; name a file or folder"),
        (["", "--style", "a.jpg"], "INPUT is empty; name a file or folder"),
        (["in.mp4", "--style", "a.jpg", "-o", ""], "--output is empty; name a file or folder"),
    ],
)
def test_a_slip_is_named_with_what_was_meant(words, message, capsys):
    assert main(words) == 2
    assert message in capsys.readouterr().err
