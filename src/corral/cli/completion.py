"""What the shell completes: names of queues, asked of the server."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from corral.admin.admin import Admin
from corral.errors import CorralError

__all__ = ["queue_names"]

PATIENCE: Final = 1.0
"""Seconds that a person at a prompt waits gladly."""


def queue_names(ctx: Any, incomplete: str) -> list[str]:
    """The queues that begin so; none when the server does not say it at once."""
    options = ctx.params if ctx is not None else {}
    with contextlib.suppress(CorralError, TimeoutError):
        return asyncio.run(_begin_with(incomplete, options.get("url"), options.get("prefix")))
    return []


async def _begin_with(start: str, url: str | None, prefix: str | None) -> list[str]:
    async with asyncio.timeout(PATIENCE), Admin(url, prefix=prefix, timeout=PATIENCE) as admin:
        return [name for name in await admin.queues() if name.startswith(start)]
