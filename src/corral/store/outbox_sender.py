"""The server's side of a relay: a batch of an outbox is added in one numbered call."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Final

from corral.contracts.options import Durability
from corral.engine.durability import check_durability, confirm
from corral.engine.enqueue import POSITION_KEPT_MS, add_jobs, outbox_sender
from corral.engine.faults import ResponseError, damaged_key, failed_halfway, is_wrong_type, overtaken_by
from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.resend import until_answered
from corral.engine.server import PATIENCE, Server
from corral.errors import OutboxHalfway, QueueDamaged, ServerRefused
from corral.store.outbox_batches import Batch
from corral.store.outbox_words import check_batch, job_of

__all__ = ["OutboxSender", "Overtaken"]

MOST_LINKS: Final = 8
"""Connections that are kept for queues which may have more."""


class Overtaken(Exception):
    """The server has carried out a later batch of this outbox in this queue, under the number `beyond`."""

    def __init__(self, beyond: int) -> None:
        self.beyond = beyond
        super().__init__(beyond)


class OutboxSender:
    """Adds batches, over a connection for each queue. One batch of a queue at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._links: OrderedDict[str, Link] = OrderedDict()

    async def send(self, batch: Batch) -> None:
        """Add a batch, unless the server has it already. As safe as the most careful of its jobs has asked for.

        Raises:
            ServerUnavailable, ServerRefused, QueueFull, DurabilityUnavailable, QueueDamaged: it is to be sent again.
            OutboxDamaged, OutboxHalfway: a person has to look first.
            Overtaken: it is to be sent under another number, if at all.
        """
        check_batch(batch)
        keys = self._server.keys(batch.queue)
        link = self._links.pop(batch.queue, None) or await self._server.link(keys, name="corral:relay")
        try:
            await until_answered(
                lambda: self._attempt(link, keys, batch),
                within=self._server.settings.timeout,
                server=link.server,
            )
        except ResponseError as error:
            if (beyond := overtaken_by(error)) is not None:
                raise Overtaken(beyond) from error
            if failed_halfway(error):
                raise OutboxHalfway(batch.queue, batch.number) from error
            key = damaged_key(error)
            if key is None and not is_wrong_type(error):
                raise ServerRefused(link.server, f"jobs of queue {batch.queue!r}: {error}", "") from error
            raise QueueDamaged(batch.queue, key or f"one of the keys {keys.base}…", str(error)) from error
        finally:
            self._links[batch.queue] = link
            if len(self._links) > MOST_LINKS:
                await self._links.popitem(last=False)[1].close()

    async def _attempt(self, link: Link, keys: QueueKeys, batch: Batch) -> None:
        sender, now = outbox_sender(batch.outbox), datetime.now(UTC)
        wanted: set[Durability] = {row.durability for row in batch.rows if row.durability is not None}
        for durability in wanted:
            await check_durability(link, durability)
        await add_jobs(
            link,
            keys,
            [job_of(row, now) for row in batch.rows],
            sender=sender,
            number=f"{batch.number}.{batch.mark}",
            timeout=self._server.settings.timeout * PATIENCE,
        )
        for durability in wanted:
            await confirm(link, durability, keys.key("sent") + sender, kept_ms=POSITION_KEPT_MS)

    async def close(self) -> None:
        """Close the connections."""
        while self._links:
            await self._links.popitem()[1].close()
