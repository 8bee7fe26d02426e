"""Modules and functions stay small, and the few that are larger only shrink."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.source import ROOT, SRC, TESTS, Function, functions, modules, name_of, tree_of

MODULE_LINES = 300
TEST_MODULE_LINES = 400
FUNCTION_LINES = 40

LONG_MODULES: dict[str, int] = {}
"""Modules over the limit, with the most that they may have. Entries shrink and go; none grows."""

LONG_FUNCTIONS: dict[str, int] = {}
"""Functions over the limit, as `path::name`, with the most that they may have. The same rule."""

DUMPING_GROUNDS = {"utils", "util", "common", "helpers", "helper", "base", "misc", "compat", "shared"}


def lines_of(path: Path) -> int:
    """Return the number of lines of a module."""
    return len(path.read_text(encoding="utf-8").splitlines())


def body_lines(function: Function) -> int:
    """Return the number of lines from `def` to the end, without decorators and docstring."""
    assert function.end_lineno is not None
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        total -= first.end_lineno - first.lineno + 1
    return total


def check(long: dict[str, int], allowed: dict[str, int]) -> None:
    """Fail for what is longer than allowed, and for entries of the table that nothing needs any more."""
    assert {name: size for name, size in long.items() if size > allowed.get(name, 0)} == {}, (
        "find the second noun"
    )
    assert allowed.keys() <= long.keys(), "these have become small: take them out of the table"


def test_modules_are_small() -> None:
    """A module of the package has at most 300 lines, one of the tests 400, save those listed."""
    limits = [(path, MODULE_LINES) for path in modules(SRC)]
    limits += [(path, TEST_MODULE_LINES) for path in modules(TESTS)]
    check({name_of(path): size for path, limit in limits if (size := lines_of(path)) > limit}, LONG_MODULES)


def test_scripts_are_small() -> None:
    """A Lua file is one transition or one function: at most 150 lines."""
    assert {name_of(path): lines_of(path) for path in SRC.rglob("*.lua") if lines_of(path) > 150} == {}


def test_functions_are_small() -> None:
    """A function has at most 40 lines besides its docstring, save those listed."""
    long = {
        f"{name_of(path)}::{name}": size
        for path in modules(SRC)
        for name, function in functions(tree_of(path))
        if (size := body_lines(function)) > FUNCTION_LINES
    }
    check(long, LONG_FUNCTIONS)


@pytest.mark.parametrize("folder", [SRC, TESTS])
def test_no_dumping_grounds(folder: Path) -> None:
    """No module or package is named for holding anything: utils, common, helpers, base and their kin."""
    names = [part for path in modules(folder) for part in path.relative_to(ROOT).with_suffix("").parts]
    assert not DUMPING_GROUNDS.intersection(names)
