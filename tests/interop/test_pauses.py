"""Pausing and resuming by several programs at once: the one place where BullMQ 5 and 6 lose each other's jobs
(wire format §29). Whatever Corral takes part in loses none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import product
from typing import Any

import pytest

from corral.admin.admin import Admin
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from tests.interop.bullmq import PORT_VERSION, VERSIONS, Heard, Node, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.snapshot import Raw

Act = Callable[[str], Awaitable[object]]

V5, V6 = {"5-61", "5-81"}, {"6-7", "port"}
BULLMQ = (*VERSIONS, *PORT_VERSION)


@pytest.fixture
async def operated(redis_url: str, prefix: str, queue_name: str) -> AsyncIterator[QueueAdmin]:
    """The test's queue as Corral's operator sees it."""
    async with Admin(redis_url, prefix=prefix) as admin:
        yield admin.queue(queue_name)


@pytest.fixture
async def sides(
    node_process: Callable[[str], Node], redis_url: str, prefix: str, queue_name: str, ours: QueueClient
) -> AsyncIterator[dict[str, NodeQueue]]:
    """The test's queue as each BullMQ version sees it, all at once."""
    found = {side: NodeQueue(node_process(side), redis_url, prefix, queue_name) for side in BULLMQ}
    yield found
    for queue in found.values():
        await queue.node.call("closeAll")


def mixes() -> Iterator[Any]:
    """Who pauses, who adds, who resumes, all with Corral among them, and which peers Corral was told of. It cannot
    help when BullMQ 5 resumes what BullMQ 6 has paused, or has added to: BullMQ 5 throws that list away."""
    for parties in product(("corral", *BULLMQ), repeat=3):
        pauses, adds, resumes = parties
        if "corral" not in parties or (resumes in V5 and {pauses, adds} & V6):
            continue
        direction = FROM_CORRAL if pauses == "corral" else FROM_NODE
        others = {*parties} - {"corral"}
        marks = [
            row("pause-three-parties", direction, peer=peer) for peer in sorted(others) if len(others) == 2
        ]
        for peers in (5,) if resumes in V5 else (None, 5):
            yield pytest.param(*parties, peers, marks=marks, id="-".join(map(str, (*parties, peers))))


@pytest.mark.parametrize(("pauses", "adds", "resumes", "peers"), [*mixes()])
async def test_nobody_loses_a_job(
    pauses: str,
    adds: str,
    resumes: str,
    peers: int | None,
    operated: QueueAdmin,
    ours: QueueClient,
    sides: dict[str, NodeQueue],
    raw: Raw,
) -> None:
    """Three jobs wait, one pauses, one adds, one resumes: all jobs wait, and those of before run first. Corral must
    know of peers of version 5 only when one of them resumes."""
    await operated.set_peers(peers)

    async def add(side: str, name: str) -> None:
        await (ours.enqueue(name) if side == "corral" else sides[side].add(name, {}))

    async def say(side: str, verb: str) -> None:
        await (getattr(operated, verb)() if side == "corral" else sides[side].call(verb))

    for name in ("a", "b", "c"):
        await add(adds, name)
    await say(pauses, "pause")
    assert await operated.paused() is True
    await add(adds, "later")
    await say(resumes, "resume")
    assert await operated.paused() is False
    names = [job.name for job in await ours.jobs("waiting")]
    assert sorted(names) == ["a", "b", "c", "later"]
    base = f"{sides['6-7'].prefix}:{operated.name}"
    assert (await raw.llen(f"{base}:wait"), await raw.llen(f"{base}:paused")) == (4, 0)
    # Two lists do not say which is older: BullMQ 6 has paused, and what was added went where BullMQ 5 puts it.
    split = pauses in V6 and (adds in V5 or (adds == "corral" and peers == 5))
    if resumes == "corral" and not split:
        assert names == ["a", "b", "c", "later"]


@pytest.mark.parametrize("version", sorted(V5))
async def test_pausing_again_saves_what_another_would_lose(
    version: str, operated: QueueAdmin, sides: dict[str, NodeQueue], raw: Raw
) -> None:
    """BullMQ 6 has paused and BullMQ 5 will resume: when Corral is told so and pauses again, nothing is lost."""
    await sides["6-7"].add("a", {})
    await sides["6-7"].call("pause")
    await sides[version].add("b", {})
    await operated.set_peers(5)
    await operated.pause()
    await sides[version].call("resume")
    assert await raw.llen(f"{sides[version].prefix}:{operated.name}:wait") == 2


@row("pause", FROM_CORRAL)
@pytest.mark.port
async def test_node_hears_and_obeys(
    operated: QueueAdmin, bull: NodeQueue, heard: Heard, ours: QueueClient
) -> None:
    """A Node worker that waits runs nothing while Corral has paused, and goes on when Corral resumes."""
    await bull.call("startWorker", worker="w", opts={})
    await (await ours.enqueue("first")).wait(timeout=10)
    await operated.pause()
    assert await bull.call("isPaused") is True
    await ours.enqueue_many("held", [{}, {}])
    await bull.add("held by node", {})
    assert (await bull.call("getJobCounts", types=["active", "completed"])) == {"active": 0, "completed": 1}
    await operated.resume()
    assert await bull.call("isPaused") is False
    await heard.until("completed", count=4)
    assert [name for name in await heard.names() if name in ("paused", "resumed")] == ["paused", "resumed"]


@pytest.mark.port
async def test_corral_obeys_node(operated: QueueAdmin, bull: NodeQueue, ours: QueueClient) -> None:
    """What Node pauses is paused for Corral, and resumed by Corral it is so for Node."""
    await bull.add("a", {})
    await bull.call("pause")
    assert await operated.paused() is True
    await operated.resume()
    assert await bull.call("isPaused") is False
    assert await bull.counts() == {"waiting": 1}
