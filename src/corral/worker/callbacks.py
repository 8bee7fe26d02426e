"""What the user wants to hear of: completed, failed, exhausted and stalled jobs."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from corral.contracts.job import Job
from corral.worker.trouble import log_raised

__all__ = ["Callbacks", "OnCompleted", "OnFailed", "OnStalled", "Teller"]

OnCompleted = Callable[[Job, Any], Awaitable[None] | None]
"""Called with the job and its result (decoded JSON)."""
OnFailed = Callable[[Job, BaseException], Awaitable[None] | None]
"""Called with the job and what its handler raised."""
OnStalled = Callable[[str, str], Awaitable[None] | None]
"""Called with queue and job id."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Functions, plain or async. `failed` is called for each failed attempt, `exhausted` for the last one."""

    completed: OnCompleted | None = None
    failed: OnFailed | None = None
    exhausted: OnFailed | None = None
    stalled: OnStalled | None = None


class Teller:
    """Calls the user's functions; what they raise is logged and reaches nobody else."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, function: Callable[..., Awaitable[None] | None], *arguments: Any) -> None:
        """Call a function soon; awaits what it returns."""
        task = asyncio.get_running_loop().create_task(_call(function, arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, seconds: float) -> None:
        """Wait for calls under way, at most so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)


async def _call(function: Callable[..., Awaitable[None] | None], arguments: tuple[Any, ...]) -> None:
    try:
        returned = function(*arguments)
        if inspect.isawaitable(returned):
            await returned
    except Exception as error:  # noqa: BLE001 - whatever it raises, its job is settled
        log_raised("Callback failed", error, callback=getattr(function, "__qualname__", repr(function)))
