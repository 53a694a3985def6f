#!/usr/bin/env python3
"""Writes those tables of README.md and the manual that follow from the code, between their marks.

python scripts/write_manual.py          prints the tables
python scripts/write_manual.py --write  puts them into the files
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from vidstyle.cli.arguments import build_parser
from vidstyle.settings.definitions import ALL_SETTINGS
from vidstyle.settings.quality import QUALITIES
from vidstyle.settings.setting import GROUPS
from vidstyle.settings.words import flag_of

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "vidstyle").rglob("README.md"))]
# Each folder imports only from those before it.
FOLDERS = (
    *(
        "method",
        "settings",
        "media",
        "weights",
        "looks",
        "job",
        "workers",
        "reporting",
        "previews",
        "cluster",
        "render",
    ),
    *("studio", "experiments", "cli"),
)
_MARK = re.compile(r"(<!-- (\w+): written by scripts/write_manual\.py -->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def options() -> str:
    """Returns the options by topic: flag, default, meaning."""
    lines = ["### The command", "", "| argument | meaning |", "|---|---|"]
    for action in build_parser()._actions:
        if action.dest not in ALL_SETTINGS:
            several = action.metavar if isinstance(action.metavar, tuple) else (action.metavar,)
            value = " ".join(filter(None, several)) or "\\|".join(action.choices or ())
            name = f"{', '.join(action.option_strings)} {value}".strip()
            lines.append(f"| `{name}` | {(action.help or '').replace('%%', '%')} |")
    lines.append("")
    for group, title in GROUPS.items():
        lines += [f"### {title.capitalize()}", "", "| option | default | meaning |", "|---|---|---|"]
        for spec in ALL_SETTINGS.values():
            if spec.group == group:
                value = "\\|".join(spec.kind.choices) or spec.kind.metavar.replace("|", "\\|")
                flag = f"`{flag_of(spec.name)}{' ' + value if value else ''}`"
                lines.append(f"| {flag} | {spec.shown(spec.default)} | {spec.help} |")
        lines.append("")
    return "\n".join(lines[:-1])


def qualities() -> str:
    """Returns the presets: the options that each sets, and its seconds a frame."""
    names = list(next(iter(QUALITIES.values())).settings)
    head = ["`--quality`", *(f"`{flag_of(name)}`" for name in names), "a shot's first frame", "a later one that moves"]
    rows = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, quality in QUALITIES.items():
        seconds = (f"{quality.first_frame_s:g} s", f"{quality.later_frame_s:g} s")
        rows.append(f"| {' | '.join(map(str, (name, *quality.settings.values(), *seconds)))} |")
    return "\n".join(rows)


def scopes() -> str:
    """Returns what --save-config leaves out."""
    of_what = {"film": "this film", "output": "its output", "machine": "this machine", "run": "this run"}
    return "\n".join(
        f"- of {words}: {', '.join(f'`{flag_of(name)}`' for name, spec in ALL_SETTINGS.items() if spec.scope == scope)}"
        for scope, words in of_what.items()
    )


def folders() -> str:
    """Returns the package's folders, each with the first line of its docstring."""
    rows = ["| folder | what is in it |", "|---|---|"]
    for folder in FOLDERS:
        text = (ROOT / "vidstyle" / folder / "__init__.py").read_text(encoding="utf-8")
        sentence = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0].rstrip(".")
        rows.append(f"| `{folder}/` | {sentence[:1].lower()}{sentence[1:]} |")
    return "\n".join(rows)


TABLES = {"options": options, "qualities": qualities, "scopes": scopes, "folders": folders}


def with_tables(text: str) -> str:
    """Returns a page's text with the tables between its marks made anew."""
    return _MARK.sub(lambda mark: f"{mark[1]}{TABLES[mark[2]]()}\n{mark[3]}", text)


if __name__ == "__main__":
    if "--write" in sys.argv:
        for page in PAGES:
            page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print("\n\n".join(table() for table in TABLES.values()))
