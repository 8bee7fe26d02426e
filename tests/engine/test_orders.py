"""Orders reach every worker that reads, are few, and end."""

from __future__ import annotations

import asyncio

from corral.engine.orders import NOTHING_READ, find_cancelled, newest_order, read_orders, send_order
from tests.engine.driver import Driver


async def test_whoever_reads_is_told(driver: Driver) -> None:
    """Every reader gets each order behind its place, with its fields, in their order."""
    before = await newest_order(driver.link, driver.keys)
    await send_order(driver.server, driver.keys, {"order": "drain", "worker": "w-1"})
    await send_order(driver.server, driver.keys, {"order": "concurrency", "worker": "w-1", "concurrency": 5})
    for _ in range(2):
        orders = await read_orders(driver.link, driver.keys, before, block_ms=1)
        assert [order.fields for order in orders] == [
            {"order": "drain", "worker": "w-1"},
            {"order": "concurrency", "worker": "w-1", "concurrency": "5"},
        ]
        assert await newest_order(driver.link, driver.keys) == orders[-1].place


async def test_a_reader_waits(driver: Driver) -> None:
    """One that blocks is told at once."""
    async with driver.server.borrowed(driver.keys) as link:
        reading = asyncio.create_task(read_orders(link, driver.keys, NOTHING_READ, block_ms=10_000))
        while not await driver.call("INFO", "clients") or not reading.done():
            await send_order(driver.server, driver.keys, {"order": "drain"})
            await asyncio.wait({reading}, timeout=0.05)
        assert (await reading)[0].fields == {"order": "drain"}


async def test_orders_do_not_pile_up(driver: Driver) -> None:
    """Some thousand are kept, for minutes, and one read gives fewer: nobody misses any without a sign."""
    for number in range(1500):
        await send_order(driver.server, driver.keys, {"order": "n", "number": number})
    key = driver.keys.key("orders")
    assert 1000 <= await driver.call("XLEN", key) <= 1200
    assert 0 < await driver.call("PTTL", key) <= 600_000
    assert len(await read_orders(driver.link, driver.keys, NOTHING_READ, block_ms=1)) == 500


async def test_only_the_run_that_is_meant_is_cancelled(driver: Driver) -> None:
    """Another run, and a failure that a job carries for another reason, are no cancellation."""
    await driver.add("a", "b", "c")
    runs = (await driver.claim(driver.a_claim(3))).jobs
    for run, kind in zip(runs, ("cancelled", "superseded", ""), strict=True):
        job_key, reason = driver.keys.job(run.wire_id.decode()), f"{kind} by us"
        await driver.call("HSET", job_key, "defa", reason, "corral.failure", kind)
    named = [(run.wire_id, run.fence) for run in runs]
    assert await find_cancelled(driver.link, driver.keys, named) == [
        b"cancelled by us",
        b"superseded by us",
        b"",
    ]
    assert await find_cancelled(driver.link, driver.keys, [(runs[0].wire_id, b"2:0"), ("none", "1:0")]) == [
        b"",
        b"",
    ]
