"""The studio does nothing that a notebook could not do."""

import ast
import re
from pathlib import Path

import pytest

import vidstyle
import vidstyle.studio

FILES = sorted(Path(vidstyle.studio.__file__).parent.glob("*.py"))


def test_the_studio_uses_public_names_only():
    used = set()
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vidstyle":
                assert node.module.startswith("vidstyle.studio"), (file.name, node.module)
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("vidstyle.") for alias in node.names), file.name
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "vidstyle":
                used.add(node.attr)
    assert used <= {*vidstyle.__all__, "__version__"}
    assert {"Sketcher", "as_command", "job_history"} <= used


@pytest.mark.parametrize("value", [".vidstyle", "127.0.0.1"])
def test_a_value_is_written_once(value):
    places = [
        (file.name, node.lineno)
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(rf"{re.escape(value)}(?![\w-])", node.value)
    ]
    assert len(places) == 1, places


def test_only_the_page_itself_needs_gradio():
    for file in FILES:
        if file.stem in {"look_page", "render_page", "page", "server"}:
            continue
        names = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        }
        assert not names & {"gradio", "fastapi", "pandas"}, file.name
