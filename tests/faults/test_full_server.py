"""A server whose memory is full: it takes no new jobs, and drains by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corral import QueueFull, SyncClient
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check
from tests.faults.witness import Witness, until
from tests.servers import ServerProcess

pytestmark = pytest.mark.faults


def test_a_full_server_drains(
    make_server: Callable[..., ServerProcess],
    make_client: Callable[..., SyncClient],
    make_fleet: Callable[..., Fleet],
    make_corner: Callable[[str], Corner],
    witness: Witness,
    queue_name: str,
) -> None:
    """At maxmemory `enqueue` raises `QueueFull` at once and stores nothing; what was accepted runs and settles, locks
    are renewed, and when there is room again jobs are accepted again."""
    server = make_server(maxmemory="100mb", args=["--maxmemory-policy", "noeviction"])
    corner = make_corner(server.url)
    corner.keep_all_events()
    queue = make_client(server.url).queue(queue_name)
    fleet = make_fleet(server.url, concurrency=10)
    fleet.start().wait_up()
    accepted = [queue.enqueue("nap", 3.0).id for _ in range(5)]
    witness.wait("start", count=5)
    accepted += [job.id for job in queue.enqueue_many("nap", [0.01] * 300)]
    corner.client.config_set("maxmemory", corner.client.info("memory")["used_memory"] - 100_000)
    with pytest.raises(QueueFull, match="maxmemory"):
        queue.enqueue("nap", 0.0, job_id="one-too-many")
    until(lambda: corner.unfinished() == 0, 30, "everything has drained")
    check(corner, accepted, witness.read())
    assert len(witness.read("start")) == len(accepted)
    assert queue.get("one-too-many") is None
    corner.client.config_set("maxmemory", "100mb")
    queue.enqueue("nap", 0.0).result(timeout=10)
