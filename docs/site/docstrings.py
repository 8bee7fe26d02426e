"""Docstrings for Sphinx: they are written for readers of the source, with one backtick around a name."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

import corral

__all__ = ["setup"]

_MARKED = re.compile(r"(?<!`)(?::\w+:)?(`{1,2})(?=[^`\s])([^`]*[^`\s])\1(?!`)")


def _marked(found: re.Match[str]) -> str:
    text = found[2]
    return (
        rf":py:obj:`{text} <corral.{text.removesuffix('()')}>`\ " if _is_public(found) else rf"``{text}``\ "
    )


def _is_public(found: re.Match[str]) -> bool:
    """Say whether it names something public: `Worker`, `Admin.workers`, `chain`. In `task.enqueue` it is some task."""
    name, dot, _ = found[2].removesuffix("()").partition(".")
    path = re.fullmatch(r"[\w.]+(?:\(\))?", found[2])
    return bool(path) and found[1] == "`" and name in corral.__all__ and (name[0].isupper() or not dot)


def restructured(text: str) -> str:
    """Return a line of a docstring as reStructuredText: a public name leads to its entry, the rest is code."""
    return _MARKED.sub(_marked, text)


def _restructure(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")  # or Napoleon takes what stands before a colon for a type
    # A code span may go on in the next line.
    lines[:] = restructured("\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Go over each docstring before Napoleon reads its sections."""
    app.connect("autodoc-process-docstring", _restructure, priority=400)
    return {"parallel_read_safe": True}
