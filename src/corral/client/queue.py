"""The untyped door to a queue: for queues that other programs own, and for looking into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar, Unpack

from corral.client.events import EventSubscription
from corral.client.flow_reader import child_counts, child_page, flow_tree
from corral.contracts.codec import JSON_CODEC, Codec
from corral.contracts.custom_event import event_words
from corral.contracts.family import ChildCounts, ChildKind, ChildPage, FlowTree
from corral.contracts.flow import FlowNode, NodeOptions, make_node
from corral.contracts.handle import JobHandle
from corral.contracts.job import Job
from corral.contracts.names import lookup_job_id
from corral.contracts.options import BatchOptions, EnqueueOptions
from corral.contracts.producer import AsyncProducer
from corral.contracts.spec import untyped_spec
from corral.contracts.states import JobState
from corral.engine.browse import Metrics, count_jobs, is_paused, list_jobs, read_job, read_logs, read_metrics
from corral.engine.control_queue import deduplication_owner
from corral.engine.publish import write_event
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["QueueClient", "untyped_node"]

T = TypeVar("T")

LISTED: Final = tuple(state for state in JobState if state is not JobState.UNKNOWN)
FINISHED: Final = (JobState.COMPLETED, JobState.FAILED)


class Connected(AsyncProducer, Protocol):
    """What this needs of a `Client`."""

    @property
    def server(self) -> Server:
        """Its connection."""
        ...

    def handle(self, queue: str, wire_id: str, codec: Codec[T], /) -> JobHandle[T]:
        """A handle for a job that is known by its id in Redis."""
        ...


class QueueClient:
    """One queue through one client, without types: payloads and results are plain JSON values."""

    def __init__(self, client: Connected, name: str) -> None:
        self._client = client
        self._server = client.server
        self._keys = client.server.keys(name)
        self.name = name

    def __repr__(self) -> str:
        return f"<QueueClient {self.name}>"

    async def enqueue(
        self, name: str, data: Any = None, /, **options: Unpack[EnqueueOptions]
    ) -> JobHandle[Any]:
        """Add a job by its name. Options and errors as for a task's `enqueue`.

        `data` is any JSON value; None is stored as `{}`, as BullMQ does.
        """
        spec, value = untyped_spec(self.name, name), {} if data is None else data
        if "repeat" in options:
            return await self._client.submit_schedule(spec.schedule(value, options))
        return await self._client.submit(spec.request(value, options))

    def node(
        self,
        name: str,
        data: Any = None,
        /,
        *,
        children: Sequence[FlowNode[Any]] = (),
        **options: Unpack[NodeOptions],
    ) -> FlowNode[Any]:
        """A job of a flow by its name: as a task's `node`. Nothing is sent before `await node.enqueue(client)`."""
        return untyped_node(self.name, name, data, children, options)

    async def enqueue_many(
        self, name: str, data: Sequence[Any], /, **options: Unpack[BatchOptions]
    ) -> list[JobHandle[Any]]:
        """Add a job for each value, in their order and in few round trips."""
        spec = untyped_spec(self.name, name)
        return await self._client.submit_many([spec.request(value, options) for value in data])

    def job(self, job_id: str) -> JobHandle[Any]:
        """A handle for a job by its id, whether or not there is one."""
        return self._client.handle(self.name, lookup_job_id(job_id), JSON_CODEC)

    async def newest(self, task: str, key: str | int) -> JobHandle[Any] | None:
        """The newest job of a task with ``supersedes=``, by its key; None when the last one has ended."""
        rule = untyped_spec(self.name, task).superseding(key)
        wire_id = await self._server.patiently(lambda: deduplication_owner(self._server, self._keys, rule.id))
        return None if wire_id is None else self._client.handle(self.name, wire_id, JSON_CODEC)

    async def get(self, job_id: str) -> Job | None:
        """A snapshot of one job with its state, or None when it is not kept."""
        return await self._server.patiently(lambda: read_job(self._server, self._keys, lookup_job_id(job_id)))

    async def jobs(self, state: JobState | str, *, start: int = 0, limit: int = 20) -> list[Job]:
        """A page of the jobs of one state: finished ones newest first, others in the order in which they run.
        At most 1,000 at a time. Raises `InvalidOption` for a state that is none."""
        wanted = _state(state, LISTED)
        return await self._server.patiently(
            lambda: list_jobs(self._server, self._keys, wanted, start=start, limit=limit)
        )

    async def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        return await self._server.patiently(lambda: count_jobs(self._server, self._keys))

    async def paused(self) -> bool:
        """Whether the queue hands out no jobs until it is resumed."""
        return await self._server.patiently(lambda: is_paused(self._server, self._keys))

    async def logs(self, job_id: str, *, start: int = 0, limit: int = 100) -> list[str]:
        """A page of a job's own log lines, the oldest first."""
        wire_id = lookup_job_id(job_id)
        return await self._server.patiently(
            lambda: read_logs(self._server, self._keys, wire_id, start=start, limit=limit)
        )

    async def children(
        self, job_id: str, kind: ChildKind = "pending", *, cursor: int = 0, limit: int = 100
    ) -> ChildPage:
        """A page of a job's children of one kind: `pending`, `completed`, `tolerated` or `fatal`. Go on with the page's
        `cursor` until it is 0. A small family comes whole, whatever the limit."""
        wire_id = lookup_job_id(job_id)
        return await self._server.patiently(
            lambda: child_page(self._server, self._keys, wire_id, kind, cursor=cursor, limit=limit)
        )

    async def child_counts(self, job_id: str) -> ChildCounts:
        """How many children of each kind a job has."""
        wire_id = lookup_job_id(job_id)
        return await self._server.patiently(lambda: child_counts(self._server, self._keys, wire_id))

    async def flow(self, job_id: str, *, depth: int = 10, width: int = 20) -> FlowTree | None:
        """A job with those below it, `depth` levels down and at most `width` children of each; those that failed and
        those that have not ended come first. None when the job is not kept. (BullMQ: `getFlow`.)"""
        wire_id = lookup_job_id(job_id)
        return await self._server.patiently(
            lambda: flow_tree(self._server, self._keys, wire_id, depth=depth, width=width)
        )

    async def metrics(self, state: JobState | str, *, start: int = 0, limit: int = 60) -> Metrics:
        """How many jobs completed or failed, in all and by the minute (the newest first, at most 1,000).
        Raises `InvalidOption` for any other state."""
        wanted = _state(state, FINISHED)
        return await self._server.patiently(
            lambda: read_metrics(self._server, self._keys, wanted, start=start, limit=limit)
        )

    async def publish(self, name: str, fields: Mapping[str, str] | None = None, /) -> str:
        """Write an event of your own into the queue's stream, for all who subscribe to it, Node's `QueueEvents` among
        them (BullMQ: QueueEventsProducer.publishEvent). Returns its id.

        Fields are text, 64 KiB in all; `jobId` among them is the id of a job as it is in Redis. The stream is kept as
        long as before. Raises `InvalidEvent`, `QueueFull` or `ServerUnavailable`.
        """
        return await write_event(self._server, self._keys, name, event_words(name, fields))

    def events(self, *, after: str | None = None) -> EventSubscription:
        """Subscribe to the queue's events: `async with queue.events() as events: async for event in events: …`

        Raises `InvalidOption` for an `after` that is no id; reading raises `EventsTrimmed` when it is too old.
        """
        return EventSubscription(self._server, self.name, after=after)


def untyped_node(
    queue: str, name: str, data: Any, children: Sequence[FlowNode[Any]], options: NodeOptions
) -> FlowNode[Any]:
    """A job of a flow by the names of its queue and task."""
    return make_node(untyped_spec(queue, name), {} if data is None else data, children, options)


def _state(state: str, allowed: Sequence[JobState]) -> JobState:
    if state not in allowed:
        raise InvalidOption("state", state, f"give one of {', '.join(allowed)}")
    return JobState(state)
