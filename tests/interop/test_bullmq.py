"""The driver itself: what the interop tests rely on when they speak to Node."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from tests.interop.bullmq import NEWEST, VERSIONS, Node, NodeError, NodeQueue
from tests.interop.snapshot import Raw


async def test_the_version_asked_for_is_the_one_that_writes(node: Node, bull: NodeQueue, raw: Raw) -> None:
    """A driver process holds exactly the BullMQ version that it was started for."""
    await bull.call("openQueue")
    version = await raw.hget(f"{bull.prefix}:{bull.name}:meta", "version")
    assert version == f"bullmq:{VERSIONS[node.version]}"


@pytest.mark.port
async def test_a_node_worker_follows_the_script(bull: NodeQueue) -> None:
    """A job's n-th start follows the n-th step of its script, and the last step repeats."""
    script = [{"do": "throw", "message": "not yet"}, {"do": "return", "value": {"sum": 3}, "log": "row"}]
    job_id = await bull.add("scripted", {"script": script}, attempts=2)
    await bull.call("startEvents", events="e")
    await bull.call("startWorker", worker="w", opts={"concurrency": 2})
    await bull.call("waitEvents", events="e", event="completed", count=1, timeout=10_000)
    job = await bull.job(job_id)
    assert job["returnvalue"] == {"sum": 3}
    assert job["attemptsMade"] == 2
    assert (await bull.call("getJobLogs", jobId=job_id))["logs"] == ["row"]


@pytest.mark.port
async def test_events_are_recorded_in_order_with_their_ids(bull: NodeQueue) -> None:
    """The events recorder hears every entry of the stream, from its beginning, in order."""
    await bull.add("plain", {})
    await bull.call("startWorker", worker="w", opts={})
    await bull.call("startEvents", events="e")
    heard = await bull.call("waitEvents", events="e", event="completed", count=1, timeout=10_000)
    heard = await bull.call("events", events="e")
    assert [entry["event"] for entry in heard[:4]] == ["added", "waiting", "active", "completed"]
    ids = [tuple(map(int, entry["id"].split("-"))) for entry in heard]
    assert ids == sorted(set(ids))


@pytest.mark.port
async def test_an_error_inside_node_reaches_the_test_by_name(bull: NodeQueue) -> None:
    """An exception in Node is raised here with its name and message, and the process goes on."""
    with pytest.raises(NodeError, match="there is no job nobody"):
        await bull.state("nobody")
    assert await bull.call("getJobCounts", types=["wait"]) == {"wait": 0}


@pytest.mark.parametrize("turns", range(4))
async def test_a_call_is_cancelled_though_its_answer_comes(
    turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that asks until its deadline is ended by it, also when it falls together with an answer."""
    node, answer = Node(NEWEST), Future[str]()
    monkeypatch.setattr(node, "_send", lambda *_: answer)
    asked = asyncio.ensure_future(node.call("version"))
    await asyncio.sleep(0)
    answer.set_result(NEWEST)
    for _ in range(turns):
        await asyncio.sleep(0)
    in_time = asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled() is in_time


async def test_a_killed_process_is_reported_not_waited_for() -> None:
    """A command to a Node process that was killed fails at once with what the process said last."""
    with Node(next(iter(VERSIONS))) as node:
        assert await node.call("version") == node.version
        node.kill9()
        with pytest.raises((NodeError, BrokenPipeError)):
            await node.call("version", within=5)
