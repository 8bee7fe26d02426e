"""Flows: trees of jobs. A parent runs when its children have ended, and has their results at hand.

A `FlowNode` is a job to be, with the nodes below it: plain data, checked and encoded when it is made. It is enqueued
as a whole, in one atomic step, over all queues that it touches.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args, overload

from corral.contracts.handle import JobHandle, SyncJobHandle
from corral.contracts.options import EnqueueOptions
from corral.contracts.producer import AsyncProducer, EnqueueRequest
from corral.contracts.spec import TaskSpec
from corral.errors import InvalidFlow, InvalidOption

__all__ = [
    "FAILURE_FLAGS",
    "AsyncFlowProducer",
    "BlockingFlowProducer",
    "FailedChild",
    "FlowHandle",
    "FlowNode",
    "NodeOptions",
    "OnFailure",
    "Producer",
    "ResultOf",
    "SyncFlowHandle",
    "make_node",
    "nodes_of",
]

P = TypeVar("P")
R = TypeVar("R")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)

OnFailure = Literal["fail_parent", "continue_parent", "ignore", "remove", "wait"]
"""What it means for the parent when a child fails for good:

- ``fail_parent``: the parent fails, without running (BullMQ: ``failParentOnFailure``). The default of Corral's flows.
- ``continue_parent``: the parent runs at once, whatever else it waits for (``continueParentOnFailure``).
- ``ignore``: the child counts as ended, and the parent can read why it failed (``ignoreDependencyOnFailure``).
- ``remove``: the child counts as ended and is forgotten (``removeDependencyOnFailure``).
- ``wait``: the parent goes on waiting until somebody retries the child or removes it (BullMQ's default).
"""

FAILURE_FLAGS: dict[OnFailure, str] = {
    "fail_parent": "fpof",
    "continue_parent": "cpof",
    "ignore": "idof",
    "remove": "rdof",
    "wait": "",
}
"""How they are stored, in the child's ``parent`` and ``opts``."""


@dataclass(frozen=True, slots=True)
class FailedChild:
    """A child that failed for good and was tolerated (``on_failure`` of its node: ignored, or continued without)."""

    job_id: str
    queue: str
    reason: str


class NodeOptions(EnqueueOptions, total=False):
    """What a node of a flow may set: the options of ``enqueue``, and what its failure means to its parent.

    A parent's ``delay`` and ``priority`` apply when its children have ended; ``run_at`` is not for parents.
    ``deduplication`` and ``durability`` are for the root, and hold for the whole flow.
    """

    on_failure: OnFailure
    """What it means for the parent when this job fails for good. Default ``"fail_parent"``."""


class ResultOf(Protocol[R]):
    """A task, as far as its result matters."""

    @property
    def spec(self) -> TaskSpec[Any, R]:
        """Its definition."""
        ...


class FlowNode(Generic[R_co]):
    """A job to be in a flow, and the nodes below it. Made by ``task.node(…)``; changes nothing until it is enqueued.

    Raises `InvalidOption` for an option that its place in the tree forbids.
    """

    __slots__ = ("children", "on_failure", "origin", "request")

    def __init__(
        self,
        request: EnqueueRequest[R_co],
        children: Sequence[FlowNode[Any]] = (),
        on_failure: OnFailure = "fail_parent",
    ) -> None:
        if on_failure not in get_args(OnFailure):
            raise InvalidOption("on_failure", on_failure, f"give one of {', '.join(get_args(OnFailure))}")
        self.request = request
        self.children = nodes_of(children)
        self.on_failure: OnFailure = on_failure
        self.origin: FlowNode[R_co] = self
        """The node that this one was made of by `after`: both stand for one job."""
        if self.children:
            self._check_parent()
        for child in self.children:
            check_child(child)

    def __repr__(self) -> str:
        below = f", {len(self.children)} below it" if self.children else ""
        return f"FlowNode({self.request.queue!r}, {self.request.name!r}{below})"

    def walk(self) -> Iterator[FlowNode[Any]]:
        """This node and all below it, each parent before its children."""
        waiting: list[FlowNode[Any]] = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children[::-1]

    def after(self, *nodes: FlowNode[Any]) -> FlowNode[R_co]:
        """The same job with further children: it runs after these too. This node itself stays as it is, and either
        of the two leads to the job in the flow's handle."""
        more = FlowNode(self.request, (*self.children, *nodes), self.on_failure)
        more.origin = self.origin
        return more

    @overload
    def enqueue(self, client: AsyncFlowProducer, /) -> Coroutine[Any, Any, FlowHandle[R_co]]: ...
    @overload
    def enqueue(self, client: BlockingFlowProducer, /) -> SyncFlowHandle[R_co]: ...
    def enqueue(self, client: Any, /) -> Any:
        """Add the whole flow, or nothing of it. To be awaited with a `Client`; a `SyncClient` blocks.

        Returns the handle of this job, the root, which has those of all others. Raises `InvalidFlow`, and what
        ``task.enqueue`` raises.
        """
        try:
            submit = client.submit_flow
        except AttributeError:
            submit = getattr(client, "submit_flow_blocking", None)
            if submit is None:
                raise TypeError(
                    f"a flow is added by a Client or a SyncClient (an outbox takes a job that adds it), not {client!r}"
                ) from None
        return submit(self)

    def _check_parent(self) -> None:
        request = self.request
        if request.due_ms is not None:
            raise InvalidOption(
                "run_at", request.due_ms, "a parent waits from the end of its children on: give delay="
            )
        if request.deduplication is not None and request.deduplication.keep_last_if_active:
            raise InvalidOption(
                "deduplication", request.deduplication, "a parent kept for later would lose its children"
            )


def make_node(
    spec: TaskSpec[P, R], payload: P, children: Sequence[FlowNode[Any]], options: NodeOptions
) -> FlowNode[R]:
    """A node of a task. Raises what ``task.enqueue`` raises before anything is sent."""
    if "repeat" in options:
        raise InvalidOption(
            "repeat", options["repeat"], "a flow is not repeated: let a repeated job add children to itself"
        )
    on_failure = options.pop("on_failure", "fail_parent")
    return FlowNode(spec.request(payload, options), children, on_failure)


def nodes_of(nodes: Iterable[FlowNode[R]]) -> tuple[FlowNode[R], ...]:
    """Several nodes. Raises `InvalidFlow` for one alone, and for what is none."""
    if not isinstance(nodes, Iterable):
        raise InvalidFlow("malformed", f"children are given as a list of nodes, not {nodes!r}")
    found = tuple(nodes)
    for node in found:
        if not isinstance(node, FlowNode):
            raise InvalidFlow("malformed", f"a child is a node, made by task.node(…), not {node!r}")
    return found


def check_child(child: FlowNode[Any]) -> None:
    """Refuse options that only a root may have."""
    request: EnqueueRequest[Any] = child.request
    if request.deduplication is not None:
        raise InvalidOption(
            "deduplication",
            request.deduplication,
            "only the root may have it, or be of a task with supersedes=",
        )
    if request.durability is not None:
        raise InvalidOption(
            "durability", request.durability, "set it on the root: it holds for the whole flow"
        )


class FlowHandle(JobHandle[R_co], Protocol[R_co]):
    """The handle of a flow's root, with those of the jobs below it."""

    def job(self, node: FlowNode[S], /) -> JobHandle[S]:
        """The job that was made of a node of this flow. Raises `KeyError` for any other node."""
        ...

    @property
    def jobs(self) -> Sequence[JobHandle[Any]]:
        """All jobs of the flow, each parent before its children."""
        ...


class SyncFlowHandle(SyncJobHandle[R_co], Protocol[R_co]):
    """`FlowHandle` for code without an event loop."""

    def job(self, node: FlowNode[S], /) -> SyncJobHandle[S]:
        """See `FlowHandle.job`."""
        ...

    @property
    def jobs(self) -> Sequence[SyncJobHandle[Any]]:
        """See `FlowHandle.jobs`."""
        ...


class AsyncFlowProducer(Protocol):
    """What `Client` is to a flow."""

    def submit_flow(self, root: FlowNode[R], /) -> Coroutine[Any, Any, FlowHandle[R]]:
        """Add a whole flow."""
        ...


class BlockingFlowProducer(Protocol):
    """What `SyncClient` is to a flow."""

    def submit_flow_blocking(self, root: FlowNode[R], /) -> SyncFlowHandle[R]:
        """Add a whole flow."""
        ...


class Producer(AsyncProducer, AsyncFlowProducer, Protocol):
    """What takes single jobs and flows: a `Client`."""
