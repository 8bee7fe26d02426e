"""Many jobs at once, in bounded steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from corral.admin.batch import Batch, state_error
from corral.admin.steps import Progress
from corral.contracts.arguments import string, whole
from corral.contracts.duration import instant_ms
from corral.contracts.names import lookup_job_id
from corral.contracts.states import FINISHED, JobState
from corral.engine.browse import Between, count_between
from corral.engine.browse_pages import count_matching
from corral.engine.control import JOBS_PER_CALL, promote_jobs, retry_jobs
from corral.engine.control_all import Page, Place, Selection, promote_page, retry_matching
from corral.engine.keys import QueueKeys
from corral.engine.sender import Sender
from corral.engine.server import Server
from corral.errors import InvalidOption, JobError

__all__ = ["JobFilter", "Promotion", "Retrial", "count_jobs_matching"]

NO_LIMIT: Final = 2**53
TOO_EARLY: Final = -1
TOLD = Sequence[JobState | None]


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which finished jobs. All that is given has to be so; nothing given means all.

    Args:
        name: the task's name.
        reason: a text that stands in the failure's reason.
        finished_after: ended at this time or later.
        finished_before: ended before this time.
    """

    name: str = ""
    reason: str = ""
    finished_after: datetime | None = None
    finished_before: datetime | None = None

    def __post_init__(self) -> None:
        string("name", self.name)
        string("reason", self.reason)
        for option in ("finished_after", "finished_before"):
            if (moment := getattr(self, option)) is not None:
                instant_ms(option, moment)
        after, before = self.finished_after, self.finished_before
        if after is not None and before is not None and after >= before:
            raise InvalidOption("finished_before", before, f"nothing ends before it and after {after}")

    @property
    def first(self) -> Place:
        """Where the search begins."""
        after = self.finished_after
        return Place() if after is None else Place(str(instant_ms("finished_after", after)))

    @property
    def before_ms(self) -> int:
        """The first moment that no longer counts."""
        before = self.finished_before
        return NO_LIMIT if before is None else instant_ms("finished_before", before)


def _checked(state: object, where: object) -> JobFilter:
    if not isinstance(state, str) or state not in FINISHED:
        raise InvalidOption("state", state, "give failed or completed")
    if where is not None and not isinstance(where, JobFilter):
        raise InvalidOption("where", where, "give JobFilter(name=…, reason=…), or None for all")
    return where or JobFilter()


async def _scope(server: Server, keys: QueueKeys, state: JobState, where: JobFilter) -> tuple[Selection, int]:
    """What matches now, and how many jobs have to be looked at."""
    lowest, highest = where.first.score, "" if where.before_ms == NO_LIMIT else str(where.before_ms - 1)
    found = await server.patiently(lambda: count_between(server, keys, state, lowest))
    last = found.now if not highest else min(found.now, where.before_ms - 1)
    if highest:
        found = await server.patiently(lambda: count_between(server, keys, state, lowest, str(last)))
    return Selection(state, str(last), where.name, where.reason), found.members


async def count_jobs_matching(
    server: Server, keys: QueueKeys, state: JobState | str, where: JobFilter | None, report: Progress
) -> int:
    """How many finished jobs match, page by page."""
    where = _checked(state, where)
    selection, total = await _scope(server, keys, JobState(state), where)
    place, seen, matching = where.first, 0, 0
    while True:
        page = await server.patiently(partial(count_matching, server, keys, selection, place))
        if page.seen == 0:
            return matching
        place, seen, matching = page.end, seen + page.seen, matching + page.taken
        report(seen, max(seen, total))


class Retrial:
    """Finished jobs run again."""

    def __init__(self, server: Server, keys: QueueKeys, sender: Sender, anew: int) -> None:
        self._server = server
        self._keys = keys
        self._sender = sender
        self._anew = anew

    async def of_ids(self, job_ids: Sequence[str], front: str, report: Progress) -> Batch:
        """Those that are failed or completed."""

        async def step(wire_ids: Sequence[str]) -> TOLD:
            told = await self._retry(wire_ids, JobState.FAILED, front)
            completed = [
                one for one, state in zip(wire_ids, told, strict=True) if state is JobState.COMPLETED
            ]
            if not completed:
                return told
            again = iter(await self._retry(completed, JobState.COMPLETED, front))
            return [next(again) if state is JobState.COMPLETED else state for state in told]

        return await _in_steps(job_ids, step, "retried", [JobState.FAILED, JobState.COMPLETED], report)

    async def _retry(self, wire_ids: Sequence[str], state: JobState, front: str) -> TOLD:
        return await self._sender.send(
            lambda sent: retry_jobs(
                self._server, self._keys, state, wire_ids, front=front, anew=self._anew, sent=sent
            )
        )

    async def of_all(
        self, state: JobState | str, where: JobFilter | None, limit: int | None, report: Progress
    ) -> int:
        """Those that match and have ended before now."""
        where = _checked(state, where)
        selection, total = await _scope(self._server, self._keys, JobState(state), where)
        place, seen, retried = where.first, 0, 0
        most = NO_LIMIT if limit is None else whole("limit", limit)
        while retried < most:
            page = await self._step(selection, place, most - retried)
            if page.seen == TOO_EARLY:  # the millisecond in which this began is not over
                await asyncio.sleep(0.001)
                continue
            if page.seen == 0:
                break
            place, seen, retried = page.end, seen + page.seen, retried + page.taken
            report(seen, max(seen, total))
        return retried

    async def _step(self, selection: Selection, place: Place, most: int) -> Page:
        return await self._sender.send(
            lambda sent: retry_matching(
                self._server, self._keys, selection, place, most=most, anew=self._anew, sent=sent
            )
        )


class Promotion:
    """Delayed jobs become ready."""

    def __init__(self, server: Server, keys: QueueKeys, sender: Sender) -> None:
        self._server = server
        self._keys = keys
        self._sender = sender

    async def of_ids(self, job_ids: Sequence[str], report: Progress) -> Batch:
        """Those that are delayed."""

        async def step(wire_ids: Sequence[str]) -> TOLD:
            return await self._sender.send(
                lambda sent: promote_jobs(self._server, self._keys, wire_ids, sent=sent)
            )

        return await _in_steps(job_ids, step, "promoted", [JobState.DELAYED], report)

    async def of_all(self, report: Progress) -> int:
        """All that are delayed now."""
        server, keys = self._server, self._keys
        found: Between = await server.patiently(
            lambda: count_between(server, keys, JobState.DELAYED, "-inf", "+inf")
        )
        place, promoted = Place(), 0
        while True:
            page = await self._sender.send(partial(promote_page, server, keys, place, found.highest))
            if page.seen == 0:
                return promoted
            place, promoted = page.end, promoted + page.taken
            report(promoted, max(promoted, found.members))


async def _in_steps(
    job_ids: Sequence[str],
    step: Callable[[Sequence[str]], Awaitable[TOLD]],
    verb: str,
    allowed: Sequence[JobState],
    report: Progress,
) -> Batch:
    done, refused = list[str](), dict[str, JobError]()
    for first in range(0, len(job_ids), JOBS_PER_CALL):
        chunk = job_ids[first : first + JOBS_PER_CALL]
        told = await step([lookup_job_id(job_id) for job_id in chunk])
        for job_id, state in zip(chunk, told, strict=True):
            if state is None:
                done.append(job_id)
            else:
                refused[job_id] = state_error(job_id, verb, state, allowed)
        report(first + len(chunk), len(job_ids))
    return Batch(tuple(done), refused)
