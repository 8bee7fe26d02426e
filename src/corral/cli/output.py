"""What commands print: tables and JSON on standard output, remarks on standard error."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from rich.console import Console
from rich.text import Text

from corral.logs.render import printable

__all__ = ["console", "plain_json", "print_json", "remark", "shown"]


def console() -> Console:
    """Standard output for tables and text. Made anew each time: tests and pipes exchange `sys.stdout`.

    Lines are not cut at 80 columns where nobody looks at them.
    """
    made = Console(highlight=False, markup=False)
    return made if made.is_terminal else Console(highlight=False, markup=False, width=400)


def remark(text: str, style: str = "dim") -> None:
    """Say something to the person, beside what the command gives out."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(text, style=style))


def print_json(value: Any) -> None:
    """Print a value as JSON, indented for a terminal."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(value, default=plain_json, indent=indent, ensure_ascii=False) + "\n")


def plain_json(value: Any) -> Any:
    """What `json` does not know: times as ISO 8601, data classes and mappings as objects."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def shown(value: Any) -> str:
    """A value for people. Nothing in it can move the cursor or forge lines: other programs wrote it."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
    if isinstance(value, str):
        return printable(value)
    return printable(json.dumps(value, default=plain_json, ensure_ascii=False))
