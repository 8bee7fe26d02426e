"""Browse: the jobs whose ids have a common beginning, such as those of one schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.engine.browse import read_jobs
from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["Found", "find_by_beginning"]

DEPTH: Final = 1000
"""How many jobs of each state are looked at."""

STILL_THERE: Final = datetime.max.replace(tzinfo=UTC)
"""When a job ends that has not ended."""


class Found(NamedTuple):
    """Jobs, those that have not ended first, then the latest to end. `since`: of jobs that ended before that time (ms)
    some may be missing; None: all that are kept were looked at."""

    jobs: list[Job]
    since: int | None


async def find_by_beginning(
    server: Server, keys: QueueKeys, beginnings: Sequence[str], *, limit: int, depth: int = DEPTH
) -> Found:
    """At most `limit` jobs with ids (as in Redis) of one of these beginnings and a text without a colon behind it."""
    since, *flat = await server.run(load("browse/find_by_beginning"), keys, depth, *beginnings)
    rows = list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    rows.sort(key=lambda row: float(row[2] or "inf"), reverse=True)
    jobs: list[Job] = []
    for state, ids in _by_state(rows[:limit]).items():
        jobs += await read_jobs(server, keys, ids, state)
    jobs.sort(key=lambda job: job.finished_on or STILL_THERE, reverse=True)
    return Found(jobs, int(float(since)) if since else None)


def _by_state(rows: list[tuple[bytes, bytes, bytes]]) -> dict[JobState, list[bytes]]:
    ids: dict[JobState, list[bytes]] = {}
    for wire_id, state, _ in rows:
        ids.setdefault(JobState(state.decode()), []).append(wire_id)
    return ids
