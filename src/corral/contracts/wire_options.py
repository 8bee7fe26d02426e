"""The options of a job as its ``opts`` field holds them: BullMQ's JSON with shortened names (wire format §4).

Written strictly here, read tolerantly in `stored_options`.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from corral.contracts.backoff import Backoff, Exponential, Fixed
from corral.contracts.deduplication import Deduplication
from corral.contracts.duration import milliseconds
from corral.contracts.kind import JobKind
from corral.contracts.options import JobOptions
from corral.contracts.retention import Keep
from corral.contracts.stored_options import NO_OPTIONS, StoredBackoff, StoredOptions, decode_options

__all__ = [
    "CUSTOM_BACKOFF",
    "NO_OPTIONS",
    "PER_JOB_FIELDS",
    "StoredBackoff",
    "StoredOptions",
    "decode_options",
    "encode_options",
    "with_cron_job",
    "with_job_options",
]

CUSTOM_BACKOFF = "custom"
"""The stored type of a backoff that is a function: the worker finds it with the task."""

PER_JOB_FIELDS = frozenset({"job_id", "delay_ms", "due_ms", "deduplication", "durability"})
"""The fields of `JobOptions` that `with_job_options` adds, or that are not stored at all."""


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
    return with_job_options(text, options.delay_ms, job_id or options.job_id, options.deduplication)


def with_job_options(
    text: str,
    delay_ms: int,
    job_id: str | None,
    deduplication: Deduplication | None,
    singleton: str | None = None,
) -> str:
    """An ``opts`` text with what hardly two jobs have alike put behind it: see `PER_JOB_FIELDS`, and the rule of a
    singleton job (JSON)."""
    if delay_ms:
        text = f'{text[:-1]},"delay":{delay_ms}}}'
    if singleton is not None:
        text = f'{text[:-1]},"singleton":{singleton}}}'
    if job_id is not None:
        text = f'{text[:-1]},"jobId":{encode_basestring_ascii(job_id)}}}'
    if deduplication is not None:
        stored = json.dumps(_encode_deduplication(deduplication), separators=(",", ":"))
        text = f'{text[:-1]},"de":{stored}}}'
    return text


def with_cron_job(text: str, cron_job_id: str, kind: JobKind) -> str:
    """An ``opts`` text that says for which cron job in a database the job is made, and how that came."""
    return f'{text[:-1]},"kind":"{kind}","cronJob":{encode_basestring_ascii(cron_job_id)}}}'


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
