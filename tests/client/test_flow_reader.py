"""Reading flows through the client: children by what became of them, the tree, and why a parent waits."""

from __future__ import annotations

from typing import Any

import pytest

from corral import Client, FlowTree, InvalidOption, JobState, Queue, SyncClient, Unrecoverable, Worker
from corral.client.queue import QueueClient
from corral.contracts.family import Child, ChildCounts
from corral.contracts.flow import FlowNode


@pytest.fixture
def tasks(queue_name: str) -> Queue:
    """A task that fails for negative numbers."""
    tasks = Queue(queue_name, attempts=1)

    @tasks.task
    async def step(number: int) -> int:
        if number < 0:
            raise Unrecoverable("negative")
        return number

    return tasks


@pytest.fixture
def node(tasks: Queue) -> Any:
    """Make nodes of the task."""
    spec = tasks.bindings()["step"].spec

    def make(number: int, *children: Any, on_failure: Any = "fail_parent", **options: Any) -> Any:
        return FlowNode(spec.request(number, options), children, on_failure)

    return make


async def test_children(client: Client, queue: QueueClient, tasks: Queue, node: Any) -> None:
    """Each child is of one kind; results and reasons are there."""
    done, tolerated = node(1), node(-1, on_failure="ignore")
    late = node(2, delay=60)
    flow = await node(0, done, tolerated, late).enqueue(client)
    assert await queue.child_counts(flow.id) == ChildCounts(3, 0, 0, 0)
    async with Worker(tasks, client=client):
        await flow.job(done).wait(10)
        await flow.job(tolerated).wait(10)
    assert await queue.child_counts(flow.id) == ChildCounts(1, 1, 1, 0)
    name = queue.name
    completed = await queue.children(flow.id, "completed")
    assert (completed.children, completed.cursor) == ([Child(flow.job(done).id, name, value=1)], 0)
    failed = await queue.children(flow.id, "tolerated")
    assert failed.children == [Child(flow.job(tolerated).id, name, reason="negative")]
    assert [child.job_id for child in (await queue.children(flow.id)).children] == [flow.job(late).id]
    with pytest.raises(InvalidOption, match="pending, completed, tolerated, fatal"):
        await queue.children(flow.id, "all")  # type: ignore[arg-type]


async def test_pages(client: Client, queue: QueueClient, node: Any) -> None:
    """A large family comes in pages, each child at least once."""
    flow = await node(0, *(node(n) for n in range(1, 400))).enqueue(client)
    met, cursor = set[str](), 0
    while True:
        page = await queue.children(flow.id, cursor=cursor, limit=50)
        assert len(page.children) < 200
        met |= {child.job_id for child in page.children}
        cursor = page.cursor
        if not cursor:
            break
    assert met == {job.id for job in flow.jobs[1:]}


async def test_the_tree(client: Client, queue: QueueClient, node: Any) -> None:
    """As deep and as wide as asked for; what was not read is counted."""
    flow = await node(0, node(1, node(2), node(3)), node(4), node(5)).enqueue(client)

    def shape(tree: FlowTree) -> Any:
        below = sorted((shape(child) for child in tree.children), key=str)
        return (tree.job.data, tree.more, *below)

    tree = await queue.flow(flow.id)
    assert tree is not None
    assert shape(tree) == (0, 0, (1, 0, (2, 0), (3, 0)), (4, 0), (5, 0))
    assert tree.job.state is JobState.WAITING_CHILDREN
    flat = await queue.flow(flow.id, depth=0)
    assert flat == FlowTree(tree.job, (), 3)
    narrow = await queue.flow(flow.id, depth=1, width=2)
    assert narrow is not None
    assert (len(narrow.children), narrow.more) == (2, 1)
    assert await queue.flow("nobody") is None


async def test_a_child_that_is_not_kept(client: Client, queue: QueueClient, tasks: Queue, node: Any) -> None:
    """It is counted, and not shown."""
    gone = node(1, remove_on_complete=True)
    flow = await node(0, gone, node(2, delay=60)).enqueue(client)
    async with Worker(tasks, client=client):
        assert await flow.job(gone).result(10) == 1
    tree = await queue.flow(flow.id)
    assert tree is not None
    assert ([child.job.data for child in tree.children], tree.more) == ([2], 1)


async def test_why_and_detach(client: Client, node: Any, redis_url: str, prefix: str) -> None:
    """A handle says why its job waits, and takes a child away from its parent."""
    child = node(1, delay=60, job_id="late")
    flow = await node(0, child).enqueue(client)
    assert str(await flow.why_waiting()).endswith("is delayed")
    assert (await flow.job(child).why_waiting()).kind == "due"
    assert await flow.job(child).detach() is True
    assert await flow.job(child).detach() is False
    assert await flow.state() is JobState.WAITING


def test_without_a_loop(redis_url: str, prefix: str, queue_name: str, node: Any) -> None:
    """The blocking twins."""
    with SyncClient(redis_url, prefix=prefix) as client:
        child = node(1)
        flow = node(0, child).enqueue(client)
        queue = client.queue(queue_name)
        assert queue.child_counts(flow.id).pending == 1
        assert len(queue.children(flow.id).children) == 1
        tree = queue.flow(flow.id)
        assert tree is not None
        assert flow.why_waiting().kind == "children"
        assert flow.job(child).detach()
