"""What callers may give where a number, a flag or a text is asked for, also those whom no type checker tells."""

from __future__ import annotations

import math

from corral.errors import InvalidOption

__all__ = ["flag", "string", "whole"]


def whole(option: str, value: object, lowest: int = 0, highest: int | None = None) -> int:
    """``value`` as a whole number, which a bool is not. Raises `InvalidOption`."""
    most = math.inf if highest is None else highest
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= most:
        return value
    upto = "" if highest is None else f" to {highest:,}"
    raise InvalidOption(option, value, f"give a whole number from {lowest:,}{upto}")


def flag(option: str, value: object) -> bool:
    """``value`` as a bool. Raises `InvalidOption`: not everything that Python takes for true was meant so."""
    if not isinstance(value, bool):
        raise InvalidOption(option, value, "give True or False")
    return value


def string(option: str, value: object) -> str:
    """``value`` as text that can be stored. Raises `InvalidOption`."""
    if not isinstance(value, str):
        raise InvalidOption(option, value, f"give text, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidOption(option, value, "it is not valid Unicode text (a lone surrogate)") from None
    return value
