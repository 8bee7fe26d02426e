"""The suite is the specification, and the package explains itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.source import SRC, TESTS, decorators, functions, modules, name_of, tree_of

SAID_ELSEWHERE = {"overload", "setter"}


@pytest.mark.parametrize("path", modules(TESTS), ids=name_of)
def test_every_test_states_its_rule(path: Path) -> None:
    """Every test function has a docstring that says which rule it holds, every test module what it is about."""
    tree = tree_of(path)
    silent = [
        name
        for name, function in functions(tree)
        if name.split(".")[-1].startswith("test_") and not ast.get_docstring(function)
    ]
    assert silent == []
    assert ast.get_docstring(tree) or not tree.body


def public_things(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Yield each public class, function and method of a module with its docstring."""
    for node in tree.body:
        if not isinstance(
            node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef) or not SAID_ELSEWHERE & decorators(node):
            yield node.name, ast.get_docstring(node)
        for child in node.body if isinstance(node, ast.ClassDef) else ():
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or child.name.startswith("_"):
                continue
            if not SAID_ELSEWHERE & decorators(child):
                yield f"{node.name}.{child.name}", ast.get_docstring(child)


@cache
def documented_methods() -> set[str]:
    """Return the names of methods that some class of the package documents."""
    things = (thing for path in modules(SRC) for thing in public_things(tree_of(path)))
    return {name.split(".")[1] for name, text in things if text and "." in name}


@pytest.mark.parametrize("path", modules(SRC), ids=name_of)
def test_every_public_thing_is_documented(path: Path) -> None:
    """Modules, public classes and functions have docstrings; a method has one, or its protocol's says it all."""
    tree = tree_of(path)
    assert ast.get_docstring(tree)
    silent = [name for name, text in public_things(tree) if not text]
    assert [name for name in silent if name.split(".")[-1] not in documented_methods()] == []
