"""The recoverer: returns the jobs of workers that are gone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from corral.contracts.names import decode_job_id
from corral.engine.faults import ResponseError, Unanswered
from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.recover import recover_stalled
from corral.logs import get_logger
from corral.worker.serve import QueueSettings
from corral.worker.trouble import log_damage

__all__ = ["Recoverer"]

log = get_logger("worker")


class Recoverer:
    """Looks for stalled jobs at the start and every stalled interval. All workers do; the server lets one at a time.

    `on_looked` is called after each look, whatever it found, and should claim: the wake-up for a job that was returned
    can go to the very worker that stands still, or to one that dies with it.
    """

    def __init__(
        self,
        link: Link,
        keys: QueueKeys,
        settings: QueueSettings,
        *,
        on_stalled: Callable[[str], None],
        on_looked: Callable[[], None],
        on_trouble: Callable[[Unanswered, float], None],
    ) -> None:
        self._link = link
        self._keys = keys
        self._settings = settings
        self._on_stalled = on_stalled
        self._on_looked = on_looked
        self._on_trouble = on_trouble

    async def serve(self) -> None:
        """Look until cancelled."""
        interval = self._settings.stalled_interval
        try:
            while True:
                try:
                    await self._look()
                except Unanswered as error:
                    self._on_trouble(error, interval)
                except ResponseError as error:
                    log_damage(self._keys.queue, error)
                self._on_looked()
                await asyncio.sleep(interval * random.uniform(0.95, 1.05))
        finally:
            await self._link.close()

    async def _look(self) -> None:
        # A little less than the interval, or a worker that alone is up would come too early for its own last look.
        interval_ms = int(self._settings.stalled_interval * 900)
        stalled = await recover_stalled(
            self._link, self._keys, interval_ms=interval_ms, max_stalled=self._settings.max_stalled
        )
        for wire_id, stalls in stalled:
            job_id = decode_job_id(wire_id.decode("utf-8", "surrogateescape"))
            log.warning(
                "Job stalled: its worker lost the lock and it runs again",
                queue=self._keys.queue, jobId=job_id, stalls=stalls, allowed=self._settings.max_stalled,
            )  # fmt: skip
            self._on_stalled(job_id)
