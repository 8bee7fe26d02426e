"""The client: what programs that enqueue jobs hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self, TypeVar

from corral.client.enqueuer import Enqueuer, new_job
from corral.client.event_hub import EventHub
from corral.client.flow_enqueuer import FlowEnqueuer, checked
from corral.client.flow_handle import BoundFlow
from corral.client.flow_plan import plan_flow
from corral.client.handle import BoundHandle, QueueTies
from corral.client.queue import QueueClient
from corral.contracts.codec import Codec
from corral.contracts.flow import FlowHandle, FlowNode
from corral.contracts.handle import JobHandle
from corral.contracts.names import lookup_job_id
from corral.contracts.producer import EnqueueRequest, ScheduleRequest
from corral.contracts.telemetry import Telemetry, following, with_trace
from corral.engine.browse import list_queues
from corral.engine.enqueue import Added
from corral.engine.record import NewJob
from corral.engine.recur_rules import store_schedule
from corral.engine.server import Server
from corral.engine.settings import server_settings

__all__ = ["Client"]

R = TypeVar("R")


class Client:
    """Adds jobs and follows them. Connects at the first use, not when it is made.

    Calls made at the same time share round trips. Belongs to one event loop; close it there (`async with`, or
    `await client.close()`).

    Args:
        url: `redis://`, `rediss://`, `redis+cluster://`, `redis+sentinel://host/master`, `unix://` or
            `embedded:///path`; else `REDIS_URL`, else what `REDIS_HOST` and its companions say (docs/servers.md), else
            `redis://localhost:6379`.
        prefix: first part of every key; else `CORRAL_PREFIX`, else `bull` as BullMQ has it.
        timeout: seconds until a call without an answer raises `ServerUnavailable`; 5 by default.
        telemetry: told of jobs that are added, to follow them: `corral.instrumentation.opentelemetry.Tracing`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        prefix: str | None = None,
        timeout: float | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._server = Server(server_settings(url, prefix=prefix, timeout=timeout))
        self._telemetry = telemetry
        self._enqueuers: dict[str, Enqueuer] = {}
        self._flows: dict[str, FlowEnqueuer] = {}
        self._queues: dict[str, QueueTies] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Client {self._server.settings.address}>"

    @property
    def server(self) -> Server:
        """The connection that this client uses: for packages of Corral built on the engine."""
        return self._server

    @property
    def telemetry(self) -> Telemetry | None:
        """Who follows the jobs that are added: for packages of Corral built on the engine."""
        return self._telemetry

    async def submit(self, request: EnqueueRequest[R], /) -> JobHandle[R]:
        """Add one validated job: what `task.enqueue(client, …)` calls. Errors as `Enqueuer.add`."""
        if self._telemetry is not None:
            with self._telemetry.enqueueing([request]) as trace:
                return await self._submit(request._replace(opts=with_trace(request.opts, trace)))
        return await self._submit(request)

    async def _submit(self, request: EnqueueRequest[R]) -> JobHandle[R]:
        job = new_job(request)
        answers = await self._enqueuer(request.queue).add([job], request.durability)
        return _handle(self._ties(request.queue), request, str(job.wire_id), answers[0])

    async def submit_many(self, requests: Sequence[EnqueueRequest[R]], /) -> list[JobHandle[R]]:
        """Add jobs in their order, many in one call. All belong to one queue."""
        if not requests:
            return []
        if self._telemetry is not None:
            with self._telemetry.enqueueing(requests) as trace:
                traced = [request._replace(opts=with_trace(request.opts, trace)) for request in requests]
                return await self._submit_many(traced)
        return await self._submit_many(requests)

    async def _submit_many(self, requests: Sequence[EnqueueRequest[R]]) -> list[JobHandle[R]]:
        first = requests[0]
        ties, ids = self._ties(first.queue), list[str]()

        def jobs() -> Iterator[NewJob]:
            for request in requests:
                job = new_job(request)
                ids.append(str(job.wire_id))
                yield job

        handles: list[JobHandle[R]] = []
        async for answers in self._enqueuer(first.queue).add_many(jobs(), first.durability):
            taken = slice(len(handles), len(handles) + len(answers))
            added = zip(requests[taken], ids[taken], answers, strict=True)
            handles += [_handle(ties, request, wire_id, answer) for request, wire_id, answer in added]
        return handles

    async def submit_flow(self, root: FlowNode[R], /) -> FlowHandle[R]:
        """Add a whole flow in one atomic step: what `node.enqueue(client)` calls. Raises `InvalidFlow`, and what
        `submit` raises."""
        planned = plan_flow([root], self._server.keys)
        queue = root.request.queue
        if queue not in self._flows:
            self._flows[queue] = FlowEnqueuer(self._server, planned[0].keys)
        with following(self._telemetry, [job.node.request for job in planned]) as trace:
            words = [job.traced(trace) for job in planned]
            added = await self._flows[queue].add(words, root.request.durability)
        first, *others = [
            _handle(self._ties(job.keys.queue), job.node.request, job.wire_id, answer)
            for job, answer in zip(planned, checked(added, planned), strict=True)
        ]
        below = [(job.node, handle) for job, handle in zip(planned[1:], others, strict=True)]
        wire_id = lookup_job_id(first.id)
        return BoundFlow(self._ties(queue), wire_id, root.request.result, bool(first.created), below, root)

    async def submit_schedule(self, request: ScheduleRequest[R], /) -> JobHandle[R]:
        """Make or change a schedule: what `task.enqueue(client, …, repeat=…)` calls. The handle of its next run."""
        ties = self._ties(request.queue)
        iteration = await store_schedule(self._server, ties.keys, request)
        return BoundHandle(ties, iteration.wire_id.decode(), request.result)

    def queue(self, name: str) -> QueueClient:
        """The untyped door to a queue, also one of another program's."""
        return QueueClient(self, name)

    def handle(self, queue: str, wire_id: str, codec: Codec[R], /) -> JobHandle[R]:
        """A handle for a job that is known by its id in Redis."""
        return BoundHandle(self._ties(queue), wire_id, codec)

    async def queues(self) -> list[str]:
        """The names of all queues under the prefix, sorted."""

        async def listed() -> list[str]:
            return sorted([name async for name in list_queues(self._server)])

        return await self._server.patiently(listed)

    async def close(self) -> None:
        """Let calls under way end and close all connections. The client may be used again afterwards."""
        for enqueuer in self._enqueuers.values():
            await enqueuer.close()
        for flows in self._flows.values():
            await flows.close()
        for ties in self._queues.values():
            await ties.hub.close()
        self._enqueuers.clear()
        self._flows.clear()
        self._queues.clear()
        await self._server.close()

    def _enqueuer(self, queue: str) -> Enqueuer:
        found = self._enqueuers.get(queue)
        if found is None:
            found = self._enqueuers[queue] = Enqueuer(self._server, queue)
        return found

    def _ties(self, queue: str) -> QueueTies:
        found = self._queues.get(queue)
        if found is None:
            hub = EventHub(self._server, queue)
            found = self._queues[queue] = QueueTies(self._server, self._server.keys(queue), hub)
        return found


def _handle(ties: QueueTies, request: EnqueueRequest[R], wire_id: str, answer: Added) -> BoundHandle[R]:
    if answer == 0:
        return BoundHandle(ties, wire_id, request.result, True)
    return BoundHandle(ties, answer.decode() if isinstance(answer, bytes) else wire_id, request.result, False)
