"""Looking for jobs by a text: a thousand at a time, and it is said how many were looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from corral.admin.queue import QueueAdmin
from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.http.redactor import Redactor

__all__ = ["Found", "find_jobs"]

A_STEP: Final = 250
LOOKED_AT: Final = 1000
"""Jobs of one search: some tens of milliseconds, most of them for masking."""


class Found(NamedTuple):
    """Jobs that match, how many were looked at, and the place from which to search on; None at the end."""

    jobs: list[Job]
    looked_at: int
    following: int | None


async def find_jobs(
    queue: QueueAdmin, redactor: Redactor, state: JobState, text: str, start: int, wanted: int
) -> Found:
    """The jobs of a state as they are shown, from a place on; with a text only those that show it in id, name, payload
    or reason: a search finds no secret, letter by letter."""
    if not text:
        jobs = [redactor.job(job) for job in await queue.jobs.list(state, start=start, limit=wanted + 1)]
        return Found(jobs[:wanted], len(jobs[:wanted]), start + wanted if len(jobs) > wanted else None)
    found, place = list[Job](), start
    while place < start + LOOKED_AT and len(found) < wanted:
        page = await queue.jobs.list(state, start=place, limit=A_STEP)
        for job in page:
            place += 1
            searched = replace(job, stacktrace=(), returnvalue=None, progress=None)
            if _has(redactor.job(searched), text.lower()):
                found.append(redactor.job(job))
                if len(found) == wanted:
                    break
        if len(page) < A_STEP:
            return Found(found, place - start, None if len(found) < wanted else place)
    return Found(found, place - start, place)


def _has(job: Job, text: str) -> bool:
    fields: Sequence[str] = (
        job.id,
        job.name,
        job.failed_reason or "",
        json.dumps(job.data, ensure_ascii=False),
    )
    return any(text in field.lower() for field in fields)
