"""The relay: moves the jobs of an outbox to the server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, NamedTuple, Self

from corral.client.client import Client
from corral.errors import CorralError, StoreError
from corral.logs import get_logger
from corral.store.database import Database
from corral.store.outbox_batches import Batch, OutboxBatches
from corral.store.outbox_sender import OutboxSender, Overtaken

__all__ = ["Relay"]

log = get_logger("outbox")

MOST_UNDER_WAY: Final = 32
"""Batches that are sent at a time, each of another queue."""

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0
"""Seconds until the next attempt for a queue, or a database, that is in trouble."""

PATIENCE: Final = 10.0
"""Seconds for which the end waits for the batches under way, and then for the database."""

DATABASE: Final = ""
"""What trouble with the database is kept under; that of a queue, under its name."""


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
        lease: seconds without a word from the relay that works, until another may take its place.
    """

    def __init__(
        self, database: Database, client: Client, *, interval: float = 0.2, lease: float = 10.0
    ) -> None:
        self._interval = interval
        self._lease = lease
        self._batches = OutboxBatches(database, lease=lease)
        self._sender = OutboxSender(client.server)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._arrived: list[Batch] = []
        self._troubles: dict[str, _Trouble] = {}
        self._news = asyncio.Event()
        self._stopping = False
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._stopping = False
        self._running = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self.stop()
        await asyncio.wait({self._running}, timeout=PATIENCE)
        self._running.cancel()  # a database that does not answer holds up nobody
        with suppress(asyncio.CancelledError):
            await self._running

    def stop(self) -> None:
        """End `run` after the batches under way."""
        self._stopping = True
        self._news.set()

    @property
    def troubles(self) -> list[str]:
        """What is wrong at the moment, a line each: with the database, or with the way to a queue."""
        return [
            f"queue {queue!r}: {one.reason}" if queue else one.reason for queue, one in self._troubles.items()
        ]

    async def run(self) -> None:
        """Move rows until `stop`. Trouble with the database, the server or one of the queues is told once, and waited
        out: rows stay where they are, and other queues go on."""
        try:
            while not self._stopping:
                await self._step()
            await self._finish()
        finally:
            await self._leave()

    async def drain(self) -> int:
        """Move what is there, and return once nothing waits; how many jobs this relay has moved. For tests, and for
        programs that do it now and then, instead of `run`.

        Raises:
            CorralError: what the first queue that was in trouble failed of. Its rows are still there; those of other
                queues were moved.
            RuntimeError: this relay runs.
        """
        if self._running is not None and not self._running.done():
            raise RuntimeError("drain() is for a relay that does not run: make another one")
        moved, first = 0, None
        refused = set[str]()
        try:
            while True:
                turn = await self._batches.advance(self._arrived, leaving_out=refused)
                self._arrived.clear()
                if turn.batch is not None:
                    error = await self._send(turn.batch)
                    if error is not None:
                        first = first or error
                        refused.add(turn.batch.queue)
                    moved += sum(len(batch.rows) for batch in self._arrived)
                elif turn.ours or await self._batches.is_empty():
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
            turn = await self._batches.advance(arrived, leaving_out=self._left_alone())
            del self._arrived[: len(arrived)]
            self._over(DATABASE)
            if turn.batch is not None:
                self._begin(turn.batch)
            await self._idle(turn.ours)
        except StoreError as error:
            await self._wait(self._fail(DATABASE, error))
        except Exception as error:
            log.exception("Outbox cannot be moved: a defect", err=str(error))
            await self._wait(self._fail(DATABASE, error))

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
        except Exception as error:
            if not isinstance(error, CorralError):
                log.exception("Outbox cannot be moved: a defect", queue=batch.queue, err=str(error))
            self._fail(batch.queue, error)
            return error
        self._arrived.append(batch)
        self._over(batch.queue)
        return None

    async def _idle(self, ours: bool) -> None:
        """Wait for rows, or for a batch to arrive; where another relay works, until it might have died."""
        if not ours:
            self._troubles.clear()
            await self._wait(self._lease / 2)
            return
        if not self._left_alone():
            self._troubles.clear()  # what was in trouble is there no longer
        for _ in range(max(1, int(self._lease / 3 / self._interval))):  # then the lease is prolonged
            has_room = len(self._under_way) < MOST_UNDER_WAY
            if has_room and not await self._batches.is_empty(leaving_out=self._left_alone()):
                return
            await self._wait(self._interval)
            if self._news.is_set():
                return

    async def _finish(self) -> None:
        """Let the batches under way arrive."""
        if self._under_way:
            await asyncio.wait(self._under_way.values())

    async def _leave(self) -> None:
        """Let another relay go on. What it is not told of it sends again, and the server recognises it."""
        under_way = list(self._under_way.values())
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._batches.leave(self._arrived)
        except (StoreError, TimeoutError):
            pass
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
        now = asyncio.get_running_loop().time()
        in_trouble = (queue for queue, trouble in self._troubles.items() if queue and trouble.until > now)
        return [*self._under_way, *in_trouble]

    def _fail(self, queue: str, error: Exception) -> float:
        """Something is in trouble: seconds until the next attempt."""
        known = self._troubles.get(queue)
        pause = FIRST_PAUSE if known is None else min(2 * known.pause, LONGEST_PAUSE)
        until = asyncio.get_running_loop().time() + pause
        self._troubles[queue] = _Trouble(str(error), pause, until)
        if known is None:
            log.error("Outbox cannot be moved, trying until it can", **_about(queue), reason=str(error))
        return pause

    def _over(self, queue: str) -> None:
        if self._troubles.pop(queue, None) is not None:
            log.info("Outbox is moved again", **_about(queue))


def _about(queue: str) -> dict[str, str]:
    return {"queue": queue} if queue != DATABASE else {}


class _Trouble(NamedTuple):
    """What is wrong, and until when it is left alone."""

    reason: str
    pause: float
    until: float
