"""Blocks of a page that are made when the site is built: what stands in them is read from the code."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

from sphinx.application import Sphinx

import corral.errors
from docs.site.commands import commands
from docs.site.public import entries
from docs.site.routes import routes

__all__ = ["BLOCK", "MAKERS", "setup"]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(public|commands|routes|tree|readme)\n(.*?)```$", re.MULTILINE | re.DOTALL)


def tree() -> str:
    """Return the tree of errors that their module begins with."""
    drawn = (inspect.getdoc(corral.errors) or "").partition("::\n\n")[2].partition("\n\n")[0]
    return f"```text\n{textwrap.dedent(drawn)}\n```"


def section(heading: str) -> str:
    """Return what README says under a heading, with its links as they are seen from the reference."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {heading.strip()}\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"README has no section {heading!r}")
    return found[1].replace("](docs/", "](../")


MAKERS: dict[str, Callable[[str], str]] = {
    "public": entries,
    "commands": lambda _: commands(),
    "routes": lambda _: routes(),
    "tree": lambda _: tree(),
    "readme": section,
}


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = BLOCK.sub(lambda block: MAKERS[block[1]](block[2]), source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the blocks as each page is read."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}
