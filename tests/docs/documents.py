"""The code blocks of the documentation, as the tests about it read them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.source import ROOT

FOLLOWED = ROOT / "docs" / "tutorial.md"
"""Its blocks are files and commands, in this order."""

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(ROOT / "examples" / name for name in ("README.md", "reference/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (examples/\S+\.py)\n")


@dataclass(frozen=True)
class Block:
    """One code block: where it stands, its language, and its text."""

    document: Path
    line: int
    language: str
    text: str

    @property
    def file(self) -> Path | None:
        """The example that the block shows, when its first line names one: `# examples/hello.py`."""
        named = _FILE.match(self.text)
        return ROOT / named[1] if named else None

    @property
    def shown(self) -> str:
        """The text without that first line."""
        return _FILE.sub("", self.text, count=1)

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Return the blocks in these languages, of all documents."""
    return [block for document in DOCUMENTS for block in _of(document) if block.language in languages]


def _of(document: Path) -> Iterator[Block]:
    text = document.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        yield Block(document, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def program_of(fragment: Block, prelude: str) -> str:
    """Return a program that runs a fragment inside of an `async def`, after what the prelude defines."""
    body = textwrap.indent(fragment.text, "    ")
    return f"{prelude}\n\nasync def fragment() -> None:\n{body}\n\n"
