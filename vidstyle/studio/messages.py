"""Messages in which nothing is taken for more than letters: names of files are anybody's."""

from __future__ import annotations

import gradio as gr


def plain(error: Exception | str) -> str:
    """Returns a message in which nothing is taken for Markdown or HTML."""
    return "".join(f"&#{ord(c)};" if not (c.isalnum() or c.isspace()) else c for c in str(error))


def warn(error: Exception | str, title: str = "Warning") -> None:
    """Shows a message for a while in a corner of the page."""
    gr.Warning(plain(error), title=title)
