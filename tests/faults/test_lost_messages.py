"""Messages between worker and server are lost, late, or cut; each call may be sent again, and nothing happens twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from corral import SyncClient
from corral.engine.script import load
from tests.faults.fleet import Fleet
from tests.faults.oracle import Corner, check
from tests.faults.proxy import Proxy
from tests.faults.witness import Witness, until

pytestmark = pytest.mark.faults

CLAIM = load("claim/claim_jobs").sha.encode()
COMMIT = load("settle/commit_jobs").sha.encode()
RENEW = load("recover/renew_locks").sha.encode()
BLOCK_SECONDS = 5.0


@pytest.fixture
def distant(make_fleet: Callable[..., Fleet], proxy: Proxy) -> Fleet:
    """Workers that reach the server through the proxy only."""
    return make_fleet(proxy.url)


@pytest.mark.parametrize("trouble", ["lose_request", "lose_reply", "swallow"])
@pytest.mark.parametrize("call", [CLAIM, COMMIT], ids=["claim", "commit"])
def test_a_lost_message_changes_nothing(
    trouble: str,
    call: bytes,
    client: SyncClient,
    distant: Fleet,
    proxy: Proxy,
    looked_at: Corner,
    witness: Witness,
    queue_name: str,
) -> None:
    """A claim or a settlement of which the request or the reply is lost is sent again: each job runs once, has one
    outcome, did not stall, and none is left behind in `active`."""
    looked_at.keep_all_events()
    distant.start(lock_duration=8.0, concurrency=4).wait_up()
    queue = client.queue(queue_name)
    queue.enqueue("nap", 0.0).result(timeout=10)
    rule = getattr(proxy, trouble)(call)
    jobs = [queue.enqueue("nap", 0.01) for _ in range(20)]
    results = [job.result(timeout=20) for job in jobs]
    assert results == [job.id for job in jobs]
    assert rule.seen.is_set()
    check(looked_at, [job.id for job in jobs], witness.read())
    assert len(witness.read("start")) == 21
    assert {looked_at.field(job.id, "stc") for job in jobs} == {None}


def test_connections_reset_all_the_time(
    client: SyncClient, distant: Fleet, proxy: Proxy, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """With all connections reset every 200 ms, jobs still get done, each once."""
    looked_at.keep_all_events()
    for _ in range(2):
        distant.start(concurrency=5, max_stalled=20).wait_up()
    jobs = client.queue(queue_name).enqueue_many("nap", [0.02] * 300, remove_on_complete=False)
    stop = threading.Event()
    deadline = time.monotonic() + 40
    while looked_at.unfinished() and time.monotonic() < deadline:
        stop.wait(0.2)
        proxy.reset()
    check(looked_at, [job.id for job in jobs], witness.read())
    assert all(worker.running for worker in distant.workers)


def test_a_half_open_connection_is_detected(
    client: SyncClient, distant: Fleet, proxy: Proxy, witness: Witness, queue_name: str
) -> None:
    """A worker whose wake-up was swallowed by the network, though nothing was closed, runs the job all the same,
    within twice the time that it blocks."""
    distant.start().wait_up()
    client.queue(queue_name).enqueue("nap", 0.0).result(timeout=10)
    until(lambda: idle(client, queue_name), 5, "the worker waits")
    proxy.black_hole = True
    job = client.queue(queue_name).enqueue("nap", 0.0)
    threading.Event().wait(0.3)  # long enough for the wake-up to be lost
    proxy.black_hole = False
    began = time.monotonic()
    witness.wait("start", job.id, within=2 * BLOCK_SECONDS + 2)
    print(f"started after {time.monotonic() - began:.1f} s")
    job.result(timeout=15)


def idle(client: SyncClient, queue: str) -> bool:
    """Whether nothing runs or waits."""
    return not any(count for state, count in client.queue(queue).counts().items() if state != "completed")


def test_a_slow_network_costs_no_lock(
    client: SyncClient, distant: Fleet, proxy: Proxy, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """With round trips of 0.4 s, a lock of 4 s is renewed in time for a job that takes 6 s."""
    proxy.latency = 0.2
    distant.start(lock_duration=4.0).wait_up()
    distant.start(lock_duration=4.0).wait_up()
    job = client.queue(queue_name).enqueue("nap", 6.0)
    job.result(timeout=30)
    assert len(witness.read("start")) == 1
    until(lambda: not looked_at.locks(), 10, "the lock is gone")
    check(looked_at, [job.id], witness.read())


def test_lost_renewals_cost_no_lock(
    client: SyncClient, distant: Fleet, proxy: Proxy, looked_at: Corner, witness: Witness, queue_name: str
) -> None:
    """Two renewals in a row that fail, one swallowed and one cut off, leave the lock where it is."""
    for _ in range(2):
        distant.start(lock_duration=2.0).wait_up()
    job = client.queue(queue_name).enqueue("nap", 5.0)
    witness.wait("start", job.id)
    rules = [proxy.swallow(RENEW), proxy.lose_request(RENEW)]
    job.result(timeout=30)
    assert all(rule.seen.is_set() for rule in rules)
    assert len(witness.read("start")) == 1
    check(looked_at, [job.id], witness.read())


@pytest.mark.parametrize("size", [1, 30, 200])
def test_a_reply_cut_short_is_never_taken_for_another(
    size: int,
    client: SyncClient,
    distant: Fleet,
    proxy: Proxy,
    looked_at: Corner,
    witness: Witness,
    queue_name: str,
) -> None:
    """Connections that end in the middle of a reply cost time, and no job."""
    looked_at.keep_all_events()
    distant.start(concurrency=5, max_stalled=20).wait_up()
    client.queue(queue_name).enqueue("nap", 0.0).result(timeout=10)
    jobs = client.queue(queue_name).enqueue_many("nap", [0.02] * 50)
    proxy.cut_after = size
    proxy.reset()
    threading.Event().wait(2.0)  # the trouble lasts so long
    proxy.cut_after = None
    until(lambda: looked_at.unfinished() == 0, 30, "all jobs have ended")
    check(looked_at, [job.id for job in jobs], witness.read())
