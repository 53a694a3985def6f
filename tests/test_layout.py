"""The layout shows the architecture: imports go one way, files and functions stay small."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vidstyle"
# Each row may import from the rows above it that it names; nothing else. A folder is one row.
MAY_IMPORT = {
    "version": set(),
    "errors": set(),
    "process": set(),
    "lazy": set(),
    "counting": set(),
    "frames": set(),
    "moments": set(),
    "files": {"errors"},
    "settings": {"errors", "files", "frames", "moments"},
    "devices": {"errors"},
    "media": {"counting", "errors", "files", "frames"},
    "inputs": {"errors", "frames", "media", "settings"},
    "shots": {"errors", "frames", "moments"},
    "survey": {"errors", "media", "shots"},
    "fitting": {"errors", "frames", "media", "settings"},
    "overwriting": {"errors", "media", "settings"},
    "weights": {"errors", "files"},
    "features": {"errors", "weights"},
    "flow": {"errors", "frames", "weights"},
    "looks": {"counting", "errors", "files", "fitting", "frames", "media", "moments", "settings"},
    "objective": {"errors", "features", "frames", "looks", "media", "settings"},
    "optimization": {"errors", "frames", "media", "objective"},
    "chain": {
        "devices",
        "errors",
        "features",
        "fitting",
        "flow",
        "frames",
        "looks",
        "media",
        "objective",
        "optimization",
        "settings",
        "weights",
    },
    "metrics": {"counting", "errors", "flow", "frames", "media"},
    "job": {"errors", "files", "frames", "media", "settings", "shots", "version"},
    "wording": {"counting", "frames", "job", "metrics"},
    "reporting": {
        "counting",
        "errors",
        "files",
        "frames",
        "inputs",
        "job",
        "looks",
        "media",
        "metrics",
        "settings",
        "version",
        "wording",
    },
    "painting": {"chain", "errors", "frames", "inputs", "job", "looks", "media", "process", "settings", "shots"},
    "cluster": {
        "chain",
        "devices",
        "errors",
        "features",
        "files",
        "frames",
        "inputs",
        "job",
        "looks",
        "media",
        "moments",
        "painting",
        "process",
        "settings",
        "shots",
    },
    "rendering": {
        "chain",
        "cluster",
        "counting",
        "devices",
        "errors",
        "features",
        "fitting",
        "flow",
        "frames",
        "inputs",
        "job",
        "looks",
        "media",
        "objective",
        "optimization",
        "overwriting",
        "painting",
        "reporting",
        "settings",
        "shots",
        "survey",
        "weights",
    },
    "pipeline": {
        "chain",
        "devices",
        "features",
        "fitting",
        "flow",
        "frames",
        "inputs",
        "looks",
        "media",
        "rendering",
        "reporting",
        "settings",
        "survey",
        "weights",
    },
    "previews": {
        "chain",
        "errors",
        "features",
        "frames",
        "inputs",
        "looks",
        "media",
        "objective",
        "overwriting",
        "pipeline",
        "settings",
        "survey",
        "weights",
        "wording",
    },
    "monitoring": {"errors", "frames", "inputs", "job", "media", "metrics"},
    "__init__": {
        "chain",
        "errors",
        "frames",
        "job",
        "lazy",
        "looks",
        "metrics",
        "monitoring",
        "pipeline",
        "previews",
        "process",
        "reporting",
        "settings",
        "version",
        "wording",
    },
    "cli": {"__init__", "errors", "frames", "process", "settings", "version", "wording"},
    "__main__": {"cli"},
    "studio": {"__init__"},
    "experiments": {
        "__init__",
        "chain",
        "cli",
        "devices",
        "errors",
        "features",
        "files",
        "fitting",
        "frames",
        "lazy",
        "media",
        "objective",
        "optimization",
        "process",
        "settings",
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


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(tree):
    """Returns the modules of the package that are imported anywhere in one, in functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if is_module(name) else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if is_module(name)}


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return name.split(".")[0] == "vidstyle" and (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file())


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


def test_every_folder_is_installed():
    listed = re.findall(r'^    "(vidstyle[\w.]*)",$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert listed == sorted({module_of(path.parent / "__init__.py") for path in FILES})


def test_readme_lists_the_folders_in_that_order():
    listed = re.findall(r"^\| `(\w+)/` \| (.+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    folders = [row for row in MAY_IMPORT if (PACKAGE / row).is_dir()]
    assert [folder for folder, _ in listed] == folders
    for folder, said in listed:
        sentence = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8")))
        assert sentence.split("\n")[0].rstrip(".").lower() == said.lower()


def test_no_module_imports_one_that_imports_it():
    graph = {module_of(path): imported_modules(ast.parse(path.read_text(encoding="utf-8"))) for path in FILES}
    assert set.union(*graph.values()) <= set(graph)
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LARGEST_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno + 1 <= LARGEST_FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_command_line_prints_exits_or_draws_bars(path):
    if row_of(path) == "cli" or path.stem in {"cli", "__main__", "worker"}:
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
    text = (PACKAGE / "painting" / "worker.py").read_text(encoding="utf-8")
    assert re.findall(r"\bprint\(|\btqdm\b|\bargparse\b", text) == []
    assert "sys.exit" not in text


def test_there_is_no_utils():
    assert [p for p in ALL_FILES if p.stem in {"utils", "util", "helpers", "common", "misc"}] == []
