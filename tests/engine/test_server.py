"""The server as the engine sees it: connections are made late, shared, bounded, named, and closed."""

from __future__ import annotations

import asyncio

from corral.engine.faults import ResponseError
from corral.engine.script import load
from corral.engine.server import MAX_LINKS, Server
from corral.engine.settings import ServerSettings
from tests.servers import free_port


async def connections(server: Server, mine: str) -> int:
    """How many connections the server has that send under this name."""
    listed: list[bytes] = await server.call_each("CLIENT", "LIST")
    return sum(f"name={mine} " in line for text in listed for line in text.decode().splitlines())


async def test_nothing_connects_at_first() -> None:
    """A server that is not there is no trouble until it is called."""
    server = Server(ServerSettings(f"redis://127.0.0.1:{free_port()}"))
    link = await server.link()
    await link.close()
    await server.close()


async def test_calls_share_connections(engine: Server) -> None:
    """Any number of callers at once take turns on a few connections, and each gets its own reply."""
    replies = await asyncio.gather(*(engine.call("ECHO", number) for number in range(500)))
    assert replies == [str(number).encode() for number in range(500)]
    ids = set(await asyncio.gather(*(engine.call("CLIENT", "ID") for _ in range(100))))
    assert len(ids) <= MAX_LINKS


async def test_one_caller_needs_one(engine: Server) -> None:
    """Calls that follow each other use one connection."""
    assert len({await engine.call("CLIENT", "ID") for _ in range(10)}) == 1


async def test_a_link_of_ones_own_has_a_name(engine: Server, corner: str) -> None:
    """Workers are found by the names of their connections."""
    link = await engine.link(name=corner)
    await link.call("PING")
    assert await connections(engine, corner) == 1
    await link.close()
    while await connections(engine, corner):
        pass


async def test_several_commands(engine: Server, corner: str) -> None:
    """Several commands go over one connection, in their order."""
    assert await engine.calls([("SET", corner, 1), ("INCR", corner), ("GET", corner)]) == [b"OK", 2, b"2"]


async def test_a_script_for_several_queues(engine: Server, corner: str) -> None:
    """It runs for each of them in one round trip, in their order, also when the server has lost it; one that is refused
    says so in its place, and the replies behind it are still their own."""
    queues = [engine.keys(f"{corner}-{number}") for number in range(5)]
    for number, keys in enumerate(queues):
        await engine.call("RPUSH", keys.key("wait"), *range(number + 1))
    await engine.call("DEL", queues[3].key("wait"))
    await engine.call("SET", queues[3].key("wait"), "damaged")
    await engine.call("SCRIPT", "FLUSH")
    for _ in range(2):
        replies = await engine.run_each(
            load("browse/glance_at_queue"), queues, lambda keys: (keys.base, "1000")
        )
        assert isinstance(replies[3], ResponseError)
        assert [reply[1][0] for reply in replies if not isinstance(reply, ResponseError)] == [1, 2, 3, 5]
        assert await engine.call("ECHO", "mine") == b"mine"
    assert await engine.run_each(load("browse/glance_at_queue"), [], lambda keys: (keys.base, "")) == []


async def test_it_works_again_after_close(engine: Server) -> None:
    """Closed, a server has no connections; called again, it makes new ones."""
    first = await engine.call("CLIENT", "ID")
    await engine.close()
    assert await engine.call("CLIENT", "ID") != first


async def test_a_cancelled_caller_gives_its_place_back(engine: Server) -> None:
    """Callers that are cancelled while they wait or work leave room for the others."""
    for _ in range(20):
        calls = [asyncio.ensure_future(engine.call("PING")) for _ in range(3 * MAX_LINKS)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    assert await asyncio.gather(*(engine.call("ECHO", number) for number in range(MAX_LINKS))) == [
        str(number).encode() for number in range(MAX_LINKS)
    ]
