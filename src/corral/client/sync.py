"""The client for code without an event loop: Django, Flask, scripts."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, Generic, Self, TypeVar, Unpack

from corral.client.client import Client
from corral.contracts.duration import Duration
from corral.contracts.handle import JobHandle, SyncJobHandle
from corral.contracts.job import Job
from corral.contracts.options import BatchOptions, EnqueueOptions
from corral.contracts.producer import EnqueueRequest
from corral.contracts.states import JobState

__all__ = ["SyncClient"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class _Loop:
    """An event loop in a thread of its own, made at the first call and anew after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0

    def forked(self) -> bool:
        """Whether this process was forked from the one that started the loop."""
        return self._pid not in (0, os.getpid())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._running()).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self.forked():
                self._loop = asyncio.new_event_loop()
                self._pid = os.getpid()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="corral-client", daemon=True
                )
                self._thread.start()
            return self._loop

    def stop(self) -> None:
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None and not self.forked():
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


class SyncClient:
    """`Client` with blocking verbs, for threads of any number. Arguments as for `Client`.

    One event loop in a thread of its own serves all callers, so that calls from several threads share round trips.
    Safe to make before a fork (gunicorn with preload): each process connects for itself.
    """

    def __init__(
        self, url: str | None = None, *, prefix: str | None = None, timeout: float | None = None
    ) -> None:
        self._make = lambda: Client(url, prefix=prefix, timeout=timeout)
        self._loop = _Loop()
        self._client: Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit_blocking(self, request: EnqueueRequest[R], /) -> SyncJobHandle[R]:
        """Add one validated job: what `task.enqueue(client, …)` calls."""
        return _BlockingHandle(self._loop, self._run(lambda client: client.submit(request)))

    def submit_many_blocking(self, requests: Sequence[EnqueueRequest[R]], /) -> list[SyncJobHandle[R]]:
        """Add jobs in their order, many in one call."""
        handles = self._run(lambda client: client.submit_many(requests))
        return [_BlockingHandle(self._loop, handle) for handle in handles]

    def queue(self, name: str) -> SyncQueueClient:
        """The untyped door to a queue."""
        return SyncQueueClient(self, name)

    def queues(self) -> list[str]:
        """The names of all queues under the prefix, sorted."""
        names: list[str] = self._run(lambda client: client.queues())
        return names

    def close(self) -> None:
        """Let calls under way end, close all connections and end the thread. May be used again afterwards."""
        client, self._client = self._client, None
        if client is not None and not self._loop.forked():
            self._loop.run(client.close())
        self._loop.stop()

    def _run(self, call: Any) -> Any:
        if self._client is None or self._loop.forked():
            self._client = self._loop.run(_made(self._make))
        return self._loop.run(call(self._client))


async def _made(make: Any) -> Client:
    """A client made inside the loop that it belongs to."""
    client: Client = make()
    return client


class _BlockingHandle(Generic[R_co]):
    """See `corral.SyncJobHandle`, which it is."""

    def __init__(self, loop: _Loop, handle: JobHandle[R_co]) -> None:
        self._loop = loop
        self._handle = handle

    @property
    def id(self) -> str:
        """The job's id."""
        return self._handle.id

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self._handle.queue

    @property
    def created(self) -> bool | None:
        """See `JobHandle.created`."""
        return self._handle.created

    def result(self, timeout: Duration | None = None) -> R_co:
        """See `JobHandle.result`."""
        return self._loop.run(_awaited(self._handle.result(timeout)))

    def wait(self, timeout: Duration | None = None) -> Job:
        """See `JobHandle.wait`."""
        return self._loop.run(_awaited(self._handle.wait(timeout)))

    def state(self) -> JobState:
        """See `JobHandle.state`."""
        return self._loop.run(_awaited(self._handle.state()))

    def remove(self) -> bool:
        """See `JobHandle.remove`."""
        return self._loop.run(_awaited(self._handle.remove()))


async def _awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    return await coroutine


class SyncQueueClient:
    """`QueueClient`, blocking."""

    def __init__(self, client: SyncClient, name: str) -> None:
        self._client = client
        self.name = name

    def enqueue(
        self, name: str, data: Any = None, /, **options: Unpack[EnqueueOptions]
    ) -> SyncJobHandle[Any]:
        """See `QueueClient.enqueue`."""
        return self._bound(
            self._client._run(lambda client: client.queue(self.name).enqueue(name, data, **options))
        )

    def enqueue_many(
        self, name: str, data: Sequence[Any], /, **options: Unpack[BatchOptions]
    ) -> list[SyncJobHandle[Any]]:
        """See `QueueClient.enqueue_many`."""
        handles = self._client._run(
            lambda client: client.queue(self.name).enqueue_many(name, data, **options)
        )
        return [self._bound(handle) for handle in handles]

    def job(self, job_id: str) -> SyncJobHandle[Any]:
        """See `QueueClient.job`."""

        async def found(client: Client) -> JobHandle[Any]:
            return client.queue(self.name).job(job_id)

        return self._bound(self._client._run(found))

    def get(self, job_id: str) -> Job | None:
        """See `QueueClient.get`."""
        job: Job | None = self._client._run(lambda client: client.queue(self.name).get(job_id))
        return job

    def jobs(self, state: JobState | str, *, start: int = 0, limit: int = 20) -> list[Job]:
        """See `QueueClient.jobs`."""
        jobs: list[Job] = self._client._run(
            lambda client: client.queue(self.name).jobs(state, start=start, limit=limit)
        )
        return jobs

    def counts(self) -> dict[JobState, int]:
        """See `QueueClient.counts`."""
        counts: dict[JobState, int] = self._client._run(lambda client: client.queue(self.name).counts())
        return counts

    def logs(self, job_id: str, *, start: int = 0, limit: int = 100) -> list[str]:
        """See `QueueClient.logs`."""
        lines: list[str] = self._client._run(
            lambda client: client.queue(self.name).logs(job_id, start=start, limit=limit)
        )
        return lines

    def _bound(self, handle: JobHandle[Any]) -> SyncJobHandle[Any]:
        return _BlockingHandle(self._client._loop, handle)
