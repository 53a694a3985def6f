#!/usr/bin/env python3
"""Prints README's table of options, made from the settings' own help texts.

python scripts/readme_options.py          prints the table
python scripts/readme_options.py --write  puts it between README's two marks
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

from vidstyle.settings import Settings
from vidstyle.settings.words import flag_of

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- options: written by scripts/readme_options.py -->", "<!-- end of options -->"


def option_table() -> str:
    """Returns the table as Markdown, a row a setting: flag, default, meaning."""
    rows = ["| option | default | meaning |", "|---|---|---|"]
    for spec in fields(Settings):
        meta, default = spec.metadata, spec.default
        value = "\\|".join(meta["choices"]) or meta["metavar"].replace("|", "\\|")
        flag = f"`{flag_of(spec.name)}{' ' + value if value else ''}`"
        silent = default is None or default is False or default in ((0, None), ())
        several = default if isinstance(default, tuple) and not silent else ()
        words = [f"{word:g}" if isinstance(word, float) else str(word) for word in several]
        shown = "" if silent else (" " if meta["many"] else ",").join(words) or f"{default}"
        rows.append(f"| {flag} | {shown} | {meta['help']} |")
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
