"""The one extension point around a handler: logging, tracing, metrics and users' own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from corral.contracts.context import Context
from corral.contracts.job import Job

__all__ = ["CallNext", "Middleware"]

CallNext = Callable[[], Awaitable[Any]]
"""Runs the rest: the next middleware, in the end the handler. Returns its result, raises its errors."""


class Middleware(Protocol):
    """Called around every run; must call ``call_next`` once, or raise, or return a result of its own."""

    async def __call__(self, job: Job, context: Context, call_next: CallNext, /) -> Any:
        """Run ``call_next`` and return its result."""
        ...
