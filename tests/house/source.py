"""The project's own source, as the tests about the house read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "corral"
TESTS = ROOT / "tests"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def modules(folder: Path) -> list[Path]:
    """Return the Python files under a folder, without those of installed packages."""
    return sorted(path for path in folder.rglob("*.py") if "node_modules" not in path.parts)


def name_of(path: Path) -> str:
    """Return a path as it is written in messages and tables: from the project's root, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the parsed module."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(node: ast.AST, scope: str = "") -> Iterator[tuple[str, Function]]:
    """Yield every function under a node with its qualified name, nested ones included."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{scope}{child.name}", child
            yield from functions(child, f"{scope}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from functions(child, f"{scope}{child.name}.")
        else:
            yield from functions(child, scope)


def decorators(node: Function) -> set[str]:
    """Return the last names of a function's decorators: `overload`, `property`, `setter`."""
    found = set()
    for decorator in node.decorator_list:
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        found.add(inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", ""))
    return found
