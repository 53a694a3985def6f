#!/usr/bin/env python3
"""Prints README's table of options, made from the settings' own help texts.

python scripts/readme_options.py          prints the table
python scripts/readme_options.py --write  puts it between README's two marks
"""

from __future__ import annotations

import sys
from pathlib import Path

from vidstyle.settings.definitions import ALL_SETTINGS
from vidstyle.settings.words import flag_of

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- options: written by scripts/readme_options.py -->", "<!-- end of options -->"


def option_table() -> str:
    """Returns the table as Markdown, a row a setting: flag, default, meaning."""
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for spec in ALL_SETTINGS.values():
        value = "\\|".join(spec.kind.choices) or spec.kind.metavar.replace("|", "\\|")
        flag = f"`{flag_of(spec.name)}{' ' + value if value else ''}`"
        rows.append(f"| {flag} | {spec.shown(spec.default)} | {spec.help} |")
    return "\n".join(rows)


def readme_with_table(text: str) -> str:
    """Returns README's text with the table between the marks made new."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{option_table()}\n{END}{after}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        README.write_text(readme_with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(option_table())
