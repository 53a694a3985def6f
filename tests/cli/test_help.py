"""The manual on the command line."""

import pytest

from vidstyle.cli import help as manual
from vidstyle.cli.arguments import PACKAGE, build_parser
from vidstyle.cli.main import main
from vidstyle.settings.command import SUBCOMMANDS


def test_every_page_is_a_topic():
    assert {manual.page_of(topic) for topic in manual.TOPICS} == set(PACKAGE.rglob("README.md"))


def test_without_a_topic_all_are_listed(capsys):
    assert main(["help"]) == 0
    printed = capsys.readouterr().out
    assert "  looks       Looks: strength, styles" in printed
    assert all(f"\n  {topic} " in printed for topic in manual.TOPICS)


@pytest.mark.parametrize("topic", manual.TOPICS)
def test_a_topic_is_printed_without_what_only_a_browser_shows(topic, capsys):
    assert main(["help", topic]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# ")
    assert "<!--" not in printed and "![" not in printed


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["loks"], "vidstyle help: 'loks' is no topic; did you mean looks?"),
        (["xyzzy"], f"vidstyle help: 'xyzzy' is no topic; the topics are {', '.join(manual.TOPICS)}"),
        (["looks", "media"], "vidstyle help: error: unrecognized arguments: media; see vidstyle help --help"),
    ],
)
def test_an_unknown_topic_is_one_line_and_status_2(words, error, capsys):
    assert main(["help", *words]) == 2
    assert capsys.readouterr() == ("", f"{error}\n")


def test_the_name_of_a_folder_leads_to_its_page(capsys):
    assert main(["help", "settings"]) == 0
    assert capsys.readouterr().out.startswith("# Options")


def test_help_ends_with_where_the_manual_is(capsys):
    assert main(["--help"]) == 0
    *_, hint, place = capsys.readouterr().out.splitlines()
    assert hint == '"vidstyle help" lists the topics of the manual, and "vidstyle help TOPIC" prints one.'
    assert place.endswith(str(PACKAGE))


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_command_stands_in_front_and_a_file_of_its_name_does_not(name, capsys):
    assert main([name, "--help"]) == 0
    assert name in capsys.readouterr().out.splitlines()[0]
    assert build_parser().parse_args([f"./{name}", "--style", "a.jpg"]).input == f"./{name}"
