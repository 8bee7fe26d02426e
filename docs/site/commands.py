"""The program's commands with their arguments and options, as the program itself knows them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from corral.cli.main import app

__all__ = ["commands"]


def commands() -> str:
    """Return all commands as Markdown, each with a heading."""
    return "\n".join(_described(typer.main.get_command(app), "corral"))


def _described(command: Any, path: str) -> Iterator[str]:
    if " " in path:
        yield from (f"{'#' * (1 + path.count(' '))} {path}", "", inspect.cleandoc(command.help or ""), "")
    if rows := list(_parameters(command)):
        yield from ("| argument or option | meaning |", "|---|---|", *rows, "")
    for name, below in getattr(command, "commands", {}).items():
        yield from _described(below, f"{path} {name}")


def _parameters(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            names = [parameter.metavar or parameter.name.upper()]
        else:
            names = [*parameter.opts, *parameter.secondary_opts]
        shown = ", ".join(f"`{name}`" for name in names)
        yield f"| {shown} | {_plain(getattr(parameter, 'help', None))} |"


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", r"\|")
