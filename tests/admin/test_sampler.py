"""Samples: what each minute brought to a queue, taken once by whoever comes first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis.asyncio

from corral import Client, InvalidOption, JobState, Queue, Sampler, Worker
from corral.admin import sampler as sampling
from corral.admin.admin import Admin
from corral.admin.queue import QueueAdmin
from corral.engine.record import Verb
from corral.engine.script import Script
from tests.admin import failing
from tests.engine.driver import Driver, end, new_job

MINUTE = 60_000
BEGIN = 1_700_000_040_000
"""A minute begins."""

HOSTILE = [
    "",
    "\x00",
    "NaN",
    "1e999",
    "-5",
    "9" * 30,
    "½",
    "{",
    '{"delay":"x"}',
    '{"delay":1e308}',
    "[" * 5000,
]


def at(minutes: float) -> datetime:
    """So many minutes later."""
    return datetime.fromtimestamp(BEGIN / 1000, UTC) + timedelta(minutes=minutes)


@pytest.fixture
async def driver(admin: Admin, queue_name: str) -> AsyncIterator[Driver]:
    """The test's queue, driven call by call."""
    link = await admin.server.link()
    yield Driver(admin.server, link, admin.server.keys(queue_name), now=BEGIN)
    await link.close()


@pytest.fixture
def sampler(admin: Admin, queue_name: str) -> Sampler:
    """A sampler of the test's queue."""
    return Sampler(admin.server, [queue_name])


async def work(
    driver: Driver, wire_id: str, *, wait: int, run: int, verb: Verb = Verb.COMPLETE, keep: int = -1
) -> None:
    """A job is added now, waits, runs and ends."""
    await driver.add(new_job(wire_id))
    driver.now += wait
    held = await driver.take_one()
    driver.now += run
    await driver.settle(end(held, verb, '"r"', keep=keep), points=100)


async def test_a_minute(operated: QueueAdmin, driver: Driver, sampler: Sampler) -> None:
    """A sample has what is in the queue, what ended in the minute, how long it waited and ran, and what waits."""
    for number in range(18):
        await work(driver, f"j{number}", wait=100, run=20)
    await work(driver, "slow", wait=3000, run=900)
    await work(driver, "bad", wait=100, run=40, verb=Verb.FAIL)
    await driver.add("waits")
    driver.now = BEGIN + MINUTE + 1
    await driver.add(new_job("first", lifo=True))
    await driver.settle(end(await driver.take_one()))
    assert await sampler.sample_once(at(1.1)) == 1
    (sample,) = await operated.samples(at(0))
    assert sample.at == at(0)
    assert (sample.completed, sample.failed, sample.measured) == (19, 1, 20)
    assert (sample.wait_p50, sample.wait_p95, sample.run_p50, sample.run_p95) == (100, 100, 20, 40)
    assert sample.counts[JobState.COMPLETED] == 20
    assert sample.counts[JobState.WAITING] == 1
    assert sample.oldest_waiting is not None
    assert 55_000 < sample.oldest_waiting < 66_000


async def test_jobs_that_are_not_kept_are_counted(
    operated: QueueAdmin, driver: Driver, sampler: Sampler
) -> None:
    """The metrics know of jobs that are removed when they end, minute by minute, also of minutes long over; the sets
    know of those that no metrics count. The larger number holds."""
    for minute, jobs in ((0, 3), (1, 0), (2, 2)):
        driver.now = BEGIN + minute * MINUTE
        for number in range(jobs):
            await work(driver, f"j{minute}-{number}", wait=1, run=1, keep=0)
    for minute in range(4):
        await sampler.sample_once(at(minute + 1))
    assert [sample.completed for sample in await operated.samples(at(0))] == [3, 0, 2, 0]
    assert [sample.measured for sample in await operated.samples(at(0))] == [0, 0, 0, 0]
    await driver.call("DEL", driver.keys.key("metrics_completed"), driver.keys.key("metrics_completed_data"))
    driver.now = BEGIN + 4 * MINUTE
    await driver.add("kept")
    await driver.settle(end(await driver.take_one()))
    await sampler.sample_once(at(5))
    assert [sample.completed for sample in await operated.samples(at(4))] == [1]


async def test_waiting_begins_when_a_job_is_due(
    operated: QueueAdmin, driver: Driver, sampler: Sampler
) -> None:
    """A delay is no waiting; what was tried again does not count, since its first start is not kept."""
    await driver.add(new_job("later", delay=5000, opts='{"delay":5000}'))
    driver.now += 5200
    await driver.settle(end(await driver.take_one()))
    await driver.add("again")
    await driver.settle(end(await driver.take_one(), Verb.RETRY, "r"))
    driver.now += 7000
    await driver.settle(end(await driver.take_one()))
    await sampler.sample_once(at(1))
    (sample,) = await operated.samples(at(0))
    assert (sample.measured, sample.wait_p50, sample.wait_p95) == (2, 200, 200)


async def test_one_sample_a_minute(admin: Admin, operated: QueueAdmin, driver: Driver) -> None:
    """Of any number of samplers one takes the sample of a minute, and no minute is sampled twice or later on."""
    await driver.add("j")
    samplers = [Sampler(admin.server, [operated.name]) for _ in range(5)]
    taken = await asyncio.gather(*(each.sample_once(at(3)) for each in samplers))
    assert sorted(taken) == [0, 0, 0, 0, 1]
    assert await samplers[0].sample_once(at(3.9)) == 0
    assert await samplers[0].sample_once(at(1)) == 0
    assert await samplers[0].sample_once(at(4)) == 1
    assert [sample.at for sample in await operated.samples(at(0))] == [at(2), at(3)]


async def test_gaps_are_gaps(operated: QueueAdmin, sampler: Sampler) -> None:
    """Minutes without a sampler are missing; `since` is in the answer and `until` is not."""
    for minute in (1, 2, 5):
        await sampler.sample_once(at(minute))
    assert [sample.at for sample in await operated.samples(at(-5))] == [at(0), at(1), at(4)]
    assert [sample.at for sample in await operated.samples(at(1), at(4))] == [at(1)]
    assert await operated.samples(at(4), at(1)) == []
    with pytest.raises(InvalidOption):
        await operated.samples(datetime(2026, 1, 1))  # noqa: DTZ001


async def test_a_week_is_kept(
    operated: QueueAdmin, sampler: Sampler, driver: Driver, raw: redis.asyncio.Redis, queue_name: str
) -> None:
    """About as many samples as a week has minutes stay, and none of them when nothing is sampled for a week."""
    key = driver.keys.key("samples")
    await sampler.sample_once(at(0))
    entries: Any = await raw.xrange(key)
    text = entries[0][1]["sample"]
    async with raw.pipeline(transaction=False) as pipe:
        for minute in range(10_300):
            pipe.xadd(key, {"sample": text}, id=f"{BEGIN + minute * MINUTE}-0")
        await pipe.execute()
    await sampler.sample_once(at(10_301))
    assert 10_080 <= await raw.xlen(key) < 10_200
    assert len(await operated.samples(at(0), at(10_302))) == await raw.xlen(key)
    for name in ("samples", "sampled"):
        assert 0 < await raw.pttl(driver.keys.key(name)) <= 7 * 86_400_000


async def test_what_a_sample_costs(
    admin: Admin, driver: Driver, raw: redis.asyncio.Redis, sampler: Sampler
) -> None:
    """A sample is two calls, and following the failures three more; whoever comes second makes one call."""
    await driver.add("j")
    calls = list[str]()
    server: Any = admin.server
    run, call = server.run, server.call

    async def counted_run(script: Script, *words: Any, **options: Any) -> Any:
        calls.append(script.name)
        return await run(script, *words, **options)

    async def counted_call(*words: Any, **options: Any) -> Any:
        calls.append(words[0])
        return await call(*words, **options)

    server.run, server.call = counted_run, counted_call
    await sampler.sample_once(at(1))
    assert calls == [
        "gather/take_sample",
        "gather/write_sample",
        "HGET",
        "browse/page_failures",
        "gather/tend_groups",
    ]
    calls.clear()
    await sampler.sample_once(at(1))
    assert calls == ["gather/take_sample"]


async def test_failures_are_filed(
    operated: QueueAdmin, driver: Driver, sampler: Sampler, raw: redis.asyncio.Redis
) -> None:
    """The sampler keeps the failures filed, so that a look at them covers more than it files itself."""
    await failing.fail(raw, driver.keys, [f"j{number}" for number in range(2500)])
    await sampler.sample_once(at(1))
    found = await operated.failures.groups()
    assert (found.covered, found.exact) == (2500, True)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_jobs(operated: QueueAdmin, driver: Driver, sampler: Sampler, text: str) -> None:
    """Whatever another client has written into jobs, the minute is sampled."""
    for field in ("timestamp", "opts", "ats", "processedOn", "finishedOn"):
        await driver.call("HSET", driver.keys.job(field), "timestamp", BEGIN, field, text)
        await driver.call("ZADD", driver.keys.key("completed"), BEGIN + 5, field)
        await driver.call("LPUSH", driver.keys.key("wait"), field)
        await driver.call("RPUSH", driver.keys.key("wait"), field)
    await driver.call("SET", driver.keys.job("none"), text)
    await driver.call("RPUSH", driver.keys.key("wait"), "none")
    await driver.call(
        "HSET", driver.keys.key("metrics_completed"), "count", text, "prevTS", BEGIN, "prevCount", text
    )
    assert await sampler.sample_once(at(1)) == 1
    (sample,) = await operated.samples(at(0))
    assert sample.completed == 5


async def test_all_queues_and_damaged_ones(
    admin: Admin, client: Client, driver: Driver, queue_name: str, raw: redis.asyncio.Redis
) -> None:
    """Without names all queues are sampled; one whose keys are damaged is left out, and the others are not."""
    for name in ("a", "b", "c"):
        await client.queue(f"{queue_name}-{name}").enqueue("n", {})
    await raw.set(admin.server.keys(f"{queue_name}-b").key("samples"), "x")
    everything = Sampler(admin.server)
    assert await everything.sample_once(at(1)) == 2
    assert len(await admin.queue(f"{queue_name}-c").samples(at(0))) == 1


@pytest.mark.parametrize("samples", [True, False])
async def test_workers_sample(
    client: Client, operated: QueueAdmin, monkeypatch: pytest.MonkeyPatch, samples: bool
) -> None:
    """A worker samples its queues, unless it is told not to."""
    rounds = asyncio.Event()

    def soon() -> float:
        rounds.set()
        return 0.001

    monkeypatch.setattr(sampling, "until_next_round", soon)
    queue = Queue(operated.name)

    @queue.task
    async def n(_: int) -> None: ...

    async with Worker(queue, client=client, samples=samples):
        job = await n.enqueue(client, 1)
        await job.wait(timeout=10)
        since = datetime.fromtimestamp(time.time() - 300, UTC)
        while samples and not await operated.samples(since):
            pass
    assert rounds.is_set() is samples


async def test_the_next_round() -> None:
    """It begins some seconds after the next minute."""
    assert 0 < sampling.until_next_round() <= 65
