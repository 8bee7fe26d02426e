"""Payloads, results and jobs as strangers may see them."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from typing import Any, Final

from corral.contracts.codec import Codec, TypeNotReady
from corral.contracts.job import Job
from corral.contracts.secret import MASK, looks_secret, masked_text
from corral.contracts.spec import TaskSpec
from corral.contracts.veil import NO_VEIL, Veil
from corral.errors import InvalidOption, InvalidTask

__all__ = ["is_redacted", "redacted", "redacted_job", "restored"]

DEEPEST: Final = 200
"""Levels of a value that are looked at; what is below is not shown."""


def redacted(value: Any, type_: Any = None) -> Any:
    """A JSON value with its secrets masked: what `Secret()` marks in the type, what is named or looks like a secret.

    The type is a hint: a value that does not validate is masked as far as it has the type's shape. All else stays as it
    is, except for what is no JSON, like a model: dump it first. What is redacted already is not changed any more.

    Raises `InvalidOption` for a type that Pydantic does not know.
    """
    return _walk(value, NO_VEIL if type_ is None else _veil_of(type_), 0)


def redacted_job(job: Job, spec: TaskSpec[Any, Any] | None) -> Job:
    """A job as strangers may see it, by the types of its task where that is known."""
    payload, result = (NO_VEIL, NO_VEIL) if spec is None else (_known(spec.payload), _known(spec.result))
    return dataclasses.replace(
        job,
        data=_walk(job.data, payload, 0),
        returnvalue=_walk(job.returnvalue, result, 0),
        progress=redacted(job.progress),
        failed_reason=None if job.failed_reason is None else masked_text(job.failed_reason),
        stacktrace=tuple(map(masked_text, job.stacktrace)),
    )


def restored(edited: Any, shown: Any, original: Any) -> Any:
    """What somebody made of a redacted value, with the secrets put back where they left them as they were shown."""
    if edited == shown:
        return original
    if isinstance(edited, dict) and isinstance(shown, dict) and isinstance(original, dict):
        names = dict(
            zip(shown, original, strict=False)
        )  # the same ones in the same order, some of them masked
        return {
            names.get(name, name): restored(value, shown[name], original[names[name]])
            if name in names
            else value
            for name, value in edited.items()
        }
    if isinstance(edited, list) and isinstance(shown, list) and isinstance(original, list):
        return _restored_list(edited, shown, original)
    return edited


def _restored_list(edited: list[Any], shown: list[Any], original: list[Any]) -> list[Any]:
    """Elements are known by what was shown of them, wherever they stand now. One that was changed is known by its place
    if it is the only one; else its masks stay, since the secret of another could take their place."""
    places: dict[str, list[int]] = {}
    for at, part in enumerate(shown):
        places.setdefault(_text(part), []).append(at)
    as_long = len(edited) == len(shown)
    changed = [at for at, part in enumerate(edited) if not as_long or part != shown[at]]
    found: list[Any] = []
    for at, part in enumerate(edited):
        known = places.get(_text(part), [])
        if as_long and (at in known or changed == [at]):
            found.append(restored(part, shown[at], original[at]))
        else:
            found.append(original[known[0]] if len(known) == 1 else part)
    return found


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def is_redacted(value: Any, depth: int = 0) -> bool:
    """Whether a mask stands in a value: it was read from a page, and must not be stored."""
    if isinstance(value, str):
        return MASK in value
    if depth > DEEPEST:
        return False
    if isinstance(value, dict):
        return any(is_redacted(part, depth + 1) for member in value.items() for part in member)
    return isinstance(value, list) and any(is_redacted(part, depth + 1) for part in value)


def _walk(value: Any, veil: Veil, depth: int) -> Any:
    if depth > DEEPEST or veil.hides_value:
        return value if value is None else MASK
    if isinstance(value, str):
        return MASK if veil.hides_text else masked_text(value)
    if isinstance(value, list | tuple):
        return [_walk(part, veil.at(index), depth + 1) for index, part in enumerate(value)]
    if isinstance(value, dict):
        shown: dict[str, Any] = {}
        for key, part in value.items():
            name = str(key)
            below = MASK if _is_hidden(name, part) else _walk(part, veil.at(name), depth + 1)
            shown[_shown_name(name, veil, shown)] = below
        return shown
    return value if value is None or isinstance(value, int | float) else MASK


def _shown_name(name: str, veil: Veil, taken: dict[str, Any]) -> str:
    """A member's name without secrets, and unlike those before it: ``•••``, ``••• 2``, …"""
    masked = shown = MASK if veil.hides_name(name) else masked_text(name)
    if shown in taken:
        shown = f"{masked} {len(taken) + 1}"
    while shown in taken:
        shown += "'"
    return shown


def _is_hidden(name: str, value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and looks_secret(name)


def _known(codec: Codec[Any]) -> Veil:
    try:
        return codec.veil
    except (TypeNotReady, InvalidTask):  # as long as a name in it is missing
        return NO_VEIL


def _veil_of(type_: Any) -> Veil:
    try:
        return _veil_of_known(type_)
    except TypeError:  # no hash
        return _veil_of_new(type_)


def _veil_of_new(type_: Any) -> Veil:
    try:
        return Codec.of(type_).veil
    except TypeNotReady as error:
        raise InvalidOption("type_", type_, f"it cannot be resolved: {error}") from error
    except InvalidTask as error:
        raise InvalidOption("type_", type_, error.reason) from error


_veil_of_known = lru_cache(maxsize=512)(_veil_of_new)
