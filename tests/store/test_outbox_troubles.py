"""What is told of trouble, and when the next attempt is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog

from corral.errors import CorralError, DatabaseUnavailable
from corral.store.outbox_troubles import DATABASE, LONGEST_PAUSE, MOST_REASONS, OutboxTroubles

CANNOT = "Outbox cannot be moved, trying until it can"
AWAY = DatabaseUnavailable("sqlite:///x", "it is away")


@pytest.fixture
def logs() -> Iterator[Sequence[Any]]:
    """What was logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


async def test_each_reason_is_told_once(logs: Sequence[Any]) -> None:
    """However often it is met, also alternately; and once that it is over. Then it is news again."""
    troubles = OutboxTroubles()
    for reason in ("one", "two", "one", "two"):
        troubles.met("mail", CorralError(reason))
    assert troubles.lines == ["queue 'mail': two"]
    troubles.over("mail")
    troubles.over("mail")
    assert troubles.lines == []
    troubles.met("mail", CorralError("one"))
    told = [(line["event"], line.get("reason")) for line in logs]
    assert told == [
        (CANNOT, "one"),
        (CANNOT, "two"),
        ("Outbox is moved again", None),
        (CANNOT, "one"),
    ]


async def test_reasons_that_are_never_the_same(logs: Sequence[Any]) -> None:
    """Fill no log."""
    troubles = OutboxTroubles()
    for number in range(100):
        troubles.met(DATABASE, CorralError(f"no answer after {number} ms"))
    assert len(logs) == MOST_REASONS
    assert troubles.lines == ["no answer after 99 ms"]
    troubles.met(DATABASE, AWAY)  # an error of another kind is news
    assert (len(logs), logs[-1]["error"]) == (MOST_REASONS + 1, "DatabaseUnavailable")


async def test_a_defect_shows_where_it_is(logs: Sequence[Any]) -> None:
    """Once; what is an error of Corral's says it in a line."""
    troubles = OutboxTroubles()
    defect = ZeroDivisionError()
    for _ in range(3):
        troubles.met("mail", defect)
    troubles.met(DATABASE, AWAY)
    assert [line.get("exc_info") for line in logs] == [defect, None]
    assert logs[0]["reason"] == "ZeroDivisionError()"


async def test_attempts_are_further_and_further_apart() -> None:
    """Up to a longest pause; meanwhile a queue is left alone. The database is no queue."""
    troubles = OutboxTroubles()
    pauses = [troubles.met("mail", AWAY) for _ in range(20)]
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert max(pauses) == pauses[-1] == LONGEST_PAUSE
    troubles.met(DATABASE, AWAY)
    assert troubles.queues() == ["mail"]
    troubles.forget_queues()
    assert (troubles.queues(), troubles.lines) == ([], [str(AWAY)])


async def test_a_pause_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the queue is tried again, and is still in trouble until that has worked."""
    troubles = OutboxTroubles()
    pause = troubles.met("mail", AWAY)
    loop = asyncio.get_running_loop()
    later = loop.time() + pause + 0.01
    monkeypatch.setattr(loop, "time", lambda: later)
    assert (troubles.queues(), len(troubles.lines)) == ([], 1)
