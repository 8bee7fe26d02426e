"""A week in the past of some queues, as samplers would have written it: busy days, one bad hour, one gap."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from corral.admin.admin import Admin
from corral.contracts.sample import Sample
from corral.contracts.states import JobState
from corral.contracts.stretch import MINUTE_MS

__all__ = ["PACE", "write_past"]

PACE: Mapping[str, int] = {"emails": 240, "photos": 60, "accounts": 9, "legacy.reports": 2}
"""Jobs a minute at noon."""
WEEK = 7 * 24 * 60
GAP = range(WEEK - 31 * 60, WEEK - 28 * 60)
SHORT_GAP = range(WEEK - 22, WEEK - 18)
BAD = range(WEEK - 45, WEEK - 30)
"""Minutes from the first."""


async def write_past(admin: Admin, pace: Mapping[str, int] = PACE) -> None:
    """Write samples of a week for queues, and no quarters: those are put together when somebody samples."""
    now = int(time.time() * 1000)
    begin = now - now % MINUTE_MS - WEEK * MINUTE_MS
    for queue, at_noon in pace.items():
        chance = random.Random(queue)
        keys = admin.server.keys(queue)
        async with admin.server.borrowed(keys) as link:
            await link.call("DEL", keys.key("samples"), keys.key("quarters"))
            for minute in range(WEEK):
                if minute not in GAP and minute not in SHORT_GAP:
                    at_ms = begin + minute * MINUTE_MS
                    text = sample_of(at_ms, at_noon, chance, is_bad=minute in BAD).encode()
                    await link.call(
                        "XADD", keys.key("samples"), "MAXLEN", "~", WEEK, f"{at_ms}-0", "sample", text
                    )


def sample_of(at_ms: int, at_noon: int, chance: random.Random, *, is_bad: bool) -> Sample:
    """What such a minute brings."""
    hour = (at_ms / 3_600_000) % 24
    pace = (
        at_noon
        * (0.25 + 0.75 * max(0.0, math.sin((hour - 6) / 24 * 2 * math.pi)))
        * chance.uniform(0.85, 1.15)
    )
    slow = 9.0 if is_bad else chance.uniform(0.9, 1.2)
    waiting = int(pace * slow * chance.uniform(0.02, 0.05) * (12 if is_bad else 1))
    return Sample(
        at=datetime.fromtimestamp(at_ms / 1000, UTC),
        counts={
            JobState.WAITING: waiting,
            JobState.ACTIVE: min(16, int(pace / 12) + 1),
            JobState.DELAYED: int(at_noon * 1.5 + pace / 3),
            JobState.WAITING_CHILDREN: int(pace / 40),
        },
        completed=int(pace * (0.6 if is_bad else 1)),
        failed=int(pace * 0.14) if is_bad else int(chance.random() < 0.04),
        measured=min(200, int(pace)),
        wait_p50=int(35 * slow),
        wait_p95=int(140 * slow**1.8 * chance.uniform(0.9, 1.4)),
        run_p50=int(180 * chance.uniform(0.95, 1.05) * (2.5 if is_bad else 1)),
        run_p95=int(700 * chance.uniform(0.8, 1.3) * (3 if is_bad else 1)),
        oldest_waiting=int(400 * slow**2) if waiting else None,
    )
