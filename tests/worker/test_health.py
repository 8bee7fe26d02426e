"""When a worker is healthy: the rule as a table."""

from __future__ import annotations

import pytest

from corral.contracts.worker_record import WorkerState
from corral.worker.health import LIMITS, Symptoms, judge

STARVED = {"mail": LIMITS.fetch + 1}


@pytest.mark.parametrize(
    ("seen", "live", "ready", "status", "why"),
    [
        (Symptoms(), True, True, "healthy", []),
        (Symptoms(starved={"mail": 59}, blocked_for=4, outage=4, leaseless=9), True, True, "healthy", []),
        (Symptoms(starved=STARVED), False, False, "unhealthy", ["no claim on queue 'mail' was answered for 61 s"]),
        (Symptoms(starved=STARVED | {"post": 1}), False, False, "unhealthy", ["'mail'"]),
        (Symptoms(outage=6), True, False, "unhealthy", ["the server has not answered for 6 s"]),
        (Symptoms(outage=61, starved=STARVED), True, False, "unhealthy", ["not answered for 61 s", "'mail'"]),
        (Symptoms(blocked_for=6, worst_lag=6), False, False, "unhealthy", ["has been blocked for 6 s"]),
        (Symptoms(worst_lag=6), True, False, "unhealthy", ["was blocked for 6 s a moment ago"]),
        (Symptoms(leaseless=11), False, False, "unhealthy", ["renews locks has been gone for 11 s"]),
        (Symptoms(WorkerState.DRAINING), True, False, "draining", ["claim nothing more"]),
        (Symptoms(WorkerState.STOPPING), True, False, "stopping", ["told to stop"]),
        (Symptoms(WorkerState.DRAINING, blocked_for=6), False, False, "unhealthy", ["blocked"]),
    ],
    ids=lambda value: None if isinstance(value, bool | list | str) else "",
)  # fmt: skip
def test_the_rule(seen: Symptoms, live: bool, ready: bool, status: str, why: list[str]) -> None:
    """What is wrong makes a worker unready; what a restart would mend makes it not live. An outage of the server is no
    reason to restart, though no claim is answered then; and each reason is said."""
    health = judge(seen)
    assert (health.live, health.ready, health.status) == (live, ready, status)
    assert len(health.reasons) == len(why)
    assert all(part in reason for part, reason in zip(why, health.reasons, strict=True))
    assert health.troubles == (health.reasons if status == "unhealthy" else ())
