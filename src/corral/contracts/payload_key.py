"""A key that a task takes from its payload: what two jobs have in common that must not run at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from pydantic.errors import PydanticUserError

from corral.contracts.codec import Codec, TypeNotReady
from corral.errors import InvalidOption

__all__ = ["PayloadKey", "check_payload_key", "payload_key"]

PayloadKey = str | Callable[[Any], str | int]
"""The name of a field of the payload, as its JSON has it; or a function of the payload that gives text or a number."""

LONGEST: Final = 200
"""Bytes."""


def payload_key(option: str, key: PayloadKey, payload: Any, data: bytes) -> str:
    """The key of one payload, whose JSON is ``data``. Raises `InvalidOption` when it is no key."""
    if callable(key):
        value, origin = key(payload), "the function gives"
    else:
        value, origin = _field_of(data, key), f"the payload's field {key!r} is"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InvalidOption(
            option, value, f"{origin} {type(value).__name__}: a key is text or a whole number"
        )
    text = str.__str__(value)
    if not text or len(text.encode(errors="replace")) > LONGEST or not text.isprintable():
        raise InvalidOption(
            option, text, f"{origin} no key: 1 to {LONGEST} bytes of text without control characters"
        )
    return text


def check_payload_key(option: str, key: PayloadKey, payload: Codec[Any]) -> None:
    """Raise `InvalidOption` when the type of the payload, as far as it is known yet, has no field of that name."""
    if callable(key):
        return
    schema: dict[str, Any] = {}
    with suppress(TypeNotReady, PydanticUserError):  # of a type that is not complete, or has no schema
        payload.build()
        schema = payload.adapter.json_schema(mode="serialization", by_alias=True)
    fields = _properties(schema)
    if fields is not None and key not in fields:
        raise InvalidOption(
            option, key, f"the payload has no such field; it has: {', '.join(sorted(fields))}"
        )


def _field_of(data: bytes, field: str) -> Any:
    payload = json.loads(data)
    return payload.get(field) if isinstance(payload, dict) else None


def _properties(schema: dict[str, Any]) -> set[str] | None:
    """The fields of an object that has these and no others; None of anything else."""
    named = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    schema = schema.get("$defs", {}).get(named, schema)
    closed = schema.get("type") == "object" and "properties" in schema
    return set(schema["properties"]) if closed and schema.get("additionalProperties") is not True else None
