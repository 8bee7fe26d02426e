"""Schedules of either side, run, changed, listed and removed by the other."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from corral.client.client import Client
from corral.contracts.schedule import Cron
from corral.engine.recur import (
    NewSchedule,
    Prepared,
    list_schedules,
    read_schedule,
    remove_schedule,
    sweep_schedules,
    upsert_schedule,
)
from tests.interop.bullmq import PORT_VERSION, Heard, NodeQueue
from tests.interop.conformance.rows import BOTH, FROM_CORRAL, FROM_NODE, row
from tests.interop.corral_worker import corral_worker
from tests.interop.snapshot import Raw

pytestmark = pytest.mark.port

FAR = 4_102_444_800_000
RULES: dict[str, dict[str, Any]] = {
    "interval": {"every": 3_600_000},
    "interval with an offset": {"every": 3_600_000, "offset": 1000},
    "bounded interval": {"every": 3_600_000, "limit": 5, "startDate": FAR - 10, "endDate": FAR},
    "pattern": {"pattern": "0 0 3 * * *", "tz": "Europe/Rome"},
    "bounded pattern": {"pattern": "15 3 * * 1", "tz": "UTC", "limit": 2, "endDate": FAR},
}
ROWS = {
    "interval": ["every"],
    "interval with an offset": ["offset"],
    "bounded interval": ["start-date", "end-date"],
    "pattern": ["pattern", "zone"],
    "bounded pattern": ["end-date"],
}
SHORT = {
    "every": {"every": 100},
    "pattern": {"pattern": "* * * * * *", "tz": "UTC"},
}


def rules(*directions: str, but: str = "") -> pytest.MarkDecorator:
    """Every rule, but one, as a parameter that shows its rows of the table in these directions."""
    return pytest.mark.parametrize(
        "rule",
        [
            pytest.param(name, marks=[row(shown, *directions) for shown in ROWS[name]], id=name)
            for name in RULES
            if name != but
        ],
    )


def short_rules(direction: str) -> pytest.MarkDecorator:
    """An interval and a pattern that come round soon, run by the other side."""
    return pytest.mark.parametrize(
        "rule",
        [
            pytest.param(rule, marks=[row(name, direction), row("advance", direction)], id=name)
            for name, rule in SHORT.items()
        ],
    )


TEMPLATES: dict[str, dict[str, Any]] = {
    "plain": {"name": "n"},
    "full": {"name": "n", "data": {"a": [1, "ü"]}, "opts": {"attempts": 3, "priority": 2, "removeOnFail": 7}},
}


class Ours:
    """Corral's side of the test's queue."""

    def __init__(self, client: Client, queue: str) -> None:
        self.server = client.server
        self.keys = client.server.keys(queue)

    async def upsert(
        self, rule: dict[str, Any], template: dict[str, Any], schedule_id: str = "s", **rest: Any
    ) -> str:
        """What `upsertJobScheduler` does, in Corral's words; the id of the pending iteration."""
        cron = Cron(rule["pattern"], tz=rule.get("tz", "UTC")) if "pattern" in rule else None
        data = json.dumps(template.get("data", {}), separators=(",", ":"), ensure_ascii=False)
        new = NewSchedule(
            schedule_id, template["name"], data, json.dumps(template.get("opts", {})),
            rule.get("pattern", ""), rule.get("tz", ""), rule.get("every"), rule.get("offset"), rule.get("limit"),
            rule.get("startDate"), rule.get("endDate"), **rest,
        )  # fmt: skip
        upcoming = None if cron is None else lambda after: Prepared(after, tuple(cron.upcoming(12, after)))
        made = await upsert_schedule(self.server, self.keys, new, upcoming=upcoming)
        return made.wire_id.decode()

    async def sweep(self) -> None:
        """Look at all schedules now."""
        await self.server.call("DEL", self.keys.key("swept"))
        await sweep_schedules(self.server, self.keys, b"", interval_ms=1000)


@pytest.fixture
def schedules(client: Client, queue_name: str) -> Ours:
    """Corral's side."""
    return Ours(client, queue_name)


async def pending(raw: Raw, bull: NodeQueue, schedule_id: str = "s") -> list[str]:
    """Every iteration that waits, in whatever list."""
    base = f"{bull.prefix}:{bull.name}:"
    found = [*await raw.lrange(base + "wait", 0, -1), *await raw.lrange(base + "paused", 0, -1)]
    found += [*await raw.zrange(base + "delayed", 0, -1), *await raw.zrange(base + "prioritized", 0, -1)]
    return [wire_id for wire_id in found if wire_id.startswith(f"repeat:{schedule_id}:")]


async def stored(raw: Raw, bull: NodeQueue, schedule_id: str) -> dict[str, Any]:
    """All that is kept of a schedule, without what differs from one moment to the next."""
    base = f"{bull.prefix}:{bull.name}:"
    [wire_id] = await pending(raw, bull, schedule_id)
    job = await raw.hgetall(base + wire_id)
    definition = await raw.hgetall(f"{base}repeat:{schedule_id}")
    score = await raw.zscore(base + "repeat", schedule_id)
    due = int(wire_id.rpartition(":")[2])
    opts = json.loads(job.pop("opts"))
    grid = definition.get("every") and "offset" not in opts["repeat"]
    assert score == due
    assert int(job["delay"]) == opts.pop("delay")
    if grid:
        assert int(definition.pop("offset")) == due % int(definition["every"])
    for moment in (opts.pop("timestamp"), int(job.pop("timestamp"))):
        assert 0 <= due - moment - int(job["delay"]) <= 1000 or int(job["delay"]) == 0
    job.pop("delay")
    same = {key: opts.pop(key) for key in ("jobId", "repeatJobKey")}
    assert same == {"jobId": wire_id, "repeatJobKey": schedule_id}
    before = opts.pop("prevMillis", due)
    # Nobody reads it of an interval, where the port writes its own clock's time.
    assert before == due or (bull.node.version in PORT_VERSION and "every" in definition)
    if opts.get("attempts") == 0:  # an older BullMQ writes out its default
        del opts["attempts"]
    for fields in (definition, job):
        fields.update({name: json.loads(fields[name]) for name in ("opts", "data") if name in fields})
    assert job.pop("rjk") == schedule_id
    return {"definition": definition, "job": job, "opts": opts}


@pytest.mark.parametrize("template", TEMPLATES)
@rules(*BOTH, but="interval with an offset")
async def test_both_store_the_same(
    rule: str, template: str, bull: NodeQueue, schedules: Ours, raw: Raw
) -> None:
    """The hash of a schedule, its score, its pending job and that job's options are what Node writes."""
    await bull.call("upsertJobScheduler", scheduler="n", repeat=RULES[rule], template=TEMPLATES[template])
    await schedules.upsert(RULES[rule], TEMPLATES[template], "c")
    theirs, ours = await stored(raw, bull, "n"), await stored(raw, bull, "c")
    assert ours == theirs


@row("offset", FROM_NODE)
@pytest.mark.parametrize("node", ["5-81", "6-7", "port"], indirect=True)  # 5.61 takes no notice of it
async def test_an_offset_of_nodes(bull: NodeQueue, schedules: Ours, raw: Raw) -> None:
    """An interval with an offset is stored by both in the same way, and read."""
    rule, template = RULES["interval with an offset"], TEMPLATES["plain"]
    await bull.call("upsertJobScheduler", scheduler="n", repeat=rule, template=template)
    await schedules.upsert(rule, template, "c")
    assert await stored(raw, bull, "c") == await stored(raw, bull, "n")
    _, read = await read_schedule(schedules.server, schedules.keys, "n")
    assert read is not None
    assert (read.every_ms, read.offset_ms) == (rule["every"], rule["offset"])


@row("schedules-listed", FROM_CORRAL)
@rules(FROM_CORRAL)
async def test_node_lists_ours(rule: str, bull: NodeQueue, schedules: Ours) -> None:
    """`getJobSchedulers` and `getJobScheduler` read a schedule of Corral's as they read Node's own."""
    template = TEMPLATES["full"]
    wire_id = await schedules.upsert(RULES[rule], template, "s")
    [read] = await bull.call("getJobSchedulers", start=0, end=-1, asc=True)
    assert read == await bull.call("getJobScheduler", scheduler="s")
    assert (read["key"], read["name"], read["next"]) == ("s", "n", int(wire_id.rpartition(":")[2]))
    assert read["template"] == {"data": template["data"], "opts": template["opts"]}
    assert {name: read.get(name) for name in RULES[rule]} == RULES[rule]
    assert await bull.call("getJobSchedulersCount") == 1


@row("schedules-listed", FROM_NODE)
@rules(FROM_NODE, but="interval with an offset")
async def test_we_list_nodes(rule: str, bull: NodeQueue, schedules: Ours) -> None:
    """Corral reads a schedule of Node's, with the policies that stand for what Node does."""
    job = await bull.call("upsertJobScheduler", scheduler="s", repeat=RULES[rule], template=TEMPLATES["full"])
    page = await list_schedules(schedules.server, schedules.keys)
    [row] = page.schedules
    assert (page.total, row.schedule_id, row.name) == (1, b"s", b"n")
    assert row.next_run == int(job["id"].rpartition(":")[2])
    wire: dict[str, Any] = {
        "every": row.every_ms,
        "limit": row.limit,
        "startDate": row.start_ms,
        "endDate": row.end_ms,
    }
    wire |= {"pattern": row.pattern and row.pattern.decode(), "tz": row.tz and row.tz.decode()}
    wire |= {"offset": row.offset_ms}
    assert {name: wire[name] for name in RULES[rule]} == RULES[rule]
    assert (row.missed, row.overlap, row.ended) == (b"run_once", b"allow", 0)


def assert_a_chain(ids: Sequence[str], every: int) -> None:
    """Each iteration ran once, and they stand on one grid."""
    times = [int(job_id.rpartition(":")[2]) for job_id in ids]
    assert max(Counter(times).values()) == 1
    assert all((later - sooner) % every == 0 and later > sooner for sooner, later in pairwise(sorted(times)))


@short_rules(FROM_NODE)
async def test_node_upserts_and_corral_runs(rule: dict[str, Any], bull: NodeQueue, heard: Heard) -> None:
    """Corral's workers keep a schedule of Node's going."""
    async with corral_worker(bull.url, bull.prefix, bull.name, stalled_interval=0.5) as worker:
        await bull.call("upsertJobScheduler", scheduler="s", repeat=rule, template=TEMPLATES["plain"])
        await heard.until("completed", count=3)
    assert_a_chain([job.id for job in worker.ran], rule.get("every", 1000))
    read = await bull.call("getJobScheduler", scheduler="s")
    assert read["iterationCount"] >= 4


@short_rules(FROM_CORRAL)
async def test_corral_upserts_and_node_runs(
    rule: dict[str, Any], bull: NodeQueue, schedules: Ours, heard: Heard
) -> None:
    """Node's workers keep a schedule of Corral's going."""
    await bull.call("startWorker", worker="w", opts={})
    await schedules.upsert(rule, TEMPLATES["full"])
    await heard.until("completed", count=3)
    ran = (await bull.call("stopWorker", worker="w"))["ran"]
    assert_a_chain([job["id"] for job in ran], rule.get("every", 1000))
    assert ran[0]["data"] == TEMPLATES["full"]["data"]
    _, row = await read_schedule(schedules.server, schedules.keys, "s")
    assert row is not None
    assert row.made >= 4


@row("advance", *BOTH)
async def test_both_run_one_schedule(bull: NodeQueue, heard: Heard, raw: Raw) -> None:
    """Workers of both kinds on one queue: every iteration runs once, whoever takes it, and one is pending."""
    await bull.call("startWorker", worker="w", opts={})
    async with corral_worker(bull.url, bull.prefix, bull.name, stalled_interval=0.3) as worker:
        await bull.call("upsertJobScheduler", scheduler="s", repeat={"every": 40}, template={"name": "n"})
        await heard.until("completed", count=30)
        theirs = (await bull.call("stopWorker", worker="w"))["ran"]
    assert_a_chain([*(job["id"] for job in theirs), *(job.id for job in worker.ran)], 40)
    assert len(await pending(raw, bull)) == 1


def bounds() -> list[Any]:
    """Each way to end a schedule, set by each side, as a parameter that shows its row of the table."""
    makers = {"node": FROM_NODE, "corral": FROM_CORRAL}
    return [
        pytest.param(bound, maker, marks=row(bound, makers[maker]), id=f"{bound}-{maker}")
        for bound in ("limit", "end-date")
        for maker in makers
    ]


async def nothing_is_left(raw: Raw, bull: NodeQueue) -> None:
    """Wait until no iteration waits and none runs: a schedule that goes on has one or the other at any moment."""
    base = f"{bull.prefix}:{bull.name}:"
    async with asyncio.timeout(20):
        while True:
            async with raw.pipeline(transaction=True) as reads:
                reads.llen(base + "wait").llen(base + "active").zcard(base + "delayed")
                if not any(await reads.execute()):
                    return


@pytest.mark.parametrize(("bound", "maker"), bounds())
async def test_a_bound_holds_across(
    bound: str, maker: str, bull: NodeQueue, schedules: Ours, raw: Raw
) -> None:
    """A limit or an end that one side set ends the schedule on the other."""
    await bull.call("openQueue")  # which takes its time
    end = round(time.time() * 1000) + 500
    rule = {"every": 50} | ({"limit": 3} if bound == "limit" else {"endDate": end})
    if maker == "node":
        await bull.call("upsertJobScheduler", scheduler="s", repeat=rule, template={"name": "n"})
        async with corral_worker(bull.url, bull.prefix, bull.name, stalled_interval=0.1):
            await nothing_is_left(raw, bull)
    else:
        await schedules.upsert(rule, {"name": "n"})
        await bull.call("startWorker", worker="w", opts={})
        await nothing_is_left(raw, bull)
        await bull.call("stopWorker", worker="w")
    await schedules.sweep()
    ran = [job["id"] for job in await bull.call("getJobs", types=["completed"], start=0, end=-1)]
    assert await bull.counts() == {"completed": len(ran)}
    if bound == "limit":
        assert len(ran) == 3
    else:  # BullMQ makes one more when the end falls between two
        assert end - 500 <= max(int(job_id.rpartition(":")[2]) for job_id in ran) <= end + 50
    _, row = await read_schedule(schedules.server, schedules.keys, "s")
    assert row is not None
    assert row.ended


@row("upsert-again", *BOTH)
@pytest.mark.parametrize("paused", [False, True], ids=["open", "paused"])
@pytest.mark.parametrize("first", ["node", "corral"])
@pytest.mark.parametrize(
    "rule", [{"every": 3_600_000}, {"pattern": "0 0 3 * * *", "tz": "UTC"}], ids=["interval", "pattern"]
)
async def test_upsert_over_each_other(
    rule: dict[str, Any], first: str, paused: bool, bull: NodeQueue, schedules: Ours, raw: Raw
) -> None:
    """Whoever is last has it, an unchanged rule keeps its time, and one iteration is pending. Corral finds the pending
    one of a paused queue too, which BullMQ 6 does not."""

    async def ours(data: int) -> str:
        return await schedules.upsert(rule, {"name": "ours", "data": data})

    async def theirs(data: int) -> str:
        template = {"name": "theirs", "data": data}
        job = await bull.call("upsertJobScheduler", scheduler="s", repeat=rule, template=template)
        return str(job["id"])

    if paused:
        await bull.call("pause")
    order = [theirs, ours] if first == "node" else [ours] if paused else [ours, theirs, ours]
    ids = [await upsert(number) for number, upsert in enumerate(order)]
    assert len(set(ids)) == 1
    assert await pending(raw, bull) == [ids[-1]]
    job = await bull.job(ids[-1])
    assert (job["name"], job["data"]) == ("ours", len(order) - 1)


@pytest.mark.parametrize(
    "remover",
    [
        pytest.param("node", marks=row("schedule-removed", FROM_CORRAL)),
        pytest.param("corral", marks=row("schedule-removed", FROM_NODE)),
    ],
)
@pytest.mark.parametrize("later", [None, FAR], ids=["due", "delayed"])
async def test_removal_by_the_other(
    remover: str, later: int | None, bull: NodeQueue, schedules: Ours, raw: Raw
) -> None:
    """A removed schedule is gone for both. Of one that Node removes while its iteration is due, that one still runs."""
    rule = {"every": 3_600_000} | ({"startDate": later} if later else {})
    if remover == "node":
        await schedules.upsert(rule, {"name": "n"}, missed="skip")
        assert await bull.call("removeJobScheduler", scheduler="s")
        await schedules.sweep()
        assert await raw.hgetall(schedules.keys.key("schedules")) == {}
    else:
        await bull.call("upsertJobScheduler", scheduler="s", repeat=rule, template={"name": "n"})
        assert await remove_schedule(schedules.server, schedules.keys, "s")
        assert not await bull.call("removeJobScheduler", scheduler="s")
    assert await bull.call("getJobSchedulers", start=0, end=-1, asc=True) == []
    left = remover == "node" and later is None
    assert len(await pending(raw, bull)) == int(left)


async def test_what_node_drained(bull: NodeQueue, schedules: Ours, raw: Raw, heard: Heard) -> None:
    """Node's drain can lose the pending iteration of a schedule; a Corral worker finds that and goes on with it."""
    await bull.call("upsertJobScheduler", scheduler="s", repeat={"every": 200}, template={"name": "n"})
    base = f"{bull.prefix}:{bull.name}:"
    for wire_id in await pending(raw, bull):
        await raw.lrem(base + "wait", 0, wire_id)
        await raw.zrem(base + "delayed", wire_id)
    async with corral_worker(bull.url, bull.prefix, bull.name, stalled_interval=0.3) as worker:
        await heard.until("completed", count=2)
    assert_a_chain([job.id for job in worker.ran], 200)


async def test_a_node_worker_that_died_before_it_went_on(
    bull: NodeQueue, schedules: Ours, raw: Raw, heard: Heard
) -> None:
    """Between its two calls a Node worker may die: the iteration runs again, and the next one is there once."""
    await bull.call("upsertJobScheduler", scheduler="s", repeat={"every": 3_600_000}, template={"name": "n"})
    base = f"{bull.prefix}:{bull.name}:"
    [wire_id] = await pending(raw, bull)
    await raw.lrem(base + "wait", 0, wire_id)
    await raw.lpush(base + "active", wire_id)
    await raw.hset(base + wire_id, mapping={"ats": "1", "processedOn": "1"})
    async with corral_worker(bull.url, bull.prefix, bull.name, stalled_interval=0.2) as worker:
        await heard.until("completed", count=1)
    assert [job.id for job in worker.ran] == [wire_id]
    assert len(await pending(raw, bull)) == 1
