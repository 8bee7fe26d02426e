"""Looking back: a week in some stretches, without reading each of its minutes."""

from __future__ import annotations

from typing import Any

import pytest
import redis.asyncio

from corral import Admin, Client, JobState, Sampler
from corral.admin.lookback import Lookback, sum_of
from corral.contracts.stretch import MINUTE_MS, QUARTER_MS
from tests.admin.samples_of_time import at_ms, write_samples

BEGIN = 1_700_000_100_000
"""A quarter of an hour begins."""
WEEK = 7 * 24 * 60


@pytest.fixture
async def lookback(admin: Admin) -> Lookback:
    """A look at the test's server."""
    return Lookback(admin.server)


@pytest.fixture
async def begun(client: Client, queue_name: str) -> str:
    """The test's queue, which exists."""
    await client.queue(queue_name).enqueue("n", {})
    return queue_name


def now(minutes: float) -> int:
    """Some time into a minute, so that the one before it has been sampled."""
    return BEGIN + int(minutes * MINUTE_MS) + 20_000


async def test_by_the_minute(admin: Admin, lookback: Lookback, begun: str, raw: redis.asyncio.Redis) -> None:
    """An hour in minutes: each where it was, those before the samples and gaps in them are empty."""
    await write_samples(raw, admin.server.keys(begun), BEGIN, [0, 1, 2, 5], completed=7)
    (past,) = await lookback.read([begun], minutes=60, step=1, now_ms=now(6))
    assert (past.begin, past.step, past.end) == (BEGIN - 54 * MINUTE_MS, MINUTE_MS, BEGIN + 6 * MINUTE_MS)
    assert [at for at, one in enumerate(past.stretches) if one] == [54, 55, 56, 59]
    assert past.stretches[59] is not None
    assert past.stretches[59].completed == 7
    assert len(past.stretches) == 60
    assert not past.is_empty


async def test_minutes_and_quarters_tell_the_same(
    admin: Admin, lookback: Lookback, begun: str, raw: redis.asyncio.Redis
) -> None:
    """A week that was rolled up is the week as its minutes tell it, and is read in a fraction of the entries; what has
    not been rolled up yet comes from the minutes."""
    keys = admin.server.keys(begun)
    minutes = [minute for minute in range(-WEEK + 10, 8) if not -500 < minute < -300]
    await write_samples(raw, keys, BEGIN, minutes, completed=3, wait_p95=900)
    (by_minutes,) = await lookback.read([begun], minutes=WEEK, step=60, now_ms=now(8))
    await Sampler(admin.server, [begun]).sample_once(at_ms(BEGIN + MINUTE_MS * 16))
    assert await raw.xlen(keys.key("quarters")) in range(655, 673)
    (by_quarters,) = await lookback.read([begun], minutes=WEEK, step=60, now_ms=now(8))
    assert by_quarters.stretches[1:-1] == by_minutes.stretches[1:-1]
    assert sum(one is None for one in by_quarters.stretches) == 3
    hour = by_quarters.stretches[-2]
    assert hour is not None
    assert (hour.completed, hour.minutes, hour.wait_p95) == (180, 60, 900)


async def test_nothing_is_rolled_up_twice(
    admin: Admin, begun: str, raw: redis.asyncio.Redis, lookback: Lookback
) -> None:
    """Each quarter is written when the next one has begun, by whoever samples its first minute; one that was missed
    then is made up for later on. A quarter that has begun is not written."""
    keys, sampler = admin.server.keys(begun), Sampler(admin.server, [begun])

    async def quarters() -> list[int]:
        entries: Any = await raw.xrange(keys.key("quarters"))
        return [(int(entry.partition("-")[0]) - BEGIN) // QUARTER_MS for entry, _ in entries]

    await write_samples(raw, keys, BEGIN, range(15), completed=1)
    await sampler.sample_once(at_ms(BEGIN + 15 * MINUTE_MS + 1))
    assert await quarters() == []
    await sampler.sample_once(at_ms(BEGIN + 16 * MINUTE_MS + 1))
    assert await quarters() == [0]
    await write_samples(raw, keys, BEGIN, range(16, 31), completed=1)
    await Sampler(admin.server, [begun]).sample_once(at_ms(BEGIN + 46 * MINUTE_MS + 1))
    assert await quarters() == [0, 1, 2]
    assert 0 < await raw.pttl(keys.key("quarters")) <= 7 * 86_400_000
    (past,) = await lookback.read([begun], minutes=60, step=15, now_ms=now(46))
    assert [one and one.minutes for one in past.stretches] == [15, 15, 1, 1]


async def test_several_queues(
    admin: Admin, lookback: Lookback, client: Client, begun: str, raw: redis.asyncio.Redis
) -> None:
    """Each for itself, and all together; a damaged one shows nothing and hides no other."""
    others = [f"{begun}-{name}" for name in ("quiet", "damaged")]
    for name in others:
        await client.queue(name).enqueue("n", {})
    keys = [admin.server.keys(name) for name in (begun, *others)]
    await write_samples(raw, keys[0], BEGIN, [0, 1], completed=5, waiting=2)
    await write_samples(raw, keys[1], BEGIN, [1], completed=1, waiting=3)
    await raw.set(keys[2].key("samples"), "x")
    found = await lookback.read([begun, *others], minutes=60, step=1, now_ms=now(2))
    assert [past.is_empty for past in found] == [False, False, True]
    before, last = sum_of(found).stretches[-2:]
    assert before is not None
    assert last is not None
    assert (before.completed, before.count(JobState.WAITING)) == (5, 2)
    assert (last.completed, last.count(JobState.WAITING), last.minutes) == (6, 5, 1)
    assert await lookback.read([], minutes=60, step=1) == []
