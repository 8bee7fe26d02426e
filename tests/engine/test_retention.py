"""Retention: how many finished jobs are kept, and for how long (wire format §§11, 16)."""

from __future__ import annotations

import pytest

from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job

PARTS = ("", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful", ":lock")


async def finish(
    driver: Driver, *ids: str, verb: Verb = Verb.COMPLETE, keep: int = -1, age: int = -1
) -> None:
    """Run jobs to their end, a millisecond apart."""
    for wire_id in ids:
        await driver.add(wire_id)
        assert await driver.settle(end(await driver.take_one(), verb, "null", keep=keep, age=age)) == [0]
        driver.now += 1


@pytest.mark.parametrize(("verb", "target"), [(Verb.COMPLETE, "completed"), (Verb.FAIL, "failed")])
class TestBothEnds:
    """Completed and failed jobs are kept by the same rules, each set by itself."""

    async def test_all(self, driver: Driver, verb: Verb, target: str) -> None:
        """Without a limit nothing is removed."""
        await finish(driver, *"abcd", verb=verb)
        assert list(await driver.scores(target)) == list("abcd")

    async def test_none(self, driver: Driver, verb: Verb, target: str) -> None:
        """Count 0 removes the job and all its keys at its end; its event still says how it ended."""
        await driver.add("a")
        run = await driver.take_one()
        await driver.call("RPUSH", driver.keys.job("a") + ":logs", "x")
        await driver.settle(end(run, verb, '"r"', keep=0))
        assert await driver.scores(target) == {}
        assert await driver.call("EXISTS", *(driver.keys.job("a") + part for part in PARTS)) == 0
        assert len(await driver.events(target)) == 1

    async def test_by_count(self, driver: Driver, verb: Verb, target: str) -> None:
        """The newest n stay; of the others every key is removed, and no event is written."""
        await driver.call("RPUSH", driver.keys.job("a") + ":logs", "x")
        await finish(driver, *"abcd", verb=verb, keep=2)
        assert list(await driver.scores(target)) == ["c", "d"]
        keys = [driver.keys.job(wire_id) + part for wire_id in "ab" for part in PARTS]
        assert await driver.call("EXISTS", *keys) == 0
        assert await driver.events("removed") == []

    async def test_by_age(self, driver: Driver, verb: Verb, target: str) -> None:
        """What ended `age` seconds ago or earlier is removed when another job ends."""
        await finish(driver, "a", "b", verb=verb)
        driver.now += 9_998
        await finish(driver, "c", verb=verb, age=10)
        assert list(await driver.scores(target)) == ["b", "c"]

    async def test_by_count_and_age(self, driver: Driver, verb: Verb, target: str) -> None:
        """Both limits hold at once."""
        await finish(driver, *"abcd", verb=verb)
        driver.now += 9_998
        await finish(driver, "e", verb=verb, keep=2, age=10)
        assert list(await driver.scores(target)) == ["d", "e"]

    async def test_the_other_set_is_left_alone(self, driver: Driver, verb: Verb, target: str) -> None:
        """A completed job never pushes out a failed one, nor the reverse."""
        other = Verb.FAIL if verb is Verb.COMPLETE else Verb.COMPLETE
        await finish(driver, "x", verb=other)
        await finish(driver, "a", "b", verb=verb, keep=1)
        assert list(await driver.scores(target)) == ["b"]
        assert await driver.fields("x")


async def test_mixed_policies_in_one_batch(driver: Driver) -> None:
    """Each run of a batch is kept by its own policy, applied in the order of the batch."""
    await finish(driver, "old")
    await driver.add("a", "b", "c", "d", "e")
    a, b, c, d, e = await driver.take(5)
    ends = [
        end(a),
        end(b, keep=0),
        end(c, Verb.FAIL, "x", keep=5),
        end(d, keep=1),
        end(e, Verb.FAIL, "x", keep=0),
    ]
    assert await driver.settle(*ends) == [0] * 5
    assert list(await driver.scores("completed")) == ["d"]
    assert list(await driver.scores("failed")) == ["c"]
    hashes = [wire_id for wire_id in ("old", *"abcde") if await driver.fields(wire_id)]
    assert hashes == ["c", "d"]


async def test_a_batch_larger_than_what_is_kept(driver: Driver) -> None:
    """A batch that itself exceeds the count leaves exactly the count."""
    await driver.add(*(f"j{number}" for number in range(9)))
    await driver.settle(*(end(run, keep=3) for run in await driver.take(9)))
    assert list(await driver.scores("completed")) == ["j6", "j7", "j8"]


async def test_trimming_is_bounded(driver: Driver) -> None:
    """At most a thousand are removed in a call, the oldest first, so that a new setting cannot stop the server."""
    await driver.call("EVAL", "for n = 1, 1500 do redis.call('ZADD', KEYS[1], n, 'j' .. n) end", 1,
                      driver.keys.key("completed"))  # fmt: skip
    await finish(driver, "a", keep=10)
    assert len(await driver.scores("completed")) == 501
    assert next(iter(await driver.scores("completed"))) == "j1001"
    await finish(driver, "b", keep=10)
    assert len(await driver.scores("completed")) == 10


async def test_trimmed_children_release_their_parent(driver: Driver) -> None:
    """A failed child that is trimmed no longer keeps its parent waiting."""
    parent = driver.keys.job("p")
    await driver.call("HSET", parent, "name", "p", "data", "{}", "priority", 0, "delay", 0)
    await driver.call("ZADD", driver.keys.key("waiting_children"), 1, "p")
    await driver.call("SADD", parent + ":dependencies", driver.keys.job("a"))
    await driver.add("a")
    await driver.call("HSET", driver.keys.job("a"), "parentKey", parent)
    run = await driver.take_one()
    await driver.settle(end(run, Verb.FAIL, "x"))
    assert await driver.waiting() == []
    await finish(driver, "b", verb=Verb.FAIL, keep=1)
    assert await driver.waiting() == ["p"]


async def test_unreadable_jobs_are_trimmed_like_others(driver: Driver) -> None:
    """A finished id whose key holds no hash does not stop what trims it."""
    await driver.call("SET", driver.keys.job("bad"), "bytes")
    await driver.call("ZADD", driver.keys.key("failed"), 1, "bad")
    await finish(driver, "a", verb=Verb.FAIL, keep=1)
    assert list(await driver.scores("failed")) == ["a"]
    assert await driver.call("EXISTS", driver.keys.job("bad")) == 0


async def test_a_dedup_window_survives_trimming(driver: Driver) -> None:
    """Removing a finished job leaves its deduplication window alone (§11)."""
    await driver.add(new_job("a", rule={"id": "d", "ttl": 60_000}))
    await driver.settle(end(await driver.take_one()))
    driver.now += 1
    await finish(driver, "b", keep=1)
    assert await driver.call("GET", driver.keys.base + "de:d") == "a"
