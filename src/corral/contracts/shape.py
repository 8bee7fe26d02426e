"""What Pydantic's core schema of a type says about its JSON, so that checks which it makes needless are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from corral.contracts.schema_parts import Schema, inner_schemas

__all__ = ["key_count", "may_hold_non_finite"]

_FINITE = frozenset(
    (  # noqa: SIM905 - a list of 34 lines says no more
        "bool bytes date datetime time enum int literal none nullable str url uuid multi-host-url "
        "default missing-sentinel definitions definition-ref union tagged-union list tuple set frozenset dict "
        "model model-fields model-field typed-dict typed-dict-field dataclass dataclass-args dataclass-field"
    ).split()
)
_KEYED = frozenset({"dict", "model", "dataclass", "typed-dict"})
_FLAT = _FINITE - _KEYED - {"definition-ref", "definitions", "union", "tagged-union"}
_FIELD = frozenset({"model-field", "dataclass-field", "typed-dict-field"})


def may_hold_non_finite(schema: Any) -> bool:
    """Whether a value of the type may hold a NaN or an infinity: only if it has floats or is open to anything."""
    for node in _all_schemas(schema):
        if node["type"] not in _FINITE or "serialization" in node:
            return True
        if "allow" in (node.get("extra_behavior"), (node.get("config") or {}).get("extra_fields_behavior")):
            return True
    return False


def key_count(schema: Any) -> int | None:
    """How many keys every JSON text of the type has at least, if it has no others; None if that is not fixed.

    A number for plain values and lists of them (0), and for one object of required fields that hold such values.
    """
    count = 0
    for depth, node in enumerate(_all_schemas(schema)):
        kind = node["type"]
        if kind in _KEYED:
            if depth > 0 or kind == "dict":
                return None
        elif kind in _FIELD:
            if node.get("required") is False or node["schema"]["type"] == "default":
                return None
            count += 1
        elif kind not in _FLAT and kind not in {"float", "decimal"}:
            return None
    return count


def _all_schemas(schema: Schema) -> Iterator[Schema]:
    """All schemas within ``schema``, itself first."""
    yield schema
    for inner in inner_schemas(schema):
        yield from _all_schemas(inner)
