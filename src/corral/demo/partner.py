"""Tells other companies about orders, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from corral import Context, Unrecoverable
from corral.demo.contract import Order, Receipt

__all__ = ["PartnerApi"]


class PartnerApi:
    """One HTTP client for all jobs, opened with the worker and closed after its last job: see `connected`."""

    def __init__(self) -> None:
        self._http: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """The worker's `lifespan=`."""
        async with httpx.AsyncClient(timeout=5) as self._http:
            yield

    async def announce(self, order: Order, ctx: Context) -> Receipt:
        """Announce an order. The number in the header lets the partner know a repeated announcement.

        A partner that has a bad day (5xx) is tried again, by the task's backoff: any exception does that. One that
        says it does not want to hear of it (4xx) is not asked twice.
        """
        assert self._http is not None
        await ctx.log(f"attempt {ctx.attempt} of {ctx.attempts}: {order.partner_url}")
        answer = await self._http.post(
            order.partner_url, json={"order": order.number}, headers={"Idempotency-Key": order.number}
        )
        await ctx.log(f"the partner answered {answer.status_code}")
        if answer.is_client_error:
            raise Unrecoverable(f"the partner refuses orders: {answer.status_code} {answer.reason_phrase}")
        answer.raise_for_status()
        return Receipt(status=answer.status_code)
