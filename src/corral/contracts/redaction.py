"""Payloads, results and jobs as strangers may see them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Final, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from corral.contracts.job import Job
from corral.contracts.secret import MASK, Secret, looks_secret, masked_text
from corral.contracts.spec import TaskSpec

__all__ = ["is_redacted", "redacted", "redacted_job", "restored"]

DEEPEST: Final = 200
"""Levels of a value that are looked at; what is below is not shown."""


def redacted(value: Any, type_: Any = None) -> Any:
    """A JSON value with its secrets masked: what `Secret()` marks in the type, what is named or looks like a secret.

    The type is a hint: a value that does not validate is masked as far as it has the type's shape. All else stays as it
    is; what is redacted already is not changed any more.
    """
    return _walk(value, (type_,), 0)


def redacted_job(job: Job, spec: TaskSpec[Any, Any] | None) -> Job:
    """A job as strangers may see it, by the types of its task where that is known."""
    payload, result = (None, None) if spec is None else (spec.payload.type, spec.result.type)
    return dataclasses.replace(
        job,
        data=redacted(job.data, payload),
        returnvalue=redacted(job.returnvalue, result),
        progress=redacted(job.progress),
        failed_reason=None if job.failed_reason is None else masked_text(job.failed_reason),
        stacktrace=tuple(map(masked_text, job.stacktrace)),
    )


def restored(edited: Any, shown: Any, original: Any) -> Any:
    """What somebody made of a redacted value, with the secrets put back where they left them as they were shown."""
    if edited == shown:
        return original
    if isinstance(edited, dict) and isinstance(shown, dict) and isinstance(original, dict):
        return {
            key: restored(value, shown[key], original[key]) if key in shown and key in original else value
            for key, value in edited.items()
        }
    if isinstance(edited, list) and isinstance(shown, list) and isinstance(original, list):
        both = list(zip(shown, original, strict=False))
        return [restored(value, *both[at]) if at < len(both) else value for at, value in enumerate(edited)]
    return edited


def is_redacted(value: Any, depth: int = 0) -> bool:
    """Whether a mask stands in a value: it was read from a page, and must not be stored."""
    if isinstance(value, str):
        return MASK in value
    if depth > DEEPEST:
        return False
    parts: Sequence[Any] = (
        list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return any(is_redacted(part, depth + 1) for part in parts)


def _walk(value: Any, types: tuple[Any, ...], depth: int) -> Any:
    arms = tuple(arm for type_ in types for arm in _arms(type_))
    if depth > DEEPEST or any(map(_is_marked, arms)):
        return value if value is None else MASK
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, list):
        return [_walk(part, tuple(_element_types(arms)), depth + 1) for part in value]
    if isinstance(value, dict):
        return {
            key: MASK
            if _is_hidden(str(key), part)
            else _walk(part, tuple(_field_types(arms, str(key))), depth + 1)
            for key, part in value.items()
        }
    return value


def _is_hidden(name: str, value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and looks_secret(name)


def _is_marked(type_: Any) -> bool:
    return get_origin(type_) is Annotated and any(
        isinstance(one, Secret) or one is Secret for one in get_args(type_)[1:]
    )


def _arms(type_: Any) -> Iterator[Any]:
    """A type without what is around it: annotations, aliases, the union that it is one arm of."""
    if _is_marked(type_):
        yield type_
    elif get_origin(type_) is Annotated:
        yield from _arms(get_args(type_)[0])
    elif get_origin(type_) in (Union, UnionType):
        for arm in get_args(type_):
            yield from _arms(arm)
    elif hasattr(type_, "__value__"):  # type X = …
        yield from _arms(type_.__value__)
    elif type_ is not None:
        yield type_


def _element_types(arms: Sequence[Any]) -> Iterator[Any]:
    for arm in arms:
        if get_origin(arm) in (list, set, frozenset, tuple) or _is_sequence(get_origin(arm)):
            yield from (arg for arg in get_args(arm) if arg is not Ellipsis)


def _is_sequence(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Sequence)


def _field_types(arms: Sequence[Any], name: str) -> Iterator[Any]:
    for arm in arms:
        origin = get_origin(arm)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            yield from get_args(arm)[1:]
        elif isinstance(origin or arm, type):
            yield from _fields_of(origin or arm).get(name, ())


@lru_cache(maxsize=512)
def _fields_of(kind: type) -> Mapping[str, tuple[Any, ...]]:
    """The types of a class's fields, by every name that they have in JSON."""
    found: dict[str, tuple[Any, ...]] = {}
    if issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            marked = any(isinstance(one, Secret) or one is Secret for one in field.metadata)
            type_: Any = Annotated[field.annotation, Secret()] if marked else field.annotation
            for known in {name, field.alias, field.serialization_alias, str(field.validation_alias or name)}:
                if known:
                    found[known] = (type_,)
    elif dataclasses.is_dataclass(kind) or hasattr(kind, "__required_keys__") or hasattr(kind, "_fields"):
        for name, type_ in get_type_hints(kind, include_extras=True).items():
            bare = get_args(type_)[0] if get_origin(type_) in (Required, NotRequired) else type_
            found[name] = (bare,)
    return found
