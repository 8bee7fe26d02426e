"""The options of a job as its ``opts`` field holds them: BullMQ's JSON with shortened names (wire format §4).

Written strictly, read tolerantly: the jobs of other clients may lack anything and carry more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from types import MappingProxyType
from typing import Any

from corral.contracts.backoff import Backoff, Exponential, Fixed
from corral.contracts.deduplication import Deduplication
from corral.contracts.duration import milliseconds
from corral.contracts.options import JobOptions
from corral.contracts.retention import KEEP_ALL, REMOVE, Keep
from corral.contracts.strict_json import parse_strict_json
from corral.errors import InvalidOption

__all__ = ["NO_OPTIONS", "PER_JOB_OPTIONS", "StoredBackoff", "StoredOptions", "decode_options", "encode_options", "with_job_options"]

CUSTOM_BACKOFF = "custom"
"""The stored type of a backoff that is a function: the worker finds it with the task."""

PER_JOB_OPTIONS = frozenset({"job_id", "delay", "run_at", "deduplication", "durability"})
"""The options of ``enqueue`` that `with_job_options` adds, or that are not stored at all."""


@dataclass(frozen=True, slots=True)
class StoredBackoff:
    """A backoff as stored. ``type`` is ``fixed``, ``exponential``, or the name of a strategy of the worker's own."""

    type: str
    delay_ms: int = 0
    jitter: float = 0.0

    def resolve(self, custom: Backoff | None = None) -> Backoff:
        """The backoff to follow. ``custom`` is the task's own, for a type that is not built in; without one
        the wait is exponential, because a job should not fail over a strategy that only its producer knows."""
        if self.type == "fixed":
            return Fixed(self.delay_ms / 1000, self.jitter)
        if self.type == "exponential":
            return Exponential(self.delay_ms / 1000, self.jitter)
        if custom is not None:
            return custom
        return Exponential(self.delay_ms / 1000 or 1.0, self.jitter)


@dataclass(frozen=True, slots=True)
class StoredOptions:
    """The options of a stored job. None where the job says nothing, so that the worker's own setting applies."""

    attempts: int = 1
    backoff: StoredBackoff | None = None
    timeout_ms: int | None = None
    priority: int = 0
    delay_ms: int = 0
    lifo: bool = False
    remove_on_complete: Keep | None = None
    remove_on_fail: Keep | None = None
    deduplication: Deduplication | None = None
    stack_trace_limit: int | None = None
    keep_logs: int | None = None
    job_id: str | None = None
    """The custom id, as in Redis."""
    repeats: bool = False
    """Whether a schedule made this job."""
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """All of it, as stored."""


NO_OPTIONS = StoredOptions()
"""What a job without options has."""


def encode_options(options: JobOptions, *, job_id: str | None = None) -> str:
    """The ``opts`` text of a job with ``options``; ``job_id`` is its custom id in Redis, if it has one."""
    stored: dict[str, Any] = {"attempts": options.attempts}
    if options.backoff is not None:
        stored["backoff"] = _encode_backoff(options.backoff)
    if options.timeout_ms is not None:
        stored["timeout"] = options.timeout_ms
    if options.priority:
        stored["priority"] = options.priority
    if options.lifo:
        stored["lifo"] = True
    stored["removeOnComplete"] = _encode_keep(options.remove_on_complete)
    stored["removeOnFail"] = _encode_keep(options.remove_on_fail)
    text = json.dumps(stored, separators=(",", ":"))
    return with_job_options(text, replace(options, job_id=job_id or options.job_id))


def with_job_options(text: str, options: JobOptions) -> str:
    """An ``opts`` text with what hardly two jobs have alike put behind it: `PER_JOB_OPTIONS`."""
    if options.delay_ms:
        text = f'{text[:-1]},"delay":{options.delay_ms}}}'
    if options.job_id is not None:
        text = f'{text[:-1]},"jobId":{encode_basestring_ascii(options.job_id)}}}'
    if options.deduplication is not None:
        deduplication = json.dumps(_encode_deduplication(options.deduplication), separators=(",", ":"))
        text = f'{text[:-1]},"de":{deduplication}}}'
    return text


def _encode_backoff(backoff: Backoff) -> dict[str, Any]:
    if not isinstance(backoff, (Fixed, Exponential)):
        return {"type": CUSTOM_BACKOFF, "delay": 0}
    kind = "fixed" if isinstance(backoff, Fixed) else "exponential"
    stored: dict[str, Any] = {"type": kind, "delay": milliseconds("delay", backoff.delay)}
    if backoff.jitter:
        stored["jitter"] = backoff.jitter
    return stored


def _encode_keep(keep: Keep) -> bool | int | dict[str, int]:
    age, count = keep.age_seconds, keep.count
    if age is None:
        return False if count is None else True if count == 0 else count
    return {"age": age} if count is None else {"age": age, "count": count}


def _encode_deduplication(deduplication: Deduplication) -> dict[str, Any]:
    stored: dict[str, Any] = {"id": deduplication.id}
    if deduplication.ttl_ms is not None:
        stored["ttl"] = deduplication.ttl_ms
    for name, value in (
        ("extend", deduplication.extend),
        ("replace", deduplication.replace),
        ("keepLastIfActive", deduplication.keep_last_if_active),
    ):
        if value:
            stored[name] = True
    return stored


@lru_cache(maxsize=4096)
def decode_options(text: str) -> StoredOptions:
    """Read an ``opts`` text. Raises `InvalidOption` (a `ValueError`) when it is not JSON or a value is nonsense."""
    try:
        stored = parse_strict_json(text)
    except ValueError as error:
        raise InvalidOption("opts", text, f"not JSON: {error}") from None
    if stored == []:  # Lua's cjson cannot tell an empty object from an empty array
        return NO_OPTIONS
    if not isinstance(stored, dict):
        raise InvalidOption("opts", text, "not a JSON object")
    return StoredOptions(
        attempts=max(1, _number(stored, "attempts") or 0),
        backoff=_decode_backoff(stored.get("backoff")),
        timeout_ms=_number(stored, "timeout") or None,
        priority=_number(stored, "priority") or 0,
        delay_ms=max(0, _number(stored, "delay") or 0),
        lifo=stored.get("lifo") is True,
        remove_on_complete=_decode_keep(stored, "removeOnComplete"),
        remove_on_fail=_decode_keep(stored, "removeOnFail"),
        deduplication=_decode_deduplication(stored.get("de")),
        stack_trace_limit=_number(stored, "stackTraceLimit"),
        keep_logs=_number(stored, "kl"),
        job_id=stored["jobId"] if isinstance(stored.get("jobId"), str) else None,
        repeats=bool(stored.get("repeat")),
        raw=MappingProxyType(stored),
    )


def _number(stored: Mapping[str, Any], name: str) -> int | None:
    value = stored.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidOption(f"opts.{name}", value, "not a number")
    return int(value)


def _decode_backoff(value: Any) -> StoredBackoff | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):  # BullMQ's short form of fixed
        return StoredBackoff("fixed", max(0, int(value)))
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise InvalidOption("opts.backoff", value, "not an object with a type")
    jitter = value.get("jitter") or 0.0
    if isinstance(jitter, bool) or not isinstance(jitter, (int, float)):
        raise InvalidOption("opts.backoff", value, "its jitter is not a number")
    return StoredBackoff(value["type"], max(0, _number(value, "delay") or 0), min(1.0, max(0.0, float(jitter))))


def _decode_keep(stored: Mapping[str, Any], name: str) -> Keep | None:
    value = stored.get(name)
    if value is None:
        return None
    if isinstance(value, bool):
        return REMOVE if value else KEEP_ALL
    if isinstance(value, (int, float)):
        return Keep(count=int(value)) if value >= 0 else KEEP_ALL
    if not isinstance(value, dict):
        raise InvalidOption(f"opts.{name}", value, "not a boolean, a number or an object")
    age, count = _number(value, "age"), _number(value, "count")
    return Keep(count=count if count is not None and count >= 0 else None, age=age if age and age > 0 else None)


def _decode_deduplication(value: Any) -> Deduplication | None:
    if not isinstance(value, dict) or not value.get("id"):
        return None
    ttl = _number(value, "ttl")
    return Deduplication(
        id=str(value["id"]),
        ttl=ttl / 1000 if ttl and ttl > 0 else None,
        extend=bool(value.get("extend") and ttl and ttl > 0),
        replace=bool(value.get("replace")),
        keep_last_if_active=bool(value.get("keepLastIfActive")),
    )
