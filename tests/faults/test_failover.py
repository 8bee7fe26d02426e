"""The primary is killed under load and a replica takes its place, in a cluster and behind sentinels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from corral import SyncClient
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check
from tests.faults.producer import Producer
from tests.faults.witness import Witness, until
from tests.topologies import Cluster, Watched

pytestmark = pytest.mark.faults

RESUME_WITHIN = 15.0
"""Seconds after the kill. The servers need 2 to 5 of them to agree on a new primary."""
UNREPLICATED = 1.0
"""Seconds before the kill: what was accepted earlier has reached the replica long since."""


@pytest.fixture
def prefix(corner: str) -> str:
    """A prefix with a hash tag."""
    return f"{{p-{corner}}}"


@pytest.fixture(params=["cluster", "sentinel"])
def topology(request: pytest.FixtureRequest) -> Iterator[Cluster | Watched]:
    """Three primaries with a replica each, or one that sentinels watch."""
    made = Cluster(3, replicas=1) if request.param == "cluster" else Watched()
    with made:
        yield made


@pytest.mark.parametrize("durability", [None, "replicated"])
def test_the_primary_is_killed_under_load(
    durability: str | None,
    topology: Cluster | Watched,
    make_client: Callable[..., SyncClient],
    make_fleet: Callable[..., Fleet],
    make_corner: Callable[[str], Corner],
    witness: Witness,
    prefix: str,
    queue_name: str,
) -> None:
    """Workers and producer go on by themselves within seconds. No job has two outcomes; what is lost was accepted in
    the last moment, and nothing that was enqueued with durability="replicated" is."""
    home = topology.home_of(prefix)
    make_corner(home.url).keep_all_events()
    fleet = make_fleet(topology.url, concurrency=10)
    for _ in range(2):
        fleet.start()
    for worker in fleet.workers:
        worker.wait_up()
    options: dict[str, Any] = {"durability": durability} if durability else {}
    producer = Producer(make_client(topology.url, timeout=1.0), queue_name, **options)
    witness.wait("end", count=200)
    home.kill9()
    killed = time.monotonic()

    until(lambda: topology.home_of(prefix) is not home, 30, "a replica is promoted")
    home.start()  # it joins again, as a replica: durability="replicated" needs one

    def starts_after() -> list[float]:
        return [each.at for each in witness.read("start") if each.at > killed + 1]

    until(lambda: len(starts_after()) > 50, 40, "workers run jobs again")
    until(lambda: max(producer.accepted.values()) > killed + 1, 20, "the producer enqueues again")
    producer.stop()
    corner = make_corner(topology.home_of(prefix).url)
    until(lambda: corner.unfinished() == 0, 40, "all jobs have ended")
    ended = corner.ended()
    lost = {job: at for job, at in producer.accepted.items() if job not in ended}
    print(
        f"{len(producer.accepted)} accepted, {producer.refused} refused, {len(lost)} lost; "
        f"jobs run again {starts_after()[0] - killed:.1f} s after the kill"
    )
    assert not lost or (durability is None and min(lost.values()) > killed - UNREPLICATED)
    check(corner, producer.accepted.keys() - lost.keys(), witness.read())
    assert starts_after()[0] - killed < RESUME_WITHIN
    assert all(worker.running for worker in fleet.workers)
