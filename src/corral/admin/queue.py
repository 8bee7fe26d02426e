"""One queue, as its operator sees it."""

from __future__ import annotations

from corral.contracts.states import JobState
from corral.engine.browse import count_jobs, is_paused
from corral.engine.control_queue import pause_queue, resume_queue
from corral.engine.server import Server

__all__ = ["QueueAdmin"]


class QueueAdmin:
    """The operator's verbs for one queue. Made by `Admin.queue`.

    Every verb raises `ServerUnavailable` when a step of it finds no answer in time, and may then be asked for again.
    """

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._keys = server.keys(name)
        self.name = name

    def __repr__(self) -> str:
        return f"<QueueAdmin {self.name}>"

    async def pause(self) -> None:
        """Hand out no more jobs, for workers of every kind, until `resume`. Jobs that run go on; jobs may be added.

        Nothing happens when the queue is paused. Event: `paused` (BullMQ: queue.pause).
        """
        while await self._server.patiently(lambda: pause_queue(self._server, self._keys)):
            pass

    async def resume(self) -> None:
        """Hand out jobs again, and wake the workers. Event: `resumed`, if the queue was paused (BullMQ: queue.resume).

        Ids that BullMQ 5 has put into its `paused` list run first; no id is lost, whoever paused and whoever added
        meanwhile. Where both lists are long the queue stays paused until they are one.
        """
        while await self._server.patiently(lambda: resume_queue(self._server, self._keys)):
            pass

    async def paused(self) -> bool:
        """Whether the queue hands out no jobs."""
        return await self._server.patiently(lambda: is_paused(self._server, self._keys))

    async def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state, at one moment. Ids in BullMQ 5's `paused` list count as waiting."""
        return await self._server.patiently(lambda: count_jobs(self._server, self._keys))
