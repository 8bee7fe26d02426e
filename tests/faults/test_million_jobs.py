"""With a million jobs no script of an operator's verb holds the server over 20 ms.

A verb runs over a million jobs until it has made enough calls to judge them, and is interrupted then: what a call costs
does not depend on how many follow. Held are, for the calls of each verb: the server's own processor time, the time that
nine of ten stay under (less the part in which other programs had the processor: one call alone may have been
interrupted by them), and, exactly, the number of commands.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis

from corral import Admin, JobFilter
from corral.admin.queue import QueueAdmin
from corral.admin.steps import Progress
from corral.engine.recur import sweep_schedules
from tests.servers import ServerProcess

JOBS = 1_000_000
CHUNK = 2_000
BOUND_MS = 20.0
MEAN_MS = 10.0
COMMANDS_PER_CALL = 3_000
TRIES = 3
LOGGED_US = 500
NONE = JobFilter(reason="nothing fails so")
ENOUGH = 20_000
"""Jobs after which a verb is interrupted."""

BASE = "p:q:"
MIDDLE = f"0190a4c2-7b1e-7c3d-8f2a-{JOBS // 2:012d}"
PLACES = ("wait", "paused", "prioritized", "delayed", "failed")
FILL = """
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local id = string.format('0190a4c2-7b1e-7c3d-8f2a-%012d', n)
  redis.call('HSET', 'p:q:' .. id, 'name', 'n', 'data', '{"n":1}', 'opts', '{"attempts":3}', 'timestamp', n,
    'delay', 0, 'priority', 0)
  redis.call('LPUSH', 'p:q:wait', id)
end
"""
MOVE = """
local ids = {}
if redis.call('TYPE', KEYS[1]).ok == 'zset' then
  for n, part in ipairs(redis.call('ZPOPMIN', KEYS[1], ARGV[1])) do
    if n % 2 == 1 then
      ids[#ids + 1] = part
    end
  end
else
  ids = redis.call('RPOP', KEYS[1], ARGV[1]) or {}
end
for n, id in ipairs(ids) do
  if KEYS[2] == 'p:q:wait' or KEYS[2] == 'p:q:paused' then
    redis.call('LPUSH', KEYS[2], id)
  else
    redis.call('ZADD', KEYS[2], KEYS[2] == 'p:q:failed' and ARGV[2] + n or 2^52 + 4096 * (ARGV[2] + n), id)
  end
end
return #ids
"""
SCHEDULED = 500
SCHEDULE = """
local id, ms = ARGV[1], '1799971200000'
local job_id = 'repeat:' .. id .. ':' .. ms
redis.call('HSET', 'p:q:repeat:' .. id, 'name', 'n', 'every', 60000, 'offset', 0, 'ic', 1)
redis.call('ZADD', 'p:q:repeat', ms, id)
redis.call('HSET', 'p:q:' .. job_id, 'name', 'n', 'data', '{}', 'opts', '{}', 'timestamp', ms, 'delay', 0,
  'priority', 0, 'rjk', id)
redis.call('LSET', 'p:q:wait', ARGV[2], job_id)
"""

SHUFFLE = """
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local key = string.format('p:q:0190a4c2-7b1e-7c3d-8f2a-%012d', n)
  if redis.call('EXISTS', key) == 1 then
    redis.call('HSET', key, 'timestamp', n * 7919 % 1000003)
  end
end
"""
FAMILY = """
redis.call('HSET', 'p:few:boss', 'name', 'n', 'data', '{}', 'opts', '{}')
redis.call('ZADD', 'p:few:waiting-children', 1, 'boss')
local length = redis.call('LLEN', 'p:q:wait')
for n = 1, tonumber(ARGV[1]) do
  local key = 'p:q:' .. redis.call('LINDEX', 'p:q:wait', math.floor(length / 2) - 100000 + 1000 * n)
  redis.call('HSET', key, 'parentKey', 'p:few:boss', 'parent', '{"id":"boss","queueKey":"p:few"}')
  redis.call('SADD', 'p:few:boss:dependencies', key)
end
"""
"""A parent in a queue of its own, whose children stand in the middle of the line, far from each other."""

CHILDREN = 200

Verb = Callable[[QueueAdmin, Progress], Awaitable[object]]


class Enough(Exception):
    """The verb has made enough calls."""


def enough(done: int, _total: int) -> None:
    """Interrupt a verb after so many jobs."""
    if done >= ENOUGH:
        raise Enough


@dataclass(frozen=True)
class Cost:
    """What the script calls of a verb cost the server."""

    calls: int
    mean_ms: float
    """Processor time."""
    p90_ms: float
    worst_ms: float
    """Shown, not judged: what else the machine did meanwhile is in it."""
    commands: float
    """Inside of one call."""

    def __str__(self) -> str:
        """One line."""
        times = f"{self.mean_ms:.1f} ms, p90 {self.p90_ms:.1f} ms, the longest {self.worst_ms:.1f} ms"
        return f"{self.calls} calls: {times}, {self.commands:.0f} commands"


@dataclass
class Crowd:
    """A server with a million jobs in one queue, and what its calls cost."""

    raw: redis.Redis
    url: str

    def gather(self, place: str) -> None:
        """All jobs go to one place."""
        for source in PLACES:
            moved = 0
            while source != place:
                some = self.raw.eval(MOVE, 2, BASE + source, BASE + place, CHUNK, moved)
                if not some:
                    break
                moved += int(some)

    def schedule(self) -> None:
        """The iterations of some schedules stand in line: at its ends, in its middle, and everywhere."""
        for number in range(SCHEDULED):
            place = (number, -1 - number, JOBS // 2 + number, number * JOBS // SCHEDULED)[number % 4]
            self.raw.eval(SCHEDULE, 0, f"s{number}", place)

    def split(self) -> None:
        """Half of the ids stand in `paused`, half in `wait`, and the queue is paused."""
        self.raw.hset(BASE + "meta", "paused", 1)
        while int(self.raw.llen(BASE + "paused")) < JOBS // 2 - CHUNK:
            self.raw.eval(MOVE, 2, BASE + "wait", BASE + "paused", CHUNK, 0)

    def shuffle(self) -> None:
        """No job stands where the time of its arrival says."""
        script = self.raw.register_script(SHUFFLE)
        for first in range(0, JOBS, CHUNK):
            script(args=[first, first + CHUNK - 1])

    def in_the_middle(self) -> str:
        """The id of a job with half of the line before it."""
        found: Any = self.raw.lindex(BASE + "wait", int(self.raw.llen(BASE + "wait")) // 2)
        return str(found.decode())

    def cpu_ms(self) -> float:
        """Processor time of the server's main thread."""
        told: dict[str, Any] = self.raw.info("cpu")
        return 1000 * float(told["used_cpu_user_main_thread"] + told["used_cpu_sys_main_thread"])

    async def cost(self, verb: Verb, queue: str = "q") -> Cost:
        """Run a verb until it has made enough calls."""
        # A log of all calls would hold the server itself, when it is read and forgotten.
        self.raw.config_set("slowlog-max-len", 10_000)
        self.raw.config_set("slowlog-log-slower-than", LOGGED_US)
        self.raw.slowlog_reset()
        self.raw.config_resetstat()
        before = self.cpu_ms()
        async with Admin(self.url, prefix="p", timeout=60) as admin:
            with contextlib.suppress(Enough):
                await verb(admin.queue(queue), enough)
        spent = self.cpu_ms() - before
        stats: dict[str, Any] = self.raw.info("commandstats")
        counts = {name.removeprefix("cmdstat_"): int(row["calls"]) for name, row in stats.items()}
        trips = sum(counts.pop(name, 0) for name in ("evalsha", "eval"))
        entries = self.raw.slowlog_get(10_000)
        took = sorted(
            int(entry["duration"]) / 1000 for entry in entries if entry["command"].startswith(b"EVAL")
        )
        ran = min(1.0, spent / max(sum(took), 0.001))
        p90 = took[-1 - trips // 10] * ran if len(took) > trips // 10 else LOGGED_US / 1000
        worst = took[-1] if took else 0.0
        return Cost(trips, spent / max(1, trips), p90, worst, sum(counts.values()) / max(1, trips))


@pytest.fixture(scope="module")
def crowd(server_kind: str) -> Iterator[Crowd]:
    """A million waiting jobs on a server of their own."""
    with ServerProcess(server_kind) as process, redis.Redis.from_url(process.url, socket_timeout=60) as raw:
        fill = raw.register_script(FILL)
        for first in range(0, JOBS, CHUNK):
            fill(args=[first, first + CHUNK - 1])
        yield Crowd(raw, process.url)


async def count(queue: QueueAdmin, _progress: Progress) -> None:
    """Look at all that can be counted."""
    for _ in range(20):
        await queue.counts()
        await queue.priorities()


async def sweep(queue: QueueAdmin, _progress: Progress) -> None:
    """Look at schedules whose iterations wait near the ends of the line and far from them."""
    server = queue._server
    for _ in range(5):
        cursor = b""
        while cursor != b"0":
            cursor, _ = await sweep_schedules(server, server.keys(queue.name), cursor, interval_ms=1)


async def listing(queue: QueueAdmin, _progress: Progress) -> None:
    """Pages at either end and in the middle."""
    for start in (0, JOBS // 2, JOBS - 200):
        await queue.jobs.list("failed", start=start, limit=1000)


async def group(queue: QueueAdmin, _progress: Progress) -> None:
    """File failures under hundreds of fingerprints, look at them, and let ids be dropped."""
    for number in range(0, 20_000, 10):
        letters = "".join("abcdefghij"[int(digit)] for digit in f"{number // 10 % 700:03d}")
        job_id = f"0190a4c2-7b1e-7c3d-8f2a-{JOBS - 1 - number:012d}"
        await queue._server.call("HSET", BASE + job_id, "failedReason", letters)
    for _ in range(25):
        await queue.failures.groups()
    await queue.failures.jobs((await queue.failures.groups()).groups[0].fingerprint)


async def pause_and_resume(queue: QueueAdmin, _progress: Progress) -> None:
    """Merge two long lists; then pause and resume beside BullMQ 5."""
    await queue.resume()
    await queue.set_peers(5)
    await queue.pause()
    await queue.resume()
    await queue.set_peers(None)


CASES: dict[str, dict[str, Verb]] = {
    "wait": {
        "count": count,
        "clean what is young": lambda queue, told: queue.clean(
            "waiting", older_than=10**10, on_progress=told
        ),
        "clean": lambda queue, told: queue.clean("waiting", older_than=0, on_progress=told),
        "remove one": lambda queue, told: queue.jobs.remove(MIDDLE),
        "find orphans": lambda queue, told: queue.orphans(on_progress=told),
        "remove orphans": lambda queue, told: queue.remove_orphans(on_progress=told),
        "drain": lambda queue, told: queue.drain(on_progress=told),
        "obliterate": lambda queue, told: queue.obliterate(on_progress=told),
    },
    "paused": {"pause and resume": pause_and_resume},
    "prioritized": {
        "count": count,
        "clean what is young": lambda queue, told: queue.clean(
            "prioritized", older_than=10**10, on_progress=told
        ),
        "clean": lambda queue, told: queue.clean("prioritized", older_than=0, on_progress=told),
        "drain": lambda queue, told: queue.drain(on_progress=told),
    },
    "delayed": {
        "promote all": lambda queue, told: queue.jobs.promote_all(on_progress=told),
        "clean": lambda queue, told: queue.clean("delayed", older_than=0, on_progress=told),
        "drain": lambda queue, told: queue.drain(delayed=True, on_progress=told),
    },
    "failed": {
        "list": listing,
        "count those that match": lambda queue, told: queue.jobs.count_matching(where=NONE, on_progress=told),
        "retry those that match": lambda queue, told: queue.jobs.retry_all(where=NONE, on_progress=told),
        "retry all": lambda queue, told: queue.jobs.retry_all(on_progress=told),
        "group failures": group,
        "count failures of a kind": lambda queue, told: queue.failures.count(kind="poison", on_progress=told),
        "retry failures": lambda queue, told: queue.failures.retry(kind="permanent", on_progress=told),
        "remove failures": lambda queue, told: queue.failures.remove(kind="permanent", on_progress=told),
        "clean": lambda queue, told: queue.clean("failed", older_than=0, on_progress=told),
        "obliterate": lambda queue, told: queue.obliterate(on_progress=told),
    },
}
"""Where the jobs are, and what is done to them."""


def nearness(cost: Cost) -> float:
    """How near the times come to their bounds: 1 is at one of them. A busy machine disturbs either."""
    return max(cost.p90_ms / BOUND_MS, cost.mean_ms / MEAN_MS)


async def judge(
    crowd: Crowd, name: str, verb: Verb, prepare: Callable[[], object] = lambda: None, queue: str = "q"
) -> None:
    """The calls of a verb stay under the bounds, if need be when it is tried again."""
    tries: list[Cost] = []
    while len(tries) < TRIES and (not tries or nearness(tries[-1]) >= 1):
        await asyncio.to_thread(prepare)
        tries.append(await crowd.cost(verb, queue))
        crowd.raw.hdel(BASE + "meta", "paused")
    best = min(tries, key=nearness)
    print(f"{name}: {best}")
    assert best.commands <= COMMANDS_PER_CALL, f"{name}: {best}"
    assert best.mean_ms < MEAN_MS, f"{name}: {best}"
    assert best.p90_ms < BOUND_MS, f"{name}: {best}"


@pytest.mark.faults
async def test_a_sweep_holds_no_server(crowd: Crowd) -> None:
    """Five hundred schedules, whose iterations wait all over the line, are looked at in short calls; none is taken
    for lost."""
    await asyncio.to_thread(crowd.gather, "wait")
    await asyncio.to_thread(crowd.schedule)
    length = crowd.raw.llen(BASE + "wait")
    await judge(crowd, "sweep", sweep)
    assert crowd.raw.llen(BASE + "wait") == length
    crowd.raw.delete(BASE + "repeat")


@pytest.mark.faults
@pytest.mark.parametrize("place", CASES)
async def test_no_call_holds_the_server(crowd: Crowd, place: str) -> None:
    """Over a million jobs, no call of a verb takes long, and none makes many commands."""
    await asyncio.to_thread(crowd.gather, "wait" if place == "paused" else place)
    for name, verb in CASES[place].items():
        await judge(crowd, f"{place}: {name}", verb, crowd.split if place == "paused" else lambda: None)


@pytest.mark.faults
async def test_no_search_holds_the_server(crowd: Crowd) -> None:
    """Nor does a search for jobs in the middle of a line in which they stand without order: for one of them, or for
    many that are the children of a job in another queue."""
    await asyncio.to_thread(crowd.gather, "wait")
    await asyncio.to_thread(crowd.shuffle)

    async def remove_one(queue: QueueAdmin, _progress: Progress) -> None:
        await queue.jobs.remove(crowd.in_the_middle())

    async def set_priority(queue: QueueAdmin, _progress: Progress) -> None:
        await queue.jobs.set_priority(crowd.in_the_middle(), 3)

    async def remove_family(queue: QueueAdmin, progress: Progress) -> None:
        assert await queue.jobs.remove("boss", children=True) == 1 + CHILDREN

    async def remove_unprocessed(queue: QueueAdmin, progress: Progress) -> None:
        assert await queue.jobs.remove_unprocessed_children("boss") == CHILDREN

    await judge(crowd, "remove one", remove_one)
    await judge(crowd, "set a priority", set_priority)
    for name, verb in (
        ("remove a family", remove_family),
        ("remove unprocessed children", remove_unprocessed),
    ):
        await judge(crowd, name, verb, lambda: crowd.raw.eval(FAMILY, 0, CHILDREN), "few")
