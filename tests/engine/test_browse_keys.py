"""Keys of jobs are taken apart by what queues there are (wire format §§1, 5)."""

from __future__ import annotations

import pytest

from corral.engine.browse_keys import JobKey, split_keys
from corral.engine.keys import QueueKeys
from tests.engine.driver import Driver

IDS = [
    "plain",
    "0190a4c2-7b1e",
    "a:b:c",
    "order:7:ship",
    "repeat:s:1800000000000",
    "repeat:eu:west:1:1800000000000",
]


async def queue_under(driver: Driver, prefix: str, queue: str) -> QueueKeys:
    """A queue that is known to the server."""
    keys = QueueKeys(prefix, queue)
    await driver.call("HSET", keys.key("meta"), "version", "v")
    return keys


@pytest.mark.parametrize("wire_id", IDS)
@pytest.mark.parametrize("below", ["", ":a:b", ":repeat:x"])
@pytest.mark.parametrize("queue", ["q", "repeat"])
async def test_any_queue(driver: Driver, wire_id: str, below: str, queue: str) -> None:
    """Of this prefix or another, with colons or without, and whatever the id looks like."""
    keys = await queue_under(driver, driver.keys.prefix + below, queue)
    assert await split_keys(driver.server, driver.keys, [keys.job(wire_id)]) == [
        JobKey(keys.prefix, queue, wire_id)
    ]


@pytest.mark.parametrize("wire_id", IDS)
async def test_a_queue_that_is_gone(driver: Driver, wire_id: str) -> None:
    """Of a queue that nobody knows any more, the prefix is taken to be this one's."""
    keys = QueueKeys(driver.keys.prefix, "gone")
    (found,) = await split_keys(driver.server, driver.keys, [keys.job(wire_id)])
    assert found == JobKey(keys.prefix, "gone", wire_id)
    assert found.keys.base == keys.base


SETTINGS = ["paused", "concurrency", "max", "duration", "version", "opts.maxLenEvents", "corral.peers"]


@pytest.mark.parametrize("setting", SETTINGS)
async def test_what_makes_a_queue(driver: Driver, setting: str) -> None:
    """Whichever setting its `meta` has."""
    keys = QueueKeys(driver.keys.prefix + ":a:b", "q")
    await driver.call("HSET", keys.key("meta"), setting, "1")
    assert await split_keys(driver.server, driver.keys, [keys.job("7")]) == [JobKey(keys.prefix, "q", "7")]


async def test_a_job_that_is_called_meta(driver: Driver) -> None:
    """A job's hash makes no queue of what its id begins with."""
    keys = await queue_under(driver, driver.keys.prefix, "q")
    await driver.call("HSET", keys.job("a:b:meta"), "name", "n", "data", "{}", "timestamp", "1")
    found = await split_keys(driver.server, driver.keys, [keys.job("a:b:c")])
    assert found == [JobKey(keys.prefix, "q", "a:b:c")]


async def test_what_is_no_key_of_a_job(driver: Driver) -> None:
    """Whatever another program has written is taken apart somehow, in its order."""
    keys = QueueKeys("elsewhere", "q")
    found = await split_keys(driver.server, driver.keys, ["x", keys.job("7"), "a::b"])
    assert [key.wire_id for key in found] == ["x", "7", "b"]
