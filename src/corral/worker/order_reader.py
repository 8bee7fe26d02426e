"""The order reader: hears what the running workers of a queue are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from corral.engine.faults import ResponseError, Unanswered
from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.engine.orders import NOTHING_READ, ORDERS_PER_READ, newest_order, read_orders
from corral.worker.trouble import PAUSE_AFTER_DAMAGE, log_damage

__all__ = ["OrderReader", "Taker"]

LOOK_SECONDS: Final = 20.0

Taker = Callable[[Mapping[str, str]], None]
"""What is called with the fields of an order."""


class OrderReader:
    """Reads the orders of one queue on a connection of its own, and hands each to the taker of its kind.

    The place in the stream is fixed before the first claim. Orders are few and kept for minutes, so some may be missed:
    by whoever was away from the server, or met more of them than one read gives. Then `on_doubt` looks at what they
    would have changed, and every now and then it does so anyway.
    """

    def __init__(
        self,
        link: Link,
        keys: QueueKeys,
        takers: Mapping[str, Taker],
        *,
        on_doubt: Callable[[Link], Awaitable[None]],
        on_trouble: Callable[[Unanswered, float], None],
    ) -> None:
        self._link = link
        self._keys = keys
        self._takers = takers
        self._on_doubt = on_doubt
        self._on_trouble = on_trouble
        self._place = NOTHING_READ
        self._look_at = 0.0

    async def begin(self) -> None:
        """Fix the place from which on orders are heard: the end of the stream."""
        try:
            self._place = await newest_order(self._link, self._keys)
            self._look_at = asyncio.get_running_loop().time() + LOOK_SECONDS
        except Unanswered as error:
            self._on_trouble(error, 0)
        except ResponseError as error:
            log_damage(self._keys.queue, error)

    async def serve(self) -> None:
        """Read until cancelled."""
        pause = 0.05
        try:
            while True:
                try:
                    await self._read()
                    pause = 0.05
                except Unanswered as error:
                    self._look_at = 0.0
                    self._on_trouble(error, pause)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, 2.0)
                except ResponseError as error:
                    log_damage(self._keys.queue, error)
                    await asyncio.sleep(PAUSE_AFTER_DAMAGE)
        finally:
            await self._link.close()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._look_at:
            # The stream may be another one by now, whose places are lower: the server's clock was put back.
            self._place = min(self._place, await newest_order(self._link, self._keys))
            await self._on_doubt(self._link)
            self._look_at = loop.time() + LOOK_SECONDS
        block_ms = max(1, int((self._look_at - loop.time()) * 1000))
        orders = await read_orders(self._link, self._keys, self._place, block_ms=block_ms)
        for order in orders:
            self._place = order.place
            taker = self._takers.get(order.fields.get("order", ""))
            if taker is not None:
                taker(order.fields)
        if len(orders) == ORDERS_PER_READ:
            self._look_at = 0.0
