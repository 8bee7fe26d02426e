"""A task's definition, complete: what producers need to make a job of a payload and workers to run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from corral.contracts.arguments import string
from corral.contracts.codec import JSON_CODEC, Codec
from corral.contracts.deduplication import Deduplication
from corral.contracts.names import check_schedule_id
from corral.contracts.options import DEFAULTS, JobOptions, call_changes
from corral.contracts.payload_key import check_payload_key, payload_key
from corral.contracts.producer import EnqueueRequest, ScheduleRequest
from corral.contracts.schedule import Cron, Every
from corral.contracts.wire_options import PER_JOB_FIELDS, encode_options, with_job_options
from corral.errors import InvalidOption, PayloadTooLarge

__all__ = ["TaskSpec", "untyped_spec"]

MOST_VARIANTS = 256
"""How many ``opts`` texts a task remembers."""

NOT_REPEATED = frozenset({"delay", "run_at", "deduplication", "durability"})
"""Options of one job that the jobs of a schedule cannot have."""

P = TypeVar("P")
R = TypeVar("R")


class TaskSpec(Generic[P, R]):
    """The definition of one task: immutable, and the same object for producers and workers.

    ``options`` are merged from defaults, task set and task; its ``backoff`` may be a function.
    """

    __slots__ = ("_opts", "_plain", "_variants", "name", "options", "payload", "queue", "result")

    def __init__(
        self, queue: str, name: str, payload: Codec[P], result: Codec[R], options: JobOptions
    ) -> None:
        self.queue = queue
        self.name = name
        self.payload = payload
        self.result = result
        self.options = options
        if options.singleton is not None:
            options.singleton.check(payload)
        if options.supersedes is not None:
            check_payload_key("supersedes", options.supersedes, payload)
        self._opts = encode_options(options)
        self._variants: dict[tuple[tuple[str, Any], ...], str] = {}
        # What every job without options of its own shares, ready to be put behind its data.
        self._plain = (self._opts, None, 0, None, options.priority, False, None, None, result)

    def __repr__(self) -> str:
        return f"TaskSpec({self.queue!r}, {self.name!r})"

    @property
    def payload_limit(self) -> int:
        """The longest payload, in bytes of JSON."""
        return self.options.payload_limit

    def encoded(self, payload: P) -> bytes:
        """The JSON of ``payload``. Raises `InvalidPayload` or `PayloadTooLarge`."""
        data = self.payload.encode(payload)
        if len(data) > self.options.payload_limit:
            raise PayloadTooLarge(len(data), self.options.payload_limit)
        return data

    def request(self, payload: P, options: Mapping[str, Any]) -> EnqueueRequest[R]:
        """The job to add for ``payload``, with the `EnqueueOptions` of the call.

        Raises `InvalidPayload`, `PayloadTooLarge`, `InvalidOption` or `InvalidJobId`.
        """
        data = self.encoded(payload)
        rule = self.options.singleton
        if not options and rule is None and self.options.supersedes is None:
            return EnqueueRequest(self.queue, self.name, data, *self._plain)
        changes = call_changes(options)
        change = changes.get
        delay_ms, job_id, deduplication = change("delay_ms", 0), change("job_id"), change("deduplication")
        if self.options.supersedes is not None:
            deduplication = self._superseding(payload, data, deduplication)
        # What differs from job to job is put behind a text that many jobs share.
        shared = {field: value for field, value in changes.items() if field not in PER_JOB_FIELDS}
        singleton = None if rule is None else rule.stored(self.name, payload, data)
        opts = with_job_options(self._shared_opts(shared), delay_ms, job_id, deduplication, singleton)
        return EnqueueRequest(
            self.queue,
            self.name,
            data,
            opts,
            job_id,
            delay_ms,
            change("due_ms"),
            change("priority", self.options.priority),
            change("lifo", False),
            deduplication,
            change("durability"),
            self.result,
        )

    def schedule(self, payload: P, options: Mapping[str, Any]) -> ScheduleRequest[R]:
        """The schedule to make whose jobs have ``payload``: ``options`` are those of the call, with ``repeat``.

        Raises `InvalidSchedule` for an id that cannot be, and what `request` raises.
        """
        given = dict(options)
        rule, schedule_id = given.pop("repeat"), given.pop("job_id", self.name)
        if not isinstance(rule, (Cron, Every)):
            raise InvalidOption("repeat", rule, 'give Cron("0 9 * * *") or Every(minutes=5)')
        for option in NOT_REPEATED & given.keys():
            raise InvalidOption(option, given[option], "not together with repeat=, which says when jobs run")
        check_schedule_id(schedule_id)
        job = self._without_key().request(payload, given)
        return ScheduleRequest(self.queue, schedule_id, rule, self.name, job.data, job.opts, self.result)

    def _without_key(self) -> TaskSpec[P, R]:
        """The jobs of a schedule supersede none, nor are they superseded by key: ``overlap=`` says what they do."""
        if self.options.supersedes is None:
            return self
        options = replace(self.options, supersedes=None)
        return TaskSpec(self.queue, self.name, self.payload, self.result, options)

    def superseding(self, key: str | int) -> Deduplication:
        """By which the jobs of this task that have a key supersede each other. It begins with the task's name, so that
        two tasks of a queue never share one by accident. Raises `InvalidOption`."""
        return Deduplication.superseding(f"{self.name}:{key}")

    def _superseding(self, payload: P, data: bytes, given: Deduplication | None) -> Deduplication:
        if given is not None:
            raise InvalidOption("deduplication", given, "not together with the supersedes= of the task")
        assert self.options.supersedes is not None
        return self.superseding(payload_key("supersedes", self.options.supersedes, payload, data))

    def _shared_opts(self, changes: Mapping[str, Any]) -> str:
        """The ``opts`` of jobs with some changes to the task's options: a program has few of these, and many jobs."""
        if not changes:
            return self._opts
        key = tuple(changes.items())
        text = self._variants.get(key)
        if text is None:
            if len(self._variants) >= MOST_VARIANTS:
                self._variants.clear()
            text = self._variants[key] = encode_options(replace(self.options, **changes))
        return text


def untyped_spec(queue: str, name: str) -> TaskSpec[Any, Any]:
    """The definition of a task of another program, of which only the name is known. Raises `InvalidOption`."""
    return _untyped_spec(queue, string("name", name))


@lru_cache(maxsize=256)
def _untyped_spec(queue: str, name: str) -> TaskSpec[Any, Any]:
    return TaskSpec(queue, name, JSON_CODEC, JSON_CODEC, DEFAULTS)
