"""Removing jobs, with all below them in a flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corral.admin.batch import Batch
from corral.admin.steps import Progress
from corral.contracts.names import decode_job_id, lookup_job_id
from corral.contracts.states import JobState
from corral.engine.browse import job_state
from corral.engine.browse_keys import split_keys
from corral.engine.control import remove_job
from corral.engine.control_tree import TreeRemoval
from corral.engine.keys import QueueKeys
from corral.engine.record import Refusal
from corral.engine.sender import Sender
from corral.engine.server import Server
from corral.errors import JobError, JobGone, JobLocked, JobScheduled

__all__ = ["Removing"]


class Removing:
    """Jobs cease to exist."""

    def __init__(
        self, server: Server, keys: QueueKeys, sender: Sender, on_step: Callable[[int], object]
    ) -> None:
        self._server = server
        self._keys = keys
        self._sender = sender
        self._on_step = on_step

    async def remove(self, job_id: str, *, children: bool) -> int:
        """One, alone or with all below it; how many that were."""
        wire_id = lookup_job_id(job_id)
        if not children:
            code = await self._sender.send(
                lambda sent: remove_job(self._server, self._keys, wire_id, sent=sent)
            )
            await self._check(job_id, code, b"")
            return 1
        tree = TreeRemoval(self._server, self._keys, self._sender, self._on_step)
        done = await tree.remove(self._keys, wire_id)
        await self._check(job_id, done.code, done.detail)
        return tree.count

    async def remove_many(self, job_ids: Sequence[str], *, children: bool, report: Progress) -> Batch:
        """Several, one after the other."""
        done, refused = list[str](), dict[str, JobError]()
        for number, job_id in enumerate(job_ids, 1):
            try:
                await self.remove(job_id, children=children)
                done.append(job_id)
            except JobError as error:
                refused[job_id] = error
            report(number, len(job_ids))
        return Batch(tuple(done), refused)

    async def remove_unprocessed(self, job_id: str) -> int:
        """The children of one that have not ended."""
        wire_id = lookup_job_id(job_id)
        state = await self._server.patiently(lambda: job_state(self._server, self._keys, wire_id))
        if state is JobState.UNKNOWN:
            raise JobGone(job_id)
        tree = TreeRemoval(self._server, self._keys, self._sender, self._on_step)
        await tree.remove_unprocessed(wire_id)
        return tree.count

    async def _check(self, job_id: str, code: int, detail: int | bytes) -> None:
        if code == Refusal.NO_JOB:
            raise JobGone(job_id)
        if code == Refusal.SCHEDULED:
            raise JobScheduled(job_id, await self._named(job_id, detail))
        if code == 0:
            raise JobLocked(job_id, await self._named(job_id, detail))

    async def _named(self, job_id: str, detail: int | bytes) -> str:
        """The job in the way: its id, or its key when it is of another queue; empty when it is the job itself."""
        key = detail.decode(errors="replace") if isinstance(detail, bytes) else ""
        if key in ("", self._keys.job(lookup_job_id(job_id))):
            return ""
        (found,) = await self._server.patiently(lambda: split_keys(self._server, self._keys, [key]))
        return decode_job_id(found.wire_id) if found.keys.base == self._keys.base else key
