"""What one side's operator does to jobs, the other side sees: three BullMQ versions, both directions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corral import Admin, Client, JobState, Queue
from corral.admin.jobs import JobsAdmin
from corral.client.queue import QueueClient
from corral.errors import JobLocked, JobNotInState
from tests.interop.bullmq import Heard, Node, NodeError, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.snapshot import Raw


async def ended(bull: NodeQueue, job_id: str, *, fails: bool = False) -> None:
    """Let Node take the next job, which is this one, and end it."""
    taken = await bull.call("claim", token="t")
    assert taken["id"] == job_id
    if fails:
        await bull.call("moveToFailed", jobId=job_id, message="boom", unrecoverable=True)
    else:
        await bull.call("moveToCompleted", jobId=job_id, value=1)


class TestCorralActs:
    """Corral's verbs on Node's jobs: Node's Job and QueueEvents tell what happened."""

    @pytest.mark.parametrize(
        "fails",
        [
            pytest.param(True, marks=row("retry", FROM_NODE)),
            pytest.param(False, marks=row("reprocess", FROM_NODE)),
        ],
    )
    async def test_retry(self, bull: NodeQueue, jobs: JobsAdmin, heard: Heard, fails: bool) -> None:
        """A finished job is as new for Node, which hears where it was, and runs it."""
        job_id = await bull.add("n", {})
        await ended(bull, job_id, fails=fails)
        await jobs.retry(job_id)
        seen = await bull.job(job_id)
        assert (seen.get("finishedOn"), seen.get("failedReason"), seen.get("returnvalue")) == (
            None,
            None,
            None,
        )
        assert await bull.state(job_id) == "waiting"
        await heard.until("waiting", count=2)
        assert (await heard.entries())[-1]["fields"]["prev"] == ("failed" if fails else "completed")
        await ended(bull, job_id)
        assert await bull.state(job_id) == "completed"

    @row("retry-all", FROM_NODE)
    async def test_retry_all(self, bull: NodeQueue, jobs: JobsAdmin) -> None:
        """All of Node's failed jobs wait again."""
        for _ in range(5):
            await ended(bull, await bull.add("n", {}), fails=True)
        assert await jobs.count_matching() == await jobs.retry_all() == 5
        assert await bull.counts() == {"waiting": 5}

    @row("promote", FROM_NODE)
    @row("promote-all", FROM_NODE)
    async def test_promote(self, bull: NodeQueue, jobs: JobsAdmin, heard: Heard) -> None:
        """Delayed jobs are ready for Node, each in its line."""
        job_id, urgent = (
            await bull.add("n", {}, delay=60_000),
            await bull.add("n", {}, delay=60_000, priority=3),
        )
        await jobs.promote(job_id)
        assert await jobs.promote_all() == 1
        assert await bull.counts() == {"waiting": 1, "prioritized": 1}
        await heard.until("waiting", count=2)
        assert [await heard.of(one) for one in (job_id, urgent)] == [["added", "delayed", "waiting"]] * 2
        assert (await bull.job(job_id))["delay"] == 0

    @row("change-priority", FROM_NODE)
    @row("change-delay", FROM_NODE)
    @row("update-data", FROM_NODE)
    async def test_changes(self, bull: NodeQueue, jobs: JobsAdmin) -> None:
        """Priority, delay, data and logs are what Node reads."""
        job_id = await bull.add("n", {}, delay=60_000)
        await jobs.set_delay(job_id, 5)
        await jobs.set_data(job_id, {"new": [1]})
        await jobs.set_priority(job_id, 7)
        await jobs.add_log(job_id, "a row")
        seen = await bull.job(job_id)
        assert (seen["delay"], seen["data"], seen["priority"]) == (5000, {"new": [1]}, 7)
        assert (await bull.call("getJobLogs", jobId=job_id))["logs"] == ["a row"]
        await jobs.clear_logs(job_id)
        assert (await bull.call("getJobLogs", jobId=job_id))["count"] == 0

    @row("remove-children", FROM_NODE)
    @pytest.mark.port
    async def test_remove_children(self, bull: NodeQueue, jobs: JobsAdmin, heard: Heard) -> None:
        """A flow of Node's goes as a whole, and Node hears of each job."""
        child = {"name": "c", "queueName": bull.name, "opts": {"jobId": "c"}}
        parent = {"name": "p", "queueName": bull.name, "opts": {"jobId": "p"}, "children": [child]}
        await bull.call("addFlow", flow=parent)
        assert await jobs.remove("p") == 2
        assert await bull.counts() == {}
        await heard.until("removed", count=2)

    async def test_refusals(self, bull: NodeQueue, jobs: JobsAdmin) -> None:
        """A job that Node's worker holds is neither removed nor retried, and its run goes on."""
        job_id = await bull.add("n", {})
        await bull.call("claim", token="t")
        with pytest.raises(JobLocked):
            await jobs.remove(job_id)
        with pytest.raises(JobNotInState):
            await jobs.retry(job_id)
        await bull.call("moveToCompleted", jobId=job_id, value=1)
        assert await bull.state(job_id) == "completed"


NODE_ACTS: list[tuple[str, str, dict[str, Any], dict[str, Any], JobState]] = [
    ("promote", "promote", {"delay": 60}, {}, JobState.WAITING),
    ("change-priority", "changePriority", {}, {"opts": {"priority": 3}}, JobState.PRIORITIZED),
    ("change-delay", "changeDelay", {"delay": 60}, {"delay": 5000}, JobState.DELAYED),
    ("update-data", "updateData", {}, {"data": {"new": 1}}, JobState.WAITING),
    ("remove", "remove", {}, {}, JobState.UNKNOWN),
    ("promote-all", "promoteJobs", {"delay": 60}, {}, JobState.WAITING),
    ("logs", "log", {}, {"row": "a row"}, JobState.WAITING),
]


class TestNodeActs:
    """Node's verbs on Corral's jobs: Corral's admin tells what happened."""

    @pytest.mark.parametrize(
        ("verb", "options", "arguments", "state"),
        [pytest.param(*act, marks=row(name, FROM_CORRAL)) for name, *act in NODE_ACTS],
    )
    async def test_a_verb(
        self,
        bull: NodeQueue,
        ours: QueueClient,
        jobs: JobsAdmin,
        verb: str,
        options: dict[str, Any],
        arguments: dict[str, Any],
        state: JobState,
    ) -> None:
        """The job is where Node's verb took it."""
        handle = await ours.enqueue("n", {"old": 1}, **options)
        await bull.call(verb, jobId=handle.id, **arguments)
        assert await jobs.state(handle.id) is state
        job = await jobs.get(handle.id)
        if job is not None:
            assert job.data == arguments.get("data", {"old": 1})
            assert job.priority == arguments.get("opts", {"priority": 0})["priority"]
            assert await jobs.logs(handle.id) == ([arguments["row"]] if verb == "log" else [])
            assert [one.id for one in await jobs.list(state)] == [handle.id]

    @pytest.mark.parametrize(
        ("verb", "fails"),
        [
            pytest.param("retry", True, marks=row("retry", FROM_CORRAL)),
            pytest.param("retry", False, marks=row("reprocess", FROM_CORRAL)),
            pytest.param("retryJobs", True, marks=row("retry-all", FROM_CORRAL)),
        ],
    )
    async def test_retry(
        self, bull: NodeQueue, ours: QueueClient, jobs: JobsAdmin, verb: str, fails: bool
    ) -> None:
        """What Node retries is waiting, its outcome forgotten."""
        handle = await ours.enqueue("n", {})
        await ended(bull, handle.id, fails=fails)
        await bull.call(verb, jobId=handle.id, state="failed" if fails else "completed")
        job = await jobs.get(handle.id)
        assert job is not None
        assert (job.state, job.failed_reason, job.returnvalue, job.finished_on) == (
            JobState.WAITING,
            None,
            None,
            None,
        )

    @row("remove-children", FROM_CORRAL)
    @pytest.mark.port
    async def test_remove_children(self, bull: NodeQueue, client: Client, jobs: JobsAdmin) -> None:
        """A flow of Corral's goes as a whole."""
        queue = Queue(bull.name)

        @queue.task
        async def work(number: int) -> None:
            """Never run."""

        flow = await work.node(1, children=[work.node(2), work.node(3)]).enqueue(client)
        await bull.call("remove", jobId=flow.id)
        assert await bull.counts() == {}
        assert await jobs.get(flow.id) is None


POLICIES: list[dict[str, bool]] = [
    {},
    {"failParentOnFailure": True},
    {"ignoreDependencyOnFailure": True},
    {"removeDependencyOnFailure": True},
    {"continueParentOnFailure": True},
]


class TestFlows:
    """Jobs of a flow that Node has added: both operators leave the same of it."""

    async def plant(self, bull: NodeQueue, policy: dict[str, bool]) -> None:
        """A parent with two children, one of which has a child itself; the first child runs next."""
        queue = bull.name
        grandchild = {"name": "g", "queueName": queue, "opts": {"jobId": "g"}}
        first = {"name": "c", "queueName": queue, "opts": {"jobId": "c", "attempts": 1, **policy}}
        second = {"name": "d", "queueName": queue, "opts": {"jobId": "d"}, "children": [grandchild]}
        tree = {"name": "p", "queueName": queue, "opts": {"jobId": "p"}, "children": [first, second]}
        await bull.call("addFlow", flow=tree)
        while (await bull.call("claim", token="t"))["id"] != "c":
            pass

    async def picture(self, raw: Raw, bull: NodeQueue) -> dict[str, Any]:
        """Where all of it is, and what the parent knows of its children."""
        base, found = f"{bull.prefix}:{bull.name}:", dict[str, Any]()
        for name in ("waiting-children", "failed", "completed", "prioritized", "delayed"):
            found[name] = sorted(await raw.zrange(base + name, 0, -1))
        for name in ("wait", "active"):
            found[name] = await raw.lrange(base + name, 0, -1)
        for wire_id in "pcdg":
            found[wire_id] = sorted(await raw.hkeys(base + wire_id))
            found[wire_id + ":dependencies"] = sorted(await raw.smembers(f"{base}{wire_id}:dependencies"))
            found[wire_id + ":unsuccessful"] = await raw.zrange(f"{base}{wire_id}:unsuccessful", 0, -1)
            for part in ("processed", "failed"):
                found[f"{wire_id}:{part}"] = await raw.hgetall(f"{base}{wire_id}:{part}")
        return {key: str(value).replace(bull.prefix, "<prefix>") for key, value in found.items() if value}

    async def both(
        self,
        newest: Node,
        raw: Raw,
        url: str,
        queue: tuple[str, str],
        policy: dict[str, bool],
        act: Callable[[NodeQueue, JobsAdmin | None], Awaitable[object]],
    ) -> list[dict[str, Any]]:
        """What is left after each side's operator has acted, on prefixes of their own."""
        pictures = []
        for side in ("theirs", "ours"):
            bull = NodeQueue(newest, url, f"{queue[0]}-{side}", queue[1])
            await self.plant(bull, policy)
            async with Admin(url, prefix=bull.prefix) as admin:
                await act(bull, admin.queue(bull.name).jobs if side == "ours" else None)
            pictures.append(await self.picture(raw, bull))
        return pictures

    @pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: next(iter(policy), "none"))
    @pytest.mark.parametrize("fails", [True, False])
    async def test_a_child_is_retried(
        self,
        newest: Node,
        raw: Raw,
        redis_url: str,
        prefix: str,
        queue_name: str,
        policy: dict[str, bool],
        fails: bool,
    ) -> None:
        """Its parent waits for it again, or not, as with BullMQ, for each policy."""

        async def act(bull: NodeQueue, jobs: JobsAdmin | None) -> None:
            if fails:
                await bull.call("moveToFailed", jobId="c", message="boom")
            else:
                await bull.call("moveToCompleted", jobId="c", value=5)
            if jobs is None:
                await bull.call("retry", jobId="c", state="failed" if fails else "completed")
            else:
                await jobs.retry("c")

        theirs, ours = await self.both(newest, raw, redis_url, (prefix, queue_name), policy, act)
        assert ours == theirs

    async def test_unprocessed_children_go(
        self, newest: Node, raw: Raw, redis_url: str, prefix: str, queue_name: str
    ) -> None:
        """The same children go, and the one that a worker holds stays."""

        async def act(bull: NodeQueue, jobs: JobsAdmin | None) -> None:
            if jobs is None:
                await bull.call("removeUnprocessedChildren", jobId="p")
            else:
                assert await jobs.remove_unprocessed_children("p") == 2

        theirs, ours = await self.both(newest, raw, redis_url, (prefix, queue_name), {}, act)
        assert ours == theirs

    async def test_all_goes(
        self, newest: Node, raw: Raw, redis_url: str, prefix: str, queue_name: str
    ) -> None:
        """A flow is refused while a worker holds a part of it, and then goes as a whole."""

        async def act(bull: NodeQueue, jobs: JobsAdmin | None) -> None:
            refusal = NodeError if jobs is None else JobLocked
            with pytest.raises(refusal):
                await (bull.call("remove", jobId="p") if jobs is None else jobs.remove("p"))
            await bull.call("moveToCompleted", jobId="c", value=5)
            await (bull.call("remove", jobId="p") if jobs is None else jobs.remove("p"))

        theirs, ours = await self.both(newest, raw, redis_url, (prefix, queue_name), {}, act)
        assert ours == theirs == {}
