"""Pacing: how many mails go to one domain in a time. Providers turn away who comes too fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from corral import InvalidOption, RateLimit, Snooze
from corral.tasks.email.addresses import encoded_domain

__all__ = ["Pacing"]


class Pacing:
    """Limits for domains, for one worker process: what is too much is put off, and spends no attempt.

    Args:
        limits: by domain; ``*`` for each that is not named. Raises `InvalidOption` for what is no domain.
        clock: seconds that only grow.
    """

    def __init__(self, limits: Mapping[str, RateLimit], clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = {_known(domain): limit for domain, limit in limits.items()}
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, recipients: Iterable[str]) -> None:
        """Count a mail for each domain, encoded. Raises `Snooze` where one is full, and counts none."""
        domains = {encoded_domain(recipient.rpartition("@")[2]) for recipient in recipients}
        now = self._clock()
        self._windows = {domain: window for domain, window in self._windows.items() if window[0] > now}
        limited = {
            domain: limit for domain in domains if (limit := self._limits.get(domain, self._limits.get("*")))
        }
        for domain, limit in limited.items():
            end, count = self._windows.get(domain, (now, 0))
            if count >= limit.max:
                raise Snooze(end - now)
        for domain, limit in limited.items():
            end, count = self._windows.get(domain, (now + limit.per_ms / 1000, 0))
            self._windows[domain] = end, count + 1


def _known(domain: str) -> str:
    try:
        return domain if domain == "*" else encoded_domain(domain)
    except ValueError:
        raise InvalidOption("per_domain", domain, "it is no domain") from None
