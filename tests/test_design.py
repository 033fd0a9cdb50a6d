"""The design page is true: its tests and files are there, and no room of the function is left out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lambda" / "personalize_relay"
PAGE = ROOT / "docs" / "design.md"
TEXT = PAGE.read_text()

PROMISES = {f"P{number}" for number in range(1, 10)}
ROWS = dict(re.findall(r"^\| \*\*(P\d) (.+)$", TEXT, re.MULTILINE))
"""What the table of the promises says of each, by its name."""
HOLDERS = {name: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row) for name, row in ROWS.items()}
"""The tests that hold a promise, as file and function."""
FILES = set(re.findall(r"[\w/]+\.py\b", TEXT))


def names_of_tests(path: Path) -> set[str]:
    """The names of the test functions in a file, which isn't run for it."""
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_the_table_has_every_promise() -> None:
    assert ROWS.keys() == PROMISES


@pytest.mark.parametrize("promise", sorted(PROMISES))
def test_a_promise_is_held_by_tests_that_exist(promise: str) -> None:
    assert HOLDERS.get(promise)
    missing = [f"{file}::{name}" for file, name in HOLDERS[promise] if name not in names_of_tests(ROOT / file)]
    assert not missing


def test_every_file_it_names_exists() -> None:
    """A bare name is a file of the function."""
    missing = {file for file in FILES if not (ROOT / file if "/" in file else PACKAGE / file).exists()}
    assert not missing


def test_every_module_of_the_function_is_named() -> None:
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert modules - FILES == set()
