"""The admin: what operators hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from corral.admin.queue import QueueAdmin
from corral.admin.worker import WorkerAdmin
from corral.admin.workers import Skipped, find_workers, note
from corral.contracts.names import check_queue_name
from corral.contracts.worker_record import WorkerRecord
from corral.engine.browse import list_queues, queue_exists
from corral.engine.server import Server
from corral.engine.settings import server_settings

__all__ = ["Admin"]


class Admin:
    """Looks after queues: pauses, empties, counts, repairs. Connects at the first use, not when it is made.

    Belongs to one event loop; close it there (`async with`, or `await admin.close()`). No verb holds the server for
    long, whatever the size of a queue: what is long is done in steps, may be interrupted between any two of them, and
    may be asked for again.

    Args:
        url: any that `Client` takes; else the variables that it reads.
        prefix: first part of every key; else `CORRAL_PREFIX`, else `bull` as BullMQ has it.
        timeout: seconds until a step without an answer raises `ServerUnavailable`; 5 by default.
    """

    def __init__(
        self, url: str | None = None, *, prefix: str | None = None, timeout: float | None = None
    ) -> None:
        self._server = Server(server_settings(url, prefix=prefix, timeout=timeout))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Admin {self._server.settings.address}>"

    @property
    def server(self) -> Server:
        """The connection that this admin uses: for packages of Corral built on the engine."""
        return self._server

    def queue(self, name: str) -> QueueAdmin:
        """The verbs for one queue, whether or not there is such a queue yet. Raises `InvalidQueueName`."""
        return QueueAdmin(self._server, name)

    async def queues(self, *, impossible: bool = False) -> list[str]:
        """The names of all queues under the prefix, sorted (BullMQ: a queue exists where its `meta` exists). Other
        programs may have made keys with names that no queue can have: `impossible` ones are told only where asked for.
        """

        async def listed() -> list[str]:
            return sorted([name async for name in list_queues(self._server, impossible=impossible)])

        return await self._server.patiently(listed)

    async def has_queue(self, name: str) -> bool:
        """Whether there is a queue of this name. Raises `InvalidQueueName`."""
        keys = self._server.keys(name)
        return await self._server.patiently(lambda: queue_exists(self._server, keys))

    async def workers(
        self,
        queue: str | None = None,
        *,
        known: Sequence[str] | None = None,
        on_skipped: Skipped = note,
    ) -> list[WorkerRecord]:
        """The workers of one queue or of all, by name: Corral's as they describe themselves every five seconds, and
        Node's as far as their connections show them.

        A Corral worker without a beat for 30 seconds is `silent`; ten minutes later nobody knows of it. Where the user
        may not call CLIENT LIST, only those with a record are found. Without a queue, and without the names of those
        that are `known` already, all are looked for first, among all keys of the server, for up to ten seconds. One
        that cannot be read is left out then: `on_skipped` is told its name and why, and by default logs it.

        Raises:
            InvalidQueueName: there can be no such queue.
            QueueDamaged: what its workers say of themselves cannot be read.
            ServerRefused: the user may not call CLIENT LIST, and there are no records, so that nothing is known.
        """
        name = None if queue is None else check_queue_name(queue)
        return await self._server.patiently(
            lambda: find_workers(self._server, name, known=known, on_skipped=on_skipped)
        )

    def worker(
        self, name: str, *, instance: str | None = None, known: Sequence[str] | None = None
    ) -> WorkerAdmin:
        """The verbs for the workers of a name, or for the one of them that has this instance. They are found by their
        connections; only where none shows one, in the queues that are `known`, or that are looked for as by `workers`.
        """
        return WorkerAdmin(self._server, name, instance, known)

    async def close(self) -> None:
        """Close all connections. The admin may be used again afterwards."""
        await self._server.close()
