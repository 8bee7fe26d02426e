"""What the server has to do for a job: a budget of Redis calls, inside the scripts and around them.

Round trips cost a job more than anything else, calls inside a script come next. The numbers only go down.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from corral.engine.keys import QueueKeys
from corral.engine.record import Verb
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.engine.driver import Driver, end, new_job
from tests.engine.flows import add, new_node
from tests.engine.singletons import single
from tests.servers import ServerProcess

Step = Callable[[Driver, int], Awaitable[Callable[[], Awaitable[object]]]]


@pytest.fixture
async def driver(counted_server: ServerProcess) -> AsyncIterator[Driver]:
    """A queue, and nobody else on its server."""
    engine = Server(ServerSettings(counted_server.url, "p"))
    driver = Driver(engine, await engine.link(), QueueKeys("p", "q"))
    await driver.add("first")
    run = await driver.take_one()
    await driver.renew(run)
    await driver.settle(end(run, keep=0))
    yield driver
    await driver.call("FLUSHALL")
    await driver.link.close()
    await engine.close()


async def calls_of(driver: Driver, work: Callable[[], Awaitable[object]]) -> tuple[int, int]:
    """Round trips, and calls inside of scripts."""
    await driver.call("CONFIG", "RESETSTAT")
    await work()
    told = await driver.call("INFO", "commandstats")
    counts = {}
    for line in told.splitlines():
        name, _, rest = line.partition(":calls=")
        if rest:
            counts[name.removeprefix("cmdstat_")] = int(rest.partition(",")[0])
    trips = counts.pop("evalsha", 0) + counts.pop("eval", 0)
    return trips, sum(count for name, count in counts.items() if name not in ("config|resetstat", "info"))


async def adding(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Add jobs."""
    return lambda: driver.add(*(f"j{number}" for number in range(jobs)), sender="s", number=1)


async def adding_delayed(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Add delayed jobs."""
    return lambda: driver.add(
        *(new_job(f"j{number}", delay=1000) for number in range(jobs)), sender="s", number=1
    )


async def adding_prioritized(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Add jobs with a priority."""
    return lambda: driver.add(
        *(new_job(f"j{number}", priority=1) for number in range(jobs)), sender="s", number=1
    )


async def adding_a_flow(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Add a parent with its children."""
    await add(driver, new_node(driver, "first"))
    parent = new_node(driver, "p", has_children=True)
    children = [new_node(driver, f"c{number}", parent) for number in range(jobs - 1)]
    return lambda: add(driver, parent, *children, sender="s", number=1)


async def claiming(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Claim jobs."""
    await driver.add(*(f"j{number}" for number in range(jobs)))
    return lambda: driver.claim(driver.a_claim(jobs, "w", 1))


async def claiming_under_a_limit(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Claim as many jobs as a window still has, of more."""
    await driver.add(*(f"j{number}" for number in range(2 * jobs)))
    claim = driver.a_claim(2 * jobs, "w", 1)._replace(rate_max=jobs, window_ms=60_000)
    return lambda: driver.claim(claim)


async def ending(driver: Driver, jobs: int, verb: Verb = Verb.COMPLETE) -> Callable[[], Awaitable[object]]:
    """Settle jobs and claim as many, with a full set of completed ones."""
    await driver.add(*(f"old{number}" for number in range(jobs)))
    await driver.settle(*(end(run, verb) for run in await driver.take(jobs)))
    driver.now += 1
    await driver.add(*(f"j{number}" for number in range(2 * jobs)))
    runs = await driver.take(jobs)
    return lambda: driver.commit(
        *(end(run, verb, keep=jobs) for run in runs), claim=driver.a_claim(jobs, "w", 1)
    )


async def retrying(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Put jobs off, and claim as many."""
    await driver.add(*(f"j{number}" for number in range(2 * jobs)))
    runs = await driver.take(jobs)
    delays = [end(run, Verb.DELAY, "x", trace="t", amount=1000) for run in runs]
    return lambda: driver.commit(*delays, claim=driver.a_claim(jobs, "w", 1))


async def renewing(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Renew locks."""
    await driver.add(*(f"j{number}" for number in range(jobs)))
    runs = await driver.take(jobs)
    return lambda: driver.renew(*runs)


async def looking(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Ask an empty queue for jobs, as an idle worker does."""
    return lambda: driver.claim(driver.a_claim(jobs, "w", 1))


async def claiming_a_singleton(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Claim a job of each key."""
    await driver.add(*(single(f"j{number}", str(number)) for number in range(jobs)))
    return lambda: driver.claim(driver.a_claim(jobs, "w", 1))


async def setting_aside(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Look at jobs whose key another one holds."""
    await driver.add("x", single("holder"), single("first"))
    await driver.take(3)
    await driver.add(*(single(f"j{number}") for number in range(jobs)))
    return lambda: driver.claim(driver.a_claim(jobs, "w", 1))


async def taking_turns(driver: Driver, jobs: int) -> Callable[[], Awaitable[object]]:
    """Settle jobs that hold keys, and claim as many that were set aside for these."""
    for number in range(jobs):
        await driver.add(*(single(f"{job}{number}", str(number)) for job in "abc"))
    runs = await driver.take(3 * jobs)
    return lambda: driver.commit(*map(end, runs), claim=driver.a_claim(jobs, "w", 1))


BUDGET: list[tuple[Step, int, int]] = [
    (adding, 1, 10),
    (adding, 50, 157),
    (adding_delayed, 50, 355),
    (adding_prioritized, 50, 305),
    (adding_a_flow, 50, 211),
    (claiming, 1, 11),
    (claiming, 50, 208),
    (claiming_under_a_limit, 50, 209),
    (ending, 1, 26),
    (ending, 50, 421),
    (retrying, 1, 27),
    (retrying, 50, 716),
    (claiming_a_singleton, 1, 16),
    (claiming_a_singleton, 50, 458),
    (setting_aside, 50, 759),
    (taking_turns, 1, 46),
    (taking_turns, 50, 1517),
    (renewing, 50, 101),
    (looking, 1, 7),
]
"""What is done, to how many jobs, and how many calls the script may make for all of them."""


@pytest.mark.parametrize(
    ("step", "jobs", "budget"), BUDGET, ids=[f"{step.__name__} {jobs}" for step, jobs, _ in BUDGET]
)
async def test_calls(driver: Driver, step: Step, jobs: int, budget: int) -> None:
    """One round trip, and no more calls inside of it than the budget says."""
    trips, calls = await calls_of(driver, await step(driver, jobs))
    assert trips == 1
    assert calls <= budget


async def test_a_backlog_costs_nothing(driver: Driver) -> None:
    """The calls for a job are as many with ten thousand jobs waiting, delayed and kept, as with none."""
    alone = await calls_of(driver, await ending(driver, 5))
    await driver.call("FLUSHALL")
    for first in range(0, 10_000, 500):
        await driver.add(*(f"x{number}" for number in range(first, first + 500)))
        await driver.add(*(new_job(f"y{number}", delay=60_000) for number in range(first, first + 500)))
    assert await calls_of(driver, await ending(driver, 5)) == alone
