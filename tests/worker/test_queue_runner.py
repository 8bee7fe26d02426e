"""What a runner makes of the answers that its lanes bring."""

from __future__ import annotations

import asyncio

from corral.worker.queue_runner import Exchange, QueueRunner

NOON = 1_700_000_000_000
HOUR = 3_600_000


def answered(runner: QueueRunner, limited_ms: int, now_ms: int) -> float:
    """Take in an answer without jobs; the seconds from now until the runner asks again, 0 when no limit holds."""
    runner.receive(Exchange([], 1), "token", [], 0, limited_ms, now_ms)
    return round(max(0.0, runner.resume_at - asyncio.get_running_loop().time()))


async def test_an_older_answer_changes_no_limit() -> None:
    """Two lanes ask at the same time: of two answers the one that the server gave last says which limit holds."""
    runner = QueueRunner(2, lambda run: None)
    assert answered(runner, HOUR, NOON) == 3600
    assert answered(runner, 0, NOON - 5) == 3600
    assert answered(runner, 0, NOON) == 0


async def test_a_clock_that_is_put_back() -> None:
    """When the server's clock is put back, its answers about limits count all the same."""
    runner = QueueRunner(2, lambda run: None)
    assert answered(runner, 0, NOON) == 0
    assert answered(runner, 1000, NOON - HOUR) == 1
    assert answered(runner, 0, NOON - HOUR + 1) == 0
