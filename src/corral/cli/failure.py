"""Errors as a person at a terminal wants them: one line that says what to do, and an exit code."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

import corral
from corral.errors import (
    CorralError,
    DefinitionError,
    DurabilityUnavailable,
    EmbeddedServerError,
    InvalidInput,
    ServerRefused,
    TargetNotFound,
)

__all__ = ["FAILED", "SETUP", "CorralGroup", "exit_code", "report"]

FAILED: Final = 1
SETUP: Final = 2
_SETUP_ERRORS: Final = (
    InvalidInput,
    DefinitionError,
    ServerRefused,
    DurabilityUnavailable,
    EmbeddedServerError,
)
_OURS: Final = str(Path(corral.__file__).parent)


class CorralGroup(TyperGroup):
    """The place where a command meets the shell: every error of Corral ends here, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; report what it raises."""
        try:
            return super().invoke(ctx)
        except CorralError as error:
            report(error)
            raise typer.Exit(exit_code(error)) from None


def exit_code(error: CorralError) -> int:
    """2 when a person has to change something first, else 1."""
    return SETUP if isinstance(error, _SETUP_ERRORS) else FAILED


def report(error: CorralError) -> None:
    """Print an error to standard error; one raised by the user's own module with the frames that are the user's."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if isinstance(error, TargetNotFound) and error.__cause__ is not None:
        console.print(Text(_users_traceback(error.__cause__).rstrip(), style="dim"))
    console.print(Text.assemble(("error: ", "bold red"), str(error)))


def _users_traceback(error: BaseException) -> str:
    """The traceback from the user's first frame on: without the machinery that imported the module."""
    trace = error.__traceback__
    while trace is not None and _is_machinery(trace):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _is_machinery(trace: TracebackType) -> bool:
    name = trace.tb_frame.f_code.co_filename
    return name.startswith(("<frozen importlib", _OURS)) or "/importlib/" in name
