"""Nodes of a flow: what a tree may look like, before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from corral import Deduplication, Every, InvalidFlow, InvalidOption, InvalidPayload, Queue

queue = Queue("flows")


@queue.task(priority=3)
async def step(number: int) -> int:
    """Any task."""
    return number


def test_a_node_is_checked_and_encoded_when_it_is_made() -> None:
    """A payload that is not valid, or an option that is none, is an error of the line that makes the node."""
    node = step.node(1, delay=2, on_failure="ignore")
    assert (node.request.data, node.request.delay_ms, node.request.priority) == (b"1", 2000, 3)
    assert (node.on_failure, node.children) == ("ignore", ())
    with pytest.raises(InvalidPayload):
        step.node("one")  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="nonsense"):
        step.node(1, nonsense=1)  # type: ignore[call-arg]


def test_a_failed_child_fails_its_parent_unless_said_otherwise() -> None:
    """The default ends: no parent waits for ever."""
    assert step.node(1).on_failure == "fail_parent"
    with pytest.raises(InvalidOption, match="fail_parent, continue_parent, ignore, remove, wait"):
        step.node(1, on_failure="explode")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [{"deduplication": "d"}, {"durability": "fsync"}],
    ids=["deduplication", "durability"],
)
def test_what_is_for_the_root(options: dict[str, Any]) -> None:
    """Deduplication and durability hold for a whole flow, and are refused below its root."""
    (option,) = options
    below = step.node(1, **options)
    with pytest.raises(InvalidOption, match=option):
        step.node(2, children=[below])


def test_what_is_not_for_parents() -> None:
    """A parent waits from the end of its children on, and is not kept for later without them."""
    child = step.node(1)
    with pytest.raises(InvalidOption, match="run_at"):
        step.node(2, children=[child], run_at=datetime(2030, 1, 1, tzinfo=UTC))
    rule = Deduplication("d", keep_last_if_active=True)
    with pytest.raises(InvalidOption, match="deduplication"):
        step.node(2, children=[child], deduplication=rule)
    assert step.node(2, run_at=datetime(2030, 1, 1, tzinfo=UTC)).request.due_ms is not None


def test_a_flow_is_not_repeated() -> None:
    """A schedule makes single jobs; the remedy is in the message."""
    with pytest.raises(InvalidOption, match="add children to itself"):
        step.node(1, repeat=Every(minutes=5))


def test_children_are_nodes() -> None:
    """Anything else among them is refused where it stands, and so is one alone."""
    with pytest.raises(InvalidFlow, match=r"task\.node"):
        step.node(1, children=[step])  # type: ignore[list-item]
    with pytest.raises(InvalidFlow, match="a list of nodes"):
        step.node(1, children=step.node(2))  # type: ignore[arg-type]


def test_after_makes_another_node() -> None:
    """The node itself stays as it is; the new one has further children, behind those it had."""
    a, b, c = step.node(1), step.node(2), step.node(3)
    first = a.after(b)
    second = first.after(c)
    assert (a.children, first.children, second.children) == ((), (b,), (b, c))
    assert second.origin is a


def test_a_walk_meets_parents_first() -> None:
    """All nodes of a tree, however deep."""
    deep = step.node(0)
    nodes = [deep]
    for number in range(1, 3000):
        deep = step.node(number, children=[deep])
        nodes.append(deep)
    assert list(deep.walk()) == nodes[::-1]


async def test_a_client_is_needed() -> None:
    """What is no client is said so."""
    with pytest.raises(TypeError, match="a Client or a SyncClient"):
        step.node(1).enqueue("redis://localhost")  # type: ignore[call-overload]
