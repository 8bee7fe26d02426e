"""A producer that goes on through any fault, and remembers what was accepted."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from corral import DurabilityUnavailable, ServerUnavailable, SyncClient


class Producer:
    """Enqueues one job after the other until it is stopped, and remembers which the server has accepted."""

    def __init__(self, client: SyncClient, queue: str, **options: Any) -> None:
        self.accepted: dict[str, float] = {}
        """Each id, and when its enqueue returned."""
        self.refused = 0
        self._options = options
        self._queue = client.queue(queue)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._produce)
        self._thread.start()

    def _produce(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            try:
                job = self._queue.enqueue(
                    "nap", 0.01, job_id=f"job-{number}", remove_on_complete=False, **self._options
                )
                self.accepted[job.id] = time.monotonic()
            except (ServerUnavailable, DurabilityUnavailable):
                self.refused += 1

    def stop(self) -> None:
        """No more."""
        self._stop.set()
        self._thread.join()
