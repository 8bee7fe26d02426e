"""Gather samples: what a minute brought to a queue, for a week."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["KEPT_SAMPLES", "Measure", "TimesOfJob", "read_samples", "take_sample", "write_sample"]

KEPT_SAMPLES: Final = 7 * 24 * 60
KEEP_MS: Final = KEPT_SAMPLES * 60_000
MEASURED_JOBS: Final = 200
SAMPLES_PER_CALL: Final = 2000


class TimesOfJob(NamedTuple):
    """What the times of a job are worked out from, as it is stored; empty where there is nothing."""

    timestamp: bytes
    opts: bytes
    """Its first 4 KiB."""
    starts: bytes
    processed_on: bytes
    finished_on: bytes


class Measure(NamedTuple):
    """What the server says of a queue in a minute."""

    now: int
    minute: int
    """When the minute began (ms)."""
    counts: list[int]
    """How many jobs are in each state, in the order of `JobState`."""
    completed: int
    failed: int
    ended: list[TimesOfJob]
    """Some of the jobs that ended in the minute."""
    line: list[TimesOfJob]
    """Those that are next in line, one of each line."""


async def take_sample(server: Server, keys: QueueKeys, *, clock: Word = "") -> Measure | None:
    """Measure the minute that ended last. None when somebody has done so."""
    most = MEASURED_JOBS
    found = await server.run(load("gather/take_sample"), keys, keys.base, clock, most)
    if not found:
        return None
    now, minute, counts, completed, failed, ended, line = found
    times = [[TimesOfJob(*row) for row in rows] for rows in (ended, line)]
    return Measure(now, minute, counts, completed, failed, *times)


async def write_sample(server: Server, keys: QueueKeys, minute: int, sample: str) -> bool:
    """Keep the sample of a minute. False when there is one of this minute, or of a later one."""
    most, keep_ms = KEPT_SAMPLES, KEEP_MS
    return bool(await server.run(load("gather/write_sample"), keys, minute, sample, most, keep_ms))


async def read_samples(
    server: Server, keys: QueueKeys, since_ms: int, until_ms: int
) -> tuple[list[tuple[int, bytes]], bool]:
    """A page of the samples of the minutes from `since_ms` on that began before `until_ms`, and whether there may be
    more behind it."""
    words = ("XRANGE", keys.key("samples"), since_ms, f"({until_ms}-0", "COUNT", SAMPLES_PER_CALL)
    rows = await server.call(*words)
    return [(int(entry.partition(b"-")[0]), fields[1]) for entry, fields in rows], len(
        rows
    ) == SAMPLES_PER_CALL
