"""One worker, in the hands of an operator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from corral.admin.workers import find_named_workers
from corral.contracts.arguments import whole
from corral.contracts.worker_record import WorkerRecord, WorkerState
from corral.engine.orders import send_order
from corral.engine.server import Server
from corral.errors import InvalidOption, WorkerGone

__all__ = ["WorkerAdmin"]

MOST_SLOTS: Final = 100_000


class WorkerAdmin:
    """The operator's verbs for one worker, by its name. Made by `Admin.worker`.

    They are orders, which the worker hears at once over Redis and answers with its record. Several workers of one name
    are all told, unless one is meant by its instance. An order is for a running worker: one that is not connected at
    that moment may miss it, and its next start knows nothing of it. Node's workers take none.
    """

    def __init__(
        self, server: Server, name: str, instance: str | None, known: Sequence[str] | None = None
    ) -> None:
        self._server = server
        self._known = known
        self.name = name
        self.instance = instance

    def __repr__(self) -> str:
        return f"<WorkerAdmin {self.name}>"

    async def records(self) -> list[WorkerRecord]:
        """What it says of itself; one for each worker of this name that beats.

        Raises:
            WorkerGone: none does.
        """
        named = await self._server.patiently(
            lambda: find_named_workers(self._server, self.name, known=self._known)
        )
        found = [
            worker
            for worker in named
            if worker.ours
            and worker.state is not WorkerState.SILENT
            and self.instance in (None, worker.instance)
        ]
        if not found:
            raise WorkerGone(self.name, self._why_not(named))
        return found

    async def drain(self) -> None:
        """Let it claim nothing more. It finishes what it has, and stays, idle, until `resume` or its end. Raises
        `WorkerGone`."""
        await self._tell("drain")

    async def resume(self) -> None:
        """Let it claim again. Nothing happens to one that is not drained. Raises `WorkerGone`."""
        await self._tell("resume")

    async def set_concurrency(self, most: int, queue: str | None = None) -> None:
        """Let it run so many jobs at once, of one queue or of each that it serves. Holds at once, until its end; jobs
        that run beyond that go on.

        Raises:
            WorkerGone: no worker of this name beats.
            InvalidOption: less than 1, more than 100,000, or a queue that it does not serve. Nothing was changed.
        """
        whole("concurrency", most, 1, MOST_SLOTS)
        records = await self.records()
        for record in records:
            if queue is not None and queue not in record.queues:
                raise InvalidOption("queue", queue, f"{self.name} serves {', '.join(record.queues)}")
        for record in records:
            for name in record.queues if queue is None else (queue,):
                await self._send(record, name, {"order": "concurrency", "concurrency": most})

    async def _tell(self, order: str) -> None:
        for record in await self.records():
            await self._send(record, record.queues[0], {"order": order})

    async def _send(self, record: WorkerRecord, queue: str, order: dict[str, str | int]) -> None:
        fields = {**order, "worker": record.instance or ""}
        keys = self._server.keys(queue)
        await self._server.patiently(partial(send_order, self._server, keys, fields))

    def _why_not(self, named: list[WorkerRecord]) -> str:
        if not named:
            return "there is none of this name"
        if not any(worker.ours for worker in named):
            return "it is not one of Corral's, and takes no orders"
        if self.instance is not None and self.instance not in [worker.instance for worker in named]:
            return "it has been started anew since"
        return "it has been silent for more than 30 seconds"
