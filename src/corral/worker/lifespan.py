"""What a worker opens before its first claim, and closes after its last settlement."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from corral.client.client import Client
from corral.errors import InvalidOption

__all__ = ["Lifespan", "made"]

Lifespan = (
    Callable[[], AbstractAsyncContextManager[Any]] | Callable[[Client], AbstractAsyncContextManager[Any]]
)
"""Makes an asynchronous context manager. One that takes an argument is given the worker's client."""


def made(lifespan: Lifespan, client: Client) -> AbstractAsyncContextManager[Any]:
    """The context manager of a worker with this client. Raises `InvalidOption` where it makes something else."""
    call: Callable[..., Any] = lifespan
    opened = call(client) if _takes_client(lifespan) else call()
    if not isinstance(opened, AbstractAsyncContextManager):
        if inspect.iscoroutine(opened):
            opened.close()
        reason = "it makes no asynchronous context manager: put @contextlib.asynccontextmanager above it, a yield in it"
        raise InvalidOption("lifespan", lifespan, reason)
    return opened


def _takes_client(lifespan: Lifespan) -> bool:
    parameters = inspect.signature(lifespan).parameters.values()
    return any(
        each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        for each in parameters
    )
