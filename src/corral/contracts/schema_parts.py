"""The parts of Pydantic's core schemas: the schemas within one, and which of them are for what stands below a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, TypeAlias, cast

__all__ = ["Rest", "Schema", "Step", "inner_schemas", "parts_of"]

Schema: TypeAlias = Mapping[str, Any]


class Rest(Enum):
    """What is below a value without being declared one by one."""

    ITEM = "elements of a list"
    VALUE = "members of a dictionary"
    KEY = "names of its members"


Step: TypeAlias = str | int | Rest
"""One level down: the name of a member, the index of an element, or all that have none of their own."""

_NO_SCHEMAS: Final = frozenset(
    {"metadata", "config", "default", "expected", "ref", "serialization", "cls", "function"}
)
"""Keys of a schema below which there may be anything."""


def inner_schemas(part: Any) -> Iterator[Schema]:
    """The schemas directly within a schema, or within a list or mapping that is a part of one."""
    if isinstance(part, dict):
        inners = [inner for name, inner in part.items() if name not in _NO_SCHEMAS]
    else:
        inners = list(part)
    for inner in inners:
        if isinstance(inner, dict) and isinstance(inner.get("type"), str):
            yield cast("Schema", inner)
        elif isinstance(inner, (dict, list, tuple)):
            yield from inner_schemas(inner)


def parts_of(schema: Schema) -> Iterator[tuple[Step, Schema]]:
    """What is one level below the values of a schema, by every name that it may have; nothing for a schema whose inner
    ones are for the value as a whole, as those of a union are."""
    items = schema.get("items_schema")
    if isinstance(items, list):
        fixed = schema.get("variadic_item_index") is None
        yield from ((at if fixed else Rest.ITEM, item) for at, item in enumerate(items))
    elif items is not None:
        yield Rest.ITEM, items
    for at, (name, field) in enumerate(_fields_of(schema)):
        yield at, field["schema"]  # named tuples are arrays in JSON
        for first, *further in _paths(name, field):
            yield first, _behind(further, field["schema"])
    for step, rest in _RESTS:
        if rest in schema:
            yield step, schema[rest]


_RESTS: Final = (
    (Rest.KEY, "keys_schema"), (Rest.VALUE, "values_schema"),
    (Rest.KEY, "extras_keys_schema"), (Rest.VALUE, "extras_schema"),
    (Rest.ITEM, "var_args_schema"), (Rest.VALUE, "var_kwargs_schema"),
)  # fmt: skip


def _fields_of(schema: Schema) -> Iterator[tuple[Step, Schema]]:
    fields = schema.get("fields", schema.get("arguments_schema"))
    if isinstance(fields, list):
        yield from ((field["name"], field) for field in fields if isinstance(field, dict))
    elif isinstance(fields, dict) and not isinstance(
        fields.get("type"), str
    ):  # else one schema of all arguments
        yield from fields.items()


def _paths(name: Step, field: Schema) -> Iterator[Sequence[Any]]:
    """Where a field may stand: under its name, its aliases, or below them."""
    yield [name]
    for alias in (field.get("serialization_alias"), field.get("validation_alias"), field.get("alias")):
        if isinstance(alias, str):
            yield [alias]
        elif alias:
            yield from alias if isinstance(alias[0], list) else [alias]


def _behind(path: Sequence[Any], schema: Schema) -> Schema:
    """Where an `AliasPath` leads, as further schemas of records and tuples."""
    for step in reversed(path):
        schema = {"type": "path", "fields": [{"name": step, "schema": schema}]}
    return schema
