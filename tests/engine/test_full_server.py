"""A full server drains: what adds is refused, what ends and returns jobs works (F33)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from corral.engine.control import remove_job
from corral.engine.keys import QueueKeys
from corral.engine.record import Verb
from corral.engine.report import append_log, save_progress
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from corral.errors import QueueFull
from tests.engine.driver import Driver, end, new_job
from tests.engine.schedules import Schedules, job
from tests.servers import ServerProcess

JOBS = 200


@pytest.fixture
async def driver(make_server: Callable[..., ServerProcess]) -> AsyncIterator[Driver]:
    """A queue with a backlog on a server that refuses whatever needs memory."""
    server = make_server(args=("--maxmemory-policy", "noeviction"))
    engine = Server(ServerSettings(server.url, "p"))
    driver = Driver(engine, await engine.link(), QueueKeys("p", "q"))
    kinds: list[dict[str, int]] = [{}, {"priority": 3}, {"delay": 1000}, {}]
    jobs = [new_job(f"j{number}", data='"' + "x" * 1000 + '"', **kinds[number % 4]) for number in range(JOBS)]  # type: ignore[arg-type]
    await driver.add(*jobs)
    yield driver
    await driver.link.close()
    await engine.close()


async def fill(driver: Driver) -> None:
    """From now on the server has more than it may have."""
    await driver.call("CONFIG", "SET", "maxmemory", 1)


async def test_adding_is_refused(driver: Driver) -> None:
    """`QueueFull` names the queue; nothing is half added."""
    await fill(driver)
    before = await driver.bytes_of_all()
    with pytest.raises(QueueFull, match="q"):
        await driver.add("a", new_job("b", delay=5), sender="s", number=1)
    assert await driver.bytes_of_all() == before


async def test_schedules_are_refused(driver: Driver) -> None:
    """Storing one adds a job, so it is refused as any; those that there are go on."""
    schedules = Schedules(driver)
    await schedules.every()
    await fill(driver)
    before = await driver.bytes_of_all()
    for schedule_id in ("s", "t"):
        with pytest.raises(QueueFull, match="q"):
            await schedules.every(2, schedule_id)
    assert await driver.bytes_of_all() == before
    assert job(0) in await schedules.claim(JOBS)
    assert await schedules.pending() == [job(1)]
    assert await schedules.remove()


async def test_the_scripts_are_forgotten_as_well(driver: Driver) -> None:
    """Scripts can be loaded into a full server: one that restarted full drains, too."""
    await fill(driver)
    await driver.call("SCRIPT", "FLUSH")
    assert len(await driver.take(3)) == 3


async def test_running_jobs_keep_their_locks(driver: Driver) -> None:
    """Locks are renewed, and taken again when they are missing."""
    first, second = await driver.take(2)
    await fill(driver)
    await driver.lose_lock(second.wire_id)  # type: ignore[arg-type]
    assert await driver.renew(first, second) == [1, 2]


async def test_running_jobs_may_report(driver: Driver) -> None:
    """Progress and logs of running jobs are stored."""
    run = await driver.take_one()
    await fill(driver)
    assert await save_progress(driver.server, driver.keys, run, b"50") == 0
    assert await append_log(driver.server, driver.keys, run, "line", keep=10) == 1


async def test_dead_workers_jobs_return(driver: Driver) -> None:
    """The stalled check works."""
    run = await driver.take_one()
    await fill(driver)
    await driver.lose_lock(run.wire_id)  # type: ignore[arg-type]
    await driver.check_stalled()
    assert len(await driver.check_stalled()) == 1


async def test_jobs_can_be_removed(driver: Driver) -> None:
    """An operator can make room."""
    await fill(driver)
    assert await remove_job(driver.server, driver.keys, "j0") == 1


async def test_the_backlog_drains_to_nothing(driver: Driver) -> None:
    """Claiming and settling go on, retries and failures included, until the queue is empty."""
    await fill(driver)
    driver.now += 1000
    runs = await driver.take(10)
    await driver.settle(*(end(run, Verb.RETRY, "again", trace="t") for run in runs[:5]))
    await driver.settle(*(end(run, Verb.DELAY, "later", amount=500) for run in runs[5:]))
    driver.now += 500
    ended = 0
    while True:
        runs = await driver.take(7)
        if not runs:
            break
        verb = Verb.FAIL if ended % 2 else Verb.COMPLETE
        reply = await driver.commit(*(end(run, verb, '"r"', keep=5) for run in runs), points=60)
        assert set(reply.codes) == {0}
        ended += len(runs)
    assert ended == JOBS
    assert (await driver.waiting(), await driver.active(), await driver.scores("delayed")) == ([], [], {})
    await driver.call("CONFIG", "SET", "maxmemory", 0)
    assert await driver.add("a") == [0]
