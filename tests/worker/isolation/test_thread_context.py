"""The context of a handler that runs in a thread."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from corral.contracts.context import Context
from corral.errors import StaleRun
from corral.logs import get_logger
from corral.worker.isolation.thread_context import ThreadContext
from corral.worker.isolation.threads import ThreadRunner


class FakeContext:
    """What an async handler would get."""

    job_id, queue, name, attempt, attempts, kind = "7", "email", "welcome", 2, 3, "adhoc"
    logger = get_logger("jobs:email")
    timestamp = datetime(2026, 11, 28, tzinfo=UTC)

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        self.told: list[Any] = []

    async def progress(self, value: Any) -> None:
        """Remember progress; refuse what is not a number."""
        if not isinstance(value, int):
            raise StaleRun("7")
        self.told.append(value)

    async def log(self, text: str) -> None:
        """Remember a line."""
        self.told.append(text)


def context_of(fake: FakeContext) -> ThreadContext:
    """The context for a thread."""
    return ThreadContext(cast("Context", fake), asyncio.get_running_loop())


async def test_calls_block_until_they_are_done() -> None:
    """Progress and log lines are stored, in their order, when the calls return."""
    fake = FakeContext()

    def handler(ctx: ThreadContext) -> tuple[str, int]:
        ctx.progress(50)
        ctx.log("half")
        assert fake.told == [50, "half"]
        return ctx.job_id, ctx.attempt

    assert await ThreadRunner().run(handler, context_of(fake)) == ("7", 2)


async def test_a_refusal_is_raised_in_the_thread() -> None:
    """A superseded run learns of it where it writes."""
    with pytest.raises(StaleRun):
        await ThreadRunner().run(context_of(FakeContext()).progress, "text")


async def test_cancelling_is_seen() -> None:
    """A thread sees its cancel signal, and can wait for it with or without a limit."""
    fake = FakeContext()
    signal = context_of(fake).cancelled
    assert not signal.is_set()
    assert await asyncio.to_thread(signal.wait, 0.01) is False
    waiting = asyncio.create_task(asyncio.to_thread(signal.wait))
    fake.cancelled.set()
    assert await waiting is True
    assert signal.is_set()
