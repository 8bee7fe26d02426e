"""The worker: runs the jobs of its queues."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final, Self

from corral.client.client import Client
from corral.contracts.binding import TaskSource
from corral.contracts.middleware import Middleware
from corral.engine.recover import renew_script
from corral.engine.settings import server_settings
from corral.errors import InvalidOption
from corral.logs import get_logger, lifecycle_log
from corral.worker.address import address_from_options
from corral.worker.callbacks import Callbacks, OnCompleted, OnFailed, OnStalled, Teller
from corral.worker.deadlines import Deadlines
from corral.worker.executor import Executor
from corral.worker.lease import Lease, QueueLease
from corral.worker.memory import memory_in_use
from corral.worker.processes import ProcessRunner
from corral.worker.queue_service import QueueService
from corral.worker.registry import merge_sources
from corral.worker.run import Cause, Run
from corral.worker.serve import DEFAULT_CONCURRENCY, QueueSettings, Serve, Unknown
from corral.worker.shutdown import drain, stop_signals
from corral.worker.threads import ThreadRunner
from corral.worker.trouble import TroubleLog
from corral.worker.watchdog import Watchdog

__all__ = ["Worker"]

log = get_logger("worker")

STUCK_GRACE: Final = 5.0
"""Seconds that a handler may take to end after its timeout cancelled it."""

SETTLE_SECONDS: Final = 5.0
"""How long the last settlements may take at the end, when the server does not answer."""

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]


class Worker:
    """Claims jobs, runs their handlers, settles the outcomes.

    For each queue there is a `QueueRunner` (slots, and what is to be settled and claimed), two lanes that talk to the
    server for it, a sleeper that waits for work, and a recoverer of stalled jobs. All of them, together with the
    leases, live in one task group: what ends one unexpectedly ends the worker, visibly, with the jobs handed back.

    Args:
        sources: instances of `TaskSet`, `Queue` objects, or `Serve(…)` around one for settings of its own.
        url, prefix: the server, as for `Client`.
        client: a client to share, also given to handlers as `ctx.client`; its server is used, and it stays open.
        concurrency: jobs that run at the same time, for each queue.
        lock_duration: seconds until the jobs of a dead worker count as free; renewed every quarter of it.
        stalled_interval: seconds between looks for such jobs.
        max_stalled: how often a job may be returned before it is failed.
        grace: seconds that jobs in flight may take to finish when the worker is asked to stop.
        lifespan: called before the first claim and closed after the last settlement: for pools and clients.
        middleware: around every handler, the first one outermost.
        on_completed, on_failed, on_exhausted, on_stalled: told of jobs; `on_failed` of each failed attempt,
            `on_exhausted` of the last one.
        unknown: `"fail"` jobs whose task is not here, or `"park"` them for another worker.
        name: shown by `getWorkers` and stored with the jobs; by default host and process id.
        max_jobs, max_memory: stop after so many jobs, or above so many bytes of memory: for recycling.
    """

    def __init__(
        self,
        *sources: TaskSource | Serve,
        url: str | None = None,
        prefix: str | None = None,
        client: Client | None = None,
        concurrency: int = DEFAULT_CONCURRENCY,
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
        max_jobs: int | None = None,
        max_memory: int | None = None,
    ) -> None:
        settings = QueueSettings(concurrency, lock_duration, stalled_interval, max_stalled, unknown)
        self._queues = merge_sources(sources, settings)
        self._settings = server_settings(url, prefix=prefix)
        self._given_client = client
        self._grace = grace
        self._lifespan = lifespan
        self._middleware = tuple(middleware)
        self._callbacks = Callbacks(on_completed, on_failed, on_exhausted, on_stalled)
        self.name = f"{socket.gethostname()}-{os.getpid()}" if name is None else name
        self._max_jobs = max_jobs
        self._max_memory = max_memory
        self._services: list[QueueService] = []
        self._jobs_ended = 0
        self._checked_memory = 0.0
        self._stop = asyncio.Event()
        self._stop_now = asyncio.Event()
        self._ready = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

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
        self._stop.set()

    def stop_now(self) -> None:
        """Cancel jobs in flight and hand them back."""
        self._stop.set()
        self._stop_now.set()

    async def __aenter__(self) -> Self:
        """Run in the background of the block; returns when jobs can be claimed."""
        self._running = asyncio.create_task(self._run())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._running, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._running.done():
            self._running.result()
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
        return sum(len(service.runner.runs) for service in self._services)

    @property
    def seconds_since_answer(self) -> float | None:
        """Seconds since the server last answered to a claim or settlement, the longest of all queues: health is to
        have fetched lately. None before the first answer."""
        answers = [service.runner.last_answer for service in self._services]
        return time.monotonic() - min(answers) if answers and all(answers) else None

    def resize(self, concurrency: int, queue: str | None = None) -> None:
        """Change how many jobs run at the same time, in one queue or in all. Running jobs end normally."""
        if concurrency < 1:
            raise InvalidOption("concurrency", concurrency, "give a whole number from 1")
        for service in self._services:
            if queue in (None, service.keys.queue):
                service.runner.resize(concurrency)

    # -- inside

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            client = self._given_client or Client(self._settings.url, prefix=self._settings.prefix)
            if self._given_client is None:
                stack.push_async_callback(client.close)
            if self._lifespan is not None:
                await stack.enter_async_context(self._lifespan())
            await self._serve(client, stack)

    async def _serve(self, client: Client, stack: AsyncExitStack) -> None:
        server = client.server
        address = address_from_options(await server.resolve())
        deadlines, threads, processes = Deadlines(self._timed_out), ThreadRunner(), ProcessRunner()
        stack.callback(deadlines.close)
        stack.callback(threads.close)
        stack.push_async_callback(processes.close)
        teller = Teller()
        self._services = self._make_services(client, deadlines, threads, processes, teller)
        lease = Lease(address, [_queue_lease(service) for service in self._services], self._lost)
        await lease.start()
        stack.push_async_callback(lease.stop)
        stack.enter_context(Watchdog())
        lanes, helpers = [], []
        for service in self._services:
            loops = await service.loops(lease)
            lanes += loops[:-2]
            helpers += loops[-2:]
        log.info("Worker started", worker=self.name, queues=self.queues, server=server.settings.address)
        await self._oversee(lanes, helpers, teller)
        log.info("Worker stopped", worker=self.name, jobs=self._jobs_ended)

    async def _oversee(self, lanes: list[Any], helpers: list[Any], teller: Teller) -> None:
        """Run all loops until asked to stop; then let the lanes settle what is left."""
        async with asyncio.TaskGroup() as group:
            lane_tasks = [group.create_task(lane) for lane in lanes]
            helper_tasks = [group.create_task(helper) for helper in helpers]
            self._ready.set()
            await self._stop.wait()
            await drain(self._services, self._grace, self._stop_now)
            for task in helper_tasks:
                task.cancel()
            for service in self._services:
                service.runner.close()
            _, late = await asyncio.wait(lane_tasks, timeout=SETTLE_SECONDS)
            if late:
                log.error(
                    "Server does not answer: the last outcomes are not stored, and these jobs run again"
                )
            for task in late:
                task.cancel()
            await teller.finish(SETTLE_SECONDS)

    def _make_services(
        self,
        client: Client,
        deadlines: Deadlines,
        threads: ThreadRunner,
        processes: ProcessRunner,
        teller: Teller,
    ) -> list[QueueService]:
        lifecycle, trouble, worker_id = lifecycle_log(), TroubleLog(), uuid.uuid4().hex
        services = []
        for index, handlers in enumerate(self._queues):
            keys = client.server.keys(handlers.queue)
            executor = Executor(
                handlers,
                server=client.server,
                keys=keys,
                client=client,
                log=lifecycle,
                deadlines=deadlines,
                threads=threads,
                processes=processes,
                middleware=self._middleware,
            )
            services.append(
                QueueService(
                    index,
                    keys,
                    handlers.settings,
                    server=client.server,
                    executor=executor,
                    worker_id=worker_id,
                    worker_name=self.name,
                    lifecycle=lifecycle,
                    callbacks=self._callbacks,
                    teller=teller,
                    trouble=trouble,
                    on_ended=self._ended,
                )
            )
        return services

    def _ended(self) -> None:
        self._jobs_ended += 1
        if self._max_jobs is not None and self._jobs_ended >= self._max_jobs:
            self.stop()
        if self._max_memory is not None and time.monotonic() - self._checked_memory > 1:
            self._checked_memory = time.monotonic()
            if memory_in_use() > self._max_memory:
                self.stop()

    def _timed_out(self, run: Run) -> None:
        run.interrupt(Cause.TIMEOUT)
        asyncio.get_running_loop().call_later(STUCK_GRACE, self._still_there, run)

    def _still_there(self, run: Run) -> None:
        for service in self._services:
            if run in service.runner.runs:
                service.abandon(run)

    def _lost(self, slot: int, _wire_id: bytes, token: bytes) -> None:
        for service in self._services:
            service.lost(slot, token)


def _queue_lease(service: QueueService) -> QueueLease:
    script = renew_script()
    return QueueLease(
        script=script.text,
        keys=list(service.keys.all(script.keys)),
        prefix=service.keys.base,
        lock_ms=int(service.settings.lock_duration * 1000),
    )
