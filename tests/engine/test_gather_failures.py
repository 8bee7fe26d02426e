"""Pages of failures in both directions, and what is filed of them."""

from __future__ import annotations

import pytest

from corral.engine.browse_failures import page_failures
from corral.engine.control_all import Place, remove_failed
from corral.engine.gather_failures import Filed, drop_stale, file_failures, read_cursor, tend_groups
from corral.engine.sender import Sent
from tests.engine.driver import START, Driver


async def failed(driver: Driver, count: int, *, at: int = 0) -> None:
    """Jobs `j0`, `j1`, … that have failed, two in each millisecond."""
    for number in range(count):
        wire_id = f"j{number}"
        await driver.call("HSET", driver.keys.job(wire_id), "name", "n", "failedReason", f"r{number}")
        await driver.call("ZADD", driver.keys.key("failed"), START + at + number // 2, wire_id)


async def test_forwards_and_backwards(driver: Driver) -> None:
    """Each direction brings every failure, the backward one those at a place twice; `left` counts those beyond."""
    await failed(driver, 7)
    place, seen, left = Place(), list[bytes](), list[int]()
    while not left or left[-1]:
        page = await page_failures(driver.server, driver.keys, place, size=3)
        seen += [failure.wire_id for failure in page.failures]
        place, left = page.end, [*left, page.left]
    assert seen == [b"j%d" % number for number in range(7)]
    assert left == [4, 1, 0]
    place, seen, left = Place("+inf", ""), [], []
    while not left or left[-1]:
        page = await page_failures(driver.server, driver.keys, place, back=True, size=3)
        seen += [failure.wire_id for failure in page.failures]
        place, left = page.end, [*left, page.left]
    assert seen == [b"j%d" % number for number in (6, 5, 4, 4, 3, 2, 2, 1, 0)]
    assert left == [4, 2, 0]


async def test_a_page_is_bounded_in_bytes(driver: Driver) -> None:
    """Texts are cut, and a page of long ones ends early."""
    await failed(driver, 40)
    for number in range(40):
        stack = "x" * 100_000
        await driver.call(
            "HSET", driver.keys.job(f"j{number}"), "stacktrace", stack, "failedReason", stack, "name", stack
        )
    page = await page_failures(driver.server, driver.keys, Place())
    assert 1 < len(page.failures) < 40
    assert page.left == 40 - len(page.failures)
    assert sum(len(word) for failure in page.failures for word in failure) < 300_000


async def test_filing_moves_the_cursor_of_whoever_read_it(driver: Driver) -> None:
    """What is filed stays filed; the cursor moves only from where the filer has seen it."""
    await failed(driver, 1)
    row = Filed("f", "{}", b"j0", str(START).encode())
    assert await file_failures(driver.server, driver.keys, [row], before="", after="one") == (True, 2)
    assert await file_failures(driver.server, driver.keys, [row], before="", after="two") == (False, 2)
    assert await read_cursor(driver.server, driver.keys) == b"one"
    groups = await tend_groups(driver.server, driver.keys, window=10, most=10)
    assert (groups.filed, groups.counted, groups.total) == (1, 1, 1)


async def test_stale_ids_go(driver: Driver) -> None:
    """An id stays that is failed since the very time with which it was filed."""
    await failed(driver, 5)
    rows = [Filed("f", "{}", b"j%d" % number, b"%d" % (START + number // 2)) for number in range(5)]
    await file_failures(driver.server, driver.keys, rows, before="", after="one")
    await driver.call("ZREM", driver.keys.key("failed"), "j1")
    await driver.call("ZADD", driver.keys.key("failed"), START + 99, "j3")
    assert await drop_stale(driver.server, driver.keys, "f", 0, size=2) == (2, 1)
    assert await drop_stale(driver.server, driver.keys, "f", 1, size=10) == (3, 2)
    page = await page_failures(driver.server, driver.keys, Place(), fingerprint="f")
    assert [failure.wire_id for failure in page.failures] == [b"j0", b"j2", b"j4"]


@pytest.mark.parametrize("sender", ["", "s"])
async def test_only_failed_jobs_are_removed(driver: Driver, sender: str) -> None:
    """Others are left alone; a call sent again removes nothing more."""
    await failed(driver, 3)
    await driver.add("waits")
    sent = Sent(sender, 1)
    removed = await remove_failed(driver.server, driver.keys, ["j0", "waits", "gone", "j2"], sent=sent)
    assert removed == 2
    again = await remove_failed(driver.server, driver.keys, ["j0", "waits", "gone", "j2"], sent=sent)
    assert again == (2 if sender else 0)
    assert list(await driver.scores("failed")) == ["j1"]
    assert await driver.waiting() == ["waits"]
    assert await driver.fields("j0") == {}
    assert [event["count"] for event in await driver.events("cleaned")] == ["2"]
