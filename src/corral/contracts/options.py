"""The options of a job, with all their defaults, and how the four places that set them are merged.

Defaults < task set or queue < task < call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypedDict, cast

from corral.contracts.arguments import flag, whole
from corral.contracts.backoff import Backoff, Exponential, Fixed
from corral.contracts.deduplication import Deduplication
from corral.contracts.duration import Duration, instant_ms, milliseconds
from corral.contracts.names import encode_job_id
from corral.contracts.payload_key import PayloadKey
from corral.contracts.retention import KEEP_ALL, Keep, Retention
from corral.contracts.schedule import Repeat
from corral.contracts.singleton import Singleton
from corral.errors import InvalidOption

__all__ = [
    "DEFAULTS",
    "MAX_ATTEMPTS",
    "MAX_PRIORITY",
    "BatchOptions",
    "Deduplication",
    "Durability",
    "EnqueueOptions",
    "JobOptions",
    "Keep",
    "Retention",
    "RunOptions",
    "TaskOptions",
    "call_changes",
    "check_payload_limit",
    "check_priority",
    "merge_task_options",
]

MAX_PRIORITY = 2**21 - 1
"""The highest number a priority may have. It runs last."""
MAX_ATTEMPTS = 2**31 - 1
LONGEST_RETRY_AFTER_MS = 3_600_000
"""What a service may ask for where a task says no more than that it listens."""

Durability = Literal["fsync", "replicated"]
"""What ``enqueue`` waits for beyond the server's word: its disk, or its replica."""


class TaskOptions(TypedDict, total=False):
    """What a task, a task set and a queue may set. Durations are seconds or a `timedelta`."""

    attempts: int
    """Runs in all, at least 1. Default 3. Not together with ``retries``."""
    retries: int
    """Runs after the first: ``retries=2`` is ``attempts=3``."""
    backoff: Backoff | Duration | None
    """The wait before a retry; a bare duration is `Fixed`. Default ``Exponential(1)``: 1, 2, 4, 8 s."""
    timeout: Duration | None
    """The longest that one run may take. Default: no limit."""
    priority: int
    """0 to 2,097,151. A lower number runs sooner, and jobs without one (0) run before all that have one."""
    remove_on_complete: Retention
    """Which completed jobs to keep. Default: the last 1,000."""
    remove_on_fail: Retention
    """Which failed jobs to keep. Default: all."""
    payload_limit: int
    """The longest payload, in bytes of JSON. Default 1 MiB."""
    respect_retry_after: bool | Duration
    """Whether the ``Retry-After`` of an HTTP error (429, 503) that a handler lets through holds the queue off for that
    time, as `RateLimited` does, instead of spending an attempt. A duration is the longest time that is believed;
    ``True`` is an hour. Default: no."""
    supersedes: PayloadKey | None
    """A field of the payload, as its JSON has it, or a function of the payload. A newer job with the same key takes the
    place of one that waits, and cancels one that runs: `Deduplication.superseding`. Default: none."""
    singleton: bool | PayloadKey | Singleton
    """One job at a time, over all Corral workers: of the task (``True``), or of each value of a field of the payload
    (its name, or a function). The others wait for their turn, unless ``Singleton(…, otherwise="skip")`` says that they
    are skipped. Default: no."""


class RunOptions(TypedDict, total=False):
    """How jobs run, wherever they come from: what the jobs of a schedule may have, too. See `TaskOptions`."""

    attempts: int
    retries: int
    backoff: Fixed | Exponential | Duration | None
    priority: int
    lifo: bool
    """Run before the jobs that are waiting already."""
    timeout: Duration | None
    remove_on_complete: Retention
    remove_on_fail: Retention


class BatchOptions(RunOptions, total=False):
    """What one call of ``enqueue_many`` may set, for all its jobs."""

    delay: Duration
    """Run no sooner than this from now. Not together with ``run_at``."""
    run_at: datetime
    """Run no sooner than this. With a time zone."""
    durability: Durability
    """Return only when the job is on disk (``"fsync"``) or on a replica (``"replicated"``)."""


class EnqueueOptions(BatchOptions, total=False):
    """What one call of ``enqueue`` may set. The rest is as for the task: see `TaskOptions`."""

    job_id: str
    """The job's id, up to 200 bytes. The same id is one job for as long as that job is kept."""
    deduplication: Deduplication | str
    """Another job that means the same is enough; text is ``Deduplication.simple(text)``."""
    repeat: Repeat
    """Make a schedule instead of a job: ``Cron(…)`` or ``Every(…)``. Its id is ``job_id``, or else the task's name."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The options of one job, checked and merged. Its defaults are Corral's defaults: this is the one place."""

    attempts: int = 3
    backoff: Backoff | None = Exponential()  # noqa: RUF009 - immutable
    timeout_ms: int | None = None
    priority: int = 0
    remove_on_complete: Keep = Keep(count=1000)  # noqa: RUF009 - immutable
    remove_on_fail: Keep = KEEP_ALL
    payload_limit: int = 1024 * 1024
    longest_retry_after_ms: int | None = None
    """From ``respect_retry_after``; None: no attention is paid to it."""
    supersedes: PayloadKey | None = None
    singleton: Singleton | None = None
    lifo: bool = False
    delay_ms: int = 0
    due_ms: int | None = None
    """Absolute, milliseconds since the epoch: from ``run_at``."""
    deduplication: Deduplication | None = None
    durability: Durability | None = None
    job_id: str | None = None
    """The id in Redis, already encoded."""


DEFAULTS = JobOptions()

_EXCLUSIVE = (("attempts", "retries"), ("delay", "run_at"))


def merge_task_options(lower: JobOptions, options: Mapping[str, Any]) -> JobOptions:
    """``lower`` with the `TaskOptions` of a task, task set or queue over it. Raises `InvalidOption`."""
    return replace(lower, **_changes(options, _TASK_FIELDS, "a task or task set")) if options else lower


def call_changes(options: Mapping[str, Any]) -> dict[str, Any]:
    """The `EnqueueOptions` of one call as fields of `JobOptions`. Raises `InvalidOption` or `InvalidJobId`."""
    if "backoff" in options and _is_function(options["backoff"]):
        raise InvalidOption(
            "backoff", options["backoff"], "a function cannot be stored with a job: set it on the task"
        )
    return _changes(options, _CALL_FIELDS, "enqueue")


def _changes(options: Mapping[str, Any], fields: Mapping[str, _Field], where: str) -> dict[str, Any]:
    for one, other in _EXCLUSIVE:
        if one in options and other in options:
            raise InvalidOption(one, options[one], f"give {one} or {other}, not both")
    changes: dict[str, Any] = {}
    for option, value in options.items():
        field = fields.get(option)
        if field is None:
            raise InvalidOption(
                option, value, f"not an option of {where}; those are: {', '.join(sorted(fields))}"
            )
        name, parse = field
        changes[name] = parse(option, value)
    return changes


def _attempts(option: str, value: Any) -> int:
    return whole(option, value, 1, MAX_ATTEMPTS)


def _retries(option: str, value: Any) -> int:
    return whole(option, value, 0, MAX_ATTEMPTS - 1) + 1


def _priority(option: str, value: Any) -> int:
    return whole(option, value, 0, MAX_PRIORITY)


def check_priority(option: str, value: object) -> int:
    """``value`` as a priority. Raises `InvalidOption`."""
    return _priority(option, value)


def _payload_limit(option: str, value: Any) -> int:
    return whole(option, value, 1, 512 * 1024 * 1024)


def check_payload_limit(option: str, value: object) -> int:
    """``value`` as the longest payload, in bytes. Raises `InvalidOption`."""
    return _payload_limit(option, value)


def _retry_after(option: str, value: Any) -> int | None:
    if isinstance(value, bool):
        return LONGEST_RETRY_AFTER_MS if value else None
    if (result := milliseconds(option, value)) == 0:
        raise InvalidOption(option, value, "longer than 0; False is not at all")
    return result


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, (Fixed, Exponential))


def _backoff(option: str, value: Any) -> Backoff | None:
    if value is None or isinstance(value, (Fixed, Exponential)):
        return value
    if callable(value):
        return cast("Backoff", value)
    milliseconds(option, value)
    return Fixed(value)


def _timeout(option: str, value: Any) -> int | None:
    if value is None:
        return None
    if (result := milliseconds(option, value)) == 0:
        raise InvalidOption(option, value, "longer than 0; None is no limit")
    return result


def _deduplication(option: str, value: Any) -> Deduplication:
    if isinstance(value, Deduplication):
        return value
    if isinstance(value, str):
        return Deduplication(value)
    raise InvalidOption(option, value, "give Deduplication(…), or the id as text")


def _supersedes(option: str, value: Any) -> PayloadKey | None:
    if value is None or callable(value) or (isinstance(value, str) and value):
        return cast("PayloadKey | None", value)
    raise InvalidOption(option, value, "give the name of a field, or a function of the payload")


def _durability(option: str, value: Any) -> str:
    if value not in ("fsync", "replicated"):
        raise InvalidOption(option, value, 'give "fsync" or "replicated"')
    return str(value)


def _job_id(_option: str, value: Any) -> str:
    return encode_job_id(value)


_Field = tuple[str, Callable[[str, Any], Any]]

_SHARED: dict[str, _Field] = {
    "attempts": ("attempts", _attempts),
    "retries": ("attempts", _retries),
    "backoff": ("backoff", _backoff),
    "timeout": ("timeout_ms", _timeout),
    "priority": ("priority", _priority),
    "remove_on_complete": ("remove_on_complete", Keep.parse),
    "remove_on_fail": ("remove_on_fail", Keep.parse),
}
_TASK_FIELDS: dict[str, _Field] = {
    **_SHARED,
    "payload_limit": ("payload_limit", _payload_limit),
    "respect_retry_after": ("longest_retry_after_ms", _retry_after),
    "supersedes": ("supersedes", _supersedes),
    "singleton": ("singleton", Singleton.parse),
}
_CALL_FIELDS: dict[str, _Field] = {
    **_SHARED,
    "delay": ("delay_ms", milliseconds),
    "run_at": ("due_ms", instant_ms),
    "lifo": ("lifo", flag),
    "deduplication": ("deduplication", _deduplication),
    "durability": ("durability", _durability),
    "job_id": ("job_id", _job_id),
}
