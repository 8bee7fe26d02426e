"""Adding jobs: calls share round trips, may be sent again, and tell who was first."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis.asyncio

from corral import (
    Client,
    Deduplication,
    InvalidJobId,
    InvalidPayload,
    JobState,
    PayloadTooLarge,
    Queue,
    ServerUnavailable,
)
from corral.client.queue import QueueClient
from corral.engine.script import load
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess

ADD = load("enqueue/add_jobs").sha.encode()


async def waiting(queue: QueueClient) -> list[Any]:
    """The payloads that wait, in the order in which they would run."""
    return [job.data for job in await queue.jobs(JobState.WAITING, limit=1000)]


class TestRoundTrips:
    """Calls made at the same time share them."""

    async def test_an_awaited_enqueue_is_one_request(
        self, make_client: Callable[..., Client], proxy: Proxy, queue_name: str
    ) -> None:
        """Once connected, each awaited `enqueue` is one request to the server, and opens no connection."""
        queue = make_client(proxy.url).queue(queue_name)
        await queue.enqueue("warm-up")
        requests, connections = proxy.requests, proxy.connections
        for number in range(10):
            await queue.enqueue("job", number)
        assert proxy.requests - requests == 10
        assert proxy.connections == connections

    async def test_concurrent_enqueues_share_requests(
        self, make_client: Callable[..., Client], proxy: Proxy, queue_name: str
    ) -> None:
        """A hundred `enqueue` calls at the same time are a handful of requests, over two connections."""
        queue = make_client(proxy.url).queue(queue_name)
        await queue.enqueue("warm-up")
        before = proxy.requests_with(ADD)
        jobs = await asyncio.gather(*(queue.enqueue("job", number) for number in range(100)))
        assert proxy.requests_with(ADD) - before <= 6
        assert len({job.id for job in jobs}) == 100
        assert proxy.connections <= 2

    @pytest.mark.alone
    async def test_steady_callers_keep_sharing_requests(
        self, make_client: Callable[..., Client], proxy: Proxy, queue_name: str
    ) -> None:
        """Fifty callers that each enqueue again as soon as they are answered: the answered line up before the next
        request leaves, so that each carries about half of them."""
        queue = make_client(proxy.url).queue(queue_name)
        await queue.enqueue("warm-up")
        before = proxy.requests_with(ADD)

        async def call_again_and_again() -> None:
            for number in range(20):
                await queue.enqueue("job", number)

        await asyncio.gather(*(call_again_and_again() for _ in range(50)))
        assert proxy.requests_with(ADD) - before <= 2 * 20 + 8

    async def test_the_jobs_of_a_call_stay_in_order(self, queue: QueueClient) -> None:
        """`enqueue_many` adds in order, over however many requests it takes."""
        await queue.enqueue_many("job", list(range(1234)))
        found = [await queue.jobs(JobState.WAITING, start=start, limit=1000) for start in (0, 1000)]
        assert [job.data for page in found for job in page] == list(range(1234))

    async def test_no_jobs_are_no_request(self, queue: QueueClient) -> None:
        """`enqueue_many` of nothing does nothing."""
        assert await queue.enqueue_many("job", []) == []
        assert sum((await queue.counts()).values()) == 0

    async def test_a_cancelled_call_disturbs_no_other(self, queue: QueueClient) -> None:
        """Callers that are cancelled at any point take no answer of another's: everyone's handle is of its own job,
        and nobody waits for ever."""
        for round_ in range(30):
            calls = [
                asyncio.ensure_future(queue.enqueue("job", n, job_id=f"job-{round_}-{n}")) for n in range(40)
            ]
            for _ in range(round_ % 6):
                await asyncio.sleep(0)
            for call in calls[::3]:
                call.cancel()
            answers = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)
            for n, answer in enumerate(answers):
                if isinstance(answer, asyncio.CancelledError):
                    assert n % 3 == 0
                else:
                    assert not isinstance(answer, BaseException), answer
                    assert (answer.id, answer.created) == (f"job-{round_}-{n}", True)


class TestIdentity:
    """Who was first is told."""

    async def test_the_same_id_is_one_job(self, queue: QueueClient) -> None:
        """A second `enqueue` with the same id stores nothing and says so."""
        first = await queue.enqueue("job", 1, job_id="order:7")
        second = await queue.enqueue("job", 2, job_id="order:7")
        assert (first.id, second.id) == ("order:7", "order:7")
        assert (first.created, second.created) == (True, False)
        assert await waiting(queue) == [1]

    async def test_a_thousand_callers_with_one_id(
        self, make_client: Callable[..., Client], redis_url: str, queue_name: str
    ) -> None:
        """Of many callers at the same time, over several connections, exactly one has created the job."""
        queues = [make_client(redis_url).queue(queue_name) for _ in range(4)]
        jobs = await asyncio.gather(*(queues[n % 4].enqueue("job", n, job_id="one") for n in range(1000)))
        assert sum(job.created is True for job in jobs) == 1
        assert len(await waiting(queues[0])) == 1

    async def test_a_deduplicated_job_is_its_owner(self, queue: QueueClient) -> None:
        """A deduplicated `enqueue` gives the handle of the job that is there already."""
        owner = await queue.enqueue("job", 1, deduplication="report")
        other = await queue.enqueue("job", 2, deduplication=Deduplication("report", ttl=60))
        assert other.id == owner.id
        assert other.created is False
        assert await waiting(queue) == [1]

    async def test_delayed_jobs_wait_until_they_are_due(self, queue: QueueClient) -> None:
        """`delay=` and `run_at=` keep a job in `delayed`."""
        job = await queue.enqueue("job", delay=60)
        assert await job.state() is JobState.DELAYED

    async def test_a_client_used_again_after_close_loses_nothing(
        self, client: Client, queue_name: str
    ) -> None:
        """What is enqueued after `close` is added, and not taken for a call sent again from before."""
        for number in range(3):
            await client.queue(queue_name).enqueue("job", number)
            await client.close()
        assert await waiting(client.queue(queue_name)) == [0, 1, 2]

    async def test_forked_processes_with_one_client_lose_nothing(
        self, client: Client, redis_url: str, prefix: str, queue_name: str
    ) -> None:
        """A client made before a fork (a server that preloads the application) is a client of its own in each
        process: no call is taken for one of the other's."""
        shared = Client(redis_url, prefix=prefix)
        children = []
        for number in range(3):
            if (child := os.fork()) == 0:
                _enqueue_and_exit(shared, queue_name, number)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert codes == [0, 0, 0]
        assert sorted(await waiting(client.queue(queue_name))) == [0, 1, 2]


def _enqueue_and_exit(client: Client, queue: str, number: int) -> None:
    async def enqueue() -> None:
        await client.queue(queue).enqueue("job", number)

    code = 1
    try:
        asyncio.events._set_running_loop(None)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(enqueue())
        code = 0
    finally:
        os._exit(code)


class TestBadInput:
    """What cannot be stored is refused before anything is."""

    @pytest.mark.parametrize(
        ("data", "options", "error"),
        [
            (float("nan"), {}, InvalidPayload),
            ({"a": [1, float("inf")]}, {}, InvalidPayload),
            ("\ud800", {}, InvalidPayload),
            (object(), {}, InvalidPayload),
            ("x" * (1024 * 1024), {}, PayloadTooLarge),
            (1, {"job_id": "123"}, InvalidJobId),
            (1, {"job_id": ""}, InvalidJobId),
        ],
    )
    async def test_it_is_an_error_and_stores_nothing(
        self,
        data: Any,
        options: Any,
        error: type[Exception],
        queue: QueueClient,
        raw: redis.asyncio.Redis,
        prefix: str,
    ) -> None:
        """A typed error at `enqueue`, and no key written."""
        with pytest.raises(error):
            await queue.enqueue("job", data, **options)
        assert [key async for key in raw.scan_iter(f"{prefix}*")] == []

    async def test_one_bad_payload_stores_none_of_its_batch(
        self, queue: QueueClient, raw: redis.asyncio.Redis, prefix: str
    ) -> None:
        """`enqueue_many` checks all payloads before it sends any."""
        with pytest.raises(InvalidPayload):
            await queue.enqueue_many("job", [1, 2, float("nan")])
        assert [key async for key in raw.scan_iter(f"{prefix}*")] == []


class TestLostMessages:
    """Every call may be sent again."""

    @pytest.mark.parametrize("trouble", ["lose_request", "lose_reply", "swallow"])
    async def test_a_lost_message_gives_one_job(
        self, trouble: str, make_client: Callable[..., Client], proxy: Proxy, queue_name: str
    ) -> None:
        """Whether the request or the reply is lost, with or without notice, `enqueue` returns and there is one job."""
        queue = make_client(proxy.url).queue(queue_name)
        await queue.enqueue("job", 0)
        rule = getattr(proxy, trouble)(ADD)
        job = await queue.enqueue("job", 1)
        assert rule.seen.is_set()
        assert job.created is True
        assert await waiting(queue) == [0, 1]

    async def test_a_request_that_comes_late_is_refused(
        self, make_client: Callable[..., Client], proxy: Proxy, queue_name: str
    ) -> None:
        """A request that the network kept back, whose sender has sent it again and gone on, adds nothing when it
        arrives after all: the job would run twice."""
        queue = make_client(proxy.url).queue(queue_name)
        await queue.enqueue("job", 0)
        rule = proxy.hold(ADD)
        await queue.enqueue("job", 1)
        for number in (2, 3):
            await queue.enqueue("job", number)
        proxy.release(rule)
        await asyncio.to_thread(rule.passed.wait, 5)
        assert await waiting(queue) == [0, 1, 2, 3]


@pytest.mark.alone
class TestServerGone:
    """An answer within the stated time, whatever the server does."""

    @pytest.mark.parametrize("how", ["stop", "freeze"])
    async def test_it_is_an_error_after_the_stated_time(
        self,
        how: str,
        make_server: Callable[..., ServerProcess],
        make_client: Callable[..., Client],
        queue_name: str,
    ) -> None:
        """With no server, `enqueue` raises `ServerUnavailable` after the client's timeout, for every caller, also
        those in line behind others; the error names the server."""
        server = make_server()
        client = make_client(server.url, timeout=0.6)
        queue = client.queue(queue_name)
        await queue.enqueue("job")
        getattr(server, how)()
        began = time.monotonic()
        errors = await asyncio.gather(*(queue.enqueue("job") for _ in range(30)), return_exceptions=True)
        assert 0.3 < time.monotonic() - began < 1.2
        assert {type(error) for error in errors} == {ServerUnavailable}
        assert {getattr(error, "server", "") for error in errors} == {f"redis://127.0.0.1:{server.port}/0"}
        assert {getattr(error, "after_seconds", 0) for error in errors} == {0.6}

    async def test_it_recovers(
        self, make_server: Callable[..., ServerProcess], make_client: Callable[..., Client], queue_name: str
    ) -> None:
        """When the server is back the same client works again, at once."""
        server = make_server(appendonly="always")
        queue = make_client(server.url, timeout=0.5).queue(queue_name)
        await queue.enqueue("job", 0)
        server.kill9()
        with pytest.raises(ServerUnavailable):
            await queue.enqueue("job", 1)
        server.start()
        await queue.enqueue("job", 2)
        assert await waiting(queue) == [0, 2]

    async def test_a_short_outage_is_not_noticed(
        self, make_server: Callable[..., ServerProcess], make_client: Callable[..., Client], queue_name: str
    ) -> None:
        """A server that comes back within the timeout costs time, and no error."""
        server = make_server(appendonly="always")
        queue = make_client(server.url, timeout=10).queue(queue_name)
        await queue.enqueue("job", 0)
        server.kill9()
        job = asyncio.ensure_future(queue.enqueue("job", 1))
        await asyncio.sleep(0)
        await asyncio.to_thread(server.start, wait=True)
        assert (await job).created is True
        assert await waiting(queue) == [0, 1]

    async def test_every_chunk_has_the_time(
        self, make_server: Callable[..., ServerProcess], make_client: Callable[..., Client], queue_name: str
    ) -> None:
        """A batch over several requests fails as a whole when the server goes away, with the same error."""
        server = make_server()
        queue = make_client(server.url, timeout=0.5).queue(queue_name)
        await queue.enqueue("job")
        server.freeze()
        with pytest.raises(ServerUnavailable):
            await queue.enqueue_many("job", list(range(2000)))


async def test_typed_and_untyped_enqueues_meet(client: Client, tasks: Queue, queue: QueueClient) -> None:
    """A task's `enqueue` and the untyped door add to the same queue, in order."""
    double: Any = tasks.bindings()["double"]
    assert double.spec.name == "double"
    await queue.enqueue("double", 1)
    await queue.enqueue("double", 2)
    assert await waiting(queue) == [1, 2]
