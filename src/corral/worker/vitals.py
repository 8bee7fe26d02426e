"""What of a running worker shows whether it does its work. Threads may read it while the loop is blocked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from corral.contracts.worker_record import WorkerState
from corral.worker.health import LIMITS, Health, HealthLimits, Symptoms, judge
from corral.worker.lease.lease import Lease
from corral.worker.loop_pulse import LoopPulse
from corral.worker.queue_service import QueueService
from corral.worker.trouble import TroubleLog

__all__ = ["Vitals"]


class Vitals:
    """Looks at the parts of a shift. What lasts is noted with each tick of the loop's pulse.

    A full worker asks for nothing, so its time without an answer counts from when it last had no free slot. A slot
    that an unanswered claim has taken is free: else a server that answers nothing would look like work.
    """

    def __init__(
        self,
        services: Sequence[QueueService],
        lease: Lease,
        trouble: TroubleLog,
        state: Callable[[], WorkerState],
        limits: HealthLimits = LIMITS,
    ) -> None:
        self.began = time.monotonic()
        self.pulse = LoopPulse(self._note)
        self._services = services
        self._lease = lease
        self._trouble = trouble
        self._state = state
        self._limits = limits
        self._content_at = {service.keys.queue: self.began for service in services}
        self._leased_at = self.began

    @property
    def state(self) -> WorkerState:
        """What the worker is up to."""
        return self._state()

    def starved(self, service: QueueService) -> float:
        """Seconds for which a queue has had free slots and no answer to a claim; 0 when it has none free."""
        if not service.runner.has_free_slots:
            return 0.0
        since = max(self._content_at[service.keys.queue], service.runner.last_answer)
        return max(0.0, time.monotonic() - since)

    def health(self) -> Health:
        """Whether the worker does its work."""
        now = time.monotonic()
        seen = Symptoms(
            state=self.state,
            starved={service.keys.queue: self.starved(service) for service in self._services},
            blocked_for=self.pulse.blocked_for,
            worst_lag=self.pulse.worst,
            outage=self._trouble.seconds,
            leaseless=0.0 if self._lease.pid else now - self._leased_at,
        )
        return judge(seen, self._limits)

    def _note(self) -> None:
        now = time.monotonic()
        for service in self._services:
            if not service.runner.has_free_slots:
                self._content_at[service.keys.queue] = now
        if self._lease.pid:
            self._leased_at = now
