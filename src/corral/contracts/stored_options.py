"""The options of a stored job, whoever enqueued it. Read tolerantly: other clients leave out anything and add more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from corral.contracts.backoff import Backoff, Exponential, Fixed
from corral.contracts.deduplication import Deduplication
from corral.contracts.retention import KEEP_ALL, REMOVE, Keep
from corral.contracts.strict_json import as_object, parse_strict_json
from corral.errors import InvalidOption

__all__ = ["NO_OPTIONS", "StoredBackoff", "StoredOptions", "decode_options"]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


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
    cron_job: str | None = None
    """The id of the cron job, in a database, that it was made for."""
    raw: Mapping[str, Any] = field(default_factory=_nothing, compare=False)
    """All of it, as stored."""


NO_OPTIONS = StoredOptions()
"""What a job without options has."""


@lru_cache(maxsize=4096)
def decode_options(text: str) -> StoredOptions:
    """Read an ``opts`` text. Raises `InvalidOption` (a `ValueError`) when it is not JSON or a value is nonsense."""
    try:
        value = parse_strict_json(text)
    except ValueError as error:
        raise InvalidOption("opts", text, f"not JSON: {error}") from None
    if value == []:  # Lua's cjson cannot tell an empty object from an empty array
        return NO_OPTIONS
    if (stored := as_object(value)) is None:
        raise InvalidOption("opts", text, "not a JSON object")
    job_id = stored.get("jobId")
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
        job_id=job_id if isinstance(job_id, str) else None,
        repeats=bool(stored.get("repeat")),
        cron_job=cron_job if isinstance(cron_job := stored.get("cronJob"), str) else None,
        raw=MappingProxyType(stored),
    )


def _number(stored: Mapping[str, Any], name: str) -> int | None:
    value = stored.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidOption(f"opts.{name}", value, "not a number")
    if not math.isfinite(value):  # `1e400` is strict JSON
        raise InvalidOption(f"opts.{name}", value, "not a finite number")
    return int(value)


def _decode_backoff(value: Any) -> StoredBackoff | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):  # BullMQ's short form of fixed
        return StoredBackoff("fixed", max(0, int(value)))
    stored = as_object(value)
    if stored is None or not isinstance(stored.get("type"), str):
        raise InvalidOption("opts.backoff", value, "not an object with a type")
    jitter = stored.get("jitter") or 0.0
    if isinstance(jitter, bool) or not isinstance(jitter, (int, float)):
        raise InvalidOption("opts.backoff", value, "its jitter is not a number")
    delay = max(0, _number(stored, "delay") or 0)
    return StoredBackoff(stored["type"], delay, min(1.0, max(0.0, float(jitter))))


def _decode_keep(stored: Mapping[str, Any], name: str) -> Keep | None:
    value = stored.get(name)
    if value is None:
        return None
    if isinstance(value, bool):
        return REMOVE if value else KEEP_ALL
    if isinstance(value, (int, float)):
        return Keep(count=int(value)) if value >= 0 else KEEP_ALL
    if (policy := as_object(value)) is None:
        raise InvalidOption(f"opts.{name}", value, "not a boolean, a number or an object")
    age, count = _number(policy, "age") or 0, _number(policy, "count")
    return Keep(count=None if count is None or count < 0 else count, age=age if age > 0 else None)


def _decode_deduplication(value: Any) -> Deduplication | None:
    stored = as_object(value)
    if stored is None or not stored.get("id"):
        return None
    ttl = _number(stored, "ttl")
    return Deduplication(
        id=str(stored["id"]),
        ttl=ttl / 1000 if ttl and ttl > 0 else None,
        extend=bool(stored.get("extend") and ttl and ttl > 0),
        replace=bool(stored.get("replace")),
        keep_last_if_active=bool(stored.get("keepLastIfActive")),
    )
