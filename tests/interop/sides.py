"""The two engines of a differential test behind one protocol, and the steps that are the same for both."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.interop.bullmq import NodeQueue
from tests.interop.operations import (
    Add,
    AddMany,
    Claim,
    ComeDue,
    Complete,
    Extend,
    Fail,
    LoseLock,
    Operation,
    Progress,
    Release,
    Remove,
    SetPaused,
    Snooze,
    StalledCheck,
    WindowEnds,
)  # fmt: skip
from tests.interop.snapshot import Raw

LOCK_MS = 30_000


class Side(Protocol):
    """One engine on one queue. Ids are wire ids."""

    @property
    def prefix(self) -> str: ...
    @property
    def queue(self) -> str: ...
    async def add(self, job: Add) -> None: ...
    async def add_many(self, jobs: Sequence[Add]) -> None: ...
    async def claim(self, token: str, count: int) -> list[str]: ...
    async def complete(self, job_id: str, token: str, value: Any, and_next: bool) -> list[str]: ...
    async def fail(self, job_id: str, token: str, step: Fail) -> list[str]: ...
    async def snooze(self, job_id: str, token: str, milliseconds: int) -> None: ...
    async def release(self, job_id: str, token: str) -> None: ...
    async def extend(self, job_id: str, token: str) -> None: ...
    async def progress(self, job_id: str, token: str, value: Any, row: str) -> None: ...
    async def stalled_check(self) -> None: ...
    async def remove(self, job_id: str) -> None: ...


@dataclass
class NodeSide:
    """BullMQ, one step at a time."""

    bull: NodeQueue

    @property
    def prefix(self) -> str:
        """The key prefix."""
        return self.bull.prefix

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.bull.name

    async def add(self, job: Add) -> None:
        """Queue.add."""
        await self.bull.call("add", name=job.name, data=job.data, opts=job.options)

    async def add_many(self, jobs: Sequence[Add]) -> None:
        """Queue.addBulk."""
        rows = [{"name": job.name, "data": job.data, "opts": job.options} for job in jobs]
        await self.bull.call("addBulk", jobs=rows)

    async def claim(self, token: str, count: int) -> list[str]:
        """Worker.getNextJob, `count` times or until there is none."""
        claimed: list[str] = []
        while len(claimed) < count:
            job = await self.bull.call("claim", token=token)
            if job is None:
                break
            claimed.append(job["id"])
        return claimed

    async def complete(self, job_id: str, token: str, value: Any, and_next: bool) -> list[str]:
        """Job.moveToCompleted."""
        args = {"jobId": job_id, "token": token, "value": value, "fetchNext": and_next}
        return self._ids(await self.bull.call("moveToCompleted", **args))

    async def fail(self, job_id: str, token: str, step: Fail) -> list[str]:
        """Job.moveToFailed, which decides about the retry."""
        args = {"jobId": job_id, "token": token, "message": step.message, "unrecoverable": step.for_good}
        return self._ids(await self.bull.call("moveToFailed", **args, fetchNext=step.and_next))

    @staticmethod
    def _ids(job: dict[str, Any] | None) -> list[str]:
        return [job["id"]] if job else []

    async def snooze(self, job_id: str, token: str, milliseconds: int) -> None:
        """Job.moveToDelayed, as a processor calls it."""
        await self.bull.call("moveToDelayed", jobId=job_id, token=token, ms=milliseconds)

    async def release(self, job_id: str, token: str) -> None:
        """Job.moveToWait, as a processor calls it."""
        await self.bull.call("moveToWait", jobId=job_id, token=token)

    async def extend(self, job_id: str, token: str) -> None:
        """Job.extendLock."""
        await self.bull.call("extendLock", jobId=job_id, token=token, ms=LOCK_MS)

    async def progress(self, job_id: str, token: str, value: Any, row: str) -> None:
        """Job.updateProgress and Job.log."""
        await self.bull.call("updateProgress", jobId=job_id, progress=value)
        await self.bull.call("log", jobId=job_id, row=row)

    async def stalled_check(self) -> None:
        """What every BullMQ worker does once in an interval."""
        await self.bull.call("stalledCheck")

    async def remove(self, job_id: str) -> None:
        """Job.remove."""
        await self.bull.call("remove", jobId=job_id)


def _next_millisecond() -> None:
    """Wait for the clock's next millisecond, so that no two steps share one: ties are ordered by id."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == now:
        pass


@dataclass
class Player:
    """Plays a sequence on one side, holding the claimed jobs in the order of their claims.

    `operator` pauses and resumes: somebody else does that, and it is the same BullMQ for both sides.
    """

    side: Side
    raw: Raw
    operator: NodeQueue
    held: list[tuple[str, str]] = field(default_factory=list)
    tokens: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def key(self, suffix: str) -> str:
        """Return a key of the queue."""
        return f"{self.side.prefix}:{self.side.queue}:{suffix}"

    async def play(self, operations: Sequence[Operation]) -> None:
        """Take every step in order; a step about a job where there is none is left out, on both sides alike."""
        for operation in operations:
            _next_millisecond()
            await self._step(operation)

    async def _step(self, operation: Operation) -> None:
        match operation:
            case Add():
                await self.side.add(operation)
            case AddMany(jobs):
                await self.side.add_many(jobs)
            case Claim(count):
                token = f"token:{next(self.tokens)}"
                self._hold(await self.side.claim(token, count), token)
            case ComeDue() | WindowEnds() | Remove() | SetPaused():
                await self._step_outside(operation)
            case StalledCheck():
                await self.raw.delete(self.key("stalled-check"))
                await self.side.stalled_check()
            case _:
                if self.held:
                    await self._step_held(operation)

    async def _step_outside(self, operation: ComeDue | WindowEnds | Remove | SetPaused) -> None:
        match operation:
            case ComeDue(position):
                await self._come_due(position)
            case WindowEnds(deduplication):
                if await self.raw.pttl(self.key(f"de:{deduplication}")) > 0:
                    await self.raw.delete(self.key(f"de:{deduplication}"))
            case Remove(state, position):
                await self._remove(state, position)
            case SetPaused(paused):
                await self._set_paused(paused)

    def _hold(self, job_ids: Sequence[str], token: str) -> None:
        self.held += [(job_id, token) for job_id in job_ids]

    async def _step_held(self, operation: Any) -> None:
        position = operation.held % len(self.held)
        job_id, token = self.held[position]
        match operation:
            case Extend():
                await self.side.extend(job_id, token)
            case Progress(_, value, row):
                await self.side.progress(job_id, token, value, row)
            case _:
                del self.held[position]
                await self._end_run(operation, job_id, token)

    async def _end_run(self, operation: Any, job_id: str, token: str) -> None:
        given_up = await self.raw.hget(self.key(job_id), "defa")
        if given_up is not None and not isinstance(operation, LoseLock):
            operation = Fail(operation.held, given_up, for_good=True)
        match operation:
            case Complete(_, value, and_next):
                self._hold(await self.side.complete(job_id, token, value, and_next), token)
            case Fail():
                self._hold(await self.side.fail(job_id, token, operation), token)
            case Snooze(_, milliseconds):
                await self.side.snooze(job_id, token, milliseconds)
            case Release():
                await self._release(job_id, token)
            case LoseLock():
                await self._lose_lock(job_id, token)

    async def _lose_lock(self, job_id: str, token: str) -> None:
        # One at a time: several are recovered in the order of a Redis set, which depends on their ids.
        active = await self.raw.lrange(self.key("active"), 0, -1)
        if await self.raw.exists(*(self.key(f"{member}:lock") for member in active)) == len(active):
            await self.raw.delete(self.key(f"{job_id}:lock"))
        else:
            self._hold([job_id], token)

    async def _release(self, job_id: str, token: str) -> None:
        # Two that were put back to one priority have the same score: then their ids decide.
        front = int(await self.raw.hget(self.key(job_id), "priority")) << 32
        if front and await self.raw.zcount(self.key("prioritized"), front, front):
            self._hold([job_id], token)
        else:
            await self.side.release(job_id, token)

    async def _come_due(self, position: int) -> None:
        delayed = await self.raw.zrange(self.key("delayed"), 0, -1)
        if delayed:
            # As many milliseconds after the epoch as the position: the order among several due jobs stays.
            await self.raw.zadd(
                self.key("delayed"), {delayed[position % len(delayed)]: 4096 * (position + 1)}
            )

    async def _remove(self, state: str, position: int) -> None:
        key = self.key(state)
        members = await (self.raw.lrange(key, 0, -1) if state == "wait" else self.raw.zrange(key, 0, -1))
        if members:
            await self.side.remove(members[position % len(members)])

    async def _set_paused(self, paused: bool) -> None:
        # Without skipMetasUpdate the operator would write its own version over the side's.
        await self.operator.call("pause" if paused else "resume", queueOptions={"skipMetasUpdate": True})
