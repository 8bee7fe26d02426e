"""The handles of a flow's jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, cast

from corral.client.handle import BoundHandle, QueueTies
from corral.contracts.codec import Codec
from corral.contracts.flow import FlowNode

__all__ = ["BoundFlow", "Nodes"]

R = TypeVar("R")
S = TypeVar("S")


class Nodes:
    """The jobs of a flow by the nodes that they were made of, in their order."""

    def __init__(self, jobs: Sequence[tuple[FlowNode[Any], Any]]) -> None:
        self._jobs = {id(node.origin): job for node, job in jobs}
        # The ids stay those of these nodes as long as somebody keeps them.
        self._nodes = [node.origin for node, _ in jobs]

    def job(self, node: FlowNode[Any]) -> Any:
        """The job of a node. Raises `KeyError` for a node of another flow."""
        found = self._jobs.get(id(node.origin))
        if found is None:
            raise KeyError(f"{node!r} is no node of this flow: give the one that was enqueued")
        return found

    def jobs(self) -> list[Any]:
        """All of them, each parent before its children."""
        return list(self._jobs.values())


class BoundFlow(BoundHandle[R], Generic[R]):
    """A flow's root, through one client. See `corral.FlowHandle`, which it is."""

    __slots__ = ("_below",)

    def __init__(
        self,
        ties: QueueTies,
        wire_id: str,
        codec: Codec[R],
        created: bool,
        below: Sequence[tuple[FlowNode[Any], BoundHandle[Any]]],
        root: FlowNode[R],
    ) -> None:
        super().__init__(ties, wire_id, codec, created)
        self._below = Nodes([(root, self), *below])

    def job(self, node: FlowNode[S], /) -> BoundHandle[S]:
        """The job that was made of a node of this flow. Raises `KeyError` for any other node."""
        return cast("BoundHandle[S]", self._below.job(node))

    @property
    def jobs(self) -> Sequence[BoundHandle[Any]]:
        """All jobs of the flow, each parent before its children."""
        return self._below.jobs()
