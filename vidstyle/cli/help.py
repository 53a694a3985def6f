"""The command `vidstyle help`: prints the manual, which is the README.md files in the package's folders."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from vidstyle.cli.arguments import PACKAGE, Parser
from vidstyle.cli.exit_status import DONE, USAGE
from vidstyle.cli.main import print_any_character

PROGRAM = "vidstyle help"
# The folder whose README.md is about each topic.
TOPICS = {
    "options": "settings",
    "looks": "looks",
    "steady": "method",
    "networks": "method/features",
    "media": "media",
    "jobs": "job",
    "cluster": "cluster",
    "preview": "previews",
    "report": "reporting",
    "studio": "studio",
    "experiments": "experiments",
    "python": "",
}


def page_of(topic: str) -> Path:
    """Returns the manual's page about a topic."""
    return PACKAGE / TOPICS[topic] / "README.md"


def topic_list() -> str:
    """Returns the topics with the title of each page, a line each."""
    return "\n".join(f"  {topic:12}{_title(topic)}" for topic in TOPICS)


def _title(topic: str) -> str:
    return page_of(topic).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def page_text(topic: str) -> str:
    """Returns a page as it is printed: without pictures, their captions, and marks that Markdown readers hide."""
    text = page_of(topic).read_text(encoding="utf-8")
    text = re.sub(r"^<!--.*-->\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^!\[.*\]\(.*\)\n\n?(?:\*[^*]+\*\n\n?)?", "", text, flags=re.MULTILINE)
    return text.rstrip()


def build_parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """Returns the parser; `program` is its name in usage lines."""
    parser = Parser(prog=program, description="Prints the manual, a topic at a time.", allow_abbrev=False)
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help="what to read about; all topics are listed without")
    return parser


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Prints a topic of the manual, or the topics there are; returns 0, or 2 where the topic is unknown.

    Args:
        arguments: those of the process by default. program: its name in usage lines and messages.
    """
    try:
        topic = build_parser(program).parse_args(arguments).topic
    except SystemExit as stop:  # argparse has printed why, or the help
        return int(stop.code or 0)
    print_any_character()
    if topic is None:
        _print(f"The manual's topics, each printed by vidstyle help TOPIC:\n\n{topic_list()}\n")
        _print("All options in short: vidstyle --help")
        return DONE
    # A folder's name leads to its page, too.
    topic = topic.lower()
    topic = next((name for name, folder in TOPICS.items() if topic in (name, folder or name)), topic)
    if topic not in TOPICS:
        nearest = difflib.get_close_matches(topic, TOPICS, 3)
        advice = f"did you mean {' or '.join(nearest)}?" if nearest else f"the topics are {', '.join(TOPICS)}"
        print(f"{program}: {topic!r} is no topic; {advice}", file=sys.stderr)
        return USAGE
    _print(page_text(topic))
    return DONE


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # who reads it, as `head` or `less`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
