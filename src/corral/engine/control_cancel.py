"""Control: a job is cancelled, alone or with all below it that has not ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from corral.contracts.states import FINISHED, JobState
from corral.engine.browse_keys import JobKey, split_keys
from corral.engine.browse_pages import list_children
from corral.engine.keys import QueueKeys
from corral.engine.record import Refusal
from corral.engine.script import load
from corral.engine.sender import UNNUMBERED, Sender, Sent
from corral.engine.server import Server
from corral.errors import JobGone, JobNotInState, JobScheduled

__all__ = ["Cancellation", "Cancelling", "cancel_job"]

ENDED: Final = 1
SEARCH_ON: Final = 2


class Cancellation(NamedTuple):
    """What became of a request to cancel a job: a code (see `control/cancel_job`), and the state it had ended in."""

    code: int
    state: JobState | None

    def has_ended(self, job_id: str) -> bool:
        """Whether the job has ended now; False when it runs, and its worker is told.

        Raises `JobGone`, `JobNotInState` where it had ended before, and `JobScheduled` for the next run of a schedule.
        """
        if self.code == Refusal.NO_JOB:
            raise JobGone(job_id)
        if self.code == Refusal.SCHEDULED:
            raise JobScheduled(job_id)
        if self.state is not None:
            allowed = [state for state in JobState if state not in {*FINISHED, JobState.UNKNOWN}]
            raise JobNotInState(job_id, "cancelled", self.state, allowed)
        return self.code == ENDED


async def cancel_job(
    server: Server,
    keys: QueueKeys,
    wire_id: str,
    reason: str,
    *,
    sent: Sent = UNNUMBERED,
    clock: str | int = "",
) -> Cancellation:
    """Cancel a job. A waiting one is searched for, some thousands of places a call."""
    search = 0
    while True:
        code, detail = await server.run(
            load("control/cancel_job"),
            keys,
            keys.base,
            clock,
            sent.sender,
            sent.number,
            wire_id,
            reason,
            search,
        )
        if code != SEARCH_ON:
            return Cancellation(code, JobState(detail.decode()) if isinstance(detail, bytes) else None)
        search = detail


class Cancelling:
    """Cancels for one reason, from the top down: a parent that is cancelled waits for nobody.

    Children are listed before their parent ends, since what is not kept takes the list along, and again after that: one
    that runs may have added some.
    """

    def __init__(self, server: Server, keys: QueueKeys, reason: str) -> None:
        self._server = server
        self._keys = keys
        self._reason = reason
        self._sender = Sender(server)

    async def cancel(self, wire_id: str, *, children: bool = False) -> Cancellation:
        """Cancel a job, with `children` also all below it that has not ended, whatever became of itself."""
        top = JobKey(self._keys.prefix, self._keys.queue, wire_id)
        if not children:
            return await self._cancel(top)
        below = [child async for child in self._children(top)]
        done = await self._cancel(top)
        if done.code >= 0:
            await self._cancel_all(below + [child async for child in self._children(top)])
        return done

    async def _cancel_all(self, jobs: list[JobKey]) -> None:
        seen = set[JobKey]()
        while jobs:
            job = jobs.pop()
            if job not in seen:
                seen.add(job)
                below = [child async for child in self._children(job)]
                await self._cancel(job)
                jobs += below + [child async for child in self._children(job)]

    async def _cancel(self, job: JobKey) -> Cancellation:
        return await self._sender.send(
            lambda sent: cancel_job(self._server, job.keys, job.wire_id, self._reason, sent=sent)
        )

    async def _children(self, job: JobKey) -> AsyncIterator[JobKey]:
        """The children of a job that have not ended, page by page."""
        cursor: bytes | None = b"0"
        while cursor is not None:
            children, cursor = await self._page(job.keys.job(job.wire_id), cursor)
            for child in children:
                yield child

    async def _page(self, job_key: str, cursor: bytes) -> tuple[list[JobKey], bytes | None]:
        server, keys = self._server, self._keys
        page = await server.patiently(lambda: list_children(server, keys, job_key, "dependencies", cursor))
        names = [key.decode("utf-8", "surrogateescape") for key, _, _ in page.rows]
        return await server.patiently(lambda: split_keys(server, keys, names)), page.cursor
