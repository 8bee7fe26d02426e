"""The worker's side of lock renewal: what runs now, told to a small process that renews it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from corral.logs import get_logger
from corral.worker.lease.renewer_process import RenewerProcess
from corral.worker.lease.settings import QueueLease, ServerAddress, TlsSettings
from corral.worker.lease.table import LeaseTable

log = get_logger("corral.worker.lease")

__all__ = ["Lease", "OnLost", "QueueLease", "ServerAddress", "TlsSettings"]

OnLost = Callable[[int, bytes, bytes], None]
"""Called with (slot, wire id, token) when the lock of a running job is lost."""


class Lease:
    """Keeps the locks of running jobs, whatever the worker's own process is busy with.

    Each running job has a slot in a table in shared memory: `hold` writes it, `drop` frees it, and neither
    makes a system call. A child process, the package `renewer`, reads the table every quarter of the lock
    time and renews what it finds there, so a blocked loop or a held GIL costs no lock. The child ends when
    this process does, by any death; then the locks run out and others take the jobs over. When the child
    itself dies it is started again, and finds the table as it was.

    The child reports a lock that was neither renewed nor taken again: another worker runs that job now, or
    it was removed. The report is checked against the table before `on_lost` hears of it, because the child
    may have read a slot while it was written. A job whose outcome is on its way to the server may still be
    reported: its lock went with the outcome. Whoever called `hold` knows which jobs are past that point.
    """

    def __init__(
        self, server: ServerAddress, queues: Sequence[QueueLease], on_lost: OnLost | None = None
    ) -> None:
        self._queues = queues
        self._on_lost = on_lost
        self._table = LeaseTable()
        self._process = RenewerProcess(server, queues, self._table.fd, self._on_event)

    def hold(self, queue_index: int, wire_id: bytes, token: bytes, fence: bytes) -> int:
        """Renew this job's lock from now on. Returns the slot for `drop`. ValueError: something is too long."""
        return self._table.hold(queue_index, wire_id, token, fence)

    def drop(self, slot: int) -> None:
        """Stop renewing the job of this slot."""
        self._table.drop(slot)

    @property
    def held(self) -> int:
        """How many jobs are held."""
        return len(self._table)

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._process.pid

    @property
    def restarts(self) -> int:
        """How often the child was started again after it died."""
        return self._process.restarts

    async def start(self) -> None:
        """Start the child. ChildProcessError when it does not come up."""
        await self._process.start()

    async def stop(self) -> None:
        """End the child and free the table. Locks still held are not released: they run out."""
        await self._process.stop()
        self._table.close()

    def _on_event(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "lost":
                wire_id, token, fence = (bytes.fromhex(event[name]) for name in ("id", "token", "fence"))
                if self._on_lost and self._table.holds(event["slot"], wire_id, token, fence):
                    self._on_lost(event["slot"], wire_id, token)
            case "failing":
                prefix = self._queues[event["queue"]].prefix
                log.warning("Locks cannot be renewed", queue=prefix, err=event["error"])
            case "recovered":
                log.info("Locks are renewed again", queue=self._queues[event["queue"]].prefix)
