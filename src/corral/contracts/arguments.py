"""What callers may give where a number, a flag or a text is asked for, also those whom no type checker tells."""

from __future__ import annotations

from typing import Final

from corral.errors import InvalidOption

__all__ = ["NO_UNICODE", "flag", "string", "whole"]

NO_UNICODE: Final = "it is not valid Unicode text (a lone surrogate)"
"""Why a text cannot be stored."""

LARGEST: Final = 2**53 - 1
"""What every client reads as an exact number."""


def whole(option: str, value: object, lowest: int = 0, highest: int = LARGEST) -> int:
    """``value`` as a whole number, which a bool is not. Raises `InvalidOption`."""
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return value
    upto = "" if highest == LARGEST else f" to {highest:,}"
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
        raise InvalidOption(option, value, NO_UNICODE) from None
    return value
