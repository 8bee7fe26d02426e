"""The newest job of a deduplication id takes the place of the one before, whatever state that is in."""

from __future__ import annotations

from typing import Any

import pytest

from corral.contracts.failure import FailureKind
from corral.contracts.states import JobState
from corral.engine.browse import read_job
from corral.engine.control import remove_job
from corral.engine.control_queue import deduplication_owner
from corral.engine.orders import NOTHING_READ, read_orders
from corral.engine.record import OVERRULED, NewJob, Verb
from tests.engine.driver import START, Driver, end, new_job
from tests.engine.flows import add, new_node
from tests.engine.lines import LENGTH, fill

RULE = {"id": "k", "supersedes": True}


def keyed(wire_id: str, **rest: Any) -> NewJob:
    """A job that supersedes the one before it."""
    return new_job(wire_id, rule=RULE, **rest)


async def check_superseded(driver: Driver, wire_id: str, by: str) -> None:
    """It has failed for good, by the newer one, which the key leads to."""
    found = await read_job(driver.server, driver.keys, wire_id)
    assert found is not None
    assert (found.state, found.failed_reason) == (JobState.FAILED, f"superseded by {by}")
    assert found.failure_kind is FailureKind.SUPERSEDED


async def newest(driver: Driver) -> str | None:
    """The job that the key leads to."""
    return await deduplication_owner(driver.server, driver.keys, "k")


@pytest.mark.parametrize(
    ("delay", "priority"), [(0, 0), (0, 3), (50, 0)], ids=["waiting", "prioritized", "delayed"]
)
async def test_one_that_waits_ends_at_once(driver: Driver, delay: int, priority: int) -> None:
    """The newer one is added, with an id of its own, and runs instead."""
    await driver.add(keyed("a", delay=delay, priority=priority))
    assert await driver.add(keyed("b")) == [0]
    await check_superseded(driver, "a", "b")
    assert await newest(driver) == "b"
    assert [run.wire_id for run in await driver.take(5)] == ["b"]


@pytest.mark.parametrize("priority", [0, 3])
async def test_it_takes_its_place_in_line(driver: Driver, priority: int) -> None:
    """A stream of newer ones comes to its turn as the first would have."""
    await driver.add(*(new_job(wire_id, priority=priority) for wire_id in ("1", "2")))
    await driver.add(keyed("a", priority=priority), new_job("3", priority=priority))
    for wire_id in ("b", "c"):
        await driver.add(keyed(wire_id, priority=priority))
    assert [run.wire_id for run in await driver.take(9)] == ["1", "2", "c", "3"]


@pytest.mark.parametrize(("old", "new"), [(0, 3), (3, 0), (2, 3)])
async def test_of_another_priority_it_lines_up_anew(driver: Driver, old: int, new: int) -> None:
    """Its own place is the one of its priority."""
    await driver.add(keyed("a", priority=old), new_job("x", priority=new))
    await driver.add(keyed("b", priority=new))
    assert [run.wire_id for run in await driver.take(9)] == ["x", "b"]


async def test_a_delayed_one_begins_its_time_anew(driver: Driver) -> None:
    """The place of a job that waits is not for one that has its own time."""
    await driver.add(keyed("a"))
    await driver.add(keyed("b", delay=50))
    assert await driver.waiting() == []
    assert list(await driver.scores("delayed")) == ["b"]


async def test_one_that_runs_is_told(driver: Driver) -> None:
    """It ends no other way; the newer one may start before it has left."""
    await driver.add(keyed("a"))
    run = await driver.take_one()
    await driver.add(keyed("b"))
    (told,) = await read_orders(driver.link, driver.keys, NOTHING_READ, block_ms=1)
    assert told.fields == {"order": "cancel", "job": "a", "fence": f"1:{START}", "reason": "superseded by b"}
    newer = await driver.take_one()
    assert await driver.settle(end(run), end(newer)) == [OVERRULED, 0]
    await check_superseded(driver, "a", "b")
    assert await newest(driver) is None


async def test_of_many_the_newest_wins(driver: Driver) -> None:
    """Of those of one call, and of one call after another; each of the others fails by the one after it."""
    await driver.add(*(keyed(f"j{number}") for number in range(10)), "other")
    await driver.add(*(keyed(f"j{number}") for number in range(10, 20)))
    for number in range(19):
        await check_superseded(driver, f"j{number}", f"j{number + 1}")
    assert sorted(run.wire_id for run in await driver.take(99)) == ["j19", "other"]
    assert await driver.active() == ["other", "j19"]


@pytest.mark.parametrize("verb", [Verb.COMPLETE, Verb.FAIL])
async def test_one_that_has_ended_stays_as_it_is(driver: Driver, verb: Verb) -> None:
    """There is nothing to supersede, also where it was removed."""
    await driver.add(keyed("a"))
    await driver.settle(end(await driver.take_one(), verb))
    before = await driver.fields("a")
    await driver.add(keyed("b"))
    assert await driver.fields("a") == before
    await remove_job(driver.server, driver.keys, "b")
    assert await driver.add(keyed("c")) == [0]
    assert await newest(driver) == "c"


async def test_between_two_attempts(driver: Driver) -> None:
    """An older job that waits for its next attempt has none."""
    await driver.add(keyed("a"))
    await driver.settle(end(await driver.take_one(), Verb.DELAY, "boom", amount=50))
    await driver.add(keyed("b"))
    await check_superseded(driver, "a", "b")
    assert await driver.scores("delayed") == {}


async def test_one_whose_worker_died(driver: Driver) -> None:
    """It is started once more only to be failed."""
    await driver.add(keyed("a"))
    await driver.take_one()
    await driver.add(keyed("b"))
    await driver.lose_lock("a")
    await driver.check_stalled()
    await driver.check_stalled()
    jobs = (await driver.claim(driver.a_claim(2))).jobs
    assert {(claimed.wire_id, claimed.deferred) for claimed in jobs} == {
        (b"a", b"superseded by b"), (b"b", None),
    }  # fmt: skip


async def test_deep_in_a_long_line_it_fails_when_its_turn_comes(driver: Driver) -> None:
    """To look for it would cost too much; the newer one lines up behind the others."""
    await fill(driver)
    deep = f"j{LENGTH // 2}"
    await driver.call("HSET", driver.keys.job(deep), "timestamp", START + LENGTH, "deid", "k")
    await driver.call("SET", f"{driver.keys.base}de:k", deep)
    await driver.add(keyed("b"))
    assert (await driver.fields(deep))["defa"] == "superseded by b"
    assert (await driver.waiting())[-1] == "b"


async def test_a_damaged_job_is_no_obstacle(driver: Driver) -> None:
    """Nor are its bytes touched."""
    await driver.add(keyed("a"))
    await driver.call("SET", driver.keys.job("a"), "x")
    assert await driver.add(keyed("b")) == [0]
    assert await driver.call("GET", driver.keys.job("a")) == "x"


async def test_a_paused_queue_of_bullmq_5(driver: Driver) -> None:
    """The line is another list then, and the place in it is taken as well."""
    await driver.call("HSET", driver.keys.key("meta"), "paused", 1, "version", "bullmq:5.61.2")
    await driver.add("1", keyed("a"), "2")
    await driver.add(keyed("b"))
    assert await driver.call("LRANGE", driver.keys.key("paused"), 0, -1) == ["2", "b", "1"]


async def test_a_call_that_is_sent_again(driver: Driver) -> None:
    """Supersedes nothing twice: what came meanwhile is the newest still."""
    await driver.add(keyed("a"))
    await driver.add(keyed("b"), sender="s", number=1)
    await driver.add(keyed("c"))
    assert await driver.add(keyed("b"), sender="s", number=1) == [0]
    assert await newest(driver) == "c"


# --- flows


async def test_the_root_of_a_flow(driver: Driver) -> None:
    """It supersedes an older one with its children still to run, and is superseded like any job."""
    for wire_id in ("a", "b"):
        root = new_node(driver, wire_id, has_children=True, rule=RULE)
        await add(driver, root, new_node(driver, f"{wire_id}1", root))
    await check_superseded(driver, "a", "b")
    assert await newest(driver) == "b"
    await driver.settle(*map(end, await driver.take(2)))
    assert await driver.waiting() == ["b"]
    lone = new_node(driver, "c", rule=RULE)
    await add(driver, lone)
    await check_superseded(driver, "b", "c")
    assert await driver.waiting() == ["c"]


async def test_a_flow_in_another_queue(driver: Driver) -> None:
    """The workers of that queue are told."""
    other = Driver(driver.server, driver.link, driver.server.keys(f"{driver.keys.queue}-2"))
    await other.add(keyed("a"))
    await other.take_one()
    await add(driver, new_node(driver, "x"), new_node(driver, "b", queue=other.keys.queue, rule=RULE))
    (told,) = await read_orders(driver.link, other.keys, NOTHING_READ, block_ms=1)
    assert told.fields["job"] == "a"
    assert await read_orders(driver.link, driver.keys, NOTHING_READ, block_ms=1) == []
