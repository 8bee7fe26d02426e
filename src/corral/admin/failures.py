"""The failures of one queue: what failed for good, by cause, and what is to be done about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from corral.admin.bulk import NO_LIMIT, JobFilter
from corral.admin.failure_group import FailureGroup, FailureGroups
from corral.admin.failure_index import FailureIndex, fingerprint
from corral.admin.steps import Progress
from corral.contracts.arguments import flag, string, whole
from corral.contracts.failure import FailureKind
from corral.contracts.job import Job
from corral.contracts.names import decode_job_id
from corral.contracts.states import JobState
from corral.engine.browse import count_between, count_jobs, read_jobs
from corral.engine.browse_failures import Failure, failed_id_page, page_failures
from corral.engine.control import retry_jobs
from corral.engine.control_all import Place, remove_failed
from corral.engine.gather_failures import GroupRow
from corral.engine.sender import Sender
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["QueueFailures"]

FILED_BY_A_VIEW: Final = 1000
"""How many failed jobs a look at the groups files itself: some tens of milliseconds."""

MAX_PAGE: Final = 1000
Jobs = list[Job]


@dataclass(frozen=True, slots=True)
class _Selection:
    """Which failures."""

    fingerprint: str
    kind: FailureKind | None
    where: JobFilter

    def includes(self, failure: Failure) -> bool:
        where = self.where
        if not float(where.first.score) <= float(failure.ended) < where.before_ms:
            return False
        if where.name and failure.name != where.name.encode():
            return False
        if where.reason and where.reason.encode() not in failure.reason:
            return False
        if not self.fingerprint and self.kind is None:
            return True
        found = fingerprint(failure)
        return self.fingerprint in ("", found.digest) and self.kind in (None, found.kind)


class QueueFailures:
    """The operator's verbs for the failures of one queue. Made by `QueueAdmin.failures`.

    Failed jobs are grouped by fingerprint: kind, exception type, place, and message without what differs from job to
    job. The groups are kept beside the queue, for the newest 50,000 failed jobs and at most 200 groups; they are filed
    by whoever looks, and each minute by one worker. What is not covered is found all the same: `count`, `retry` and
    `remove` then look at every failed job, some thousand a second.
    """

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._keys = server.keys(name)
        self._sender = Sender(server)
        self._index = FailureIndex(server, self._keys)
        self.queue = name

    def __repr__(self) -> str:
        return f"<QueueFailures {self.queue}>"

    async def groups(
        self, kind: FailureKind | str | None = None, limit: int = 100, *, catch_up: int = FILED_BY_A_VIEW
    ) -> FailureGroups:
        """The failures by cause, the latest first, at most `limit` groups (or 200), of one kind or of all.

        Catches up with up to about `catch_up` failed jobs itself; where there are more, call again, or let a worker do
        it.
        """
        wanted = _kind(kind)
        listing = await self._index.list(most=whole("catch_up", catch_up))
        found = [_group(row) for row in listing.groups.rows]
        some = [group for group in found if wanted in (None, group.kind)][: whole("limit", limit)]
        return FailureGroups(tuple(some), listing.groups.filed, listing.groups.total, listing.exact)

    async def jobs(self, fingerprint: str, *, start: int = 0, limit: int = 20) -> Jobs:
        """A page of the jobs of a group that are covered, the latest to fail first, at most 1,000 at a time."""
        name, first, count = _name(fingerprint), whole("start", start), min(whole("limit", limit), MAX_PAGE)
        await self._index.drop_stale(name)
        if count == 0:
            return []
        ids = await self._server.patiently(
            lambda: failed_id_page(self._server, self._keys, name, first, count)
        )
        return await self._server.patiently(lambda: read_jobs(self._server, self._keys, ids, JobState.FAILED))

    async def count(
        self,
        fingerprint: str = "",
        kind: FailureKind | str | None = None,
        *,
        where: JobFilter | None = None,
        on_progress: Progress | None = None,
    ) -> int:
        """How many failed jobs `retry` or `remove` would take now: all that is given has to be so.

        Args:
            fingerprint: of a group.
            kind: of the failures.
            where: the task's name, a text in the first 4 KiB of the reason, times.
            on_progress: told of the number of jobs looked at, and of the number to look at.
        """
        return await self._go_through(_selection(fingerprint, kind, where), _length, NO_LIMIT, on_progress)

    async def retry(
        self,
        fingerprint: str = "",
        kind: FailureKind | str | None = None,
        *,
        where: JobFilter | None = None,
        limit: int | None = None,
        reset_attempts: bool = False,
        on_progress: Progress | None = None,
    ) -> int:
        """Make failed jobs ready to run again, each once, even if it fails again meanwhile. Returns how many.

        In steps of 100 jobs, between which others take their turn; an interrupted call has done a part, and may be made
        again. Arguments as for `count`, and `reset_attempts` as for `jobs.retry`.
        """
        anew = int(flag("reset_attempts", reset_attempts))

        async def retry(wire_ids: Sequence[bytes]) -> int:
            told = await self._sender.send(
                lambda sent: retry_jobs(
                    self._server, self._keys, JobState.FAILED, wire_ids, front="0", anew=anew, sent=sent
                )
            )
            return told.count(None)

        most = NO_LIMIT if limit is None else whole("limit", limit)
        return await self._go_through(_selection(fingerprint, kind, where), retry, most, on_progress)

    async def remove(
        self,
        fingerprint: str = "",
        kind: FailureKind | str | None = None,
        *,
        where: JobFilter | None = None,
        limit: int | None = None,
        on_progress: Progress | None = None,
    ) -> int:
        """Remove failed jobs with all that they have. Returns how many. Events: `cleaned`, with the count of each step.

        What is below them in flows stays; parents do not wait for them. Arguments as for `retry`.
        """

        async def remove(wire_ids: Sequence[bytes]) -> int:
            return await self._sender.send(
                lambda sent: remove_failed(self._server, self._keys, wire_ids, sent=sent)
            )

        most = NO_LIMIT if limit is None else whole("limit", limit)
        return await self._go_through(_selection(fingerprint, kind, where), remove, most, on_progress)

    # --- inside -----------------------------------------------------------------------------------------

    async def _go_through(
        self,
        selection: _Selection,
        act: Callable[[Sequence[bytes]], Awaitable[int]],
        most: int,
        on_progress: Progress | None,
    ) -> int:
        """Act on what is selected of those that have failed before now, the oldest first; on how many it acted."""
        begun = await self._server.patiently(
            lambda: count_between(self._server, self._keys, JobState.FAILED, "-inf")
        )
        await asyncio.sleep(0.001)  # what is retried and fails again ends in a later millisecond
        names, total = await self._places(selection)
        done = seen = 0
        for name in names:
            async for page in self._pages(name, selection.where.first, begun.now):
                known = [one for one in page if float(one.ended) <= begun.now and selection.includes(one)]
                if known and done < most:
                    done += await act([one.wire_id for one in known[: most - done]])
                seen += len(page)
                if on_progress is not None:
                    on_progress(seen, max(seen, total))
                if done >= most:
                    return done
        return done

    async def _places(self, selection: _Selection) -> tuple[list[str], int]:
        """Where to look: the groups that may have what is selected, if these are exact, else all failed jobs. And how
        many jobs there are to look at."""
        if selection.fingerprint or selection.kind is not None:
            listing = await self._index.list(most=FILED_BY_A_VIEW)
            if listing.exact:
                rows = [row for row in listing.groups.rows if _may_be_in(row, selection)]
                return [row.fingerprint for row in rows], sum(row.size for row in rows)
        counts = await self._server.patiently(lambda: count_jobs(self._server, self._keys))
        return [""], counts[JobState.FAILED]

    async def _pages(self, name: str, place: Place, last: int) -> AsyncIterator[list[Failure]]:
        """The failed jobs of a group, or all, page by page up to a time."""
        while True:
            page = await self._server.patiently(
                partial(page_failures, self._server, self._keys, place, fingerprint=name)
            )
            yield page.failures
            place = page.end
            if page.left <= 0 or float(place.score) > last:
                return


async def _length(wire_ids: Sequence[bytes]) -> int:
    return len(wire_ids)


def _may_be_in(row: GroupRow, selection: _Selection) -> bool:
    return selection.fingerprint in ("", row.fingerprint) and selection.kind in (None, _group(row).kind)


def _selection(fingerprint: str, kind: FailureKind | str | None, where: JobFilter | None) -> _Selection:
    if where is not None and not isinstance(where, JobFilter):
        raise InvalidOption("where", where, "give JobFilter(name=…, reason=…), or None for all")
    return _Selection(_name(fingerprint), _kind(kind), where or JobFilter())


def _name(fingerprint: str) -> str:
    return string("fingerprint", fingerprint)


def _kind(kind: FailureKind | str | None) -> FailureKind | None:
    if kind is None:
        return None
    if kind not in set(FailureKind):
        raise InvalidOption("kind", kind, f"give one of {', '.join(FailureKind)}")
    return FailureKind(kind)


def _group(row: GroupRow) -> FailureGroup:
    kind, error_type, place, message = json.loads(row.group)
    return FailureGroup(
        row.fingerprint, FailureKind(kind), error_type, place, message, row.size,
        datetime.fromtimestamp(row.first / 1000, UTC), datetime.fromtimestamp(row.last / 1000, UTC),
        decode_job_id(row.example.decode(errors="surrogateescape")),
    )  # fmt: skip
