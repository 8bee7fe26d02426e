"""Survey: what a server says of itself."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Final, NamedTuple

from redis.exceptions import ResponseError

from corral.engine.claim import Claim, claim_jobs
from corral.engine.enqueue import add_jobs
from corral.engine.keys import OWN_SUFFIXES, SUFFIXES, QueueKeys
from corral.engine.link import Link
from corral.engine.listen import last_event_id
from corral.engine.record import NewJob, Settlement, Verb
from corral.engine.server import Server
from corral.engine.settle import commit_jobs
from corral.errors import ServerRefused

__all__ = ["NodeFacts", "clock_difference", "read_facts", "rehearse", "round_trips"]

REHEARSAL: Final = "corral-doctor"


class NodeFacts(NamedTuple):
    """What one server says of itself: INFO as one mapping (hosted servers leave parts out), and two settings, None
    where CONFIG GET is not permitted, as on most hosted servers."""

    node: str
    info: dict[str, str]
    appendfsync: str | None
    save: str | None


async def read_facts(server: Server) -> list[NodeFacts]:
    """The facts of each server that holds jobs: of one, or of all primaries of a cluster."""
    found = []
    async for link in server.each_node():
        text: bytes = await link.call("INFO")
        lines = (line.partition(":") for line in text.decode(errors="replace").splitlines())
        info = {name: value.strip() for name, colon, value in lines if colon and not name.startswith("#")}
        settings = [await _setting(link, name) for name in ("appendfsync", "save")]
        found.append(NodeFacts(str(link.node or ""), info, *settings))
    return found


async def _setting(link: Link, name: str) -> str | None:
    try:
        reply: list[bytes] = await link.call("CONFIG", "GET", name)
    except (ServerRefused, ResponseError):
        return None
    return reply[1].decode(errors="replace") if reply else None


async def round_trips(server: Server, count: int) -> list[float]:
    """Seconds that so many PINGs took, one after the other over one connection, sorted."""
    async with server.borrowed() as link:
        await link.call("PING")
        took = []
        for _ in range(count):
            began = time.perf_counter()
            await link.call("PING")
            took.append(time.perf_counter() - began)
    return sorted(took)


async def clock_difference(server: Server) -> float:
    """Seconds by which the server's clock is ahead of this machine's; as exact as half a round trip."""
    before = time.time()
    seconds, micros = await server.call("TIME")
    return int(seconds) + int(micros) / 1e6 - (before + time.time()) / 2


async def rehearse(server: Server) -> None:
    """Take a job through its life in a queue of its own, which is gone afterwards.

    Raises:
        ServerRefused: the user may not do something that a worker or a producer does; the reason names it.
        QueueFull: the server has reached maxmemory.
    """
    # The hash tag keeps it on one node of a cluster.
    keys = QueueKeys(server.settings.prefix, f"{{{REHEARSAL}-{secrets.token_hex(6)}}}")
    link = await server.link(keys)
    try:
        await add_jobs(link, keys, [NewJob("rehearsal", "c", "rehearsal", "{}", "{}", 0, "", 0, "")])
        await link.call("BZPOPMIN", keys.key("marker"), "0.01")
        await last_event_id(link, keys)
        claim = Claim(1, "rehearsal", 10_000)
        claims = await claim_jobs(link, keys, claim)
        ends = [
            Settlement(job.wire_id, "rehearsal", job.fence, Verb.COMPLETE, "null", keep_count=0)
            for job in claims.jobs
        ]
        await commit_jobs(link, keys, ends, claim._replace(wanted=0))
        await link.call("SCAN", 0, "MATCH", f"{keys.base}*", "COUNT", 1)
    finally:
        async with asyncio.timeout(server.settings.timeout):
            await link.call("DEL", keys.job("rehearsal"), *keys.all((*SUFFIXES, *OWN_SUFFIXES)))
        await link.close()
