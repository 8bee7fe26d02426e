"""The words of a row of the outbox. SQLite keeps any value in any column, and people write SQL by hand: what no job can
be made of is found before the call that would fail of it halfway."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final, get_args

from corral.contracts.arguments import LARGEST, flag, string, whole
from corral.contracts.duration import MAX_MS
from corral.contracts.options import MAX_PRIORITY, Durability
from corral.engine.record import NewJob
from corral.errors import InvalidOption, OutboxDamaged
from corral.store.outbox_batches import Batch
from corral.store.tables import OutboxBatchRow, OutboxRow
from corral.store.unreadable import NO_TIME

__all__ = ["check_batch", "job_of"]

FLAGS: Final = ("", "c", "l", "cl")
DURABILITIES: Final = (None, *get_args(Durability))


def check_batch(batch: Batch) -> None:
    """Raises `OutboxDamaged`: it cannot be sent."""
    if batch.damage:
        where = OutboxBatchRow.__tablename__
        raise OutboxDamaged(batch.queue, where, f"of queue {batch.queue!r}", batch.damage)
    for row in batch.rows:
        _check_row(row)


def _check_row(row: OutboxRow) -> None:
    try:
        for name in ("job_id", "name", "data", "opts"):
            string(name, getattr(row, name))
        _one_of("flags", row.flags, FLAGS)
        whole("delay_ms", row.delay_ms, 0, MAX_MS)
        if row.due_ms is not None:
            whole("due_ms", row.due_ms, -LARGEST)
        whole("priority", row.priority, 0, MAX_PRIORITY)
        _check_rule(row.deduplication)
        _one_of("durability", row.durability, DURABILITIES)
        if row.created_at == NO_TIME:
            raise InvalidOption("created_at", row.created_at, "give a time")
    except InvalidOption as error:
        raise OutboxDamaged(row.queue, OutboxRow.__tablename__, f"with id {row.id}", str(error)) from None


def job_of(row: OutboxRow, now: datetime) -> NewJob:
    """A job as it is sent. A delay counts from the call that asked for it, however long the row has waited."""
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


def _one_of(name: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise InvalidOption(name, value, f"give one of {', '.join(map(repr, known))}")


def _check_rule(text: object) -> None:
    """A rule of deduplication, as `corral.client.enqueuer.deduplication_words` writes it."""
    if text == "":
        return
    try:
        rule = json.loads(string("deduplication", text))
        string("deduplication.id", rule["id"])
        whole("deduplication.ttl", rule["ttl"], 0, MAX_MS)
        for name in ("extend", "replace", "keep", "supersedes"):
            flag(f"deduplication.{name}", rule[name])
    except (ValueError, RecursionError, LookupError, TypeError):
        raise InvalidOption("deduplication", text, "give a rule as JSON, or nothing") from None
