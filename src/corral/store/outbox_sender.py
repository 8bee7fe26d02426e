"""The server's side of a relay: a batch of an outbox is added in one numbered call."""

from __future__ import annotations

from datetime import UTC, datetime

from corral.engine.durability import check_durability, confirm
from corral.engine.enqueue import POSITION_KEPT_MS, add_jobs, outbox_sender
from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.record import NewJob
from corral.engine.resend import until_answered
from corral.engine.server import PATIENCE, Server
from corral.store.outbox_batches import Batch
from corral.store.tables import OutboxRow

__all__ = ["OutboxSender"]


class OutboxSender:
    """Adds batches, over a connection for each queue."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._links: dict[str, Link] = {}

    async def send(self, batch: Batch) -> None:
        """Add a batch, unless the server has it already. As safe as the most careful of its jobs has asked for.

        Raises:
            ServerUnavailable, ServerRefused, QueueFull, DurabilityUnavailable: it is to be sent again later.
            ResponseError: a key is damaged, or the server has carried out a later batch of this outbox
                (`corral.engine.faults.is_stale`).
        """
        keys = self._server.keys(batch.queue)
        link = await self._link(keys)
        wanted = {row.durability for row in batch.rows if row.durability is not None}
        for durability in wanted:
            await check_durability(link, durability)
        sender, now = outbox_sender(batch.outbox), datetime.now(UTC)
        jobs = [_job(row, now) for row in batch.rows]
        patience = self._server.settings.timeout * PATIENCE

        async def attempt() -> None:
            await add_jobs(link, keys, jobs, sender=sender, number=batch.number, timeout=patience)
            for durability in wanted:
                await confirm(link, durability, keys.key("sent") + sender, kept_ms=POSITION_KEPT_MS)

        await until_answered(attempt, within=self._server.settings.timeout, server=link.server)

    async def close(self) -> None:
        """Close the connections."""
        links, self._links = self._links, {}
        for link in links.values():
            await link.close()

    async def _link(self, keys: QueueKeys) -> Link:
        found = self._links.get(keys.queue)
        if found is None:
            found = self._links[keys.queue] = await self._server.link(keys, name="corral:relay")
        return found


def _job(row: OutboxRow, now: datetime) -> NewJob:
    """The words of a job. A delay counts from the call that asked for it, however long the row has waited."""
    waited_ms = max(0, round((now - row.created_at).total_seconds() * 1000))
    return NewJob(
        row.job_id,
        row.flags,
        row.name,
        row.data,
        row.opts,
        max(0, row.delay_ms - waited_ms),
        "" if row.due_ms is None else row.due_ms,
        row.priority,
        row.deduplication,
    )
