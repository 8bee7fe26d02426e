"""The payment provider, over HTTP."""

from __future__ import annotations

from typing import Self

import httpx

from shop.errors import PaymentRefused

__all__ = ["Payments"]


class Payments:
    """Takes money, and gives it back. One HTTP client for all: `async with Payments(url) as payments`."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=10)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def charge(self, order_id: str, cents: int) -> None:
        """Take the money for an order. The key makes a charge that is sent twice one charge.

        Raises `PaymentRefused` where the provider says no, and httpx's errors where it says nothing useful.
        """
        answer = await self._http.post(
            "/charges", json={"order": order_id, "cents": cents}, headers={"Idempotency-Key": order_id}
        )
        if answer.status_code == httpx.codes.PAYMENT_REQUIRED:
            raise PaymentRefused("the payment was refused")
        answer.raise_for_status()

    async def void(self, order_id: str) -> None:
        """Give back whatever was taken for an order: nothing, perhaps. Raises httpx's errors."""
        answer = await self._http.delete(f"/charges/{order_id}")
        answer.raise_for_status()
