"""JSON as RFC 8259 has it and every client reads alike: no NaN or Infinity, no key twice in one object.

Python's reader takes all of these silently, and Node's event loop stops for good over the first two.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, cast

import pydantic_core

__all__ = ["as_object", "check_constants", "has_repeated_keys", "non_finite_paths", "parse_strict_json"]


def parse_strict_json(text: str | bytes) -> Any:
    """The value of ``text``.

    Raises `ValueError` for what is not strict JSON: syntax, NaN, a lone surrogate, a repeated key, or arrays and
    objects nested deeper than 200 levels.
    """
    try:
        value = pydantic_core.from_json(text, allow_inf_nan=False)
    except TypeError:  # what it says of a text with a lone surrogate
        raise ValueError("not UTF-8") from None
    if has_repeated_keys(text):
        raise ValueError("a key appears twice in one object")
    return value


def as_object(value: Any) -> dict[str, Any] | None:
    """A parsed value, if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def check_constants(text: bytes) -> None:
    """Raise `ValueError` if the JSON ``text`` has a NaN or Infinity outside of its strings.

    Only needed where one of these words is in the text, which a substring search finds at a fraction of the cost.
    """
    pydantic_core.from_json(text, allow_inf_nan=False)


def has_repeated_keys(text: str | bytes) -> bool:
    """Whether some object of the valid JSON ``text`` has a key twice."""
    try:
        _scan(text if isinstance(text, str) else text.decode(), 0)
    except _RepeatedKeyError:
        return True
    except (StopIteration, ValueError):  # leading white space: the scanner wants the value at the very start
        return _repeats_after_space(text)
    return False


def non_finite_paths(value: Any, path: str = "") -> list[str]:
    """Where in a value of plain containers there is a NaN or an infinity."""
    if isinstance(value, float):
        return [] if math.isfinite(value) else [path]
    found: list[str] = []
    if (members := as_object(value)) is not None:
        for key, item in members.items():
            found += non_finite_paths(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        for index, item in enumerate(cast("list[Any]", value)):
            found += non_finite_paths(item, f"{path}[{index}]")
    return found


class _RepeatedKeyError(ValueError):
    """Found while scanning."""


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _RepeatedKeyError


# Made once: `json.loads` with a hook builds a decoder on every call, which costs more than a small text.
_decoder: Any = json.JSONDecoder(object_pairs_hook=_unique)
_scan = _decoder.scan_once


def _repeats_after_space(text: str | bytes) -> bool:
    try:
        json.loads(text, object_pairs_hook=_unique)
    except _RepeatedKeyError:
        return True
    except ValueError:
        return False
    return False
