"""The children of a running job: their results, and new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from corral.client.flow_enqueuer import check_slots, checked
from corral.client.flow_plan import Above, PlannedJob, in_calls, plan_children
from corral.contracts.codec import Codec
from corral.contracts.flow import FailedChild, FlowNode, Producer, ResultOf
from corral.contracts.handle import JobHandle
from corral.contracts.names import decode_job_id
from corral.contracts.outcome import WaitForChildren
from corral.contracts.telemetry import Telemetry, following
from corral.engine.browse_keys import JobKey, split_keys
from corral.engine.enqueue import FlowAdded, add_flow
from corral.engine.family import child_names, read_failures, read_results
from corral.engine.keys import QueueKeys
from corral.engine.record import NewNode
from corral.engine.recover import Held
from corral.engine.sender import Sender, Sent
from corral.engine.server import Server
from corral.errors import InvalidOption, JobFailed

__all__ = ["Children", "Handles"]

R = TypeVar("R")
S = TypeVar("S")


class Handles(Producer, Protocol):
    """What a run needs of a client: to add jobs, and to follow those that it added otherwise."""

    def handle(self, queue: str, wire_id: str, codec: Codec[S], /) -> JobHandle[S]:
        """A handle for a job that is known by its id in Redis."""
        ...

    @property
    def telemetry(self) -> Telemetry | None:
        """Who follows the jobs that are added."""
        ...


class Children:
    """The children of one run's job. What a run adds has ids that follow from the job and from what is added, so that
    the next run of the same handler meets them again."""

    def __init__(self, server: Server, keys: QueueKeys, run: Held, client: Handles) -> None:
        self._server = server
        self._keys = keys
        self._run = run
        self._client = client
        self._wire_id = _text(run.wire_id)
        self._sender = Sender(server)

    async def results(self, task: ResultOf[R]) -> list[R]:
        """The results of the completed children of one task, in the order in which they were added."""
        queue, name, codec = task.spec.queue, task.spec.name, task.spec.result
        found = await self._server.patiently(lambda: read_results(self._server, self._keys, self._wire_id))
        left = dict(found.values)
        values: list[bytes] = []
        for wire_id, listed_name in found.listed:
            key = f"{self._keys.prefix}:{queue}:{wire_id}"
            if listed_name == name and key in left:
                values.append(left.pop(key))
        listed = {wire_id for wire_id, _ in found.listed}
        others = await self._split(sorted(left))
        rest = [key for key, child in others.items() if _is_of(child, queue, listed)]
        names = await self._server.patiently(lambda: child_names(self._server, rest))
        # Another client's children are in no order, and of one that is not kept nobody knows the name any more.
        values += [
            left[key] for key, found_name in zip(rest, names, strict=True) if found_name in (name, None)
        ]
        return [codec.decode(value) for value in values]

    async def failures(self) -> list[FailedChild]:
        """The children that failed, and were ignored or let their parent go on."""
        found = await self._server.patiently(lambda: read_failures(self._server, self._keys, self._wire_id))
        children = await self._split(sorted(found))
        return [
            FailedChild(decode_job_id(child.wire_id), child.queue, found[key])
            for key, child in children.items()
        ]

    async def add(self, nodes: Sequence[FlowNode[S]]) -> list[JobHandle[S]]:
        """Add children, any number, some hundred in a call."""
        planned = self._plan(nodes)
        await self._add(planned)
        return [
            self._client.handle(job.keys.queue, job.wire_id, job.node.request.result)
            for tree in planned for job in tree[:1]
        ]  # fmt: skip

    async def run_all(self, nodes: Sequence[FlowNode[S]]) -> list[S]:
        """Their results when all have completed; until then the job waits for them (`WaitForChildren`)."""
        for node in nodes:
            if node.on_failure == "remove":
                raise InvalidOption(
                    "on_failure", "remove", "of a forgotten child there is no result to wait for"
                )
        planned = self._plan(nodes)
        found = await self._server.patiently(lambda: read_results(self._server, self._keys, self._wire_id))
        missing = [tree for tree in planned if tree[0].keys.job(tree[0].wire_id) not in found.values]
        if missing:
            await self._raise_failed(missing)
            await self._add(missing)
            raise WaitForChildren
        return [
            node.request.result.decode(found.values[tree[0].keys.job(tree[0].wire_id)])
            for node, tree in zip(nodes, planned, strict=True)
        ]

    async def _split(self, found: list[str]) -> dict[str, JobKey]:
        children = await self._server.patiently(lambda: split_keys(self._server, self._keys, found))
        return dict(zip(found, children, strict=True))

    def _plan(self, nodes: Sequence[FlowNode[Any]]) -> list[list[PlannedJob]]:
        above = Above(self._keys, self._wire_id, stable=True)
        return plan_children(nodes, self._server.keys, above)

    async def _add(self, planned: list[list[PlannedJob]]) -> None:
        for jobs in in_calls(planned):
            with following(self._client.telemetry, [job.node.request for job in jobs]) as trace:
                nodes = [job.traced(trace) for job in jobs]
                if self._server.clustered:
                    check_slots(nodes)
                added = await self._sender.send(lambda sent, nodes=nodes: self._attempt(nodes, sent))  # type: ignore[misc]
            checked(added, jobs, decode_job_id(self._wire_id))

    async def _attempt(self, nodes: Sequence[NewNode], sent: Sent) -> FlowAdded:
        async with self._server.borrowed(self._keys) as link:
            return await add_flow(
                link, self._keys, nodes, run=self._run, sender=sent.sender, number=sent.number
            )

    async def _raise_failed(self, missing: list[list[PlannedJob]]) -> None:
        failures = await self._server.patiently(
            lambda: read_failures(self._server, self._keys, self._wire_id)
        )
        for tree in missing:
            key = tree[0].keys.job(tree[0].wire_id)
            if key in failures:
                made = await self._server.patiently(lambda key=key: self._server.call("HGET", key, "atm"))  # type: ignore[misc]
                raise JobFailed(decode_job_id(tree[0].wire_id), failures[key], int(made or 0))


def _is_of(child: JobKey, queue: str, listed: set[str]) -> bool:
    return child.queue == queue and child.wire_id not in listed


def _text(word: object) -> str:
    return word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else str(word)
