"""The worker: runs the jobs of its queues."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from corral.client.client import Client
from corral.contracts.arguments import flag, whole
from corral.contracts.binding import TaskSource
from corral.contracts.middleware import Middleware
from corral.contracts.observer import Observer, QueueLoad
from corral.contracts.rate_limit import RateLimit
from corral.engine.settings import server_settings
from corral.errors import InvalidOption
from corral.worker.callbacks import Callbacks, OnCompleted, OnFailed, OnStalled
from corral.worker.equipment import Equipment
from corral.worker.health import STARTING, Health
from corral.worker.lifespan import Lifespan, made
from corral.worker.observers import Observers
from corral.worker.queue_service import QueueService
from corral.worker.recycling import Recycling
from corral.worker.registry import merge_sources
from corral.worker.serve import DEFAULT_CONCURRENCY, HIGHEST_CONCURRENCY, QueueSettings, Serve, Unknown
from corral.worker.shift import Shift, StopSigns
from corral.worker.shutdown import stop_signals
from corral.worker.trouble import log_raised

__all__ = ["Worker"]


class Worker:
    """Claims jobs, runs their handlers, settles the outcomes.

    This is its outside: settings, start and stop. What exists while it runs is a `Shift`; for each queue that has a
    `QueueRunner` (slots, and what is to be settled and claimed), two lanes that talk to the server for it, a sleeper
    that waits for work, and a recoverer of stalled jobs.

    Args:
        sources: instances of `TaskSet`, `Queue` objects, or `Serve(…)` around one for settings of its own.
        url, prefix: the server, as for `Client`.
        client: a client to share, also given to handlers as `ctx.client`; its server is used, and it stays open.
        concurrency: jobs that run at the same time, for each queue.
        limiter: how many jobs may start in a window, for each queue and over all workers that say the same
            (BullMQ: `limiter`). A limit of the queue itself wins over its number.
        lock_duration: seconds until the jobs of a dead worker count as free; renewed every quarter of it.
        stalled_interval: seconds between looks for such jobs.
        max_stalled: how often a job may be returned before it is failed.
        grace: seconds that jobs in flight may take to finish when the worker is asked to stop.
        lifespan: called before the first claim and closed after the last settlement: for pools and clients. One that
            takes an argument is given the worker's client.
        middleware: around every handler, the first one outermost.
        on_completed, on_failed, on_exhausted, on_stalled: told of jobs; `on_failed` of each failed attempt,
            `on_exhausted` of the last one.
        unknown: `"fail"` jobs whose task is not here, or `"park"` them for another worker.
        name: shown by `getWorkers` and stored with the jobs; by default host and process id.
        samples: each minute, unless another does, a sample of its queues is taken for charts, and failures are grouped.
        max_jobs, max_memory: stop after so many jobs, or above so many bytes of memory: for recycling.
    """

    def __init__(
        self,
        *sources: TaskSource | Serve,
        url: str | None = None,
        prefix: str | None = None,
        client: Client | None = None,
        concurrency: int = DEFAULT_CONCURRENCY,
        limiter: RateLimit | None = None,
        lock_duration: float = 30.0,
        stalled_interval: float = 30.0,
        max_stalled: int = 1,
        grace: float = 25.0,
        lifespan: Lifespan | None = None,
        middleware: Sequence[Middleware] = (),
        on_completed: OnCompleted | None = None,
        on_failed: OnFailed | None = None,
        on_exhausted: OnFailed | None = None,
        on_stalled: OnStalled | None = None,
        unknown: Unknown = "fail",
        name: str | None = None,
        samples: bool = True,
        max_jobs: int | None = None,
        max_memory: int | None = None,
    ) -> None:
        settings = QueueSettings(
            concurrency, lock_duration, stalled_interval, max_stalled, unknown, limiter=limiter
        )
        self._queues = merge_sources(sources, settings)
        self._settings = server_settings(url, prefix=prefix)
        self._given_client = client
        self._grace, self._lifespan = grace, lifespan
        self._middleware = tuple(middleware)
        self._callbacks = Callbacks(on_completed, on_failed, on_exhausted, on_stalled)
        self.name = _checked_name(f"{socket.gethostname()}-{os.getpid()}" if name is None else name)
        self._samples = flag("samples", samples)
        self._recycling = Recycling(max_jobs, max_memory)
        self._observers: list[Observer] = []
        self._signs = StopSigns()
        self._shift: Shift | None = None
        self._running: asyncio.Task[None] | None = None

    def configure(
        self,
        *,
        url: str | None = None,
        prefix: str | None = None,
        concurrency: int | None = None,
        grace: float | None = None,
        max_jobs: int | None = None,
        max_memory: int | None = None,
        samples: bool | None = None,
    ) -> Self:
        """Change settings before it runs, as `corral worker --concurrency 5` does. None changes nothing.

        Raises `InvalidOption` for a value that cannot be, and for a server when a client was given.
        """
        self._settings = server_settings(url or self._settings.url, prefix=prefix or self._settings.prefix)
        if self._given_client is not None:
            given = self._given_client.server.settings
            if url not in (None, given.url) or prefix not in (None, given.prefix):
                reason = f"this worker was given a client, and uses its server ({given.address})"
                raise InvalidOption("url", self._settings.address, reason)
        for queue in self._queues:
            queue.settings = queue.settings.over({"concurrency": concurrency})
        self._grace = self._grace if grace is None else grace
        self._recycling = self._recycling.over(max_jobs, max_memory)
        self._samples = self._samples if samples is None else samples
        return self

    # -- running

    async def run(self) -> None:
        """Run until `stop()` or a signal (SIGTERM, SIGINT; twice to stop at once).

        Raises:
            ServerRefused: the server refuses for good, for instance the password.
            EmbeddedServerError: the embedded server cannot be started.
        """
        with stop_signals(self.stop, self.stop_now):
            await self._run()

    def stop(self) -> None:
        """Stop claiming, let jobs in flight finish for the grace time, then hand the rest back."""
        self._signs.stop.set()

    def stop_now(self) -> None:
        """Cancel jobs in flight and hand them back."""
        self._signs.stop.set()
        self._signs.now.set()

    async def __aenter__(self) -> Self:
        """Run in the background of the block; returns when jobs can be claimed.

        What ends it while the block goes on is logged at once, and raised at the end of the block."""
        running = asyncio.create_task(self._run())
        ready = asyncio.create_task(self._signs.ready.wait())
        try:
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            raise
        finally:
            ready.cancel()
        if running.done():
            running.result()
        self._running = running
        running.add_done_callback(self._tell_end)
        return self

    async def __aexit__(self, *_: object) -> None:
        running, self._running = self._running, None
        self.stop()
        if running is not None:
            await running

    # -- while running

    @property
    def queues(self) -> list[str]:
        """The queues served."""
        return [queue.queue for queue in self._queues]

    @property
    def jobs_in_hand(self) -> int:
        """How many handlers run."""
        return sum(len(service.runner.runs) for service in self._services())

    @property
    def seconds_since_answer(self) -> float | None:
        """Seconds since the server last answered to a claim or settlement, the longest of all queues: health is to
        have fetched lately. None before the first answer."""
        answers = [service.runner.last_answer for service in self._services()]
        return time.monotonic() - min(answers) if answers and all(answers) else None

    @property
    def tasks(self) -> dict[str, frozenset[str]]:
        """The names of the tasks, by queue."""
        return {queue.queue: frozenset(name.decode() for name in queue.bindings) for queue in self._queues}

    @property
    def load(self) -> dict[str, QueueLoad]:
        """How busy it is, by queue; empty while it does not run. Any thread may ask."""
        return {service.keys.queue: service.runner.load for service in self._services()}

    @property
    def is_ready(self) -> bool:
        """Whether it takes jobs, and they get on."""
        return self.health().ready

    def observe(self, observer: Observer) -> None:
        """Tell somebody of each run that is settled from now on: metrics, for instance."""
        self._observers.append(observer)

    def health(self) -> Health:
        """Whether it does its work: not that it is alive, but that it has fetched lately. Any thread may ask, also
        while the event loop is blocked."""
        return STARTING if self._shift is None else self._shift.health()

    def drain(self) -> None:
        """Claim nothing more; finish the jobs in hand and stay, until `resume()` or a stop."""
        if self._shift is not None:
            self._shift.drain()

    def resume(self) -> None:
        """Claim again after `drain()`."""
        if self._shift is not None:
            self._shift.resume()

    def resize(self, concurrency: int, queue: str | None = None) -> None:
        """Change how many jobs run at the same time, in one queue or in all. Running jobs end normally.

        Raises `InvalidOption` for less than 1 or more than 100,000, and for a queue that it does not serve."""
        whole("concurrency", concurrency, 1, HIGHEST_CONCURRENCY)
        if queue is not None and queue not in self.queues:
            raise InvalidOption("queue", queue, f"it serves {', '.join(self.queues)}")
        for service in self._services():
            if queue in (None, service.keys.queue):
                service.runner.resize(concurrency)
        if self._shift is not None:
            self._shift.tell()

    # -- inside

    def _services(self) -> list[QueueService]:
        return self._shift.services if self._shift is not None else []

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(self._reset)
            client = self._given_client or Client(self._settings.url, prefix=self._settings.prefix)
            if self._given_client is None:
                stack.push_async_callback(client.close)
            if self._lifespan is not None:
                await stack.enter_async_context(made(self._lifespan, client))
            equipment = Equipment.ready(
                stack,
                client,
                worker_name=self.name,
                callbacks=self._callbacks,
                middleware=self._middleware,
                on_ended=self._ended,
                samples=self._samples,
                observers=Observers(self._observers),
            )
            self._shift = Shift(equipment, self._queues, self._grace, self._signs)
            await self._shift.work()

    def _tell_end(self, running: asyncio.Task[None]) -> None:
        """Nobody awaits a worker before its block ends, and that of an application may last for weeks."""
        if not running.cancelled() and (error := running.exception()) is not None:
            log_raised("Worker has died", error, worker=self.name)

    def _reset(self) -> None:
        """Be as new: a worker may run again after it has stopped."""
        self._signs.clear()
        self._shift = None
        self._recycling = self._recycling.over(None, None)

    def _ended(self) -> None:
        if self._recycling.due_after_job():
            self.stop()


def _checked_name(name: str) -> str:
    """A name that a connection may have (CLIENT SETNAME): no spaces, no control characters."""
    if not all("!" <= letter <= "~" for letter in name) or len(name) > 100:
        raise InvalidOption("name", name, "give up to 100 visible ASCII characters without spaces")
    return name
