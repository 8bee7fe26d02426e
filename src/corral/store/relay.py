"""The relay: moves the jobs of an outbox to the server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, NamedTuple, Self

from corral.client.client import Client
from corral.engine.faults import ResponseError, is_stale
from corral.errors import ServerError, StoreError
from corral.logs import get_logger
from corral.store.database import Database
from corral.store.outbox_batches import Batch, OutboxBatches
from corral.store.outbox_sender import OutboxSender

__all__ = ["Relay"]

log = get_logger("outbox")

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0
"""Seconds until the next attempt for a queue, or a database, that is in trouble."""

PATIENCE: Final = 10.0
"""Seconds for which the end of the block waits for the batch under way."""


class Relay:
    """Moves the rows of an outbox to Redis: in their order, each once, and only what was committed.

    Run as many as you like, in the lifespan of each worker or as `corral relay`: one of them works, and when it dies
    another goes on. ::

        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            async with Database() as database, Client() as client, Relay(database, client):
                yield

    Args:
        database: the application's, with Corral's tables.
        client: of the server that the jobs go to. A relay uses connections of its own.
        interval: seconds between two looks at an outbox that was empty.
        lease: seconds without a word from the relay that works, until another takes its place.
    """

    def __init__(
        self, database: Database, client: Client, *, interval: float = 0.2, lease: float = 10.0
    ) -> None:
        self._interval = interval
        self._lease = lease
        self._batches = OutboxBatches(database, lease=lease)
        self._sender = OutboxSender(client.server)
        self._troubles: dict[str, _Trouble] = {}
        """By queue; under the empty name, of the database."""
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
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
        """End `run` after the batch under way."""
        self._stop.set()

    @property
    def troubles(self) -> list[str]:
        """What is wrong at the moment, a line each: with the database, or with the way to a queue."""
        return [
            f"queue {queue!r}: {one.reason}" if queue else one.reason for queue, one in self._troubles.items()
        ]

    async def run(self) -> None:
        """Move rows until `stop`. Trouble with the database, the server or one of the queues is told once, and waited
        out: rows stay where they are, and other queues go on."""
        done: Batch | None = None
        try:
            while not self._stop.is_set():
                done = await self._step(done)
        finally:
            with suppress(
                StoreError
            ):  # else the next relay sends again what has arrived, and it is recognised
                await self._batches.leave(done)
            await self._sender.close()

    async def drain(self) -> int:
        """Move what is there, and return once nothing waits; how many jobs this relay has moved. For tests, and for
        programs that do it now and then.

        Raises:
            StoreError, ServerError: it could not be done; nothing is lost.
        """
        done: Batch | None = None
        moved = 0
        try:
            while True:
                turn = await self._batches.advance(done)
                done = None
                if turn.batch is not None:
                    await self._sender.send(turn.batch)
                    done = turn.batch
                    moved += len(done.rows)
                elif turn.ours or not await self._batches.anything():
                    return moved
                else:
                    await asyncio.sleep(self._interval)
        finally:
            await self._batches.leave(done)
            await self._sender.close()

    async def _step(self, done: Batch | None) -> Batch | None:
        """Forget what has arrived, and send what comes next; that, once it has arrived."""
        try:
            turn = await self._batches.advance(done, leaving_out=self._in_trouble())
            done = None
            self._over("")
            if turn.batch is None:
                await self._idle(turn.ours)
            elif await self._send(turn.batch):
                return turn.batch
        except StoreError as error:
            await self._wait(self._fail("", error))
        except Exception as error:
            log.exception("Outbox cannot be moved: a defect", err=str(error))
            await self._wait(LONGEST_PAUSE)
        return done

    async def _send(self, batch: Batch) -> bool:
        try:
            await self._sender.send(batch)
        except ResponseError as error:
            if is_stale(error):
                await self._batches.renumber(batch)
            else:
                self._fail(batch.queue, error)
            return False
        except ServerError as error:
            self._fail(batch.queue, error)
            return False
        self._over(batch.queue)
        return True

    async def _idle(self, ours: bool) -> None:
        """Wait for rows; or, where another relay works, until it might have died."""
        if not ours:
            await self._wait(self._lease / 2)
            return
        for _ in range(max(1, int(self._lease / 3 / self._interval))):  # then the lease is prolonged
            await self._wait(self._interval)
            if self._stop.is_set() or await self._batches.anything():
                return

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _in_trouble(self) -> list[str]:
        """The queues to leave alone for the moment."""
        now = asyncio.get_running_loop().time()
        return [queue for queue, trouble in self._troubles.items() if queue and trouble.until > now]

    def _fail(self, queue: str, error: Exception) -> float:
        """Something is in trouble: seconds until the next attempt."""
        known = self._troubles.get(queue)
        pause = FIRST_PAUSE if known is None else min(2 * known.pause, LONGEST_PAUSE)
        until = asyncio.get_running_loop().time() + pause
        self._troubles[queue] = _Trouble(str(error), pause, until)
        if known is None:
            log.error("Outbox cannot be moved, trying until it can", queue=queue, reason=str(error))
        return pause

    def _over(self, queue: str) -> None:
        if self._troubles.pop(queue, None) is not None:
            log.info("Outbox is moved again", queue=queue)


class _Trouble(NamedTuple):
    """What is wrong, and until when it is left alone."""

    reason: str
    pause: float
    until: float
