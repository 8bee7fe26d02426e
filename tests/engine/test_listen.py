"""Listen: the event stream is read without a gap."""

from __future__ import annotations

import asyncio

from corral.engine.listen import last_ending, last_event_id, read_events
from corral.engine.server import Server
from tests.engine.driver import Driver, end


async def test_from_the_newest_on(driver: Driver) -> None:
    """Whoever notes the newest id and reads from there sees all that comes later, and nothing that came before."""
    assert await last_event_id(driver.link, driver.keys) == "0-0"
    await driver.add("a")
    last = await last_event_id(driver.link, driver.keys)
    await driver.add("b")
    events = await read_events(driver.link, driver.keys, last, block_ms=10)
    assert [event.fields for event in events] == [
        {"event": "added", "jobId": "b", "name": "n"},
        {"event": "waiting", "jobId": "b"},
    ]
    assert await read_events(driver.link, driver.keys, events[-1].id, block_ms=10) == []


async def test_in_small_reads(driver: Driver) -> None:
    """Reads of any size give every event once, in order."""
    await driver.add(*(f"j{number}" for number in range(20)))
    seen, last = [], "0-0"
    while events := await read_events(driver.link, driver.keys, last, block_ms=1, count=3):
        seen += [event.fields["jobId"] for event in events if event.fields["event"] == "added"]
        last = events[-1].id
    assert seen == [f"j{number}" for number in range(20)]


async def test_waiting_for_the_next(driver: Driver, engine: Server) -> None:
    """A read that waits is woken by the first event."""
    reader = await engine.link()
    await reader.call("PING")
    reading = asyncio.ensure_future(read_events(reader, driver.keys, "0-0", block_ms=10_000))
    while "blocked_clients:0" in await driver.call("INFO", "clients"):
        pass
    await driver.add("a")
    assert (await reading)[0].fields["event"] == "added"
    await reader.close()


async def test_events_of_others(driver: Driver) -> None:
    """Custom events, and bytes that are no text, pass."""
    await driver.call("XADD", driver.keys.key("events"), "*", "event", "mine", b"\xff", b"\xfe")
    (event,) = await read_events(driver.link, driver.keys, "0-0", block_ms=1)
    assert event.fields["event"] == "mine"


async def test_how_a_job_ended_that_is_gone(driver: Driver) -> None:
    """The newest event that ended a job is found; a job that the stream does not know is None."""
    await driver.add("a", "b")
    a, b = await driver.take(2)
    await driver.settle(end(a, text='"r"', keep=0), end(b))
    ending = await last_ending(driver.server, driver.keys, "a")
    assert ending is not None
    assert (ending["event"], ending["returnvalue"]) == ("completed", '"r"')
    assert await last_ending(driver.server, driver.keys, "c") is None
