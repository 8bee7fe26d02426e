"""Report: what a running job says of itself (wire format §21). Who may write is in test_recover."""

from __future__ import annotations

from corral.engine.record import Refusal
from corral.engine.recover import Held
from corral.engine.report import append_log, save_data, save_progress
from tests.engine.driver import Driver, end, new_job


async def test_progress(driver: Driver) -> None:
    """Progress is stored as it is and announced."""
    await driver.add("a")
    run = await driver.take_one()
    await driver.forget_events()
    assert await save_progress(driver.server, driver.keys, run, b'{"done":50}') == 0
    assert (await driver.fields("a"))["progress"] == '{"done":50}'
    assert await driver.events() == [{"event": "progress", "jobId": "a", "data": '{"done":50}'}]


async def test_logs(driver: Driver) -> None:
    """Lines are appended, the newest kept, and their number answered; no event is written."""
    await driver.add("a")
    run = await driver.take_one()
    await driver.forget_events()
    counts = [await append_log(driver.server, driver.keys, run, f"line {at}", keep=2) for at in range(4)]
    assert counts == [1, 2, 2, 2]
    assert await driver.call("LRANGE", driver.keys.job("a") + ":logs", 0, -1) == ["line 2", "line 3"]
    assert await driver.events() == []


async def test_data(driver: Driver) -> None:
    """The payload is replaced, the next run is given it, and no event is written."""
    await driver.add(new_job("a", data='{"at":0}'))
    run = await driver.take_one()
    await driver.forget_events()
    assert await save_data(driver.server, driver.keys, run, b'{"at":1}') == 0
    assert (await driver.fields("a"))["data"] == '{"at":1}'
    assert await driver.events() == []


async def test_a_job_that_does_not_exist(driver: Driver) -> None:
    """Nothing is created for it."""
    run = Held("nobody", "t", "1:")
    assert await save_progress(driver.server, driver.keys, run, b"1") == Refusal.NO_JOB
    assert await save_data(driver.server, driver.keys, run, b"1") == Refusal.NO_JOB
    assert await append_log(driver.server, driver.keys, run, "line", keep=5) == Refusal.NO_JOB
    assert await driver.bytes_of_all() == {}


async def test_the_log_outlives_an_attempt(driver: Driver) -> None:
    """The lines of earlier attempts stay until the job is removed."""
    await driver.add("a")
    for number in range(2):
        run = await driver.take_one()
        await append_log(driver.server, driver.keys, run, f"attempt {number}", keep=5)
        await driver.settle(end(run, "r", "again"))  # type: ignore[arg-type]
    assert await driver.call("LLEN", driver.keys.job("a") + ":logs") == 2


async def test_a_lock_of_the_wrong_type(driver: Driver) -> None:
    """A lock key that another client has made a hash of refuses the write and breaks nothing."""
    await driver.add("a")
    run = await driver.take_one()
    await driver.lose_lock("a")
    await driver.call("HSET", driver.keys.job("a") + ":lock", "x", 1)
    assert await save_progress(driver.server, driver.keys, run, b"1") == Refusal.HELD_BY_ANOTHER
    assert await driver.settle(end(run)) == [0]
