"""The failure index of a queue: which of its failed jobs have the same fingerprint."""

from __future__ import annotations

import json
from functools import partial
from typing import Final, NamedTuple

from corral.contracts.failure import FailureKind, kind_of_failed
from corral.contracts.fingerprint import Fingerprint, fingerprint_of, last_trace
from corral.contracts.stored_options import decode_options
from corral.engine.browse_failures import Failure, FailurePage, page_failures
from corral.engine.control_all import Place
from corral.engine.gather_failures import (
    IDS_PER_CALL,
    Filed,
    Groups,
    drop_stale,
    file_failures,
    forget_cursor,
    read_cursor,
    tend_groups,
)
from corral.engine.keys import QueueKeys
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["MOST_GROUPS", "WINDOW", "FailureIndex", "Listing", "fingerprint"]

WINDOW: Final = 50_000
"""How many failed jobs are filed: the newest."""

MOST_GROUPS: Final = 200
GROUPS_TO_SPARE: Final = 200
"""So many more there may be between two times of tending: a call looks at each of them."""

NEWEST: Final = Place("+inf", "")


class Listing(NamedTuple):
    """All groups, and whether they are exactly the failed jobs."""

    groups: Groups
    exact: bool


class Cursor(NamedTuple):
    """What is filed: all failed jobs from `low` to `high`. `low` is None when there is nothing to file before it."""

    high: Place
    low: Place | None

    @staticmethod
    def read(text: bytes) -> Cursor | None:
        """From the text in which it is kept; None when that is none, or another version's."""
        try:
            high, low = json.loads(text)
            return Cursor(_place(high), None if low is None else _place(low))
        except (ValueError, TypeError):
            return None

    @property
    def text(self) -> str:
        """The text in which it is kept."""
        return json.dumps([_words(self.high), self.low and _words(self.low)])


class FailureIndex:
    """Follows the failed jobs of a queue, page by page, from where it was left by whoever followed them last: first
    what has failed since, then backwards to what failed before, as far as the window goes.

    Whatever it writes may be written twice, and by several at once. What leaves the failed jobs (retried, removed,
    trimmed, by any client) is not told; it shows in the numbers, and then the ids are looked through.
    """

    def __init__(self, server: Server, keys: QueueKeys) -> None:
        self._server = server
        self._keys = keys

    async def catch_up(self, most: int) -> bool:
        """File up to about `most` jobs. Whether none is left to file."""
        filed = 0
        kept = await self._server.patiently(lambda: read_cursor(self._server, self._keys))
        cursor = Cursor.read(kept)
        while filed < most:
            page, after = await self._next(cursor)
            if not page.failures and cursor in (None, after):
                return True
            moved, groups = await self._file(page, kept, after.text)
            if groups > MOST_GROUPS + GROUPS_TO_SPARE:
                await self._tend()
            if not moved:
                return False  # somebody else does the same
            cursor, kept, filed = after, after.text.encode(), filed + len(page.failures)
        return False

    async def _next(self, cursor: Cursor | None) -> tuple[FailurePage, Cursor]:
        """The next page to file, and the cursor behind it."""
        begin = NEWEST
        if cursor is not None:
            page = await self._page(cursor.high, back=False)
            if page.failures and page.left < WINDOW:
                return page, cursor._replace(high=page.end)
            if not page.failures and cursor.low is None:
                return page, cursor
            if not page.failures:
                begin = cursor.low or NEWEST
        page = await self._page(begin, back=True)
        newest = Place(page.failures[0].ended, page.failures[0].wire_id) if page.failures else Place()
        high = newest if begin is NEWEST else cursor.high if cursor else newest
        done = page.left == 0 or page.total - page.left >= WINDOW
        return page, Cursor(high, None if done else page.end)

    async def _page(self, place: Place, *, back: bool) -> FailurePage:
        return await self._server.patiently(
            partial(page_failures, self._server, self._keys, place, back=back)
        )

    async def _file(self, page: FailurePage, before: bytes, after: str) -> tuple[bool, int]:
        rows = [_filed(failure) for failure in page.failures]
        return await self._server.patiently(
            partial(file_failures, self._server, self._keys, rows, before=before, after=after)
        )

    async def gather(self, most: int) -> None:
        """File up to about `most` jobs, and keep the groups within bounds."""
        await self.catch_up(most)
        await self._tend()

    async def list(self, *, most: int) -> Listing:
        """All groups, after catching up with up to about `most` jobs."""
        caught_up = await self.catch_up(most)
        groups = await self._tend()
        if caught_up and groups.filed != groups.counted:
            for row in groups.rows:
                await self.drop_stale(row.fingerprint)
            groups = await self._tend()
            if groups.filed < groups.counted and len(groups.rows) < MOST_GROUPS:
                # Jobs have failed in the past: a worker's clock is slow.
                await self._server.patiently(lambda: forget_cursor(self._server, self._keys))
        return Listing(groups, caught_up and groups.filed == groups.total)

    async def drop_stale(self, fingerprint: str) -> None:
        """Drop the ids of a group that are no longer failed."""
        first, looked = 0, IDS_PER_CALL
        while looked == IDS_PER_CALL:
            looked, stayed = await self._server.patiently(
                partial(drop_stale, self._server, self._keys, fingerprint, first)
            )
            first += stayed

    async def _tend(self) -> Groups:
        return await self._server.patiently(
            lambda: tend_groups(self._server, self._keys, window=WINDOW, most=MOST_GROUPS)
        )


def fingerprint(failure: Failure) -> Fingerprint:
    """What a failed job has in common with others."""
    reason, trace = _text(failure.reason), last_trace(_text(failure.traces))
    return fingerprint_of(_kind_of(failure, reason), reason, trace)


def _kind_of(failure: Failure, reason: str) -> FailureKind:
    try:
        attempts = decode_options(_text(failure.opts) or "{}").attempts
    except InvalidOption:
        attempts = 1
    made = int(failure.attempts_made) if failure.attempts_made.isdigit() else 0
    return kind_of_failed(_text(failure.kind), reason, made, attempts)


def _text(word: bytes) -> str:
    return word.decode(errors="replace")


def _filed(failure: Failure) -> Filed:
    found = fingerprint(failure)
    group = json.dumps([found.kind, found.error_type, found.place, found.message])
    return Filed(found.digest, group, failure.wire_id, failure.ended)


def _words(place: Place) -> list[str]:
    return [word.decode(errors="surrogateescape") if isinstance(word, bytes) else str(word) for word in place]


def _place(words: list[str]) -> Place:
    score, wire_id = words
    return Place(score, wire_id.encode(errors="surrogateescape"))
