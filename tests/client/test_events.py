"""Subscribing to a queue: everything that happens after the subscription began is told, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis.asyncio

from corral import Client, Event, EventsTrimmed, InvalidEvent, InvalidOption, Queue, SyncClient, Worker
from corral.client.events import EventSubscription
from corral.client.queue import QueueClient
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess

Make = Callable[..., Client]


async def take(events: AsyncIterator[Event] | EventSubscription, count: int) -> list[Event]:
    """The next events."""
    found: list[Event] = []
    async with asyncio.timeout(30):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


def added(events: list[Event]) -> list[str | None]:
    """The ids of the jobs that were added."""
    return [event.job_id for event in events if event.name == "added"]


class TestNothingIsLost:
    """Between reads, between subscriptions, and over outages."""

    async def test_from_the_moment_it_is_entered(self, queue: QueueClient) -> None:
        """What happened before is not told; what happens before the first read is."""
        await queue.enqueue("job", job_id="before")
        async with queue.events() as events:
            await queue.enqueue("job", job_id="after")
            assert added(await take(events, 2)) == ["after"]

    async def test_on_a_queue_that_is_new(self, queue: QueueClient) -> None:
        """A subscription to a queue without any event yet gets the first one."""
        async with queue.events() as events:
            assert events.position == "0-0"
            await queue.enqueue("job", job_id="first")
            assert added(await take(events, 2)) == ["first"]

    async def test_while_the_loop_body_is_busy(self, queue: QueueClient) -> None:
        """Events that come while the last one is handled wait for the next read, each once and in order."""
        seen: list[Event] = []
        async with queue.events() as events:
            await queue.enqueue("job", job_id="job-0")
            async for event in events:
                seen.append(event)
                if event.name == "added" and len(added(seen)) < 50:
                    await queue.enqueue("job", job_id=f"job-{len(added(seen))}")
                if len(seen) == 100:
                    break
        assert added(seen) == [f"job-{number}" for number in range(50)]
        assert [event.id for event in seen] == sorted({event.id for event in seen}, key=place)

    async def test_more_than_one_read_brings(self, queue: QueueClient) -> None:
        """More events at once than one read takes are told over several."""
        async with queue.events() as events:
            jobs = await queue.enqueue_many("job", list(range(1000)))
            assert added(await take(events, 2000)) == [job.id for job in jobs]

    async def test_from_a_position(self, queue: QueueClient) -> None:
        """`after=` the position of an earlier subscription goes on behind the last event that was delivered, not
        behind those that were only read."""
        async with queue.events() as events:
            await queue.enqueue_many("job", [1, 2, 3])
            first = await take(events, 2)
        position = events.position
        assert position == first[-1].id
        async with queue.events(after=position) as again:
            rest = await take(again, 4)
        assert len({event.id for event in [*first, *rest]}) == 6

    async def test_over_a_restart_of_the_server(
        self, make_server: Callable[..., ServerProcess], make_client: Make, queue_name: str
    ) -> None:
        """A server that crashes and comes back with its data interrupts nothing: no event is lost, none told twice."""
        server = make_server(appendonly="always")
        queue = make_client(server.url).queue(queue_name)
        async with queue.events() as events:
            await queue.enqueue("job", job_id="one")
            before = await take(events, 2)
            reading = asyncio.ensure_future(take(events, 2))
            await asyncio.to_thread(server.kill9)
            await asyncio.to_thread(server.start)
            await queue.enqueue("job", job_id="two")
            after = await reading
        assert added(before) == ["one"]
        assert added(after) == ["two"]
        assert [event.name for event in after] == ["added", "waiting"]

    async def test_over_a_reset_connection(self, make_client: Make, proxy: Proxy, queue_name: str) -> None:
        """A connection that is cut while events come in is made anew, and reading goes on behind the last one."""
        queue = make_client(proxy.url).queue(queue_name)
        async with queue.events() as events:
            reading = asyncio.ensure_future(take(events, 60))
            for number in range(30):
                await queue.enqueue("job", job_id=f"job-{number}")
                if number % 10 == 5:
                    proxy.reset()
            assert added(await reading) == [f"job-{number}" for number in range(30)]


class TestManners:
    """What it takes and what it leaves."""

    async def test_it_reads_only_inside_its_block(self, queue: QueueClient) -> None:
        """Iterating over a subscription that was not entered is a mistake that says what to do."""
        with pytest.raises(RuntimeError, match="async with"):
            await take(queue.events(), 1)

    async def test_it_closes_its_connection(
        self, queue: QueueClient, raw: redis.asyncio.Redis, queue_name: str
    ) -> None:
        """A reader that is cancelled while it waits leaves no connection behind."""
        await queue.counts()
        before = await raw.info("clients")
        async with queue.events() as events:
            reading = asyncio.ensure_future(take(events, 1))
            async with asyncio.timeout(30):
                while not (await raw.info("clients"))["blocked_clients"]:
                    await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        async with asyncio.timeout(30):
            while (await raw.info("clients"))["connected_clients"] > before["connected_clients"]:
                await asyncio.sleep(0)

    async def test_several_read_without_disturbing_each_other(self, queue: QueueClient) -> None:
        """Each subscription has a place of its own."""
        async with queue.events() as one, queue.events() as other:
            await queue.enqueue("job", job_id="a")
            assert added(await take(one, 2)) == ["a"]
            await queue.enqueue("job", job_id="b")
            assert added(await take(other, 4)) == ["a", "b"]
            assert added(await take(one, 2)) == ["b"]

    async def test_events_say_what_happened(self, queue: QueueClient, worker: Worker, tasks: Queue) -> None:
        """Results, reasons and progress can be read from the events alone."""
        async with queue.events() as events, worker:
            await queue.enqueue("double", 4)
            await queue.enqueue("fail", "no luck", attempts=1)
            await queue.enqueue("tell", ["one"])
            found: dict[str, list[Event]] = {}
            async with asyncio.timeout(30):
                async for event in events:
                    found.setdefault(event.name, []).append(event)
                    if len(found.get("completed", ())) == 2 and "failed" in found:
                        break
        assert {8, None} == {event.returnvalue for event in found["completed"]}
        assert [event.failed_reason for event in found["failed"]] == ["no luck"]
        assert [event.data for event in found["progress"]] == [{"line": "one"}]


class TestAGapIsTold:
    """What is not kept any more cannot be delivered, and is not passed over in silence."""

    async def test_when_resuming(self, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str) -> None:
        """`after=` an event that was trimmed."""
        await queue.enqueue_many("job", [1, 2, 3])
        async with queue.events(after="0-0") as events:
            position = (await take(events, 2))[-1].id
        await raw.xtrim(f"{prefix}:{queue.name}:events", maxlen=1, approximate=False)
        async with queue.events(after=position) as again:
            with pytest.raises(EventsTrimmed) as lost:
                await take(again, 1)
        assert (lost.value.after, lost.value.queue) == (position, queue.name)
        async with queue.events(after="0-0") as rest:
            assert [event.id for event in await take(rest, 1)] == [lost.value.oldest]

    async def test_when_the_loop_body_is_slow(
        self, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
    ) -> None:
        """Also in the middle of a subscription."""
        async with queue.events() as events:
            await queue.enqueue("job")
            await take(events, 2)
            await queue.enqueue_many("job", [1, 2, 3])
            await raw.xtrim(f"{prefix}:{queue.name}:events", maxlen=2, approximate=False)
            with pytest.raises(EventsTrimmed):
                await take(events, 1)

    async def test_what_is_no_position(self, queue: QueueClient) -> None:
        """Is refused at once."""
        with pytest.raises(InvalidOption):
            queue.events(after="yesterday")
        with pytest.raises(InvalidOption, match="id of an event"):
            queue.events(after=1700000000000)  # type: ignore[arg-type]


class TestPublishing:
    """Events of a program's own."""

    async def test_all_who_subscribe_hear_it(self, queue: QueueClient) -> None:
        """With its fields as they are, in line with all others; the id is that of its place."""
        async with queue.events() as events:
            await queue.enqueue("job")
            published = await queue.publish("shop.paid", {"amount": "12 €", "jobId": "7", "empty": ""})
            plain = await queue.publish("nothing to add")
            found = await take(events, 4)
        assert [event.id for event in found[2:]] == [published, plain]
        assert (found[2].name, found[2].job_id, found[2].is_custom) == ("shop.paid", "7", True)
        assert dict(found[2].fields) == {"amount": "12 €", "empty": ""}
        assert (found[3].name, dict(found[3].fields)) == ("nothing to add", {})

    async def test_a_lost_reply_writes_it_once(
        self, make_client: Make, proxy: Proxy, queue: QueueClient
    ) -> None:
        """The call is sent again until it is answered, and the event is there once."""
        through = make_client(proxy.url).queue(queue.name)
        await through.counts()
        async with queue.events() as events:
            for number in range(5):
                publishing = asyncio.ensure_future(through.publish("mine", {"number": str(number)}))
                await asyncio.sleep(0)
                proxy.reset()
                await publishing
            await queue.publish("end")
            found = await take(events, 6)
        assert [event.fields.get("number") for event in found] == [*"01234", None]

    async def test_the_stream_is_not_cut_short(
        self, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
    ) -> None:
        """It keeps as many as the queue says (BullMQ's producer keeps 1,000 of all)."""
        await queue.enqueue_many("job", list(range(1000)))
        await queue.publish("mine")
        assert await raw.xlen(f"{prefix}:{queue.name}:events") == 2001
        await raw.hset(f"{prefix}:{queue.name}:meta", "opts.maxLenEvents", "100")
        await queue.publish("mine")
        assert await raw.xlen(f"{prefix}:{queue.name}:events") < 300

    @pytest.mark.parametrize(
        ("name", "fields", "why"),
        [
            ("completed", {}, "BullMQ's own"),
            ("completed:7", {}, "BullMQ's own"),
            ("error", {}, "BullMQ's own"),
            ("", {}, "printable"),
            ("two\nlines", {}, "printable"),
            ("x" * 201, {}, "printable"),
            (7, {}, "has to be text"),
            ("mine", {"event": "completed"}, "own name"),
            ("mine", {"count": 7}, "json.dumps"),
            ("mine", {7: "x"}, "has to be text"),
            ("mine", [("count", "7")], "a dict"),
            ("mine", {"half": "\ud800"}, "surrogate"),
            ("mine", {"large": "x" * 65_536}, "bytes"),
            ("mine", {f"f{number}": "" for number in range(65)}, "fields"),
        ],
    )
    async def test_what_cannot_be_one(
        self, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str, name: Any, fields: Any, why: str
    ) -> None:
        """Names that mean something else to those who listen, what is too large, and what is no text: nothing is
        written, and the error says what is allowed."""
        with pytest.raises(InvalidEvent, match=why):
            await queue.publish(name, fields)
        assert await raw.exists(f"{prefix}:{queue.name}:events") == 0

    def test_from_a_program_without_a_loop(self, redis_url: str, prefix: str, queue_name: str) -> None:
        """`SyncClient` has the same verb."""
        with SyncClient(redis_url, prefix=prefix) as client:
            first = client.queue(queue_name).publish("mine", {"a": "b"})
            assert place(first) < place(client.queue(queue_name).publish("mine"))


def place(event_id: str) -> tuple[int, int]:
    """Where an event stands in its stream."""
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number)
