"""Control of a whole queue: pausing and resuming lose no id and keep the order (wire format §§19, 29)."""

from __future__ import annotations

import pytest

from corral.engine.control_queue import deduplication_owner, pause_queue, remove_deduplication, resume_queue
from corral.engine.sender import Sent
from tests.engine.driver import Driver, end, new_job


async def pause(driver: Driver, step: int = 2000) -> int:
    """Pause until it is done; how many calls that took."""
    calls = 1
    while await pause_queue(driver.server, driver.keys, step=step):
        calls += 1
    return calls


async def resume(driver: Driver, step: int = 2000) -> int:
    """Resume until it is done; how many calls that took."""
    calls = 1
    while await resume_queue(driver.server, driver.keys, step=step):
        calls += 1
    return calls


async def parked(driver: Driver) -> list[str]:
    """Ids in `paused`, the next to run first."""
    ids: list[str] = await driver.call("LRANGE", driver.keys.key("paused"), 0, -1)
    return ids[::-1]


async def as_bullmq_5(driver: Driver) -> None:
    """The queue belongs to a BullMQ 5 program."""
    await driver.call("HSET", driver.keys.key("meta"), "version", "bullmq:5.81.3")


async def put(driver: Driver, name: str, *ids: str) -> None:
    """Ids in a list, the first to run first."""
    await driver.call("LPUSH", driver.keys.key(name), *ids)


async def test_a_paused_queue_hands_out_nothing(driver: Driver) -> None:
    """Ids stay where they are, no wake-up is left, and `paused` is told once."""
    await driver.add("a", new_job("p", priority=1))
    assert await pause(driver) == 1
    assert await driver.take(5) == []
    assert await driver.scores("marker") == {}
    assert await driver.waiting() == ["a"]
    await pause(driver)
    assert await driver.events("paused") == [{"event": "paused"}]


async def test_a_resumed_queue_hands_out(driver: Driver) -> None:
    """What waits may run, a worker is woken, and `resumed` is told once."""
    await pause(driver)
    await driver.add("a")
    assert await resume(driver) == 1
    assert await driver.scores("marker") == {"0": 0}
    await resume(driver)
    assert await driver.events("resumed") == [{"event": "resumed"}]
    assert [run.wire_id for run in await driver.take(5)] == ["a"]


async def test_what_is_told_to_sleepers_on_resume(driver: Driver) -> None:
    """Ready jobs wake a worker, also prioritized ones; a delayed one leaves its time; a full queue leaves nothing."""
    await pause(driver)
    await driver.add(new_job("later", delay=100))
    await resume(driver)
    assert await driver.scores("marker") == {"1": driver.now + 100}
    await pause(driver)
    await driver.add(new_job("p", priority=3))
    await resume(driver)
    assert await driver.scores("marker") == {"0": 0}
    await pause(driver)
    await driver.call("HSET", driver.keys.key("meta"), "concurrency", 0)
    await resume(driver)
    assert await driver.scores("marker") == {}


async def test_pausing_the_way_of_bullmq_5(driver: Driver) -> None:
    """Ready ids stand in `paused`, those of an earlier pause first, and so do new ones."""
    await as_bullmq_5(driver)
    await put(driver, "paused", "old1", "old2")
    await driver.add("a", "b")
    await pause(driver)
    await driver.add("c")
    assert await driver.waiting() == []
    assert await parked(driver) == ["old1", "old2", "a", "b", "c"]
    await resume(driver)
    assert await driver.waiting() == ["old1", "old2", "a", "b", "c"]
    assert await parked(driver) == []


@pytest.mark.parametrize("step", [1, 2, 3, 100])
async def test_pausing_in_steps(driver: Driver, step: int) -> None:
    """However few ids a call moves, the order is the same, and nobody pauses before the last of them has moved."""
    await as_bullmq_5(driver)
    await put(driver, "paused", *(f"old{n}" for n in range(5)))
    await driver.add(*(f"new{n}" for n in range(5)))
    whole = [*(f"old{n}" for n in range(5)), *(f"new{n}" for n in range(5))]
    calls = 0
    while await pause_queue(driver.server, driver.keys, step=step):
        calls += 1
        assert sorted([*await driver.waiting(), *await parked(driver)]) == sorted(whole)
        assert await driver.call("HEXISTS", driver.keys.key("meta"), "paused") == 0
    assert calls == -(-5 // step) - 1
    assert await parked(driver) == whole


@pytest.mark.parametrize("step", [1, 2, 3, 100])
async def test_pausing_again_rescues_what_stands_in_wait(driver: Driver, step: int) -> None:
    """On a paused queue of BullMQ 5, ids in `wait` would be lost by its resume: they go behind those in `paused`."""
    await as_bullmq_5(driver)
    await pause(driver)
    await put(driver, "paused", "a", "b")
    await put(driver, "wait", "c", "d", "e")
    await pause(driver, step)
    assert (await driver.waiting(), await parked(driver)) == ([], ["a", "b", "c", "d", "e"])


@pytest.mark.parametrize("step", [1, 2, 3, 4, 100])
async def test_resuming_merges(driver: Driver, step: int) -> None:
    """Both lists become one, those of `paused` first, in as many steps as it takes; the queue is paused until then."""
    await pause(driver)
    old, new = [f"old{n}" for n in range(4)], [f"new{n}" for n in range(6)]
    await put(driver, "paused", *old)
    await driver.add(*new)
    while await resume_queue(driver.server, driver.keys, step=step):
        assert sorted([*await driver.waiting(), *await parked(driver)]) == sorted([*old, *new])
        assert await driver.take(1) == []
    assert await driver.waiting() == [*old, *new]


async def test_resuming_a_long_line(driver: Driver) -> None:
    """One list of any length becomes the other without moving an id, and a short one joins a long one in one call."""
    await pause(driver)
    await put(driver, "paused", *(f"old{n}" for n in range(50)))
    assert await resume(driver, step=3) == 1
    await pause(driver)
    await put(driver, "paused", "x", "y")
    assert await resume(driver, step=3) == 1
    assert (await driver.waiting())[:3] == ["x", "y", "old0"]


async def test_resuming_a_queue_that_was_not_paused(driver: Driver) -> None:
    """What another client has left behind in `paused` is ready again; nothing is told."""
    await put(driver, "paused", "a")
    await resume(driver)
    assert await driver.waiting() == ["a"]
    assert await driver.events("resumed") == []


async def test_a_queue_that_does_not_exist_yet(driver: Driver) -> None:
    """It can be paused before its first job, and resumed."""
    await pause(driver)
    await driver.add("a")
    assert await driver.take(1) == []
    await resume(driver)
    assert [run.wire_id for run in await driver.take(1)] == ["a"]


RULE = {"id": "d"}


async def test_a_deduplication_id_and_its_owner(driver: Driver) -> None:
    """Whoever owns an id can be read. Taken from it, the id goes to the next job, and the owner stays as it was."""
    assert await deduplication_owner(driver.server, driver.keys, "d") is None
    await driver.add(new_job("o", rule=RULE))
    assert await deduplication_owner(driver.server, driver.keys, "d") == "o"
    before = await driver.fields("o")
    assert await remove_deduplication(driver.server, driver.keys, "d", sent=Sent("s", 1))
    assert await driver.fields("o") == before
    assert await driver.add(new_job("p", rule=RULE)) == [0]
    assert await deduplication_owner(driver.server, driver.keys, "d") == "p"
    assert await driver.waiting() == ["o", "p"]


async def test_a_deduplication_id_is_taken_from_one_job_only(driver: Driver) -> None:
    """With an owner named it stays with any other job; the end of the one that had it changes nothing for the next."""
    await driver.add(new_job("o", rule=RULE))
    assert not await remove_deduplication(driver.server, driver.keys, "d", "other", sent=Sent("s", 1))
    assert await deduplication_owner(driver.server, driver.keys, "d") == "o"
    assert await remove_deduplication(driver.server, driver.keys, "d", "o", sent=Sent("s", 2))
    await driver.add(new_job("p", rule=RULE))
    assert await driver.settle(end(await driver.take_one())) == [0]
    assert await deduplication_owner(driver.server, driver.keys, "d") == "p"


async def test_a_call_sent_again_takes_no_deduplication_id_twice(driver: Driver) -> None:
    """The same call gives its first answer, and leaves the id to whoever has it by then."""
    await driver.add(new_job("o", rule=RULE))
    assert await remove_deduplication(driver.server, driver.keys, "d", sent=Sent("s", 1))
    await driver.add(new_job("p", rule=RULE))
    assert await remove_deduplication(driver.server, driver.keys, "d", sent=Sent("s", 1))
    assert await deduplication_owner(driver.server, driver.keys, "d") == "p"


async def test_a_job_kept_for_the_end_of_the_owner_stays(driver: Driver) -> None:
    """A job that waits for its owner's end was accepted, and is added then, id or not."""
    rule = {"id": "d", "keep": True}
    await driver.add(new_job("o", rule=rule))
    run = await driver.take_one()
    await driver.add(new_job("p", rule=rule))
    assert await remove_deduplication(driver.server, driver.keys, "d", sent=Sent("s", 1))
    await driver.settle(end(run))
    assert await driver.waiting() == ["p"]


async def test_a_deduplication_key_of_another_type_is_no_owner(driver: Driver) -> None:
    """What another client has made of the key is left alone."""
    await driver.call("HSET", driver.keys.base + "de:d", "x", 1)
    assert not await remove_deduplication(driver.server, driver.keys, "d", sent=Sent("s", 1))
    assert await driver.call("HGETALL", driver.keys.base + "de:d") != []
