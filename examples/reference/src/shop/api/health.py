"""Whether this process answers, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from sqlalchemy import text

from corral import StoreError
from shop.api.dependencies import TheParts

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """For a liveness probe: a restart would mend nothing that this does not see."""
    return {"status": "alive"}


@router.get("/readyz")
async def ready(parts: TheParts) -> dict[str, str]:
    """For a readiness probe. The database decides: while Redis is away, orders are taken, and wait in the outbox."""
    try:
        async with parts.database.reading() as session:
            await session.execute(text("SELECT 1"))
    except StoreError as error:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, str(error)) from None
    return {"status": "ready"}
