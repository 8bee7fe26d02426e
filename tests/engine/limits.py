"""Limits as a test asks for them: what the tests of limits share."""

from __future__ import annotations

from corral import RateLimit
from corral.engine.claim import Claims
from tests.engine.driver import Driver

MINUTE = RateLimit(3, per=60)


async def ask(driver: Driver, wanted: int, rate_max: int | str = "", window_ms: int | str = "") -> Claims:
    """What a worker with a limiter of its own asks."""
    return await driver.claim(driver.a_claim(wanted)._replace(rate_max=rate_max, window_ms=window_ms))


async def window_ends(driver: Driver) -> None:
    """The window runs out."""
    await driver.call("DEL", driver.keys.key("limiter"))


async def token(driver: Driver) -> bool:
    """Whether somebody is woken: takes the token."""
    return bool(await driver.call("ZREM", driver.keys.key("marker"), "0"))


async def changes(driver: Driver) -> int:
    """How often workers that wait for the end of a limit were told to ask again."""
    flat = await driver.call("XINFO", "STREAM", driver.keys.key("limit_changes"))
    found: int = dict(zip(flat[::2], flat[1::2], strict=True))["entries-added"]
    return found
