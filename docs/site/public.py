"""Entries for public names, made from their docstrings.

A block of the language `public` has one on each line (`corral.Worker`), or a module: all names in its `__all__`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from sphinx.ext.autodoc.mock import mock  # type: ignore[attr-defined]  # as Sphinx 9 passes it on

__all__ = ["entries", "named"]

ABSENT = ("asgiref", "django")
"""What the site is built without. What is public of Corral beside it has an entry all the same."""

OTHERS = "BaseModel, Enum, dict, object, str"
"""Whose members are no part of an entry."""


def found(name: str) -> Any:
    """Return the module or the object of this full name. Raises `ImportError` or `AttributeError` without one."""
    module, _, member = name.rpartition(".")
    with mock(list(ABSENT)):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # a package that it needs is missing
                raise
            return getattr(importlib.import_module(module), member)


def named(text: str) -> Iterator[str]:
    """Yield the full names that the lines of a block stand for."""
    for name in text.split():
        thing = found(name)
        if isinstance(thing, ModuleType):
            yield from (f"{name}.{member}" for member in thing.__all__)
        else:
            yield name


def entries(text: str) -> str:
    """Return the block as directives of autodoc."""
    lines = [line for name in named(text) for line in _entry(name)]
    return "\n".join(["```{eval-rst}", *lines, "```"])


def _entry(name: str) -> list[str]:
    thing = found(name)
    if not inspect.isclass(thing):
        return [f".. {'autofunction' if callable(thing) else 'autodata'}:: {name}", ""]
    if issubclass(thing, BaseException):
        return [f".. autoexception:: {name}", "   :show-inheritance:", "   :members:", ""]
    lines = [f".. autoclass:: {name}", "   :members:", "   :undoc-members:"]
    inherits = any(base.__module__.startswith("corral.") for base in thing.__mro__[1:])
    return [*lines, *([f"   :inherited-members: {OTHERS}"] if inherits else []), ""]
