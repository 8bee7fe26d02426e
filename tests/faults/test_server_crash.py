"""The server dies and comes back; what it had accepted still runs, and workers resume by themselves."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

import pytest

from corral import SyncClient
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check
from tests.faults.producer import Producer
from tests.faults.witness import Witness, until
from tests.servers import ServerProcess

pytestmark = pytest.mark.faults

RESUME_WITHIN = 5.0


@pytest.mark.parametrize("policy", ["everysec", "always"])
def test_a_killed_server_loses_no_accepted_job(
    policy: str,
    make_server: Callable[..., ServerProcess],
    make_client: Callable[..., SyncClient],
    make_fleet: Callable[..., Fleet],
    make_corner: Callable[[str], Corner],
    witness: Witness,
    queue_name: str,
) -> None:
    """With an append-only file, kill -9 of the server loses nothing that `enqueue` has returned for, and workers
    run jobs again within 5 s after it is back."""
    server = make_server(appendonly=policy)
    corner = make_corner(server.url)
    corner.keep_all_events()
    fleet = make_fleet(server.url, concurrency=10)
    for _ in range(2):
        fleet.start()
    for worker in fleet.workers:
        worker.wait_up()
    producer = Producer(make_client(server.url, timeout=1.0), queue_name)
    resumed = []
    for _ in range(2):
        before = len(witness.read("end"))
        witness.wait("end", count=before + 200)
        server.kill9()
        threading.Event().wait(0.5)
        server.start()
        back = time.monotonic()
        after = witness.read("start")
        until(lambda: len(witness.read("start")) > len(after) + 20, 30, "workers run jobs again")  # noqa: B023
        resumed.append(next(each.at for each in witness.read("start")[len(after) :] if each.at > back) - back)
    producer.stop()
    until(lambda: corner.unfinished() == 0, 30, "all jobs have ended")
    print(f"{policy}: {len(producer.accepted)} accepted; resumed after", *(f"{s:.2f} s" for s in resumed))
    check(corner, producer.accepted, witness.read())
    assert max(resumed) <= RESUME_WITHIN
    assert all(worker.running for worker in fleet.workers)


def test_a_server_that_stood_still_starts_no_healthy_job_again(
    make_server: Callable[..., ServerProcess],
    make_client: Callable[..., SyncClient],
    make_fleet: Callable[..., Fleet],
    make_corner: Callable[[str], Corner],
    witness: Witness,
    queue_name: str,
) -> None:
    """A server that is frozen for longer than the locks last comes back to find them expired; their workers are
    healthy, so they take their locks again, and no job is run a second time though other workers look for one."""
    server = make_server()
    corner = make_corner(server.url)
    fleet = make_fleet(server.url, concurrency=20)
    first = fleet.start().wait_up()
    jobs = make_client(server.url).queue(queue_name).enqueue_many("nap", [9.0] * 20)
    witness.wait("start", count=20)
    fleet.start().wait_up()
    pause = threading.Event()
    for phase in (0.0, 0.3, 0.7):
        server.freeze()
        pause.wait(2.2)
        server.thaw()
        pause.wait(0.6 + phase)
    for job in jobs:
        job.result(timeout=20)
    assert [each.pid for each in witness.read("start")] == [first.pid] * 20
    check(corner, [job.id for job in jobs], witness.read())


def test_flushed_scripts_are_loaded_again(
    client: SyncClient, fleet: Fleet, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """SCRIPT FLUSH every few milliseconds under load: nobody sees NOSCRIPT, and every job runs once."""
    looked_at.keep_all_events()
    for _ in range(2):
        fleet.start(concurrency=10)
    stop = threading.Event()
    flushed = itertools.count()

    def flush() -> None:
        while not stop.wait(0.005):
            looked_at.client.script_flush()
            next(flushed)

    flusher = threading.Thread(target=flush)
    flusher.start()
    jobs = [client.queue(queue_name).enqueue("nap", 0.01, remove_on_complete=False).id for _ in range(500)]
    until(lambda: looked_at.unfinished() == 0, 30, "all jobs have ended")
    stop.set()
    flusher.join()
    assert next(flushed) > 50
    check(looked_at, jobs, witness.read())
    assert len(witness.read("start")) == len(jobs)
