"""The payment provider, over HTTP."""

from __future__ import annotations

from typing import Any, Self

import httpx

from shop.errors import PaymentRefused, PaymentsAway

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

        Raises `PaymentRefused` where the provider says no, and `PaymentsAway`.
        """
        charge = {"order": order_id, "cents": cents}
        status = await self._ask("POST", "/charges", json=charge, headers={"Idempotency-Key": order_id})
        if status == httpx.codes.PAYMENT_REQUIRED:
            raise PaymentRefused("the payment was refused")

    async def void(self, order_id: str) -> None:
        """Give back whatever was taken for an order: nothing, perhaps. Raises `PaymentsAway`."""
        await self._ask("DELETE", f"/charges/{order_id}")

    async def _ask(self, method: str, path: str, **content: Any) -> int:
        try:
            answer = await self._http.request(method, path, **content)
            if answer.status_code != httpx.codes.PAYMENT_REQUIRED:
                answer.raise_for_status()
        except httpx.HTTPError as error:
            raise PaymentsAway("the payment provider could not be reached") from error
        return answer.status_code
