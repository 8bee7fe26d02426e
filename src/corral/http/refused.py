"""Which refusals stand in the operator log: enough to see them, and no flood."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

__all__ = ["Refused"]

WINDOW: Final = 3600.0
MOST: Final = 1000


class Refused:
    """Somebody who may not do something, and tries, leaves one entry an hour for each action, which says how many
    tries before it left none. So whoever has a token cannot fill the table.

    Args:
        window: seconds.
        clock: seconds, from any beginning.
    """

    def __init__(self, *, window: float = WINDOW, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def count(self, actor: str, action: str) -> int | None:
        """Take one in: how many of it were not written since the last that was; None where this one is not to be
        written either."""
        now, key = self._clock(), (actor, action)
        written_at, left_out = self._seen.get(key, (None, 0))
        if written_at is not None and now < written_at + self._window:
            self._seen[key] = (written_at, left_out + 1)
            return None
        self._seen.pop(key, None)
        self._seen[key] = (now, 0)
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return left_out
