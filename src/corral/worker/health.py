"""Whether a worker does its work: what speaks against it, weighed by one pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from corral.contracts.worker_record import WorkerState

__all__ = ["LIMITS", "STARTING", "Health", "HealthLimits", "Symptoms", "judge"]


@dataclass(frozen=True, slots=True)
class Health:
    """The answer. `live`: a restart would not help. `ready`: it takes jobs, and they get on."""

    live: bool
    ready: bool
    status: str
    """`healthy`, `unhealthy`, or what it is up to instead: `starting`, `draining`, `stopping`."""
    reasons: tuple[str, ...] = ()

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong; nothing is wrong with a worker that drains."""
        return self.reasons if self.status == UNHEALTHY else ()


UNHEALTHY: Final = "unhealthy"
STARTING: Final = Health(live=True, ready=False, status="starting", reasons=("it does not claim jobs yet",))


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """From how many seconds on something is wrong."""

    fetch: float = 60.0
    """Free slots, and no answer to a claim. Every wait of a worker ends in a claim within half a minute."""
    block: float = 5.0
    """The event loop does not run."""
    outage: float = 5.0
    """The server does not answer."""
    lease: float = 10.0
    """The process that renews the locks is not there; it is started again within a second, if it can be."""


LIMITS: Final = HealthLimits()


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What can be seen of a worker at one moment; all numbers are seconds."""

    state: WorkerState = WorkerState.RUNNING
    starved: Mapping[str, float] = field(default_factory=dict)
    """By queue: for how long it has had free slots and no answer to a claim."""
    blocked_for: float = 0.0
    """For how long the loop has not run."""
    worst_lag: float = 0.0
    """The longest that it did not run in the last seconds."""
    outage: float = 0.0
    """For how long the server has not answered."""
    leaseless: float = 0.0
    """For how long there has been no process that renews locks."""


def judge(seen: Symptoms, limits: HealthLimits = LIMITS) -> Health:
    """Weigh the symptoms.

    While the server is away no restart helps, and the jobs in hand may well come to an end: the worker is not ready,
    and live. Claims that nobody answers although the server is there are another matter.
    """
    reasons: list[str] = []
    fatal = False
    if seen.outage > limits.outage:
        reasons.append(f"the server has not answered for {seen.outage:.0f} s")
    for queue, seconds in seen.starved.items():
        if seconds > limits.fetch:
            reasons.append(
                f"no claim on queue {queue!r} was answered for {seconds:.0f} s, and slots are free"
            )
            fatal = fatal or not seen.outage
    if seen.blocked_for > limits.block:
        reasons.append(f"the event loop has been blocked for {seen.blocked_for:.0f} s")
        fatal = True
    elif seen.worst_lag > limits.block:
        reasons.append(f"the event loop was blocked for {seen.worst_lag:.0f} s a moment ago")
    if seen.leaseless > limits.lease:
        reasons.append(f"the process that renews locks has been gone for {seen.leaseless:.0f} s")
        fatal = True
    if reasons:
        return Health(not fatal, ready=False, status=UNHEALTHY, reasons=tuple(reasons))
    if seen.state is not WorkerState.RUNNING:
        return Health(live=True, ready=False, status=seen.state.value, reasons=(_WHY_NOT[seen.state],))
    return Health(live=True, ready=True, status="healthy")


_WHY_NOT: Final = {
    WorkerState.DRAINING: "an operator has told it to claim nothing more",
    WorkerState.STOPPING: "it was told to stop",
}
