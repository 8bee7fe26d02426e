"""Listen: the event stream is read without a gap."""

from __future__ import annotations

import asyncio

import pytest

from corral.engine.listen import last_ending, last_event_id, place_of, read_events, read_on
from corral.engine.server import Server
from corral.errors import EventsTrimmed, InvalidOption
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


class TestWithoutAGap:
    """Who reads on from an event is told when others behind it are gone."""

    async def test_as_long_as_the_event_is_kept(self, driver: Driver) -> None:
        """Whatever was trimmed before it, and however small the reads are."""
        await driver.add(*"abcd")
        events = await read_events(driver.link, driver.keys, "0-0", block_ms=1)
        await driver.call("XTRIM", driver.keys.key("events"), "MINID", events[3].id)
        seen, last = [], events[3].id
        while found := await read_on(driver.link, driver.keys, last, block_ms=1, count=2):
            seen += found
            last = found[-1].id
        assert seen == events[4:]

    @pytest.mark.parametrize("left", [0, 3])
    async def test_a_stream_that_was_trimmed_past_it(self, driver: Driver, left: int) -> None:
        """The error names the oldest event that is kept; from there, or from the very beginning, reading goes on."""
        await driver.add("a")
        last = await last_event_id(driver.link, driver.keys)
        await driver.add(*"bcd")
        await driver.call("XTRIM", driver.keys.key("events"), "MAXLEN", left)
        with pytest.raises(EventsTrimmed, match=last) as lost:
            await read_on(driver.link, driver.keys, last, block_ms=1)
        assert (lost.value.oldest is None) == (left == 0)
        assert len(await read_on(driver.link, driver.keys, "0-0", block_ms=1)) == left

    async def test_a_stream_that_is_gone(self, driver: Driver) -> None:
        """A queue that was obliterated, or a server that lost its data."""
        await driver.add("a")
        last = await last_event_id(driver.link, driver.keys)
        await driver.forget_events()
        with pytest.raises(EventsTrimmed):
            await read_on(driver.link, driver.keys, last, block_ms=1)
        # Ids are times: one of the same millisecond might be older than the last one read.
        seconds, micros = 0, 0
        while seconds * 1000 + micros // 1000 <= place_of(last)[0]:
            seconds, micros = map(int, await driver.call("TIME"))
        await driver.add("b")
        with pytest.raises(EventsTrimmed):
            await read_on(driver.link, driver.keys, last, block_ms=1)

    async def test_from_a_moment(self, driver: Driver) -> None:
        """Milliseconds alone stand for a moment: there is a gap only where something was trimmed."""
        await driver.add("a")
        for moment in ("1", "1000"):
            assert len(await read_on(driver.link, driver.keys, moment, block_ms=1)) == 2
        await driver.call("XTRIM", driver.keys.key("events"), "MAXLEN", 1)
        with pytest.raises(EventsTrimmed):
            await read_on(driver.link, driver.keys, "1", block_ms=1)

    async def test_an_event_that_was_deleted(self, driver: Driver) -> None:
        """Deleting the one does not mean that others are gone."""
        await driver.add("a")
        events = await read_events(driver.link, driver.keys, "0-0", block_ms=1)
        await driver.call("XDEL", driver.keys.key("events"), events[1].id)
        assert await read_on(driver.link, driver.keys, events[1].id, block_ms=1) == []

    @pytest.mark.parametrize(
        "nonsense", ["", "now", "$", "-1", "1-", "1-2-3", "99999999999999999999-0", "1.5"]
    )
    def test_what_is_no_id(self, nonsense: str) -> None:
        """Is refused with what one looks like."""
        with pytest.raises(InvalidOption, match="1700000000000-0"):
            place_of(nonsense)
