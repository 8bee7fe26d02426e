"""Chains and fan-in: shapes of flows, run by a worker."""

from __future__ import annotations

import pytest

from corral import Client, FlowNode, InvalidFlow, JobFailed, Queue, Unrecoverable, Worker, chain, fan_in

queue = Queue("shapes")


@queue.task
async def step(number: int) -> int:
    """Any task."""
    return number


def shape(node: FlowNode[int]) -> object:
    """A tree by its payloads."""
    below = [shape(child) for child in node.children]
    return [int(node.request.data), *below] if below else int(node.request.data)


def test_a_chain_is_a_tree_of_one_branch() -> None:
    """The last step is the root, and each waits for the one before it."""
    assert shape(chain(step.node(1), step.node(2), step.node(3))) == [3, [2, 1]]
    assert shape(chain(step.node(1))) == 1


def test_steps_side_by_side() -> None:
    """A list begins a chain, or follows nothing that all of it would have to wait for."""
    assert shape(chain([step.node(1), step.node(2)], step.node(3), step.node(4))) == [4, [3, 1, 2]]
    assert shape(chain(step.node(1), [step.node(2)], step.node(3))) == [3, [2, 1]]
    with pytest.raises(InvalidFlow, match="side by side"):
        chain(step.node(1), [step.node(2), step.node(3)], step.node(4))


def test_what_is_no_chain() -> None:
    """It ends in one node, no step is empty, and each is a node or a list of nodes."""
    for bad in (1, None, "ab", [1]):
        with pytest.raises(InvalidFlow, match=r"node"):
            chain(bad, step.node(1))  # type: ignore[arg-type]
    with pytest.raises(InvalidFlow, match="ends in one node"):
        chain()  # type: ignore[call-arg]
    with pytest.raises(InvalidFlow, match="ends in one node"):
        chain(step.node(1), [step.node(2)])  # type: ignore[arg-type]
    with pytest.raises(InvalidFlow, match="empty"):
        chain([], step.node(1))


def test_fan_in() -> None:
    """Many before one, behind the children that it has already."""
    assert shape(fan_in((step.node(n) for n in (1, 2)), into=step.node(3, children=[step.node(0)]))) == [
        3,
        0,
        1,
        2,
    ]
    with pytest.raises(InvalidFlow, match=r"into=task\.node"):
        fan_in([step.node(1)], into=step)  # type: ignore[arg-type]
    with pytest.raises(InvalidFlow, match="a list of nodes"):
        fan_in(step.node(1), into=step.node(2))  # type: ignore[arg-type]


async def test_a_chain_runs_in_its_order(redis_url: str, prefix: str, queue_name: str) -> None:
    """Each step begins when the one before it has completed, and each has its handle."""
    tasks, ran = Queue(queue_name), list[int]()

    @tasks.task
    async def note(number: int) -> int:
        ran.append(number)
        return number

    first, second = note.node(1), note.node(2)
    async with Client(redis_url, prefix=prefix) as client, Worker(tasks, client=client):
        flow = await chain(first, second, note.node(3)).enqueue(client)
        assert await flow.result(timeout=10) == 3
        assert await flow.job(second).result() == 2
    assert ran == [1, 2, 3]


async def test_a_failed_step_fails_the_rest(redis_url: str, prefix: str, queue_name: str) -> None:
    """The later steps fail without running, each naming the child it failed for."""
    tasks, ran = Queue(queue_name), list[int]()

    @tasks.task
    async def note(number: int) -> int:
        ran.append(number)
        if number == 1:
            raise Unrecoverable("no")
        return number

    first = note.node(1)
    async with Client(redis_url, prefix=prefix) as client, Worker(tasks, client=client):
        flow = await chain(first, note.node(2), note.node(3)).enqueue(client)
        with pytest.raises(JobFailed, match=r"child .* failed"):
            await flow.result(timeout=10)
        with pytest.raises(JobFailed, match="no"):
            await flow.job(first).result()
    assert ran == [1]
