"""A rule that one side has stored says to the other side's worker when the next run is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from corral import Cron, Every
from corral.admin.queue import QueueAdmin
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker

pytestmark = pytest.mark.port

FAR = datetime(2100, 1, 1, tzinfo=UTC)
HOUR = 3_600_000


class Rule(NamedTuple):
    """The same rule as each side says it."""

    ours: Cron | Every
    theirs: dict[str, Any]


RULES = {
    "offset": Rule(Every(hours=1, offset=600), {"every": HOUR, "offset": 600_000}),
    "start-date": Rule(Every(hours=1, start=FAR), {"every": HOUR, "startDate": int(FAR.timestamp()) * 1000}),
    "zone": Rule(
        Cron("30 2 * * *", tz="America/New_York"), {"pattern": "30 2 * * *", "tz": "America/New_York"}
    ),
}


def rules(direction: str, but: str = "") -> pytest.MarkDecorator:
    """Each rule, but one, as a parameter that shows its row of the table."""
    return pytest.mark.parametrize(
        "rule",
        [
            pytest.param(rule, marks=row(name, direction), id=name)
            for name, rule in RULES.items()
            if name != but
        ],
    )


async def promoted(operated: QueueAdmin) -> int:
    """Make the pending run ready, long before its time: its time in ms."""
    schedule = await operated.schedules.get("s")
    assert schedule is not None
    assert schedule.next_run is not None
    assert schedule.next_job_id is not None
    await operated.jobs.promote(schedule.next_job_id)
    return round(schedule.next_run.timestamp() * 1000)


async def moved_on(operated: QueueAdmin, due: int) -> None:
    """Wait until the pending run is another than the one that was due."""
    async with asyncio.timeout(20):
        while (found := await operated.schedules.get("s")) and found.next_run:
            if round(found.next_run.timestamp() * 1000) != due:
                return


async def next_run(operated: QueueAdmin) -> int:
    """The time of the pending run in ms, which waits for it."""
    schedule = await operated.schedules.get("s")
    assert schedule is not None
    assert schedule.next_run is not None
    assert [job.id for job in await operated.jobs.list("delayed")] == [schedule.next_job_id]
    return round(schedule.next_run.timestamp() * 1000)


@rules(FROM_CORRAL)
async def test_node_goes_on_with_ours(
    rule: Rule, bull: NodeQueue, operated: QueueAdmin, heard: Heard
) -> None:
    """The next run that BullMQ's worker makes is the next one of Corral's rule."""
    await operated.schedules.upsert("s", rule.ours, "n")
    due = await promoted(operated)
    assert due == rule.ours.next_run(due - 1)
    await bull.call("startWorker", worker="w", opts={})
    await heard.until("completed")
    assert await next_run(operated) == rule.ours.next_run(due)


async def corral_goes_on(rule: Rule, bull: NodeQueue, operated: QueueAdmin, heard: Heard) -> None:
    """The next run that Corral's worker makes is the next one of the rule that BullMQ has stored."""
    await bull.call("upsertJobScheduler", scheduler="s", repeat=rule.theirs, template={"name": "n"})
    due = await promoted(operated)
    async with corral_worker(bull.url, bull.prefix, bull.name):
        await heard.until("completed")
        await moved_on(
            operated, due
        )  # a rule that the script cannot work out is worked out by the worker afterwards
    assert await next_run(operated) == rule.ours.next_run(due)


@rules(FROM_NODE, but="offset")
async def test_corral_goes_on_with_nodes(
    rule: Rule, bull: NodeQueue, operated: QueueAdmin, heard: Heard
) -> None:
    """A start and a zone that BullMQ has stored decide when Corral's next run is."""
    await corral_goes_on(rule, bull, operated, heard)


@row("offset", FROM_NODE)
@pytest.mark.parametrize("node", ["5-81", "6-7", "port"], indirect=True)  # 5.61 takes no notice of it
async def test_corral_goes_on_with_an_offset(bull: NodeQueue, operated: QueueAdmin, heard: Heard) -> None:
    """So does an offset."""
    await corral_goes_on(RULES["offset"], bull, operated, heard)
