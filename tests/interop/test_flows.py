"""Flows of either side, run, read and changed by the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from corral import Context, Queue, Worker
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.contracts.family import ChildCounts
from corral.contracts.flow import OnFailure
from tests.interop.bullmq import VERSIONS, Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker

pytestmark = pytest.mark.port

POLICIES: dict[str, tuple[OnFailure, dict[str, bool]]] = {
    "flow-fail-parent": ("fail_parent", {"failParentOnFailure": True}),
    "flow-continue-parent": ("continue_parent", {"continueParentOnFailure": True}),
    "flow-ignore": ("ignore", {"ignoreDependencyOnFailure": True}),
    "flow-remove": ("remove", {"removeDependencyOnFailure": True}),
    "flow-none": ("wait", {}),
}
FAILS = {"script": [{"do": "unrecoverable", "message": "no"}, {"do": "return", "value": "at last"}]}


def returns(value: Any) -> dict[str, Any]:
    """Data of a job that returns a value."""
    return {"script": [{"do": "return", "value": value}]}


def policies(direction: str) -> pytest.MarkDecorator:
    """Each policy and none, as a parameter that shows its row of the table."""
    return pytest.mark.parametrize(
        "policy", [pytest.param(name, marks=row(name, direction), id=name) for name in POLICIES]
    )


@asynccontextmanager
async def node_worker(bull: NodeQueue, name: str = "w", queue: str = "") -> AsyncIterator[None]:
    """A Node worker on the test's queue, or another one, for the time of the block."""
    args: dict[str, Any] = {"worker": name, "opts": {"concurrency": 4}}
    if queue:
        await bull.node.call("startWorker", url=bull.url, prefix=bull.prefix, queue=queue, **args)
    else:
        await bull.call("startWorker", **args)
    yield
    await bull.node.call("stopWorker", worker=name)


def tree_of_node(bull: NodeQueue, name: str, data: Any, *children: Any, **opts: Any) -> dict[str, Any]:
    """A flow as Node's FlowProducer takes it."""
    job = {"name": name, "queueName": bull.name, "prefix": bull.prefix, "data": data, "opts": opts}
    return {**job, "children": list(children)} if children else job


@row("flow", FROM_CORRAL)
async def test_node_runs_a_flow_of_corral(
    bull: NodeQueue, ours: QueueClient, heard: Heard, client: Client
) -> None:
    """Children before parents, level by level; Node's parent has their values, and Corral reads its result."""
    leaf = ours.node("leaf", returns("leaf"))
    middle = ours.node("middle", {"script": [{"do": "values"}]}, children=[leaf])
    root = ours.node("root", {"script": [{"do": "values"}]}, children=[middle, ours.node("b", returns("b"))])
    flow = await root.enqueue(client)
    assert await bull.state(flow.id) == "waiting-children"
    async with node_worker(bull):
        assert await flow.result(timeout=20) == [["leaf"], "b"] or await flow.result() == ["b", ["leaf"]]
    assert await flow.job(middle).result() == ["leaf"]
    stored = await bull.job(flow.job(middle).id)
    assert stored["parent"]["id"] == flow.id
    assert stored["opts"]["failParentOnFailure"] is True


@row("flow", FROM_NODE)
async def test_corral_runs_a_flow_of_node(
    bull: NodeQueue, ours: QueueClient, heard: Heard, redis_url: str, prefix: str
) -> None:
    """Children before parents; Node reads the values that Corral stored."""
    leaf = tree_of_node(bull, "leaf", returns("leaf"))
    middle = tree_of_node(bull, "middle", returns([1]), leaf)
    other = tree_of_node(bull, "b", returns("b"))
    added = await bull.call("addFlow", flow=tree_of_node(bull, "root", {}, middle, other))
    root = added["job"]["id"]
    async with corral_worker(redis_url, prefix, bull.name) as scripted:
        await heard.until("completed", job_id=root)
    assert [job.name for job in scripted.ran][-1] == "root"
    values = await bull.call("getChildrenValues", jobId=root)
    assert sorted(values.values(), key=str) == [[1], "b"]
    assert await bull.counts() == {"completed": 4}


async def check_outcome(
    policy: str, bull: NodeQueue, ours: QueueClient, heard: Heard, parent: str, child: str
) -> None:
    """What became of a parent, one of whose two children failed: both sides see the same."""
    await heard.until("failed", job_id=child)
    if policy == "flow-none":
        assert await bull.state(parent) == str(await ours.job(parent).state()) == "waiting-children"
        assert str(await ours.job(parent).why_waiting()).endswith("nobody has retried or removed it")
        await bull.call("retry", jobId=child, state="failed")
    if policy == "flow-fail-parent":
        await heard.until("failed", job_id=parent)
        job = await bull.job(parent)
        assert job["failedReason"] == f"child {bull.prefix}:{bull.name}:{child} failed"
        return
    await heard.until("completed", job_id=parent)
    values = await bull.call("getChildrenValues", jobId=parent)
    counts = await ours.child_counts(parent)
    assert (counts.fatal, counts.tolerated) == (0, int(policy in ("flow-continue-parent", "flow-ignore")))
    if policy == "flow-none":
        assert sorted(values.values()) == ["at last", "fine"]
    elif policy != "flow-continue-parent":  # that one does not wait for the other child
        assert list(values.values()) == ["fine"]


@policies(FROM_CORRAL)
async def test_a_child_of_corral_fails_in_node(
    policy: str, bull: NodeQueue, ours: QueueClient, heard: Heard, client: Client
) -> None:
    """Node follows the policy that Corral wrote."""
    failing = ours.node("a", FAILS, attempts=1, on_failure=POLICIES[policy][0])
    flow = await ours.node("p", {}, children=[failing, ours.node("b", returns("fine"))]).enqueue(client)
    async with node_worker(bull):
        await check_outcome(policy, bull, ours, heard, flow.id, flow.job(failing).id)


@policies(FROM_NODE)
async def test_a_child_of_node_fails_in_corral(
    policy: str, bull: NodeQueue, ours: QueueClient, heard: Heard, redis_url: str, prefix: str
) -> None:
    """Corral follows the policy that Node wrote."""
    children = [
        tree_of_node(bull, "a", FAILS, **POLICIES[policy][1]),
        tree_of_node(bull, "b", returns("fine")),
    ]
    added = await bull.call("addFlow", flow=tree_of_node(bull, "p", {}, *children))
    child = added["children"][0]["job"]["id"]
    async with corral_worker(redis_url, prefix, bull.name):
        await check_outcome(policy, bull, ours, heard, added["job"]["id"], child)


@row("flow-run-time", FROM_NODE)
async def test_node_adds_children_at_run_time(
    bull: NodeQueue, ours: QueueClient, redis_url: str, prefix: str
) -> None:
    """A Node processor adds children to its job and waits; Corral runs them, and so releases the parent."""
    other = f"{bull.name}-children"
    children = [{"queue": other, "name": "c", "data": returns(n)} for n in (1, 2)]
    job = await ours.enqueue("p", {"script": [{"do": "children", "children": children}, {"do": "values"}]})
    async with corral_worker(redis_url, prefix, other), node_worker(bull):
        assert await job.result(timeout=20) == [1, 2]


@row("flow-run-time", FROM_CORRAL)
async def test_corral_adds_children_at_run_time(bull: NodeQueue, heard: Heard, client: Client) -> None:
    """A Corral handler adds children to the job of a Node producer; Node runs them, and so releases the parent."""
    tasks, other = Queue(bull.name), f"{bull.name}-children"

    @tasks.task
    async def parent(_: dict[str, Any], ctx: Context) -> list[int]:
        return await ctx.run_children([client.queue(other).node("c", returns(n)) for n in (2, 1)])

    job_id = await bull.add("parent", {})
    async with Worker(tasks, client=client):
        await heard.until("waiting-children", job_id=job_id)
        async with node_worker(bull, queue=other):
            await heard.until("completed", job_id=job_id)
    assert (await bull.job(job_id))["returnvalue"] == [2, 1]


@row("form-parent", FROM_CORRAL)
async def test_node_reads_a_parent_of_corral(bull: NodeQueue, ours: QueueClient, client: Client) -> None:
    """Job.fromId of a parent and of its child has what was given, and each other's place."""
    child = ours.node("c", returns(7), delay=60)
    flow = await ours.node("p", {"n": 1}, priority=3, children=[child]).enqueue(client)
    parent, child_id = await bull.job(flow.id), flow.job(child).id
    assert (parent["name"], parent["data"], parent["priority"]) == ("p", {"n": 1}, 3)
    assert await bull.state(flow.id) == "waiting-children"
    assert await bull.counts() == {"waiting-children": 1, "delayed": 1}
    stored = await bull.job(child_id)
    assert stored["parentKey"] == f"{bull.prefix}:{bull.name}:{flow.id}"
    assert (stored["parent"]["id"], stored["opts"]["parent"]["id"]) == (flow.id, flow.id)


@row("flow-dependencies", FROM_CORRAL)
@pytest.mark.parametrize("node", VERSIONS, indirect=True)  # the port has no verb for it
async def test_node_reads_a_flow_of_corral(
    bull: NodeQueue, ours: QueueClient, heard: Heard, client: Client, redis_url: str, prefix: str
) -> None:
    """Node's getDependencies, counts and getFlow see the family that Corral made and partly ran."""
    done, late = ours.node("a", returns(7)), ours.node("b", {}, delay=60)
    flow = await ours.node("p", {}, children=[done, late]).enqueue(client)
    async with corral_worker(redis_url, prefix, bull.name):
        await heard.until("completed", job_id=flow.job(done).id)
    base = f"{bull.prefix}:{bull.name}:"
    found = await bull.call("getDependencies", jobId=flow.id)
    assert found["processed"] == {base + flow.job(done).id: 7}
    assert found["unprocessed"] == [base + flow.job(late).id]
    counts = await bull.call("getDependenciesCount", jobId=flow.id)
    assert (counts["processed"], counts["unprocessed"]) == (1, 1)
    tree = await bull.call("getFlow", jobId=flow.id)
    assert sorted(child["job"]["id"] for child in tree["children"]) == sorted(job.id for job in flow.jobs[1:])
    assert await bull.call("removeChildDependency", jobId=flow.job(late).id) is True
    assert await bull.state(flow.id) == "waiting"


@row("flow-dependencies", FROM_NODE)
@row("form-parent", FROM_NODE)
async def test_corral_reads_a_flow_of_node(bull: NodeQueue, ours: QueueClient, heard: Heard) -> None:
    """Corral's readers see the family that Node made and partly ran, and a child is detached."""
    children = [tree_of_node(bull, "a", returns(7)), tree_of_node(bull, "b", {}, delay=60_000)]
    added = await bull.call("addFlow", flow=tree_of_node(bull, "p", {}, *children))
    parent, (done, late) = added["job"]["id"], [child["job"]["id"] for child in added["children"]]
    async with node_worker(bull):
        await heard.until("completed", job_id=done)
    assert await ours.child_counts(parent) == ChildCounts(1, 1, 0, 0)
    assert [child.value for child in (await ours.children(parent, "completed")).children] == [7]
    tree = await ours.flow(parent)
    assert tree is not None
    assert {child.job.id for child in tree.children} == {done, late}
    assert [child.job_id for child in (await ours.job(parent).why_waiting()).children] == [late]
    assert await ours.job(late).detach()
    assert await bull.state(parent) == "waiting"


async def test_the_same_family_in_the_same_keys(bull: NodeQueue, ours: QueueClient, client: Client) -> None:
    """A tree that Corral adds is stored as Node stores it: the same fields of parent and child, in the same places."""
    options = {"attempts": 1, "backoff": None, "remove_on_complete": True, "remove_on_fail": True}
    child = ours.node("c", {}, job_id="c1", on_failure="ignore", **options)  # type: ignore[arg-type]
    await ours.node("p", {}, job_id="p1", children=[child], **options).enqueue(client)  # type: ignore[arg-type]
    node_child = tree_of_node(bull, "c", {}, jobId="c2", ignoreDependencyOnFailure=True)
    await bull.call("addFlow", flow=tree_of_node(bull, "p", {}, node_child, jobId="p2"))
    theirs, mine = await bull.job("c2"), await bull.job("c1")
    assert mine["parentKey"].replace("p1", "p2") == theirs["parentKey"]
    assert {**mine["parent"], "id": "p2"} == theirs["parent"]
    assert mine["opts"]["parent"]["queue"] == theirs["opts"]["parent"]["queue"]
    assert await bull.counts() == {"waiting": 2, "waiting-children": 2}
