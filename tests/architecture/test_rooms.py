"""The habits of `docs/architecture.md` that a program can check."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = SETTINGS["tool"]["importlinter"]["root_packages"]
# Migrations are a record of what was done once; they are not read like code.
MODULES = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if "migrations/versions" not in path.as_posix()
)
MAX_MODULE_LINES = 250
MAX_BODY_LINES = 40
MEANINGLESS = {"utils", "util", "common", "core", "helpers", "helper", "base", "manager", "misc"}


def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _place(path):
    return path.relative_to(ROOT).as_posix()


def _body_lines(function):
    """Lines of a function from its first statement after the docstring to its end."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def _has_docstring_only(tree):
    return len(tree.body) == 1 and ast.get_docstring(tree) is not None


def test_there_is_something_to_check():
    assert len(ROOMS) >= 9
    assert len(MODULES) > 50


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_name_is_really_ours(room):
    """Generic names exist on the package index too; another's package must not come first."""
    spec = importlib.util.find_spec(room)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_packaged_and_typed(room):
    assert room in SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert room in SETTINGS["tool"]["mypy"]["packages"]
    assert (ROOT / room / "py.typed").is_file()


def test_imports_keep_their_contracts():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_too_long():
    lengths = {_place(p): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    assert {place: n for place, n in lengths.items() if n > MAX_MODULE_LINES} == {}


def test_no_function_body_is_too_long():
    long = {}
    for path in MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                n = _body_lines(node)
                if n > MAX_BODY_LINES:
                    long[f"{_place(path)}:{node.lineno} {node.name}"] = n
    assert long == {}


def test_packages_open_with_a_docstring_and_nothing_else():
    openings = [path for path in MODULES if path.name == "__init__.py"]
    assert [_place(p) for p in openings if not _has_docstring_only(_tree(p))] == []


def test_no_module_has_a_name_that_says_nothing():
    names = {part for p in MODULES for part in Path(_place(p)).with_suffix("").parts}
    assert names & MEANINGLESS == set()


def test_imports_are_absolute():
    relative = [
        f"{_place(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative == []


def test_the_measure_counts_the_body_without_signature_and_docstring():
    source = 'def f(\n    a,\n):\n    """One.\n\n    Two.\n    """\n    b = a\n\n    return b\n'
    assert _body_lines(ast.parse(source).body[0]) == 3
    assert _body_lines(ast.parse('def f():\n    """One."""\n').body[0]) == 0
