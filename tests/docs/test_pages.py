"""No page and no public name is forgotten: each has its place on the site."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import corral
from corral.contracts.states import TRANSITIONS
from docs.site.public import named
from tests.docs.documents import blocks
from tests.house.source import ROOT, SRC, modules, name_of

DOCS = ROOT / "docs"
NO_PAGES = {"benchmarks-notes"}
"""What is put into another page."""

_CONTENTS = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"^ *from (corral\.[\w.]+) import (?:\(([^)]*)\)|([\w, ]+))", re.MULTILINE)


def placed() -> Counter[str]:
    """Return how often each page stands in a list of pages."""
    pages: Counter[str] = Counter()
    for document in DOCS.rglob("*.md"):
        for contents in _CONTENTS.findall(document.read_text(encoding="utf-8")):
            for line in contents.splitlines():
                if line and not line.startswith(":"):
                    folder = document.parent
                    pages.update(
                        path.relative_to(DOCS).with_suffix("").as_posix()
                        for path in folder.glob(f"{line}.md")
                    )
    return pages


def test_every_page_is_in_a_section() -> None:
    """A new page of `docs/` gets a line in one of the lists of `docs/index.md`, or of a page that is in one."""
    there = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    pages = placed()
    missing = there - pages.keys() - NO_PAGES - {"index"}
    assert not missing, f"in no section: add to a list of docs/index.md: {sorted(missing)}"
    assert [page for page, times in pages.items() if times > 1] == []


def test_the_drawing_of_states_has_all_of_them() -> None:
    """What the site shows instead of the diagram knows each state that a job can be in."""
    drawing = (DOCS / "site" / "drawings" / "states.svg").read_text(encoding="utf-8")
    states = {
        state.value for move in TRANSITIONS for state in (move.source, move.target) if state is not None
    }
    assert [state for state in sorted(states) if f">{state}</text>" not in drawing] == []


ENTRIES = Counter(name for block in blocks("public") for name in named(block.text))


def test_every_public_name_has_its_entry() -> None:
    """Each name of the front door is in the reference, once, and so is each of the ready-made tasks."""
    assert [name for name in corral.__all__ if f"corral.{name}" not in ENTRIES] == []
    assert [name for name, times in ENTRIES.items() if times > 1] == []
    tasks = SRC / "tasks"
    parts = [f"corral.tasks.{path.stem}" for path in sorted(tasks.iterdir()) if not path.name.startswith("_")]
    assert [part for part in parts if not set(named(part)) <= ENTRIES.keys()] == []


SHOWN = [
    ROOT / "README.md",
    *sorted(DOCS.glob("*.md")),
    *(path for path in modules(ROOT / "examples") if "demo" not in path.parts),  # a stage, and no example
]


@pytest.mark.parametrize("path", SHOWN, ids=name_of)
def test_what_the_documentation_imports_has_its_entry(path: Path) -> None:
    """Whatever a page or an example imports from one of Corral's modules can be looked up."""
    imported = {
        f"{module}.{name.strip()}"
        for module, lines, line in _IMPORT.findall(path.read_text(encoding="utf-8"))
        for name in (lines or line).split(",")
        if name.strip()
    }
    assert imported <= ENTRIES.keys(), "add them to a page of docs/reference"
