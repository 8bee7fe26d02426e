"""Between a payload and the texts of a form's fields: neither loses anything on the way to the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from corral.contracts.strict_json import parse_strict_json
from corral.dashboard.schema_fields import Field

__all__ = ["GIVEN", "MOST_ITEMS", "Texts", "as_spoken", "pointer", "texts_of", "value_of"]

MOST_ITEMS: Final = 200
"""Of one list."""

GIVEN: Final = "yes"
"""What a box that is ticked sends."""

NUMBER: Final = re.compile(r"-?\d{1,1000}(\.\d{1,1000})?([eE][+-]?\d{1,5})?", re.ASCII)

Texts = Mapping[str, str]
"""What fields hold, by name: `=` and a pointer for a value, `#` for the number of a list's items, `?` for a box that
says that an object, or a list that may be null, is there."""


def pointer(parent: str, step: str | int) -> str:
    """The JSON pointer of what is inside (RFC 6901)."""
    return f"{parent}/{str(step).replace('~', '~0').replace('/', '~1')}"


def as_spoken(path: str) -> str:
    """A pointer as the errors of a payload name the place: `items[0].name`."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    return "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps).removeprefix(".")


def texts_of(field: Field, value: Any = ...) -> dict[str, str]:
    """What the fields hold that ask for a value; without one, the defaults."""
    return dict(_texts(field, "", value))


def value_of(field: Field, texts: Texts) -> tuple[Any, dict[str, str]]:
    """The value that was given, `...` for none, and by pointer what is no number and no JSON. Whether the value is of
    its type is for others to say."""
    problems: dict[str, str] = {}
    return _value(field, "", texts, problems), problems


def _texts(field: Field, path: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is ...:
        value = field.default
    if field.kind == "object":
        inside = value if isinstance(value, dict) else {}
        if isinstance(value, dict) or not field.optional:
            yield f"?{path}", GIVEN
        for inner in field.fields:
            yield from _texts(inner, pointer(path, inner.name), inside.get(inner.name, ...))
    elif field.kind == "list":
        items = value if isinstance(value, list) else []
        if isinstance(value, list) and field.nullable:
            yield f"?{path}", GIVEN
        yield f"#{path}", str(len(items))
        for at, item in enumerate(items):
            yield from _texts(field.fields[0], pointer(path, at), item)
    elif (text := _text(field, value)) is not None:
        yield f"={path}", text


def _text(field: Field, value: Any) -> str | None:
    if value is ...:
        return None
    if field.kind == "choice":
        chosen = [
            at for at, choice in enumerate(field.choices) if (type(choice), choice) == (type(value), value)
        ]
        return str(chosen[0]) if chosen else None
    if value is None:
        return None
    if field.kind in ("text", "long") and isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2 if field.kind == "json" else None, default=str)


def _value(field: Field, path: str, texts: Texts, problems: dict[str, str]) -> Any:
    if field.kind == "object":
        return _object(field, path, texts, problems)
    if field.kind == "list":
        return _list(field, path, texts, problems)
    text = texts.get(f"={path}", "")
    if field.kind == "choice":
        known = text.isdecimal() and int(text[:6]) < len(field.choices)
        return field.choices[int(text)] if known else _nothing(field)
    if field.kind in ("text", "long"):
        text = text.replace("\r\n", "\n")  # as browsers send the end of a line
        return text if text or not field.optional or _has_text(field.default) else _nothing(field)
    if not text.strip():
        if not field.optional:
            problems[path] = "give a value"
        return _nothing(field)
    try:
        return _literal(field, text.strip())
    except ValueError as error:
        problems[path] = str(error)
        return ...


def _object(field: Field, path: str, texts: Texts, problems: dict[str, str]) -> Any:
    if field.optional and texts.get(f"?{path}") != GIVEN:
        return _nothing(field)
    given = {inner.name: _value(inner, pointer(path, inner.name), texts, problems) for inner in field.fields}
    return {name: value for name, value in given.items() if value is not ...}


def _list(field: Field, path: str, texts: Texts, problems: dict[str, str]) -> Any:
    if field.nullable and texts.get(f"?{path}") != GIVEN:
        return _nothing(field)
    count = texts.get(f"#{path}", "")
    items = min(int(count), MOST_ITEMS) if re.fullmatch(r"[0-9]{1,5}", count) else 0
    return [_value(field.fields[0], pointer(path, at), texts, problems) for at in range(items)]


def _literal(field: Field, text: str) -> Any:
    if field.kind == "number":
        if not NUMBER.fullmatch(text):
            raise ValueError("this is not a number")
        return float(text) if set(text) & set(".eE") else int(text)
    if field.kind == "flag":
        if text not in ("true", "false"):
            raise ValueError("choose yes or no")
        return text == "true"
    try:
        return parse_strict_json(text)
    except ValueError as error:
        raise ValueError(f"this is not JSON: {error}") from None


def _nothing(field: Field) -> Any:
    """What an empty field means: it is left out, or null where leaving it out would mean something else."""
    return None if field.nullable and (field.required or field.default is not None) else ...


def _has_text(default: Any) -> bool:
    return isinstance(default, str) and bool(default)
