"""One job after the other, and many before one: shapes of flows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from corral.contracts.flow import FlowNode, nodes_of
from corral.errors import InvalidFlow

__all__ = ["chain", "fan_in"]

R = TypeVar("R")

Step = FlowNode[Any] | Sequence[FlowNode[Any]]


def chain(*steps: *tuple[*tuple[Step, ...], FlowNode[R]]) -> FlowNode[R]:
    """Jobs that run one after the other, each when the one before has completed.

    ::

        flow = chain(Docs.fetch.node(url), Docs.convert.node("pdf"), Docs.publish.node(target))
        published = await (await flow.enqueue(client)).result(timeout=60)

    A step reads what the one before it returned: ``fetched = await ctx.child(Docs.fetch)``. A list of nodes is a step
    whose jobs run side by side: ``await ctx.children(Docs.fetch)`` has all their results. The last step is one node: it
    is the root of the flow, whose result is that of the chain.

    A step that fails for good fails those after it, unless its node says otherwise (``on_failure=``).

    Raises:
        InvalidFlow: no steps, an empty list, or a list as the last step.
    """
    below: tuple[FlowNode[Any], ...] = ()
    for step in steps[:-1]:
        side_by_side = (step,) if isinstance(step, FlowNode) else nodes_of(step)
        if not side_by_side:
            raise InvalidFlow("malformed", "a step of a chain is empty")
        below = _after(side_by_side, below)
    if not steps or not isinstance(steps[-1], FlowNode):
        raise InvalidFlow("malformed", "a chain ends in one node, whose result is that of the chain")
    return steps[-1].after(*below)


def _after(nodes: tuple[FlowNode[Any], ...], below: tuple[FlowNode[Any], ...]) -> tuple[FlowNode[Any], ...]:
    if below and len(nodes) > 1:
        raise InvalidFlow(
            "malformed",
            "jobs that run side by side cannot wait for the same job, which can have one parent only: let one step "
            "add them when it runs (ctx.add_children), or begin the chain with them",
        )
    return tuple(node.after(*below) for node in nodes)


def fan_in(children: Iterable[FlowNode[Any]], into: FlowNode[R]) -> FlowNode[R]:
    """Many jobs side by side, and one that runs when all have ended: ``into``, which reads their results.

    ::

        flow = fan_in([Photos.resize.node(photo) for photo in photos], into=Photos.album.node(title))
    """
    if not isinstance(into, FlowNode):
        raise InvalidFlow("malformed", f"it ends in a node: into=task.node(…), not {into!r}")
    return into.after(*nodes_of(children))
