"""The layout shows the architecture: imports go one way, files and functions stay small."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vidstyle"
# Each row may import from the rows above it that it names; nothing else. A folder is one row.
MAY_IMPORT = {
    "version": set(),
    "errors": set(),
    "frames": set(),
    "process": set(),
    "moments": set(),
    "files": {"errors"},
    "settings": {"errors", "files", "frames", "moments"},
    "devices": {"errors"},
    "media": {"errors", "files", "frames"},
    "inputs": {"errors", "frames", "media", "settings"},
    "recolouring": {"frames"},
    "fitting": {"errors", "frames", "media", "settings"},
    "shots": {"errors", "frames", "moments"},
    "survey": {"errors", "media", "shots"},
    "weights": {"errors", "files"},
    "features": {"errors", "weights"},
    "flow": {"errors", "frames", "weights"},
    "filling": {"frames"},
    "coverage": {"errors", "frames", "media"},
    "masking": {"coverage", "frames", "media", "settings"},
    "sparing": {"errors", "media", "settings"},
    "carrying": {"coverage", "filling", "flow", "frames"},
    "noise": {"flow", "frames"},
    "losses": set(),
    "tiling": {"features"},
    "regions": {"losses", "tiling"},
    "objective": {"features", "frames", "losses", "media", "regions", "settings", "tiling"},
    "lbfgs": set(),
    "optimize": {"errors", "lbfgs"},
    "memory": {"errors", "optimize"},
    "looks": {"errors", "settings"},
    "keyframes": {"errors", "moments"},
    "timeline": {"errors", "keyframes", "looks", "moments", "settings"},
    "leaving": {"coverage", "errors", "looks", "settings", "timeline"},
    "styles": {"errors", "files", "fitting", "frames", "media", "settings", "timeline"},
    "aims": {
        "coverage",
        "errors",
        "features",
        "frames",
        "looks",
        "media",
        "objective",
        "recolouring",
        "regions",
        "settings",
        "styles",
        "tiling",
    },
    "following": {"carrying", "frames", "looks", "settings"},
    "coarse_to_fine": {"aims", "frames", "media", "objective", "optimize", "regions"},
    "stylizer": {
        "aims",
        "carrying",
        "coverage",
        "devices",
        "errors",
        "features",
        "fitting",
        "flow",
        "following",
        "frames",
        "leaving",
        "looks",
        "media",
        "memory",
        "noise",
        "objective",
        "optimize",
        "coarse_to_fine",
        "recolouring",
        "settings",
        "styles",
        "timeline",
        "weights",
    },
    "metrics": {"errors", "flow", "frames", "media"},
    "job": {"errors", "files", "frames", "media", "settings", "shots", "version"},
    "wording": {"frames", "job", "metrics"},
    "reporting": {
        "errors",
        "files",
        "frames",
        "inputs",
        "job",
        "media",
        "metrics",
        "settings",
        "styles",
        "version",
        "wording",
    },
    "painting": {"coverage", "errors", "following", "frames", "job", "looks", "media", "shots", "stylizer"},
    "answers": {"errors", "frames", "painting", "stylizer"},
    "worker": {"answers", "inputs", "job", "masking", "painting", "process", "settings", "stylizer"},
    "workers": {"answers", "errors", "job", "painting", "settings", "shots", "worker"},
    "command": {"settings"},
    "chronicling": {"command", "errors", "job", "reporting", "settings"},
    "versions": {"settings", "version"},
    "listeners": {"frames", "reporting", "survey", "weights"},
    "notes": {"job", "memory"},
    "cluster": {
        "answers",
        "coverage",
        "devices",
        "errors",
        "features",
        "files",
        "frames",
        "inputs",
        "job",
        "masking",
        "media",
        "moments",
        "painting",
        "process",
        "settings",
        "shots",
        "stylizer",
        "versions",
    },
    "engines": {
        "cluster",
        "inputs",
        "job",
        "masking",
        "media",
        "notes",
        "painting",
        "settings",
        "shots",
        "stylizer",
        "workers",
    },
    "render": {
        "chronicling",
        "command",
        "devices",
        "engines",
        "errors",
        "features",
        "files",
        "fitting",
        "frames",
        "inputs",
        "job",
        "listeners",
        "masking",
        "media",
        "notes",
        "painting",
        "reporting",
        "settings",
        "shots",
        "sparing",
        "styles",
        "stylizer",
        "survey",
        "timeline",
        "versions",
        "weights",
    },
    "pace": {"coverage", "frames", "looks", "media", "optimize", "settings", "stylizer", "tiling"},
    "disk": {"media", "shots"},
    "rehearsal": {
        "coverage",
        "devices",
        "disk",
        "engines",
        "errors",
        "features",
        "flow",
        "frames",
        "job",
        "looks",
        "masking",
        "media",
        "notes",
        "pace",
        "render",
        "settings",
    },
    "pipeline": {
        "devices",
        "features",
        "fitting",
        "flow",
        "frames",
        "inputs",
        "listeners",
        "masking",
        "media",
        "rehearsal",
        "render",
        "reporting",
        "settings",
        "styles",
        "stylizer",
        "survey",
        "timeline",
        "weights",
    },
    "sheet": {"frames", "settings"},
    "previewing": {
        "coverage",
        "errors",
        "features",
        "frames",
        "inputs",
        "looks",
        "masking",
        "media",
        "pipeline",
        "settings",
        "sheet",
        "sparing",
        "stylizer",
        "survey",
        "timeline",
        "weights",
        "wording",
    },
    "looking": {
        "coverage",
        "errors",
        "frames",
        "inputs",
        "looks",
        "masking",
        "media",
        "objective",
        "settings",
        "stylizer",
        "timeline",
    },
    "watching": {"errors", "frames", "inputs", "job", "media", "metrics"},
    "progress": {"frames"},
    "__init__": {
        "command",
        "coverage",
        "errors",
        "frames",
        "job",
        "looking",
        "metrics",
        "pipeline",
        "previewing",
        "process",
        "reporting",
        "settings",
        "stylizer",
        "version",
        "watching",
        "wording",
    },
    "ending": {"errors"},
    "arguments": {"errors", "settings", "version"},
    "cli": {"__init__", "arguments", "ending", "errors", "frames", "process", "progress", "settings", "wording"},
    "__main__": {"cli"},
    "studio": {"__init__"},
    "experiments": {
        "__init__",
        "arguments",
        "cli",
        "coarse_to_fine",
        "devices",
        "ending",
        "errors",
        "features",
        "files",
        "fitting",
        "frames",
        "losses",
        "media",
        "noise",
        "objective",
        "optimize",
        "process",
        "progress",
        "settings",
        "stylizer",
        "tiling",
        "version",
        "weights",
    },
}
LARGEST_FILE_LINES, LARGEST_FUNCTION_LINES = 400, 60
FILES = sorted(PACKAGE.rglob("*.py"))
ALL_FILES = [*FILES, *sorted((ROOT / "scripts").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]


def name_of(path):
    return str(path.relative_to(ROOT))


def row_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imported_rows(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "vidstyle":
            parts = node.module.split(".")
            yield from (
                [parts[1]]
                if len(parts) > 1
                else [alias.name if (PACKAGE / f"{alias.name}.py").is_file() else "__init__" for alias in node.names]
            )
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "vidstyle":
                    yield parts[1] if len(parts) > 1 else "__init__"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path):
    row = row_of(path)
    assert set(imported_rows(ast.parse(path.read_text(encoding="utf-8")))) - {row} <= MAY_IMPORT[row]


def test_the_table_itself_has_no_cycle():
    rows = list(MAY_IMPORT)
    for row, imports in MAY_IMPORT.items():
        assert all(rows.index(other) < rows.index(row) for other in imports), row


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LARGEST_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno + 1 <= LARGEST_FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_command_line_prints_exits_or_draws_bars(path):
    if path.stem in {"arguments", "cli", "ending", "progress", "__main__", "worker"}:
        return
    forbidden = re.compile(r"\bprint\(|\bsys\.exit|\btqdm\b|\bargparse\b")
    assert forbidden.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_public_functions_and_classes_have_docstrings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in public_definitions(tree):
        assert ast.get_docstring(node), node.name


def public_definitions(tree):
    """Yields public functions and classes; a method that a base class may have described is left out."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef) and not node.bases:
                methods = (n for n in node.body if isinstance(n, ast.FunctionDef))
                yield from (method for method in methods if not method.name.startswith("_"))


def test_a_worker_prints_nothing_but_answers():
    text = (PACKAGE / "worker.py").read_text(encoding="utf-8")
    assert re.findall(r"\bprint\(|\btqdm\b|\bargparse\b", text) == []
    assert "sys.exit" not in text


def test_there_is_no_utils():
    assert [p for p in ALL_FILES if p.stem in {"utils", "util", "helpers", "common", "misc"}] == []
