"""A client bound to a job id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from corral.client.event_hub import EventHub
from corral.contracts.arguments import flag
from corral.contracts.codec import Codec
from corral.contracts.duration import Duration, milliseconds
from corral.contracts.failure import FailureKind, cancel_reason, cancellation, kind_of_deferred
from corral.contracts.job import Job
from corral.contracts.names import decode_job_id
from corral.contracts.states import JobState
from corral.contracts.waiting import Waiting
from corral.engine.browse import Ending, job_state, read_ending, read_job
from corral.engine.control import detach_child, remove_job
from corral.engine.control_cancel import Cancelling
from corral.engine.explain import why_waiting
from corral.engine.keys import QueueKeys
from corral.engine.listen import last_ending
from corral.engine.record import Refusal
from corral.engine.sender import Sender, Sent
from corral.engine.server import Server
from corral.errors import JobFailed, JobGone, JobLocked, JobScheduled

__all__ = ["BoundHandle", "QueueTies"]

R = TypeVar("R")
T = TypeVar("T")

LOOK_AGAIN: Final = 10.0
"""Seconds between looks at the job itself while waiting: events may be trimmed before they are read."""


class QueueTies(NamedTuple):
    """What all handles of one queue share."""

    server: Server
    keys: QueueKeys
    hub: EventHub


class _Verb(Protocol):
    """A change of one job, which may be sent again."""

    async def __call__(self, server: Server, keys: QueueKeys, wire_id: str, /, *, sent: Sent) -> int: ...


class BoundHandle(Generic[R]):
    """One job, through one client. See `corral.JobHandle`, which it is."""

    __slots__ = ("_codec", "_ties", "_wire_id", "created")

    def __init__(self, ties: QueueTies, wire_id: str, codec: Codec[R], created: bool | None = None) -> None:
        self._ties = ties
        self._wire_id = wire_id
        self._codec = codec
        self.created = created

    @property
    def id(self) -> str:
        """The job's id, as the user gave it."""
        return decode_job_id(self._wire_id)

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self._ties.keys.queue

    def __repr__(self) -> str:
        return f"<JobHandle {self.queue}/{self.id}>"

    async def result(self, timeout: Duration | None = None) -> R:
        """Wait for the job's end and return what its handler returned.

        Works with `remove_on_complete=True` too, when the wait begins before the end.

        Raises:
            JobCancelled: it was cancelled, or superseded by a newer job.
            JobFailed: it failed for good for another reason, which is in the error.
            JobGone: it is not kept, or was removed while waiting.
            TimeoutError: it has not ended after `timeout` (seconds or a `timedelta`).
        """
        ending = await self._ending(timeout)
        if ending.state is JobState.FAILED:
            if ending.kind in (FailureKind.CANCELLED, FailureKind.SUPERSEDED):
                raise cancellation(self.id, ending.failed_reason)
            raise JobFailed(self.id, ending.failed_reason, ending.attempts_made)
        return self._codec.decode(ending.returnvalue if ending.returnvalue is not None else b"null")

    async def wait(self, timeout: Duration | None = None) -> Job:
        """Wait for the job's end, whichever, and return it. Raises `JobGone` or `TimeoutError`."""
        await self._ending(timeout)
        job = await self._ask(read_job)
        if job is None:
            raise JobGone(self.id)
        return job

    async def state(self) -> JobState:
        """The job's state now; `UNKNOWN` when it is not kept."""
        return await self._ask(job_state)

    async def why_waiting(self) -> Waiting:
        """Why the job does not run yet: the child that it waits for, its time, its queue, or those before it."""
        return await self._ask(why_waiting)

    async def detach(self) -> bool:
        """Take the job away from its parent, which no longer waits for it. False when none waits for it.
        (BullMQ: `removeChildDependency`.)"""
        return await self._tell(detach_child) == 0

    async def cancel(self, reason: str = "", *, children: bool = False) -> bool:
        """See `JobHandle.cancel`."""
        server, keys, _ = self._ties
        cancelling = Cancelling(server, keys, cancel_reason(reason))
        done = await cancelling.cancel(self._wire_id, children=flag("children", children))
        return done.has_ended(self.id)

    async def remove(self) -> bool:
        """See `JobHandle.remove`."""
        code = await self._tell(remove_job)
        if code == 0:
            raise JobLocked(self.id, "")
        if code == Refusal.SCHEDULED:
            raise JobScheduled(self.id, "")
        return code == 1

    async def _ending(self, timeout: Duration | None) -> Ending:
        seconds = None if timeout is None else milliseconds("timeout", timeout) / 1000
        async with asyncio.timeout(seconds), self._ties.hub.watching(self._wire_id) as ended:
            while True:
                ending = await self._ask(read_ending)
                if ending.state is not None:
                    return ending
                if not ending.exists and not ended.done():
                    return await self._remembered()
                await asyncio.wait({ended}, timeout=LOOK_AGAIN)
                if ended.done():
                    return await self._said(ended.result())

    async def _remembered(self) -> Ending:
        """The ending of a job that is not kept, as long as the events tell of it: it may have ended between the
        beginning of the wait and the first look."""
        fields = await self._ask(last_ending)
        if fields is None:
            raise JobGone(self.id)
        return await self._said(fields)

    async def _said(self, fields: dict[str, str]) -> Ending:
        """The ending that an event tells: enough even when the job itself is gone already."""
        if fields["event"] == "removed":
            raise JobGone(self.id)
        if fields["event"] == "completed":
            value = fields.get("returnvalue", "null").encode("utf-8", "surrogatepass")
            return Ending(True, JobState.COMPLETED, value, "", 0)
        kept = await self._ask(read_ending)
        if kept.state is JobState.FAILED:
            return kept
        # Of a job that is not kept only the reason is known, and what is cancelled says so in it.
        reason = fields.get("failedReason", "")
        return Ending(True, JobState.FAILED, None, reason, kept.attempts_made, kind_of_deferred(reason))

    async def _ask(self, question: Callable[[Server, QueueKeys, str], Awaitable[T]]) -> T:
        server, keys, _ = self._ties
        return await server.patiently(lambda: question(server, keys, self._wire_id))

    async def _tell(self, verb: _Verb) -> int:
        server, keys, _ = self._ties
        return await Sender(server).send(lambda sent: verb(server, keys, self._wire_id, sent=sent))
