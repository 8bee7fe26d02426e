"""From a tree to the words for the server: ids, keys, order, and what is refused before anything is sent."""

from __future__ import annotations

import json

import pytest

from corral import Deduplication, InvalidFlow, InvalidOption, Queue
from corral.client.flow_plan import Above, plan_flow
from corral.contracts.flow import FlowNode, OnFailure
from corral.engine.keys import QueueKeys

queue, ship = Queue("orders"), Queue("ship")


@queue.task
async def close(number: int) -> int:
    """A parent."""
    return number


@ship.task
async def send(number: int) -> int:
    """A child."""
    return number


def keys_of(name: str) -> QueueKeys:
    """The keys of a queue under `bull`."""
    return QueueKeys("bull", name)


def ids_of(root: FlowNode[int]) -> list[str]:
    """The ids of a planned tree."""
    return [job.wire_id for job in plan_flow([root], keys_of)]


def test_parents_come_first() -> None:
    """Each parent stands before its children, and children in their order, down to the leaves before the next."""
    tree = close.node(1, children=[close.node(2, children=[send.node(3), send.node(4)]), send.node(5)])
    planned = plan_flow([tree, close.node(6)], keys_of)
    assert [job.words.data for job in planned] == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert [job.words.base for job in planned][:3] == ["bull:orders:", "bull:orders:", "bull:ship:"]
    assert [job.words.flags for job in planned] == ["p", "p", "", "", "", ""]


@pytest.mark.parametrize(
    ("on_failure", "flag"),
    [
        ("fail_parent", "fpof"),
        ("continue_parent", "cpof"),
        ("ignore", "idof"),
        ("remove", "rdof"),
        ("wait", None),
    ],
)
def test_what_a_child_carries(on_failure: OnFailure, flag: str | None) -> None:
    """A child has its parent's key, BullMQ's `parent` with its policy, and both in `opts`, as Node writes them."""
    child = send.node(2, on_failure=on_failure)
    parent, words = (job.words for job in plan_flow([close.node(1, job_id="p", children=[child])], keys_of))
    policy = {flag: True} if flag else {}
    assert words.parent_key == "bull:orders:p"
    assert json.loads(words.parent) == {"id": "p", "queueKey": "bull:orders", **policy}
    stored = json.loads(str(words.opts))
    assert {name: stored[name] for name in ("parent", *policy)} == {
        "parent": {"id": "p", "queue": "bull:orders"},
        **policy,
    }
    assert stored["attempts"] == 3
    assert (parent.parent_key, parent.parent) == ("", "")


def test_a_policy_is_a_childs() -> None:
    """A root has no parent, whatever its node says."""
    (job,) = plan_flow([close.node(1, on_failure="ignore")], keys_of)
    assert "idof" not in str(job.words.opts)


def test_ids_are_new_each_time() -> None:
    """The same tree enqueued twice is two flows, unless ids say otherwise."""
    tree = close.node(1, children=[send.node(2)])
    assert set(ids_of(tree)).isdisjoint(ids_of(tree))


def test_children_of_a_parent_with_an_id() -> None:
    """Their ids follow from the parent's id and what they are: the same flow again is the same jobs."""

    def tree(*numbers: int) -> FlowNode[int]:
        return close.node(1, job_id="order:7", children=[send.node(number) for number in numbers])

    first = ids_of(tree(1, 2, 2))
    assert first[0] == "order%3A7"
    assert len(set(first)) == 4
    assert ids_of(tree(1, 2, 2)) == first
    # In whatever order; only what is new has a new id.
    assert set(first) < set(ids_of(tree(2, 9, 1, 2)))
    assert [job.words.flags for job in plan_flow([tree(1)], keys_of)] == ["cp", "c"]


def test_children_of_a_running_job() -> None:
    """So have those that a job adds while it runs, which differ from those of any other parent."""
    above = Above(keys_of("orders"), "j", stable=True)
    child = send.node(1)
    (one,), (again,) = plan_flow([child], keys_of, above), plan_flow([child], keys_of, above)
    (other,) = plan_flow([child], keys_of, above._replace(wire_id="k"))
    assert one.wire_id == again.wire_id != other.wire_id
    assert one.words.parent_key == "bull:orders:j"


class TestRefusals:
    """Nothing of these is sent."""

    def test_one_node_twice(self) -> None:
        """A node is one job; a copy made by `after` is the same node."""
        child = send.node(1)
        for second in (child, child.after(send.node(2))):
            with pytest.raises(InvalidFlow) as error:
                plan_flow([close.node(1, children=[child, second])], keys_of)
            assert (error.value.kind, error.value.queue) == ("duplicate", "ship")

    def test_one_id_twice(self) -> None:
        """Also where a job would be above itself."""
        below = close.node(2, job_id="a", children=[close.node(3, job_id="b:c")])
        with pytest.raises(InvalidFlow, match=r"'b:c' in queue 'orders'") as error:
            plan_flow([close.node(1, job_id="b:c", children=[below])], keys_of)
        assert (error.value.kind, error.value.job_id) == ("duplicate", "b:c")

    def test_one_id_in_two_queues(self) -> None:
        """That is two jobs."""
        assert len(ids_of(close.node(1, job_id="a", children=[send.node(1, job_id="a")]))) == 2

    def test_too_many_jobs(self) -> None:
        """One step takes 500 jobs; the remedy is in the message."""
        assert len(ids_of(close.node(0, children=[send.node(n) for n in range(499)]))) == 500
        with pytest.raises(InvalidFlow, match=r"ctx\.add_children") as error:
            ids_of(close.node(0, children=[send.node(n) for n in range(500)]))
        assert error.value.kind == "too-large"

    def test_too_many_bytes(self) -> None:
        """Nor does a step take more than 64 MiB of payloads."""
        big = Queue("big", payload_limit=40 * 1024 * 1024)

        @big.task
        async def load(text: str) -> None: ...

        text = "x" * 35_000_000
        with pytest.raises(InvalidFlow) as error:
            plan_flow([load.node(text, children=[load.node(text)])], keys_of)
        assert error.value.kind == "too-large"


def test_children_of_a_running_job_are_children() -> None:
    """What a node below another may not have, a node that a running job adds to itself may not have either."""
    above = Above(keys_of("orders"), "p", True)
    with pytest.raises(InvalidOption, match="deduplication"):
        plan_flow([send.node(1, deduplication=Deduplication("d"))], keys_of, above)
    with pytest.raises(InvalidOption, match="durability"):
        plan_flow([send.node(1, durability="fsync")], keys_of, above)
