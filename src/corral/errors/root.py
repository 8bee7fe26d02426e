"""The root of the tree: what all errors have."""

from __future__ import annotations

from typing import Any

__all__ = ["CorralError", "cut"]


class CorralError(Exception):
    """The root of the tree: ``except CorralError`` catches all that Corral raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call the class with ``args``, the message alone, which no subclass takes.
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(kind: type[CorralError], args: tuple[Any, ...], fields: dict[str, Any]) -> CorralError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


def cut(value: object, limit: int = 120) -> str:
    """A value as a message shows it: at most ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
