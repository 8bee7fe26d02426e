"""Slowing down those who guess."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

__all__ = ["Throttle"]

MOST_ADDRESSES: Final = 10_000
MOST_KNOWN: Final = 1000


class Throttle:
    """Counts the failed attempts of each address. One that has had too many waits until its time is over, save for
    credentials that were right before: behind a proxy all clients have one address, and a stranger must not lock out
    the others.

    Args:
        attempts: how many may fail in one window.
        window: seconds.
        clock: seconds, from any beginning.
    """

    def __init__(
        self, attempts: int = 20, window: float = 60, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._attempts = attempts
        self._window = window
        self._clock = clock
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def wait(self, address: str, credentials: str) -> float:
        """Seconds until this address may try again; 0 when it may now."""
        if _digest(credentials) in self._known:
            return 0
        began, failed = self._failed.get(address, (0.0, 0))
        left = began + self._window - self._clock()
        return left if failed >= self._attempts and left > 0 else 0

    def failed(self, address: str) -> None:
        """An attempt of this address was wrong."""
        now = self._clock()
        began, failed = self._failed.pop(address, (now, 0))
        self._failed[address] = (began, failed + 1) if now < began + self._window else (now, 1)
        if len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)

    def succeeded(self, credentials: str) -> None:
        """These credentials were right."""
        digest = _digest(credentials)
        self._known.pop(digest, None)
        self._known[digest] = None
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _digest(credentials: str) -> bytes:
    return hashlib.sha256(credentials.encode()).digest()
