"""A worker that holds a singleton key dies, and the next takes over in time. What it excludes: `test_exclusive`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corral import SyncClient
from tests.faults.conftest import LOCK
from tests.faults.fleet import Fleet
from tests.faults.witness import Witness

pytestmark = pytest.mark.faults

SLACK = 1.5
"""Seconds that a busy machine may add to the bound."""


def test_a_killed_holder_is_replaced(
    client: SyncClient, make_fleet: Callable[..., Fleet], redis_url: str, witness: Witness, queue_name: str
) -> None:
    """By the first in line, when its lock ends: the stalled check, which comes later here, is not needed for it."""
    fleet = make_fleet(redis_url, stalled_interval=60.0, concurrency=4)
    first, second = fleet.start(), fleet.start()
    for worker in (first, second):
        worker.wait_up()
    queue = client.queue(queue_name)
    ids = {job.id for job in queue.enqueue_many("alone", [3600.0, 3600.0, 3600.0])}
    (began,) = witness.wait("start")
    holder = first if began.pid == first.pid else second
    holder.kill9()
    assert holder.killed_at is not None
    _, successor = witness.wait("start", count=2)
    assert successor.pid != began.pid
    assert successor.job in ids - {began.job}
    assert successor.at - holder.killed_at < LOCK + SLACK
