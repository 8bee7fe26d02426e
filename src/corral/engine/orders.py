"""Orders: what the running workers of a queue are told at once, all of them, over a stream that each reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.script import load
from corral.engine.sender import UNNUMBERED, Sent
from corral.engine.server import Server

__all__ = [
    "NOTHING_READ",
    "ORDERS_PER_READ",
    "Order",
    "find_cancelled",
    "newest_order",
    "read_orders",
    "send_order",
]

ORDERS_PER_READ: Final = 500
"""Fewer than the stream keeps: who reads less than this at once has missed none."""

Place = tuple[int, int]
"""Where an order stands in the stream: milliseconds of the server's clock, and a number within them."""

NOTHING_READ: Final[Place] = (0, 0)


class Order(NamedTuple):
    """One order: where it stands, and its fields. ``order`` among them says what it is about."""

    place: Place
    fields: dict[str, str]


async def send_order(
    server: Server, keys: QueueKeys, fields: Mapping[str, str | int], *, sent: Sent = UNNUMBERED
) -> None:
    """Tell all running workers of a queue something: ``order`` and what goes with it. Who starts later is not told."""
    words = chain.from_iterable(fields.items())
    await server.run(load("orders/send_order"), keys, sent.sender, sent.number, *words)


async def newest_order(link: Link, keys: QueueKeys) -> Place:
    """Where the newest order stands; `NOTHING_READ` when none is kept."""
    rows = await link.call("XREVRANGE", keys.key("orders"), "+", "-", "COUNT", 1)
    return _place(rows[0][0]) if rows else NOTHING_READ


async def read_orders(link: Link, keys: QueueKeys, after: Place, *, block_ms: int) -> list[Order]:
    """The orders behind a place, `ORDERS_PER_READ` at most, waiting up to `block_ms` for the first. The link is busy
    for that time."""
    reply = await link.call(
        "XREAD", "COUNT", ORDERS_PER_READ, "BLOCK", block_ms, "STREAMS", keys.key("orders"), f"{after[0]}-{after[1]}",
        timeout=block_ms / 1000 + link.timeout,
    )  # fmt: skip
    return [Order(_place(order_id), _fields(flat)) for order_id, flat in reply[0][1]] if reply else []


async def find_cancelled(link: Link, keys: QueueKeys, runs: Sequence[tuple[Word, Word]]) -> list[bytes]:
    """For each of some runs (id and fence) why its job was cancelled or superseded; empty where it was not."""
    reasons: list[bytes] = await link.run(
        load("orders/find_cancelled"), keys, keys.base, *chain.from_iterable(runs)
    )
    return reasons


def _place(order_id: bytes) -> Place:
    milliseconds, _, number = order_id.partition(b"-")
    return int(milliseconds), int(number)


def _fields(flat: list[bytes]) -> dict[str, str]:
    texts = [part.decode("utf-8", "surrogateescape") for part in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))
