"""From the JSON schema of a payload to the fields of a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["Field", "Kind", "fields_of"]

Kind = Literal["text", "long", "number", "choice", "flag", "object", "list", "json"]
"""How a value is given. `long`: a text that may have lines. `json`: as JSON, for what no form can ask for: unions, open
objects, what holds itself."""

DEEPEST: Final = 6
SHORT: Final = 200
"""Texts that cannot be longer are given in one line."""

TYPES: Final[Mapping[str, Kind]] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "flag",
    "object": "object",
    "array": "list",
}

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, with those inside of it."""

    name: str
    """The property's name; empty for the payload as a whole and for the items of a list."""
    kind: Kind
    required: bool
    nullable: bool
    """Whether it may be null."""
    about: str
    default: Any
    """What it is when it is left out; `...` where nothing says."""
    choices: tuple[Any, ...]
    fields: tuple[Field, ...]
    """Of an object: its fields. Of a list: what one of its items looks like."""

    @property
    def optional(self) -> bool:
        """Whether it may be left out, or be nothing."""
        return not self.required or self.nullable


def fields_of(schema: Schema) -> Field:
    """The root of a form for values of a schema."""
    return _field(schema, schema.get("$defs", {}), "", required=True, above=())


def _field(
    schema: Schema, definitions: Schema, name: str, *, required: bool, above: tuple[str, ...]
) -> Field:
    found, nullable, reference = _resolved(schema, definitions)
    kind: Kind = "json" if (reference and reference in above) or len(above) > DEEPEST else _kind(found)
    choices = found["enum"] if "enum" in found else [found["const"]] if "const" in found else []
    inside = _inside(found, definitions, kind, (*above, reference))
    return Field(
        name=name,
        kind=kind,
        required=required,
        nullable=nullable,
        about=_about(schema, found),
        default=schema.get("default", found.get("default", ...)),
        choices=tuple(choices),
        fields=tuple(inside),
    )


def _inside(schema: Schema, definitions: Schema, kind: Kind, above: tuple[str, ...]) -> Iterator[Field]:
    if kind == "object":
        needed = set(schema.get("required", ()))
        for name, inner in schema["properties"].items():
            yield _field(inner, definitions, name, required=name in needed, above=above)
    elif kind == "list":
        yield _field(schema["items"], definitions, "", required=True, above=above)


def _resolved(schema: Schema, definitions: Schema) -> tuple[Schema, bool, str]:
    """What a value is when it is not null, whether it may be that, and the name of its definition. What a reference
    says of its own stays."""
    nullable, name = schema.get("type") == "null", ""
    for _ in range(DEEPEST):
        if isinstance(reference := schema.get("$ref"), str):
            name = reference.rpartition("/")[2]
            schema = {**definitions.get(name, {}), **{key: schema[key] for key in schema if key != "$ref"}}
            continue
        others = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if len(others) != 1:
            break
        nullable = True
        schema = {**others[0], **{key: schema[key] for key in schema if key != "anyOf"}}
    return schema, nullable, name


def _kind(schema: Schema) -> Kind:
    if "enum" in schema or "const" in schema:
        return "choice"
    kind = TYPES.get(schema["type"]) if isinstance(schema.get("type"), str) else None
    if kind == "object" and (not schema.get("properties") or schema.get("additionalProperties")):
        return "json"
    if kind == "list" and not isinstance(schema.get("items"), Mapping):
        return "json"
    if kind == "text" and schema.get("format") is None and schema.get("maxLength", SHORT + 1) > SHORT:
        return "long"
    return kind or "json"


def _about(schema: Schema, found: Schema) -> str:
    """What people should know, in the schema's own words, then its bounds."""
    parts = [str(schema.get("description") or found.get("description") or "").strip().rstrip(".")]
    bounds = (
        ("format", "{}"), ("minimum", "at least {}"), ("exclusiveMinimum", "more than {}"), ("maximum", "at most {}"),
        ("exclusiveMaximum", "less than {}"), ("minLength", "at least {} letters"), ("maxLength", "at most {} letters"),
        ("minItems", "at least {} items"), ("maxItems", "at most {} items"), ("pattern", "like {}"),
    )  # fmt: skip
    parts += [text.format(found[name]) for name, text in bounds if name in found]
    return ". ".join(part for part in parts if part)
