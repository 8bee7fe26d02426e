"""Every command of `corral` that the documentation shows exists, with the options that are shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from corral.cli.main import app
from tests.docs.documents import DOCUMENTS
from tests.house.source import name_of

_LINE = re.compile(r"^(?:    |\$ |[A-Z_]+=\S+ )*(corral [a-z][^#&|\n]*)", re.MULTILINE)
_INLINE = re.compile(r"`(corral [a-z][^`]*)`")

PAGES = [page for page in DOCUMENTS if page.parent.name != "decisions"]
"""All but the records, which speak of their day."""


def shown(page: Path) -> Iterator[str]:
    """Yield the commands of a page: those on lines of their own, and those in the text."""
    text = page.read_text(encoding="utf-8")
    yield from _LINE.findall(text)
    yield from _INLINE.findall(text)


def wrong(line: str) -> str | None:
    """Return what of a command does not exist."""
    command: Any = typer.main.get_command(app)
    for word in shlex.split(line.replace("…", " "))[1:]:
        below = getattr(command, "commands", None)
        if word.startswith("--"):
            options = {
                option
                for parameter in command.params
                for option in (*parameter.opts, *parameter.secondary_opts)
            }
            if word.partition("=")[0].rstrip(",") not in {*options, "--help", "--install-completion"}:
                return word
        elif below is not None and re.fullmatch("[a-z][a-z-]*", word):
            if word not in below:
                return word
            command = below[word]
    return None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    """No page names a command or an option that there is not."""
    assert {line: word for line in shown(page) if (word := wrong(line)) is not None} == {}
