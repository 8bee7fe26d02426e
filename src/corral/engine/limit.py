"""Limit: an operator bounds how fast jobs of a queue start, and how many run at once."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.contracts.rate_limit import RateLimit, check_concurrency
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.script import load
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["Limits", "hold_starts", "read_limit_change", "read_limits", "set_concurrency", "set_rate"]

HELD_OFF: Final = 2**53 - 1
"""What BullMQ writes to `limiter` so that nothing starts until it expires."""


class Limits(NamedTuple):
    """The limits of a queue, and how it stands."""

    concurrency: int | None
    """How many jobs may run at once, over all workers."""
    rate: RateLimit | None
    """How many may start in a window. A worker may have a limit of its own, which is not known here."""
    started: int
    """How many have started in the current window."""
    held_ms: int
    """Milliseconds until the next job may start; 0 when one may now."""


async def set_rate(server: Server, keys: QueueKeys, limit: RateLimit | None) -> None:
    """Set the rate limit of the whole queue, None for none. Holds at once, also for workers that wait."""
    _check_rate(limit)
    rate_max: Word = "" if limit is None else limit.max
    window_ms: Word = "" if limit is None else limit.per_ms
    await server.run(load("limit/set_rate"), keys, rate_max, window_ms)


async def set_concurrency(server: Server, keys: QueueKeys, concurrency: int | None) -> None:
    """Set how many jobs may run at once over all workers, None for no limit. Holds at once."""
    check_concurrency(concurrency)
    most: Word = "" if concurrency is None else concurrency
    await server.run(load("limit/set_concurrency"), keys, most)


async def hold_starts(server: Server, keys: QueueKeys, milliseconds: int) -> None:
    """Let no job start for so long, or, with 0, end such a time and the current window.

    What holds longer already goes on. BullMQ's workers take part where they have a rate limit.
    """
    await server.run(load("limit/hold_starts"), keys, milliseconds)


async def read_limits(server: Server, keys: QueueKeys, workers: RateLimit | None = None) -> Limits:
    """The limits of a queue, and how it stands; `workers`: the limit that they have, where the queue has none."""
    _check_rate(workers)
    settings, started, left = await server.calls(
        [
            ("HMGET", keys.key("meta"), "concurrency", "max", "duration"),
            ("GET", keys.key("limiter")),
            ("PTTL", keys.key("limiter")),
        ]
    )
    concurrency, most, window_ms = map(_number, settings)
    rate = RateLimit(most, per=(window_ms or 1000) / 1000) if most else None
    count = _number(started) or 0
    stops = count >= (most or (HELD_OFF if workers is None else workers.max))
    return Limits(concurrency, rate, count, max(0, left) if stops else 0)


async def read_limit_change(
    link: Link, keys: QueueKeys, after: tuple[int, int], *, block_ms: int
) -> tuple[int, int] | None:
    """When the rate limit was changed next after a moment, waiting up to `block_ms` for it; None when it was not.

    Such a moment is an id of a stream: milliseconds of the server's clock, and a number within them.
    """
    reply = await link.call(
        "XREAD", "COUNT", 1, "BLOCK", block_ms, "STREAMS", keys.key("limit_changes"), f"{after[0]}-{after[1]}",
        timeout=block_ms / 1000 + link.timeout,
    )  # fmt: skip
    if not reply:
        return None
    milliseconds, _, number = reply[0][1][0][0].partition(b"-")
    return int(milliseconds), int(number)


def _check_rate(limit: object) -> None:
    if limit is not None and not isinstance(limit, RateLimit):
        raise InvalidOption("limit", limit, "give RateLimit(max, per=seconds), or None")


def _number(text: bytes | None) -> int | None:
    """A whole number from 1; None for what another client has written instead."""
    return int(text) if text is not None and text.isdigit() and int(text) > 0 else None
