"""Pacing: how many mails go to one domain in a time. Providers turn away who comes too fast."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from corral import InvalidOption, RateLimit, Snooze
from corral.tasks.email.addresses import encoded_domain

__all__ = ["Pacing"]

PLACES: Final = 10_000
"""How many mails are given a place. More come back when the last place is due, and are given one then."""
EARLY: Final = 0.05
"""Seconds that a mail may come before its place is due: a server's clock wakes it, and not this one."""


class Window(NamedTuple):
    """A time that begins and ends, and how many mails have a place in it."""

    begin: float
    end: float
    taken: int


class Pacing:
    """Limits for domains, for one worker process: what is too much is put off, and spends no attempt.

    Each mail of a domain has a place in one of its windows: the present one while that has room, else the next that
    has. It is put off until there, and its place is kept for it, so that it is put off once, however many wait. Where
    it comes when its window is over, as the worker was behind, it is counted anew: the limit holds.

    Args:
        limits: by domain; ``*`` for each that is not named. Raises `InvalidOption` for what is no domain.
        clock: seconds that only grow.
    """

    def __init__(self, limits: Mapping[str, RateLimit], clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = {_known(domain): limit for domain, limit in limits.items()}
        self._clock = clock
        self._windows: OrderedDict[str, Window] = OrderedDict()
        """Of each domain the last one in which a place is taken."""
        self._places: OrderedDict[tuple[str, str], Window] = OrderedDict()
        """In which a job's mail may go to a domain."""

    def take(self, job_id: str, recipients: Iterable[str]) -> None:
        """Count a job's mail for each domain, encoded. Raises `Snooze` where it has to wait: it keeps a place there,
        and has none where it need not wait."""
        now = self._clock()
        self._forget(now)
        windows = dict[str, Window]()
        dues = dict[str, float]()
        for domain in {encoded_domain(recipient.rpartition("@")[2]) for recipient in recipients}:
            place = self._places.get((job_id, domain))
            if place is not None and now < place.end:
                dues[domain] = place.begin
            elif limit := self._limits.get(domain, self._limits.get("*")):
                windows[domain] = self._with_room(domain, limit, now)
                dues[domain] = windows[domain].begin
        due = max(dues.values(), default=now)
        if due > now + EARLY:
            self._keep(job_id, {domain: each for domain, each in windows.items() if each.begin > now})
            raise Snooze(due - now)
        for domain in dues:
            self._places.pop((job_id, domain), None)
        self._count(windows)

    def _with_room(self, domain: str, limit: RateLimit, now: float) -> Window:
        seconds = limit.per_ms / 1000
        last = self._windows.get(domain)
        if last is None or last.end <= now:
            return Window(now, now + seconds, 0)
        return last if last.taken < limit.max else Window(last.end, last.end + seconds, 0)

    def _keep(self, job_id: str, windows: Mapping[str, Window]) -> None:
        if len(self._places) + len(windows) <= PLACES:
            self._places |= {(job_id, domain): window for domain, window in windows.items()}
            self._count(windows)

    def _count(self, windows: Mapping[str, Window]) -> None:
        for domain, window in windows.items():
            self._windows[domain] = window._replace(taken=window.taken + 1)
            self._windows.move_to_end(domain)

    def _forget(self, now: float) -> None:
        """Drop what is over. What was taken first is over first, but for limits of different times."""
        while self._windows and next(iter(self._windows.values())).end <= now:
            self._windows.popitem(last=False)
        while self._places and next(iter(self._places.values())).end <= now:
            self._places.popitem(last=False)


def _known(domain: str) -> str:
    try:
        return domain if domain == "*" else encoded_domain(domain)
    except ValueError:
        raise InvalidOption("per_domain", domain, "it is no domain") from None
