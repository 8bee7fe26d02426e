"""One connection: replies are never crossed, deadlines hold, and lost scripts come back."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable

import pytest

from corral.engine.faults import ResponseError, Unanswered
from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.script import load
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.engine.driver import Driver
from tests.servers import ServerProcess

CANCELS = 10_000


async def own_link(server: ServerProcess) -> Link:
    """A connection to a server that the test may hurt."""
    return await Server(ServerSettings(server.url, "p")).link()


class TestCancelling:
    """A call that is cancelled never leaves its reply to the next one (CVE-2023-28858)."""

    async def test_ten_thousand_random_cancels(self, driver: Driver) -> None:
        """Whatever moment a call is cancelled in, the next one gets its own reply."""
        draw = random.Random(7)
        answered = cancelled = 0
        for number in range(CANCELS):
            call = asyncio.ensure_future(driver.link.call("ECHO", number))
            for _ in range(draw.choice((1, 2, 3, 5, 9, 17, 33, 65))):
                await asyncio.sleep(0)
            call.cancel()
            try:
                assert await call == str(number).encode()
                answered += 1
            except asyncio.CancelledError:
                cancelled += 1
            if number % 50 == 0:
                assert await driver.link.call("ECHO", f"after {number}") == f"after {number}".encode()
        assert min(answered, cancelled) > CANCELS / 20, (
            "nearly all came too early, or too late, to mean anything"
        )

    async def test_while_connecting(self, engine: Server) -> None:
        """A call cancelled while its connection opens leaves a link that opens another."""
        for steps in range(1, 40):
            link = await engine.link()
            call = asyncio.ensure_future(link.call("ECHO", "lost"))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert await link.call("ECHO", steps) == str(steps).encode()
            await link.close()

    async def test_the_cancel_is_the_callers(
        self, driver: Driver, make_server: Callable[..., ServerProcess]
    ) -> None:
        """A cancelled call raises CancelledError, as asyncio has it, and not an error of ours."""
        server = make_server()
        link = await own_link(server)
        await link.call("PING")
        server.freeze()
        call = asyncio.ensure_future(link.call("PING"))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        server.thaw()
        assert await link.call("PING") == b"PONG"
        await link.close()


class TestDeadlines:
    """Every call has a deadline of its own."""

    async def test_a_server_that_hangs(self, make_server: Callable[..., ServerProcess]) -> None:
        """The call is unanswered in time; when the server goes on, the next call gets its own reply."""
        server = make_server()
        link = await own_link(server)
        await link.call("PING")
        server.freeze()
        for number in range(3):
            with pytest.raises(Unanswered, match=r"no answer within 0\.05 s"):
                await link.call("ECHO", f"late {number}", timeout=0.05)
        server.thaw()
        assert await link.call("ECHO", "now") == b"now"
        await link.close()

    async def test_it_leaves_no_cancel_behind(self, make_server: Callable[..., ServerProcess]) -> None:
        """The caller's task is as it was: neither cancelled nor cancelling."""
        server = make_server()
        link = await own_link(server)
        await link.call("PING")
        server.freeze()
        with pytest.raises(Unanswered):
            await link.call("PING", timeout=0.05)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)
        server.thaw()
        await link.close()

    async def test_while_the_caller_is_being_cancelled(
        self, make_server: Callable[..., ServerProcess]
    ) -> None:
        """A task that cleans up after its cancellation gets the same error from a hanging server as any other."""
        server = make_server()
        link = await own_link(server)
        await link.call("PING")
        server.freeze()
        seen: list[BaseException] = []

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                try:
                    await link.call("PING", timeout=0.05)
                except BaseException as error:
                    seen.append(error)

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [type(error) for error in seen] == [Unanswered]
        server.thaw()
        await link.close()

    async def test_a_cancel_in_the_same_moment(self, make_server: Callable[..., ServerProcess]) -> None:
        """When the caller is cancelled as its call comes late, the cancel wins: nobody is kept alive by a timeout."""
        server = make_server()
        link = await own_link(server)
        await link.call("PING")
        server.freeze()
        loop = asyncio.get_running_loop()
        for _ in range(20):
            call = asyncio.ensure_future(link.call("PING", timeout=0.01))
            await asyncio.sleep(0)
            loop.call_at(loop.time() + 0.01, call.cancel)
            with pytest.raises((asyncio.CancelledError, Unanswered)):
                await call
        server.thaw()
        assert await link.call("ECHO", "x") == b"x"
        await link.close()

    async def test_short_after_long(self, make_server: Callable[..., ServerProcess]) -> None:
        """A short deadline holds although the timer stood for a longer one, and a long one after a short one."""
        server = make_server()
        link = await own_link(server)
        await link.call("PING", timeout=60)
        await link.call("PING", timeout=3)
        server.freeze()
        loop = asyncio.get_running_loop()
        for limit in (0.05, 0.3, 0.1):
            began = loop.time()
            with pytest.raises(Unanswered):
                await link.call("PING", timeout=limit)
            assert limit <= loop.time() - began < limit + 10
        server.thaw()
        await link.close()

    async def test_without_end(self, driver: Driver) -> None:
        """`math.inf` waits for as long as it takes; a blocking wait ends with the server's own time."""
        assert await driver.link.call("BZPOPMIN", driver.keys.key("marker"), 0.05, timeout=math.inf) is None

    async def test_a_fatal_answer_keeps_the_connection(self, driver: Driver) -> None:
        """An error that the command itself has made does not cost the connection."""
        before = await driver.call("CLIENT", "ID")
        with pytest.raises(ResponseError):
            await driver.call("LPUSH")
        assert await driver.call("CLIENT", "ID") == before


class TestReconnecting:
    """The connection is rebuilt on doubt, by the next call."""

    async def test_after_a_restart(self, make_server: Callable[..., ServerProcess]) -> None:
        """A killed server: unanswered; started again: the same link works."""
        server = make_server(appendonly="always")
        link = await own_link(server)
        await link.call("SET", "a", 1)
        server.kill9()
        with pytest.raises(Unanswered):
            await link.call("GET", "a")
        server.start()
        assert await link.call("GET", "a") == b"1"
        await link.close()

    async def test_killed_by_an_operator(self, driver: Driver, engine: Server) -> None:
        """CLIENT KILL costs one call."""
        other = await engine.link(driver.keys)
        await driver.call("PING")
        await other.call("CLIENT", "KILL", "ID", await driver.call("CLIENT", "ID"))
        with pytest.raises(Unanswered):
            await driver.call("PING")
        assert await driver.call("PING") == "PONG"
        await other.close()


class TestScripts:
    """The server may forget its scripts at any time (F32)."""

    async def test_a_flushed_cache(self, driver: Driver) -> None:
        """Whoever calls after a SCRIPT FLUSH does not notice."""
        for number in range(5):
            await driver.call("SCRIPT", "FLUSH")
            assert await driver.add(f"j{number}") == [0]
        assert len(await driver.waiting()) == 5

    async def test_flushed_all_the_time(self, driver: Driver, engine: Server) -> None:
        """A cache that is emptied as fast as one can, under load from several sides: no call fails, no job is lost."""
        flusher = await engine.link(driver.keys)
        stop = asyncio.Event()

        async def flush() -> int:
            count = 0
            while not stop.is_set():
                await flusher.call("SCRIPT", "FLUSH")
                count += 1
            return count

        async def produce(name: str) -> None:
            mine = Driver(engine, await engine.link(driver.keys), driver.keys, driver.now)
            for number in range(200):
                await mine.add(f"{name}{number}")
            await mine.link.close()

        flushing = asyncio.ensure_future(flush())
        await asyncio.gather(*(produce(name) for name in "abc"))
        stop.set()
        assert await flushing > 200
        assert len(await driver.waiting()) == 600
        await flusher.close()

    async def test_after_a_restart(self, make_server: Callable[..., ServerProcess]) -> None:
        """A server that comes back knows no scripts; the first call loads what it needs."""
        server = make_server(appendonly="always")
        engine = Server(ServerSettings(server.url, "p"))
        driver = Driver(engine, await engine.link(), QueueKeys("p", "q"))
        await driver.add("a")
        server.kill9()
        server.start()
        with pytest.raises(Unanswered):
            await driver.add("b")
        await driver.add("c")
        assert (await driver.waiting())[0] == "a"
        await driver.link.close()

    async def test_they_are_run_by_their_hash(self, driver: Driver) -> None:
        """The hash that a script is called by is the one that the server gives its text."""
        script = load("enqueue/add_jobs")
        assert await driver.call("SCRIPT", "LOAD", script.text) == script.sha
