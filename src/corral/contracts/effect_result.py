"""The result of an effect, as it is kept for later runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from corral.contracts.codec import Codec, TypeNotReady
from corral.contracts.function_task import FunctionTypes
from corral.contracts.outcome import Unrecoverable
from corral.errors import InvalidOption, InvalidResult

__all__ = ["LARGEST_RESULT", "effect_codec", "effect_result"]

LARGEST_RESULT: Final = 64 * 1024
"""Bytes of JSON. What is kept is a receipt, not a document."""


def effect_codec(key: str, effect: Callable[[], Any]) -> Codec[Any]:
    """The codec of what an effect is declared to return: plain JSON when it declares nothing. Raises `InvalidOption`,
    before the effect has happened."""
    function: Any = effect.func if isinstance(effect, partial) else effect
    declared: Any = Any
    try:
        if hasattr(function, "__annotations__"):
            declared = FunctionTypes(function, {}).result
        return Codec.of(declared, task=key, role="result")
    except TypeNotReady as error:
        raise InvalidOption("effect", effect, f"the type that it returns is not known: {error}") from error


def effect_result(key: str, codec: Codec[Any], value: Any) -> bytes:
    """The JSON of what an effect gave. Raises `Unrecoverable`: another run would repeat what has happened."""
    try:
        text = codec.encode(value)
    except InvalidResult as error:
        raise Unrecoverable(f"the effect {key!r} has happened, but cannot be remembered: {error}") from error
    if len(text) > LARGEST_RESULT:
        raise Unrecoverable(
            f"the effect {key!r} has happened, but cannot be remembered: its result has {len(text):,} bytes of JSON, "
            f"and may have {LARGEST_RESULT:,}; return an id instead"
        )
    return text
