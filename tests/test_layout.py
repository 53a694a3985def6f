"""The layout shows the architecture: imports go one way, files and functions stay small."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vidstyle"
# The floors, from the ground up: a row imports only from rows on floors below its own. A folder is one row.
FLOORS = (
    {"errors", "frames", "version"},
    {"files", "devices", "shots", "method"},
    {"settings", "weights", "media"},
    {"looks", "job", "metrics"},
    {"text", "workers"},
    {"reporting", "previews", "cluster"},
    {"render"},
    {"__init__"},
    {"studio", "experiments"},
    {"cli"},
    {"__main__"},
)
# The method is torch, numpy and OpenCV; of the package it knows pictures and errors. It opens no file.
METHOD_MAY_IMPORT = {"vidstyle.errors", "vidstyle.frames", "vidstyle.method", "torch", "numpy", "cv2", "torchvision"}
METHOD_MAY_NOT_IMPORT = {"argparse", "io", "json", "os", "pathlib", "safetensors", "shutil", "subprocess", "tempfile"}
MOST_ROOT_MODULES, MOST_FLOORS = 10, 11
LARGEST_FILE_LINES, LARGEST_FUNCTION_LINES, LONGEST_README_LINES = 600, 60, 150
FILES = sorted(PACKAGE.rglob("*.py"))
ALL_FILES = [*FILES, *sorted((ROOT / "scripts").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def row_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return name.split(".")[0] == "vidstyle" and (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file())


def imported_names(path):
    """Yields the modules that are imported anywhere in one, in functions and for type checkers too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if is_module(name) else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def floor_of(row):
    return next(number for number, rows in enumerate(FLOORS) if row in rows)


def test_every_row_has_one_floor():
    assert len(FLOORS) <= MOST_FLOORS
    rows = [row for floor in FLOORS for row in floor]
    assert sorted(rows) == sorted({row_of(path) for path in FILES})
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_ROOT_MODULES


def test_imports_go_one_way():
    wrong = []
    for path in FILES:
        row = row_of(path)
        for name in imported_names(path):
            if is_module(name):
                other = name.split(".")[1] if "." in name else "__init__"
                if other != row and floor_of(other) >= floor_of(row):
                    wrong.append(f"{name_of(path)} imports {name}")
    assert wrong == []


def test_no_module_imports_one_that_imports_it():
    graph = {module_of(path): set(filter(is_module, imported_names(path))) for path in FILES}
    TopologicalSorter(graph).prepare()


def test_the_method_stands_alone():
    wrong = []
    for path in (path for path in FILES if row_of(path) == "method"):
        for name in imported_names(path):
            of_ours = any(name == known or name.startswith(f"{known}.") for known in METHOD_MAY_IMPORT)
            if (name.startswith("vidstyle") and not of_ours) or name.split(".")[0] in METHOD_MAY_NOT_IMPORT:
                wrong.append(f"{name_of(path)} imports {name}")
    assert wrong == []


def test_readme_lists_the_folders_from_the_ground_up():
    listed = re.findall(r"^\| `(\w+)/` \| (.+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    folders = {row for floor in FLOORS for row in floor if (PACKAGE / row).is_dir()}
    assert {folder for folder, _ in listed} == folders
    floors = [floor_of(folder) for folder, _ in listed]
    assert floors == sorted(floors)
    for folder, said in listed:
        sentence = ast.get_docstring(tree_of(PACKAGE / folder / "__init__.py")).split("\n")[0].rstrip(".")
        assert sentence[0].lower() + sentence[1:] == said[0].lower() + said[1:]


def test_files_functions_and_readme_stay_small():
    long = []
    for path in ALL_FILES:
        if len(path.read_text(encoding="utf-8").splitlines()) > LARGEST_FILE_LINES:
            long.append(name_of(path))
        for node in ast.walk(tree_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = node.end_lineno - node.lineno + 1
                if lines > LARGEST_FUNCTION_LINES:
                    long.append(f"{name_of(path)}: {node.name}")
    assert long == []
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README_LINES


def test_only_the_command_line_prints_exits_or_draws_bars():
    forbidden = re.compile(r"\bprint\(|\bsys\.exit|\btqdm\b|\bargparse\b")
    found = {name_of(path): forbidden.findall(path.read_text(encoding="utf-8")) for path in FILES}
    allowed = [name_of(path) for path in FILES if row_of(path) in {"cli", "__main__"}]
    assert {name: words for name, words in found.items() if words and name not in allowed} == {}


def test_public_functions_and_classes_have_docstrings():
    lacking = []
    for path in FILES:
        nodes = [tree_of(path), *public_definitions(tree_of(path))]
        lacking += [f"{name_of(path)}: {getattr(n, 'name', '')}" for n in nodes if not ast.get_docstring(n)]
    assert lacking == []


def public_definitions(tree):
    """Yields public functions and classes; a method that a base class may have described is left out."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef) and not node.bases:
                methods = (n for n in node.body if isinstance(n, ast.FunctionDef))
                yield from (method for method in methods if not method.name.startswith("_"))


def test_there_is_no_utils():
    assert [p for p in ALL_FILES if p.stem in {"utils", "util", "helpers", "common", "misc"}] == []


def test_spelling_is_american():
    british = re.compile(
        r"colour|grey|neighbour|centre|behaviour|favour|catalogue|cancelled|labelled|licence|\b\w*(?:anal|optim|normal|minim|recogn|synthes|styl|quant|initial)(?:is|ys)(?:e[d]?|ing|ation)\b"
    )
    folders = ("vidstyle", "scripts", "tests")
    paths = [p for f in folders for s in ("py", "md", "html") for p in (ROOT / f).rglob(f"*.{s}")]
    found = {name_of(p): british.findall(p.read_text(encoding="utf-8")) for p in [*paths, ROOT / "README.md"]}
    found.pop("tests/test_layout.py")
    assert {name: words for name, words in found.items() if words} == {}
