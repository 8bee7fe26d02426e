"""The relay: moves the jobs of an outbox to the server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Self

from corral.client.client import Client
from corral.errors import InvalidOption, OutboxTaken, StoreError
from corral.store.database import Database
from corral.store.outbox_batches import Batch, OutboxBatches
from corral.store.outbox_sender import OutboxSender, Overtaken
from corral.store.outbox_troubles import DATABASE, OutboxTroubles

__all__ = ["Relay"]

MOST_UNDER_WAY: Final = 32
"""Batches that are sent at a time, each of another queue."""

PATIENCE: Final = 8.0
"""Seconds for which `stop` lets the batches under way go on."""

LEAVING: Final = 2.0
"""Seconds after which a database is left that cannot be told so."""


class Relay:
    """Moves the rows of an outbox to Redis: in their order, each once, and only what was committed.

    Run as many as you like, in the lifespan of each worker or as `corral relay`: one of them works, and when it dies
    another goes on. ::

        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            async with Database() as database, Client() as client, Relay(database, client):
                yield

    Batches of different queues are sent side by side, so that a queue which cannot be reached holds up no other.

    Args:
        database: the application's, with Corral's tables.
        client: of the server that the jobs go to. A relay uses connections of its own.
        interval: seconds between two looks at an outbox that was empty.
        lease: seconds without a word from the relay that works, until another may take its place; the same for all
            relays of an outbox, or they take the turn from each other.

    Raises:
        InvalidOption: `interval` or `lease` is no number from 0.001 to 3,600.
    """

    def __init__(
        self, database: Database, client: Client, *, interval: float = 0.2, lease: float = 10.0
    ) -> None:
        self._interval = _checked("interval", interval)
        self._lease = _checked("lease", lease)
        self._batches = OutboxBatches(database, lease=lease)
        self._sender = OutboxSender(client.server)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._arrived: list[Batch] = []
        self._troubles = OutboxTroubles()
        self._news = asyncio.Event()
        self._stopping = False
        self._bound: asyncio.Timeout | None = None
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._stopping = False
        self._running = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self.stop()
        try:
            await asyncio.wait({self._running})
        finally:  # whoever is cancelled here leaves nothing behind
            self._running.cancel()
            await asyncio.wait({self._running})
        self._running.result()

    def stop(self) -> None:
        """End `run` after the batches under way, or after about ten seconds: what has not arrived by then, the next
        relay sends again, and the server recognises it."""
        if not self._stopping and self._bound is not None:
            self._bound.reschedule(asyncio.get_running_loop().time() + PATIENCE)
        self._stopping = True
        self._news.set()

    @property
    def troubles(self) -> list[str]:
        """What is wrong at the moment, a line each: with the database, or with the way to a queue."""
        return self._troubles.lines

    async def run(self) -> None:
        """Move rows until `stop`. Trouble with the database, the server or one of the queues is told once, and waited
        out: rows stay where they are, and other queues go on."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as self._bound:
                    while not self._stopping:
                        await self._step()
                    await self._finish()
        finally:
            self._bound = None
            await self._leave()

    async def drain(self) -> int:
        """Move what is there, and return once nothing waits; how many jobs this relay has moved. For tests, and for
        programs that do it now and then, instead of `run`.

        Raises:
            CorralError: what the first queue that was in trouble failed of. Its rows are still there; those of other
                queues were moved.
            OutboxTaken: another relay works, and rows still wait after the time in which it would have lost its turn if
                it were dead.
            RuntimeError: this relay runs.
        """
        if self._running is not None and not self._running.done():
            raise RuntimeError("drain() is for a relay that does not run: make another one")
        moved = 0
        first: Exception | None = None
        refused = set[str]()
        clock = asyncio.get_running_loop().time
        since = clock()
        try:
            while True:
                turn = await self._batches.advance(self._arrived, leaving_out=refused)
                self._arrived.clear()
                if turn.ours:
                    since = clock()
                if turn.batch is not None:
                    error = await self._send(turn.batch)
                    if error is not None:
                        first = first or error
                        refused.add(turn.batch.queue)
                    moved += sum(len(batch.rows) for batch in self._arrived)
                elif turn.ours or await self._batches.is_empty():
                    break
                elif clock() - since > 1.5 * self._lease:
                    first = first or OutboxTaken(clock() - since)
                    break
                else:
                    await asyncio.sleep(self._interval)
        finally:
            await self._leave()
        if first is not None:
            raise first
        return moved

    async def _step(self) -> None:
        """Forget what has arrived, and begin what comes next, or wait for something to do."""
        self._news.clear()
        arrived = list(self._arrived)
        try:
            left_alone = self._left_alone()
            turn = await self._batches.advance(arrived, leaving_out=left_alone)
            del self._arrived[: len(arrived)]
            if turn.batch is None and not (turn.ours and left_alone):
                self._troubles.forget_queues()
            if turn.batch is not None and self._has_room():  # else it is handed out again
                self._begin(turn.batch)
            await (self._idle() if turn.ours else self._look_on())
        except Exception as error:  # noqa: BLE001 - it is told, and waited out
            await self._wait(self._troubles.met(DATABASE, error))

    def _begin(self, batch: Batch) -> None:
        """Send a batch while others are looked for."""

        async def send() -> None:
            try:
                await self._send(batch)
            finally:
                del self._under_way[batch.queue]
                self._news.set()

        self._under_way[batch.queue] = asyncio.create_task(send())

    async def _send(self, batch: Batch) -> Exception | None:
        """Send a batch; what it failed of."""
        try:
            await self._sender.send(batch)
        except Overtaken as error:
            with suppress(StoreError):  # then it is overtaken once more
                await self._batches.renumber(batch, beyond=error.beyond)
            return None
        except Exception as error:  # noqa: BLE001 - it is told, and waited out
            self._troubles.met(batch.queue, error)
            return error
        self._arrived.append(batch)
        self._troubles.over(batch.queue)
        return None

    async def _idle(self) -> None:
        """Wait for rows, or for a batch to arrive, until the lease is to be prolonged."""
        for _ in range(max(1, int(self._lease / 3 / self._interval))):
            rows = self._has_room() and not await self._batches.is_empty(leaving_out=self._left_alone())
            self._troubles.over(DATABASE)
            if rows:
                return
            await self._wait(self._interval)
            if self._news.is_set():
                return

    async def _look_on(self) -> None:
        """Wait until the relay that works might have died."""
        self._troubles.over(DATABASE)
        await self._wait(self._lease / 2)

    async def _finish(self) -> None:
        """Let the batches under way arrive."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=PATIENCE)

    async def _leave(self) -> None:
        """Let another relay go on. What it is not told of it sends again, and the server recognises it."""
        under_way = list(self._under_way.values())
        for task in under_way:
            task.cancel()
        try:
            if under_way:
                await asyncio.wait(under_way, timeout=LEAVING)
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(LEAVING):
                    await self._batches.leave(self._arrived)
        finally:
            self._arrived.clear()
            await self._sender.close()

    async def _wait(self, seconds: float) -> None:
        """Wait, but no longer than until there is news."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def _left_alone(self) -> list[str]:
        """The queues that get no batch at the moment."""
        return [*self._under_way, *self._troubles.queues()]

    def _has_room(self) -> bool:
        return len(self._under_way) < MOST_UNDER_WAY


def _checked(option: str, seconds: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.001 <= seconds <= 3600:
        raise InvalidOption(option, seconds, "give a number of seconds from 0.001 to 3,600")
    return seconds
