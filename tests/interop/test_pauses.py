"""Pausing and resuming by several programs at once: the one place where BullMQ 5 and 6 lose each other's jobs
(wire format §29). Whatever Corral takes part in loses none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import product
from typing import Any

import pytest

from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from tests.interop.bullmq import PORT_VERSION, VERSIONS, Heard, Node, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw

Act = Callable[[str], Awaitable[object]]

V5, V6 = {"5-61", "5-81"}, {"6-7", "port"}
BULLMQ = (*VERSIONS, *PORT_VERSION)


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


async def _all_run(bull: NodeQueue, heard: Heard, ids: list[str]) -> None:
    """Every job is run by a Corral worker, once."""
    async with corral_worker(bull.url, bull.prefix, bull.name, concurrency=1) as worker:
        await heard.until("completed", count=len(ids))
    assert sorted(job.id for job in worker.ran) == sorted(ids)


@row("pause", FROM_CORRAL)
@pytest.mark.port
async def test_node_leaves_a_queue_alone_that_corral_paused(
    bull: NodeQueue, ours: QueueClient, operated: QueueAdmin, heard: Heard
) -> None:
    """Node starts nothing while Corral pauses, not even what comes due; after resume it runs all."""
    await bull.call("startWorker", worker="w", opts={})
    await operated.pause()
    await ours.enqueue("during", {})
    later = await ours.enqueue("later", {}, delay=0.01)
    await heard.until("waiting", job_id=later.id)  # a fetch has promoted it: the worker has looked
    assert await bull.call("workerRan", worker="w") == []
    assert await bull.call("isPaused") is True
    await operated.resume()
    assert await bull.call("isPaused") is False
    await heard.until("completed", count=2)
    assert [name for name in await heard.names() if name in ("paused", "resumed")] == ["paused", "resumed"]


@row("pause-add-resume", FROM_CORRAL)
@pytest.mark.port
async def test_corral_pauses_node_adds_corral_resumes(
    bull: NodeQueue, ours: QueueClient, operated: QueueAdmin, heard: Heard
) -> None:
    """What was there, and what Node adds while Corral pauses, is run after Corral resumes."""
    ids = [(await ours.enqueue("before", {})).id for _ in range(3)]
    await operated.pause()
    ids.append(await bull.add("during", {}))
    await operated.resume()
    await _all_run(bull, heard, ids)


@row("pause-add-other-resumes", FROM_CORRAL)
@pytest.mark.port
async def test_corral_pauses_both_add_node_resumes(
    bull: NodeQueue, ours: QueueClient, operated: QueueAdmin, heard: Heard
) -> None:
    """The dangerous one: BullMQ 5 resumes by renaming its list over `wait`. Corral, which sees a peer of version 5,
    keeps ready ids where that peer looks for them."""
    await bull.call("openQueue")
    ids = [(await ours.enqueue("before", {})).id for _ in range(3)]
    await operated.pause()
    ids += [await bull.add("during", {}), (await ours.enqueue("during", {})).id]
    ids.append(await bull.add("during", {}))
    await bull.call("resume")
    await _all_run(bull, heard, ids)


@row("pause-add-other-resumes", FROM_NODE)
@pytest.mark.port
async def test_node_pauses_both_add_corral_resumes(
    bull: NodeQueue, ours: QueueClient, operated: QueueAdmin, heard: Heard
) -> None:
    """Corral's resume merges whatever lists it finds."""
    ids = [await bull.add("before", {}) for _ in range(3)]
    await bull.call("pause")
    ids += [(await ours.enqueue("during", {})).id, await bull.add("during", {})]
    await operated.resume()
    await _all_run(bull, heard, ids)
