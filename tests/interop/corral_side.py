"""Corral's engine, one step at a time: the other side of the differential tests."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from corral.client.client import Client
from corral.contracts.backoff import Exponential, Fixed
from corral.contracts.codec import JSON_CODEC
from corral.contracts.deduplication import Deduplication
from corral.contracts.options import DEFAULTS, EnqueueOptions
from corral.contracts.outcome import Failed, Retried, Unrecoverable, decide
from corral.contracts.rate_limit import RateLimit
from corral.contracts.spec import TaskSpec
from corral.contracts.wire_options import StoredOptions, decode_options
from corral.engine.claim import Claim, Claims, claim_jobs
from corral.engine.control import remove_job
from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.record import Claimed, Settlement, Verb
from corral.engine.recover import Held, recover_stalled, renew_locks
from corral.engine.recur import prepare_schedule, read_schedule
from corral.engine.report import append_log, save_progress
from corral.engine.server import Server
from corral.engine.settle import Committed, commit_jobs
from corral.worker.recurrer import prepare_times
from tests.interop.operations import Add, Fail
from tests.interop.sides import LOCK_MS

STALLED_INTERVAL_MS = 30_000
MAX_STALLED = 1
KEEP_LOGS = 1000

#: Options that differ in their name alone.
RENAMED = {
    "attempts": "attempts",
    "priority": "priority",
    "lifo": "lifo",
    "jobId": "job_id",
    "removeOnComplete": "remove_on_complete",
    "removeOnFail": "remove_on_fail",
}


def corral_options(options: dict[str, Any]) -> EnqueueOptions:
    """Turn BullMQ's options into Corral's, as a caller would write them."""
    call: dict[str, Any] = {ours: options[theirs] for theirs, ours in RENAMED.items() if theirs in options}
    call["backoff"] = None
    if "delay" in options:
        call["delay"] = options["delay"] / 1000
    if "backoff" in options:
        kind = {"fixed": Fixed, "exponential": Exponential}[options["backoff"]["type"]]
        call["backoff"] = kind(options["backoff"]["delay"] / 1000)
    if "deduplication" in options:
        call["deduplication"] = corral_deduplication(options["deduplication"])
    return cast("EnqueueOptions", call)


def corral_deduplication(options: dict[str, Any]) -> Deduplication:
    """Turn BullMQ's deduplication options into Corral's."""
    ttl = options["ttl"] / 1000 if "ttl" in options else None
    return Deduplication(
        options["id"],
        ttl=ttl,
        extend=options.get("extend", False),
        replace=options.get("replace", False),
        keep_last_if_active=options.get("keepLastIfActive", False),
    )


@dataclass
class CorralSide:
    """Corral on one queue: the client adds, the engine does the rest over a connection of its own. `limiter`: the
    worker's own rate limit."""

    client: Client
    link: Link
    queue: str
    limiter: RateLimit | None = None
    runs: dict[str, Claimed] = field(default_factory=dict)
    calls: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def server(self) -> Server:
        """The client's server."""
        return self.client.server

    @property
    def prefix(self) -> str:
        """The key prefix."""
        return self.server.settings.prefix

    @property
    def keys(self) -> QueueKeys:
        """The queue's keys."""
        return self.server.keys(self.queue)

    async def add(self, job: Add) -> None:
        """Enqueue one job."""
        await self.client.queue(self.queue).enqueue(job.name, job.data, **corral_options(job.options))

    async def add_many(self, jobs: Sequence[Add]) -> None:
        """Enqueue several in one call."""
        specs = [TaskSpec(self.queue, job.name, JSON_CODEC, JSON_CODEC, DEFAULTS) for job in jobs]
        rows = zip(specs, jobs, strict=True)
        await self.client.submit_many(
            [spec.request(job.data, corral_options(job.options)) for spec, job in rows]
        )

    async def claim(self, token: str, count: int) -> list[str]:
        """Claim up to `count` jobs in one call."""
        return await self._started(await claim_jobs(self.link, self.keys, self._claim(token, count)))

    def _claim(self, token: str, count: int) -> Claim:
        if self.limiter is None:
            return Claim(count, token, LOCK_MS)
        return Claim(count, token, LOCK_MS, rate_max=self.limiter.max, window_ms=self.limiter.per_ms)

    async def _started(self, claims: Claims | Committed) -> list[str]:
        for schedule_id in claims.unprepared:
            await self._prepare(schedule_id)
        started = {job.wire_id.decode(): job for job in claims.jobs}
        self.runs.update(started)
        return list(started)

    async def _prepare(self, schedule_id: bytes) -> None:
        """Prepare the next times of a schedule, as the recurrer of a worker does."""
        now, schedule = await read_schedule(self.server, self.keys, schedule_id)
        assert schedule is not None
        times = prepare_times(schedule, now)
        assert await prepare_schedule(self.server, self.keys, schedule_id, schedule.rule, times)

    def _options(self, job_id: str) -> StoredOptions:
        return decode_options((self.runs[job_id].opts or b"{}").decode())

    async def _settle(self, settlement: Settlement, and_next: bool) -> list[str]:
        claim = self._claim(str(settlement.token), int(and_next))
        return await self._started(await commit(self, settlement, claim))

    async def complete(self, job_id: str, token: str, value: Any, and_next: bool) -> list[str]:
        """Settle as completed."""
        keep = self._options(job_id).remove_on_complete
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        settlement = self._settlement(job_id, token, Verb.COMPLETE, text)
        return await self._settle(_keeping(settlement, keep), and_next)

    async def fail(self, job_id: str, token: str, step: Fail) -> list[str]:
        """Settle as the retry policy decides."""
        options = self._options(job_id)
        backoff = options.backoff.resolve() if options.backoff else None
        error = Unrecoverable(step.message) if step.for_good else RuntimeError(step.message)
        and_next = step.and_next
        made = int(self.runs[job_id].made or 0)
        outcome = decide(
            error, attempts_made=made, attempts=options.attempts, backoff=backoff, random=0.0, now_ms=0
        )
        match outcome:
            case Failed():
                settlement = self._settlement(job_id, token, Verb.FAIL, step.message, options.attempts)
                settlement = _keeping(settlement, options.remove_on_fail)
            case Retried(delay_ms=0):
                and_next = False  # BullMQ's retry brings no job along: its worker asks for one afterwards
                settlement = self._settlement(job_id, token, Verb.RETRY, step.message, int(options.lifo))
            case Retried(delay_ms=wait):
                settlement = self._settlement(job_id, token, Verb.DELAY, step.message, wait)
            case _:
                raise AssertionError(outcome)
        return await self._settle(settlement._replace(trace="trace", traces=10), and_next)

    def _settlement(self, job_id: str, token: str, verb: Verb, text: str = "", amount: int = 0) -> Settlement:
        return Settlement(job_id, token, self.runs[job_id].fence, verb, text, amount=amount)

    async def snooze(self, job_id: str, token: str, milliseconds: int) -> None:
        """Settle as snoozed."""
        await self._settle(self._settlement(job_id, token, Verb.SNOOZE, amount=milliseconds), False)

    async def release(self, job_id: str, token: str) -> None:
        """Give the job back."""
        await self._settle(self._settlement(job_id, token, Verb.GIVE_BACK), False)

    async def hold_off(self, job_id: str, token: str, milliseconds: int) -> None:
        """Settle as rate limited."""
        await self._settle(self._settlement(job_id, token, Verb.HOLD_OFF, amount=milliseconds), False)

    async def wait_for_children(self, job_id: str, token: str) -> None:
        """Settle as waiting for its children."""
        await self._settle(self._settlement(job_id, token, Verb.WAIT_FOR_CHILDREN), False)

    def held(self, job_id: str, token: str) -> Held:
        """What a worker knows of a run."""
        return Held(job_id, token, self.runs[job_id].fence)

    async def extend(self, job_id: str, token: str) -> None:
        """Renew the lock."""
        assert await renew_locks(self.link, self.keys, [self.held(job_id, token)], LOCK_MS) == [1]

    async def progress(self, job_id: str, token: str, value: Any, row: str) -> None:
        """Report progress, then write a log line."""
        held = self.held(job_id, token)
        assert await save_progress(self.server, self.keys, held, json.dumps(value).encode()) == 0
        assert await append_log(self.server, self.keys, held, row, keep=KEEP_LOGS) > 0

    async def stalled_check(self) -> None:
        """Return stalled jobs."""
        await recover_stalled(self.link, self.keys, interval_ms=STALLED_INTERVAL_MS, max_stalled=MAX_STALLED)

    async def remove(self, job_id: str) -> None:
        """Remove the job."""
        assert await remove_job(self.server, self.keys, job_id) == 1


async def commit(side: CorralSide, settlement: Settlement, claim: Claim) -> Committed:
    """Settle one run, which must be accepted, with the jobs that came along."""
    committed = await commit_jobs(side.link, side.keys, [settlement], claim)
    assert committed.codes == [0], f"{settlement} was refused: {committed.codes}"
    return committed


def _keeping(settlement: Settlement, keep: Any) -> Settlement:
    if keep is None:
        return settlement
    count = -1 if keep.count is None else keep.count
    age = -1 if keep.age_seconds is None else keep.age_seconds
    return settlement._replace(keep_count=count, keep_age=age)
