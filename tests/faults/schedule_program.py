"""A process that meets a schedule: kills itself at a point of a claim and a run, or upserts over and over in
many processes.

python -m tests.faults.schedule_program die POINT URL PREFIX QUEUE
python -m tests.faults.schedule_program upsert PROCESSES TIMES URL PREFIX QUEUE
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from corral.contracts.schedule import Cron
from corral.engine.claim import Claim, claim_jobs
from corral.engine.record import Settlement, Verb
from corral.engine.recur import (
    NewSchedule,
    Prepared,
    Upcoming,
    prepare_schedule,
    read_schedule,
    upsert_schedule,
)
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from corral.engine.settle import commit_jobs
from corral.worker.recurrer import prepare_times

POINTS = (
    "before the claim", "the claim is sent", "claimed", "times read", "times sent", "times stored", "settlement sent",
    "settled", "settled with a claim",
)  # fmt: skip


def die() -> None:
    """As the out-of-memory killer does it."""
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """A worker's calls, one after the other, and an end at one point."""

    def __init__(self, point: str) -> None:
        self.point = point

    def reached(self, point: str) -> None:
        """Die if this is the point."""
        if self.point == point:
            die()

    async def sent(self, point: str, call: asyncio.Future[Any]) -> None:
        """Die while a call is under way, if this is the point; else wait for its answer."""
        if self.point == point:
            for _ in range(5):
                await asyncio.sleep(0)
            die()
        await call


async def live(point: str, url: str, prefix: str, queue: str) -> None:
    """Claim, prepare, settle, claim again: as far as the point."""
    server, mortal = Server(ServerSettings(url, prefix)), Mortal(point)
    keys, link = server.keys(queue), await server.link()
    await link.call("PING")
    mortal.reached("before the claim")
    claim = Claim(1, "t1", 300, "", "mortal", 1)
    if point == "the claim is sent":
        await mortal.sent(point, asyncio.ensure_future(claim_jobs(link, keys, claim)))
    claims = await claim_jobs(link, keys, claim)
    [job] = claims.jobs
    mortal.reached("claimed")
    now, row = await read_schedule(server, keys, "s")
    assert row is not None
    mortal.reached("times read")
    if row.pattern is not None:
        preparing = prepare_schedule(server, keys, "s", row.rule, prepare_times(row, now))
        await mortal.sent("times sent", asyncio.ensure_future(preparing))
    mortal.reached("times sent")
    mortal.reached("times stored")
    done = Settlement(job.wire_id, "t1", job.fence, Verb.COMPLETE, "null")
    wanted = 1 if point == "settled with a claim" else 0
    settling = commit_jobs(link, keys, [done], Claim(wanted, "t2", 300, "", "mortal", 2))
    await mortal.sent("settlement sent", asyncio.ensure_future(settling))
    die()


async def upsert(times: int, number: int, url: str, prefix: str, queue: str) -> None:
    """Store the schedule again and again, changed now and then."""
    server = Server(ServerSettings(url, prefix, 30))
    keys, minutely = server.keys(queue), Cron("* * * * *")
    upcoming: Upcoming = lambda after: Prepared(after, tuple(minutely.upcoming(12, after)))  # noqa: E731
    for turn in range(times):
        data = f"[{number},{turn}]"
        if turn % 5:
            await upsert_schedule(server, keys, NewSchedule("s", "n", data, every_ms=60_000 + turn % 3))
        else:
            new = NewSchedule("s", "n", data, pattern="* * * * *", tz="UTC")
            await upsert_schedule(server, keys, new, upcoming=upcoming)
    await server.close()


def upsert_in_processes(processes: int, times: int, *where: str) -> int:
    """Upsert in so many at once. How many of them failed."""
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                asyncio.run(upsert(times, number, *where))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    if sys.argv[1] == "die":
        asyncio.run(live(*sys.argv[2:6]))
    else:
        sys.exit(upsert_in_processes(int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:7]))
