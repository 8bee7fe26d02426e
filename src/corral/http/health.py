"""Whether the process that serves the API is well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import Field

from corral.http.chores import Chores
from corral.http.model import Shown

__all__ = ["health_of"]


class Health(Shown):
    """How it is."""

    status: Literal["ok", "degraded"]
    troubles: list[str] = Field(
        description="What it does beside answering and has failed lately: it is begun again.",
        examples=[["sampling"]],
    )


def health_of(chores: Chores) -> Callable[[], Awaitable[Health]]:
    """What answers at `/healthz`."""

    async def healthz() -> Health:
        """Open to everybody, and 200 as long as it answers. Says nothing of Redis, nor of the workers; why something is
        in trouble, the log says."""
        troubles = chores.troubles
        return Health(status="degraded" if troubles else "ok", troubles=troubles)

    return healthz
