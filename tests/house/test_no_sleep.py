"""Tests wait on signals, never on time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.source import TESTS, modules, name_of, tree_of

SLEEPERS = {"time", "asyncio", "anyio", "trio"}
REASON = "# a slow handler"
"""The one good reason to sleep in a test, written on the line or on the one above: work that takes long."""


def sleeps(tree: ast.Module, text: str) -> list[int]:
    """Return the lines that sleep without the reason beside them. `sleep(0)` only yields."""
    lines = text.splitlines()
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in SLEEPERS
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
        and not any(REASON in line for line in lines[max(node.lineno - 2, 0) : node.lineno])
    ]


def imports_sleep(tree: ast.Module) -> bool:
    """Tell whether a module imports `sleep` by itself, where the other check would not see it."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module in SLEEPERS
        and any(a.name == "sleep" for a in node.names)
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize("path", modules(TESTS), ids=name_of)
def test_no_test_sleeps(path: Path) -> None:
    """A test waits for an event or passes a clock; a handler that must be slow says so beside the call."""
    tree = tree_of(path)
    assert sleeps(tree, path.read_text(encoding="utf-8")) == []
    assert not imports_sleep(tree), "import the module, so that a sleep can be seen"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("time.sleep(1)", [1]),
        ("async def f():\n    await asyncio.sleep(delay)", [2]),
        ("await_ = asyncio.sleep(0)", []),
        ("time.sleep(1)  # a slow handler", []),
        ("# a slow handler\ntime.sleep(1)", []),
    ],
)
def test_the_check_sees_sleeps(text: str, found: list[int]) -> None:
    """The check itself finds what it is for, and takes the reason."""
    assert sleeps(ast.parse(text), text) == found
