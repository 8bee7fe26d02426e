"""The client for code without an event loop: Django, Flask, scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar, Unpack, cast

from corral.client.client import Client
from corral.client.flow_handle import Nodes
from corral.client.loop_thread import LoopThread
from corral.client.queue import untyped_node
from corral.contracts.codec import JSON_CODEC, Codec
from corral.contracts.duration import Duration
from corral.contracts.family import ChildCounts, ChildKind, ChildPage, FlowTree
from corral.contracts.flow import FlowHandle, FlowNode, NodeOptions, SyncFlowHandle
from corral.contracts.handle import JobHandle, SyncJobHandle
from corral.contracts.job import Job
from corral.contracts.names import check_queue_name, lookup_job_id
from corral.contracts.options import BatchOptions, EnqueueOptions
from corral.contracts.producer import EnqueueRequest, ScheduleRequest
from corral.contracts.states import JobState
from corral.contracts.telemetry import Telemetry
from corral.contracts.waiting import Waiting
from corral.engine.browse import Metrics

__all__ = ["SyncClient"]

R = TypeVar("R")
S = TypeVar("S")


class SyncClient:
    """`Client` with blocking verbs, for threads of any number. Arguments as for `Client`.

    One event loop in a thread of its own serves all callers, so that calls from several threads share round trips.
    Safe to make before a fork (gunicorn with preload): each process connects for itself.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        prefix: str | None = None,
        timeout: float | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._loop = LoopThread(lambda: Client(url, prefix=prefix, timeout=timeout, telemetry=telemetry))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit_blocking(self, request: EnqueueRequest[R], /) -> SyncJobHandle[R]:
        """Add one validated job: what `task.enqueue(client, …)` calls."""
        handle = self._loop.run(lambda client: client.submit(request))
        return _BlockingHandle(self._loop, handle, request.result)

    def submit_many_blocking(self, requests: Sequence[EnqueueRequest[R]], /) -> list[SyncJobHandle[R]]:
        """Add jobs in their order, many in one call."""
        handles = self._loop.run(lambda client: client.submit_many(requests))
        return [
            _BlockingHandle(self._loop, handle, request.result)
            for request, handle in zip(requests, handles, strict=True)
        ]

    def submit_flow_blocking(self, root: FlowNode[R], /) -> SyncFlowHandle[R]:
        """Add a whole flow: what `node.enqueue(client)` calls."""
        flow = self._loop.run(lambda client: client.submit_flow(root))
        return _BlockingFlow(self._loop, flow, root)

    def submit_schedule_blocking(self, request: ScheduleRequest[R], /) -> SyncJobHandle[R]:
        """Make or change a schedule: what `task.enqueue(client, …, repeat=…)` calls."""
        handle = self._loop.run(lambda client: client.submit_schedule(request))
        return _BlockingHandle(self._loop, handle, request.result)

    def queue(self, name: str) -> SyncQueueClient:
        """The untyped door to a queue."""
        return SyncQueueClient(self._loop, name)

    def queues(self) -> list[str]:
        """The names of all queues under the prefix, sorted."""
        return self._loop.run(lambda client: client.queues())

    async def from_loop(self, call: Callable[[Client], Awaitable[R]], /, *, short: bool = False) -> R:
        """Make a call of the asynchronous client, for a coroutine in a program that otherwise blocks (an async view):
        `await client.from_loop(lambda client: client.queue("mail").counts())`. It takes no thread of the caller's loop.
        What it returns is of another loop: take values from it, and no handle that is then awaited.

        Args:
            short: it ends by itself, so that `close` lets it end; else `close` cancels it.
        """
        return await asyncio.wrap_future(self._loop.begin(call, short=short))

    def close(self) -> None:
        """Let calls under way end (but cancel waits for a job), close all connections and end the thread. May be
        used again afterwards."""
        self._loop.stop()


class _BlockingHandle(Generic[R]):
    """See `corral.SyncJobHandle`, which it is. Bound to no connection: it stays good over `close` and a fork."""

    def __init__(self, loop: LoopThread, handle: JobHandle[Any], codec: Codec[R]) -> None:
        self._loop = loop
        self._codec = codec
        self.id = handle.id
        self.queue = handle.queue
        self.created = handle.created

    def __repr__(self) -> str:
        return f"<SyncJobHandle {self.queue}/{self.id}>"

    def result(self, timeout: Duration | None = None) -> R:
        """See `JobHandle.result`."""
        return self._loop.run(lambda client: self._through(client).result(timeout), short=False)

    def wait(self, timeout: Duration | None = None) -> Job:
        """See `JobHandle.wait`."""
        return self._loop.run(lambda client: self._through(client).wait(timeout), short=False)

    def state(self) -> JobState:
        """See `JobHandle.state`."""
        return self._loop.run(lambda client: self._through(client).state())

    def why_waiting(self) -> Waiting:
        """See `JobHandle.why_waiting`."""
        return self._loop.run(lambda client: self._through(client).why_waiting())

    def detach(self) -> bool:
        """See `JobHandle.detach`."""
        return self._loop.run(lambda client: self._through(client).detach())

    def cancel(self, reason: str = "", *, children: bool = False) -> bool:
        """See `JobHandle.cancel`."""
        return self._loop.run(lambda client: self._through(client).cancel(reason, children=children))

    def remove(self) -> bool:
        """See `JobHandle.remove`."""
        return self._loop.run(lambda client: self._through(client).remove())

    def _through(self, client: Client) -> JobHandle[R]:
        return client.handle(self.queue, lookup_job_id(self.id), self._codec)


class _BlockingFlow(_BlockingHandle[R], Generic[R]):
    """See `corral.SyncFlowHandle`, which it is."""

    def __init__(self, loop: LoopThread, flow: FlowHandle[Any], root: FlowNode[R]) -> None:
        super().__init__(loop, flow, root.request.result)
        below = [(node, flow.job(node)) for node in root.walk()]
        self._below = Nodes(
            [
                (node, self if node is root else _BlockingHandle(loop, job, node.request.result))
                for node, job in below
            ]
        )

    def job(self, node: FlowNode[S], /) -> SyncJobHandle[S]:
        """See `FlowHandle.job`."""
        return cast("SyncJobHandle[S]", self._below.job(node))

    @property
    def jobs(self) -> Sequence[SyncJobHandle[Any]]:
        """See `FlowHandle.jobs`."""
        return self._below.jobs()


class SyncQueueClient:
    """`QueueClient`, blocking."""

    def __init__(self, loop: LoopThread, name: str) -> None:
        self._loop = loop
        self.name = check_queue_name(name)

    def enqueue(
        self, name: str, data: Any = None, /, **options: Unpack[EnqueueOptions]
    ) -> SyncJobHandle[Any]:
        """See `QueueClient.enqueue`."""
        return self._bound(
            self._loop.run(lambda client: client.queue(self.name).enqueue(name, data, **options))
        )

    def enqueue_many(
        self, name: str, data: Sequence[Any], /, **options: Unpack[BatchOptions]
    ) -> list[SyncJobHandle[Any]]:
        """See `QueueClient.enqueue_many`."""
        handles = self._loop.run(lambda client: client.queue(self.name).enqueue_many(name, data, **options))
        return [self._bound(handle) for handle in handles]

    def node(
        self,
        name: str,
        data: Any = None,
        /,
        *,
        children: Sequence[FlowNode[Any]] = (),
        **options: Unpack[NodeOptions],
    ) -> FlowNode[Any]:
        """See `QueueClient.node`. Nothing is sent before `node.enqueue(client)`."""
        return untyped_node(self.name, name, data, children, options)

    def job(self, job_id: str) -> SyncJobHandle[Any]:
        """See `QueueClient.job`."""

        async def found(client: Client) -> JobHandle[Any]:
            return client.queue(self.name).job(job_id)

        return self._bound(self._loop.run(found))

    def newest(self, task: str, key: str | int) -> SyncJobHandle[Any] | None:
        """See `QueueClient.newest`."""
        handle = self._loop.run(lambda client: client.queue(self.name).newest(task, key))
        return None if handle is None else self._bound(handle)

    def get(self, job_id: str) -> Job | None:
        """See `QueueClient.get`."""
        return self._loop.run(lambda client: client.queue(self.name).get(job_id))

    def jobs(self, state: JobState | str, *, start: int = 0, limit: int = 20) -> list[Job]:
        """See `QueueClient.jobs`."""
        return self._loop.run(lambda client: client.queue(self.name).jobs(state, start=start, limit=limit))

    def counts(self) -> dict[JobState, int]:
        """See `QueueClient.counts`."""
        return self._loop.run(lambda client: client.queue(self.name).counts())

    def paused(self) -> bool:
        """See `QueueClient.paused`."""
        return self._loop.run(lambda client: client.queue(self.name).paused())

    def logs(self, job_id: str, *, start: int = 0, limit: int = 100) -> list[str]:
        """See `QueueClient.logs`."""
        return self._loop.run(lambda client: client.queue(self.name).logs(job_id, start=start, limit=limit))

    def children(
        self, job_id: str, kind: ChildKind = "pending", *, cursor: int = 0, limit: int = 100
    ) -> ChildPage:
        """See `QueueClient.children`."""
        return self._loop.run(
            lambda client: client.queue(self.name).children(job_id, kind, cursor=cursor, limit=limit)
        )

    def child_counts(self, job_id: str) -> ChildCounts:
        """See `QueueClient.child_counts`."""
        return self._loop.run(lambda client: client.queue(self.name).child_counts(job_id))

    def flow(self, job_id: str, *, depth: int = 10, width: int = 20) -> FlowTree | None:
        """See `QueueClient.flow`."""
        return self._loop.run(lambda client: client.queue(self.name).flow(job_id, depth=depth, width=width))

    def metrics(self, state: JobState | str, *, start: int = 0, limit: int = 60) -> Metrics:
        """See `QueueClient.metrics`."""
        return self._loop.run(lambda client: client.queue(self.name).metrics(state, start=start, limit=limit))

    def publish(self, name: str, fields: Mapping[str, str] | None = None, /) -> str:
        """See `QueueClient.publish`."""
        return self._loop.run(lambda client: client.queue(self.name).publish(name, fields))

    def _bound(self, handle: JobHandle[Any]) -> SyncJobHandle[Any]:
        return _BlockingHandle(self._loop, handle, JSON_CODEC)
