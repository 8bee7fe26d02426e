"""Sending again: until there is an answer, for as long as was said, and only what may be repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from corral.engine import resend
from corral.engine.faults import Unanswered
from corral.engine.resend import until_answered
from corral.errors import QueueFull, ServerUnavailable

TROUBLE = Unanswered("redis://h", "no answer")


def failing(times: int, error: Exception = TROUBLE) -> Callable[[], Awaitable[str]]:
    """A call that fails so often, then gives `done`."""
    left = times

    async def call() -> str:
        nonlocal left
        left -= 1
        if left >= 0:
            raise error
        return "done"

    return call


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that grow as usual, from a thousandth of the usual."""
    monkeypatch.setattr(resend, "FIRST_PAUSE", 0.00005)
    monkeypatch.setattr(resend, "LONGEST_PAUSE", 0.002)


@pytest.mark.parametrize("times", [0, 1, 5])
async def test_until_there_is_an_answer(times: int) -> None:
    """The call is made again after each time that it went unanswered."""
    assert await until_answered(failing(times), within=5) == "done"
    assert await until_answered(failing(times), within=None) == "done"


async def test_pauses_grow_and_are_told() -> None:
    """Each failure is told with the pause that follows; pauses double, jittered, up to the longest."""
    told: list[tuple[Unanswered, float]] = []
    await until_answered(failing(9), within=None, on_trouble=lambda error, pause: told.append((error, pause)))
    assert [error for error, _ in told] == [TROUBLE] * 9
    for number, (_, pause) in enumerate(told):
        whole = min(0.00005 * 2**number, 0.002)
        assert whole / 2 <= pause <= whole


async def test_time_is_up() -> None:
    """After the stated time it is `ServerUnavailable`, with the server, the time and the last cause."""
    with pytest.raises(ServerUnavailable) as caught:
        await until_answered(failing(10**9), within=0.01)
    assert (caught.value.server, caught.value.after_seconds) == ("redis://h", 0.01)
    assert "no answer" in str(caught.value)
    assert caught.value.__cause__ is TROUBLE


async def test_a_later_attempt_that_hangs() -> None:
    """An attempt that does not end is given up when the time is up."""
    attempts = 0

    async def call() -> str:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise TROUBLE
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(ServerUnavailable, match="redis://there"):
        await until_answered(call, within=0.05, server="redis://there")
    assert attempts == 2


@pytest.mark.parametrize("error", [QueueFull("q"), ValueError("mine"), KeyError("x")])
async def test_other_errors_pass_at_once(error: Exception) -> None:
    """Only what is unanswered is sent again."""
    with pytest.raises(type(error)):
        await until_answered(failing(1, error), within=5)


async def test_cancelling() -> None:
    """A caller that is cancelled between two attempts is gone."""
    told = asyncio.Event()
    call = until_answered(failing(10**9), within=None, on_trouble=lambda *_: told.set())
    task = asyncio.ensure_future(call)
    await told.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
