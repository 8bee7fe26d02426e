"""Nothing in the documentation points to what is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS
from tests.house.source import ROOT

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PATH = re.compile(
    r"`((?:src|tests|examples|docs)/[\w./*-]+|(?:contracts|engine|client|worker|logs)/[\w/]+\.\w+)`"
)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = _HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(document: Path) -> Iterator[str]:
    """Yield the links of a document that lead nowhere in this repository."""
    for target in _LINK.findall(document.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            yield target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link leads to a file of this repository, and its anchor to a heading there."""
    assert list(dead_links(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_exist(document: Path) -> None:
    """Every file or folder that the text names exists (`contracts/states.py` stands for one in the package)."""
    named = _PATH.findall(document.read_text(encoding="utf-8"))
    missing = [
        name
        for name in named
        if not any(list(root.glob(name.rstrip("/"))) for root in (ROOT, ROOT / "src" / "corral"))
    ]
    assert missing == []
