"""What workers say of themselves: stored by their instance, listed by the latest, forgotten in the end."""

from __future__ import annotations

from corral.engine.browse_workers import KeptBeats, list_beats
from corral.engine.report_worker import FORGET_MS, drop_record, write_beat
from tests.engine.driver import START, Driver


async def kept_beats(driver: Driver, now: int | str = "") -> KeptBeats:
    """What is kept of the test's queue."""
    (kept,) = await list_beats(driver.server, [driver.keys], clock=now)
    assert isinstance(kept, KeptBeats)
    return kept


async def said(driver: Driver, now: int = START) -> list[tuple[str, int, bytes]]:
    """What is kept of all workers."""
    kept = await kept_beats(driver, now)
    assert kept.now == now
    return kept.beats


async def beat(driver: Driver, instance: str, record: bytes, now: int = START) -> int:
    """A worker says something."""
    return await write_beat(driver.server, driver.keys, instance, record, clock=now)


async def test_the_last_word_counts(driver: Driver) -> None:
    """Each instance has one record, its latest, with the time at which it came."""
    await beat(driver, "a", b"first", START)
    await beat(driver, "b", b"only", START + 1)
    await beat(driver, "a", b"second", START + 2)
    assert await said(driver) == [("a", START + 2, b"second"), ("b", START + 1, b"only")]


async def test_who_leaves_is_forgotten(driver: Driver) -> None:
    """A record that is dropped leaves nothing behind, and dropping it twice does no harm."""
    await beat(driver, "a", b"here")
    assert await drop_record(driver.server, driver.keys, "a")
    assert not await drop_record(driver.server, driver.keys, "a")
    assert await said(driver) == []
    assert await driver.call("EXISTS", *driver.keys.all(("worker_records", "worker_beats"))) == 0


async def test_the_dead_are_forgotten_by_others(driver: Driver) -> None:
    """A beat takes away the records of those that have said nothing for ten minutes, and of nobody else."""
    await beat(driver, "dead", b"x", START)
    await beat(driver, "late", b"x", START + 1)
    assert await beat(driver, "alive", b"x", START + FORGET_MS) == 1
    assert [instance for instance, _, _ in await said(driver)] == ["alive", "late"]
    assert await driver.call("HLEN", driver.keys.key("worker_records")) == 2


async def test_a_hundred_are_forgotten_at_once(driver: Driver) -> None:
    """A call forgets no more than a hundred, so that it stays short; the next ones take the rest."""
    for number in range(120):
        await beat(driver, f"dead-{number}", b"x", START)
    later = START + FORGET_MS
    assert [await beat(driver, "alive", b"x", later) for _ in range(3)] == [100, 20, 0]


async def test_all_of_it_expires(driver: Driver) -> None:
    """Where nobody beats any more, the server forgets."""
    await beat(driver, "a", b"x")
    for key in driver.keys.all(("worker_records", "worker_beats")):
        assert 0 < int(await driver.call("PTTL", key)) <= FORGET_MS


async def test_the_server_has_a_clock(driver: Driver) -> None:
    """Without a clock of the caller's, times are the server's."""
    await write_beat(driver.server, driver.keys, "a", b"x")
    kept = await kept_beats(driver)
    assert 0 <= kept.now - kept.beats[0][1] < 60_000
