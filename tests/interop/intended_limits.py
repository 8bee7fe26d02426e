"""Where limits of Corral leave something else behind than those of BullMQ 6.7, and why. A test shows each row."""

from __future__ import annotations

from tests.interop.intended import PLAIN, Intention
from tests.interop.limit_steps import SECOND, HoldOff, HoldStarts, ReadLimits, SetRate
from tests.interop.operations import Claim

ANYWHERE = ("active", "events*", "j?*", "limiter*", "read", "wait*")

#: What drawn sequences leave out, because other jobs start after it. The workers have no limit of their own.
WITHOUT_LIMITER = [
    Intention(
        "held without a limit",
        "BullMQ's workers hold off only where there is a limit; the service that asked for it does not care",
        ANYWHERE,
        [PLAIN, HoldStarts(90 * SECOND), Claim()],
    ),
    Intention(
        "held off by a handler without a limit",
        "BullMQ's workers hold off only where there is a limit; the service that asked for it does not care",
        ANYWHERE,
        [PLAIN, Claim(), HoldOff(0, 90 * SECOND), Claim()],
    ),
    Intention(
        "shorter window",
        "a running window ends no later than one that began with the change would: who shortens it means now",
        ("limiter.content.expires", "read"),
        [SetRate(1, 120 * SECOND), PLAIN, Claim(), SetRate(1, 60 * SECOND), ReadLimits()],
    ),
    Intention(
        "shorter time over a longer one",
        "a short wait must not end a long one",
        ("limiter.content.expires", "read"),
        [PLAIN, HoldStarts(90 * SECOND), HoldStarts(45 * SECOND), ReadLimits()],
    ),
    Intention(
        "shorter time over a window",
        "a short wait must not end a window early that is used up",
        ("limiter.content*", "read"),
        [SetRate(1, 120 * SECOND), PLAIN, Claim(), HoldStarts(45 * SECOND), ReadLimits()],
    ),
]
