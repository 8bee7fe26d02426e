"""Locks of running jobs are renewed by a process of its own, whatever happens to the worker's.

The server's side of renewal is not under test here: a stand-in script renews, and reports each renewal in a
list that the tests wait on.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
import redis

from corral.worker.lease.lease import Lease, QueueLease, ServerAddress
from tests.servers import ServerProcess

pytestmark = pytest.mark.one_server(
    "the renewer is pointed at a server; nodes and sentinels have their own tests"
)

LOCK_MS = 800
TOKEN = b"0123456789abcdef:7"
RENEW = """
local lock_ms, prefix, outcomes = ARGV[1], ARGV[2], {}
for i = 3, #ARGV, 3 do
  local lock = prefix .. ARGV[i] .. ":lock"
  local owner = redis.call("GET", lock)
  if owner == ARGV[i + 1] then
    redis.call("PEXPIRE", lock, lock_ms)
    redis.call("RPUSH", KEYS[1], ARGV[i])
    outcomes[#outcomes + 1] = 1
  elseif not owner then
    redis.call("SET", lock, ARGV[i + 1], "PX", lock_ms)
    redis.call("RPUSH", KEYS[1], ARGV[i])
    outcomes[#outcomes + 1] = 2
  else
    outcomes[#outcomes + 1] = 0
  end
end
redis.call("PEXPIRE", KEYS[1], 60000)
return outcomes
"""


class Renewed:
    """What the stand-in script has renewed, read with calls that block the process, its loop included."""

    def __init__(self, url: str, prefix: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.key = f"{prefix}renewed"

    def next(self, timeout: float = 5.0) -> bytes | None:
        """The id of the next renewal; None when there is none in time."""
        found = cast("tuple[bytes, bytes] | None", self.client.blpop([self.key], timeout=timeout))
        return found[1] if found else None

    def forget(self) -> None:
        """Count only what comes from now on."""
        self.client.delete(self.key)


@pytest.fixture
def prefix(corner: str) -> str:
    """Start of all keys of the stand-in queue."""
    return f"p-{corner}:"


@pytest.fixture
def renewed(redis_url: str, prefix: str) -> Iterator[Renewed]:
    """The renewals on the run's server."""
    made = Renewed(redis_url, prefix)
    yield made
    made.client.close()


@pytest.fixture
async def lease(server: ServerProcess, prefix: str) -> AsyncIterator[Lease]:
    """A started lease over one queue on the run's server."""
    made = Lease(ServerAddress("127.0.0.1", server.port), [queue_lease(prefix)])
    await made.start()
    yield made
    await made.stop()


def queue_lease(prefix: str, lock_ms: int = LOCK_MS) -> QueueLease:
    """The stand-in queue."""
    return QueueLease(RENEW, [f"{prefix}renewed"], prefix, lock_ms)


def take_lock(renewed: Renewed, prefix: str, job: str, token: bytes = TOKEN) -> str:
    """Lock a job as its claim would; returns the lock's key."""
    key = f"{prefix}{job}:lock"
    renewed.client.set(key, token, px=LOCK_MS)
    return key


async def test_a_blocked_loop_keeps_its_locks(lease: Lease, renewed: Renewed, prefix: str) -> None:
    """Locks are renewed while the worker's loop stands still, for longer than a lock lasts."""
    lock = take_lock(renewed, prefix, "job")
    lease.hold(0, b"job", TOKEN, b"1:5")
    # Six renewals are one and a half lock times; `next` blocks the loop.
    assert [renewed.next() for _ in range(6)] == [b"job"] * 6
    assert renewed.client.get(lock) == TOKEN


async def test_a_held_gil_keeps_its_locks(lease: Lease, renewed: Renewed, prefix: str) -> None:
    """Locks are renewed while a handler holds the GIL, for longer than a lock lasts."""
    lock = take_lock(renewed, prefix, "job")
    lease.hold(0, b"job", TOKEN, b"1:5")
    renewed.next()
    held, size = 0.0, 24
    while held < 2 * LOCK_MS / 1000:
        started = time.monotonic()
        re.match(r"(a+)+$", "a" * size + "b")
        held, size = time.monotonic() - started, size + 1
    assert renewed.client.get(lock) == TOKEN


async def test_a_dropped_job_is_not_renewed(lease: Lease, renewed: Renewed) -> None:
    """Once a job is dropped its lock is left alone, and its slot serves another job."""
    first, second = lease.hold(0, b"first", TOKEN, b"1:5"), lease.hold(0, b"second", TOKEN, b"1:5")
    assert {renewed.next(), renewed.next()} == {b"first", b"second"}
    lease.drop(first)
    renewed.next()  # a renewal that was under way
    renewed.forget()
    assert {renewed.next() for _ in range(3)} == {b"second"}
    assert lease.hold(0, b"third", TOKEN, b"1:5") == first
    lease.drop(second)
    assert lease.held == 1


async def test_many_jobs_are_renewed_in_few_calls(lease: Lease, renewed: Renewed) -> None:
    """Thousands of jobs are renewed in calls of hundreds, also when the table had to grow."""
    for number in range(3000):
        lease.hold(0, f"job-{number}".encode(), TOKEN, b"1:5")
    seen: set[bytes] = set()
    while len(seen) < 3000:
        job = renewed.next()
        assert job is not None
        seen.add(job)


async def test_a_lost_lock_is_reported_once(server: ServerProcess, renewed: Renewed, prefix: str) -> None:
    """A lock that another worker holds is reported with its slot, once, and other jobs go on being renewed."""
    lost: asyncio.Queue[tuple[int, bytes, bytes]] = asyncio.Queue()
    lease = Lease(
        ServerAddress("127.0.0.1", server.port), [queue_lease(prefix)], lambda *what: lost.put_nowait(what)
    )
    take_lock(renewed, prefix, "taken", b"another worker's")
    slot = lease.hold(0, b"taken", TOKEN, b"1:5")
    lease.hold(0, b"mine", TOKEN, b"1:5")
    await lease.start()
    try:
        assert await asyncio.wait_for(lost.get(), 5) == (slot, b"taken", TOKEN)
        assert [renewed.next() for _ in range(4)] == [b"mine"] * 4
        await asyncio.sleep(0)
        assert lost.empty()
    finally:
        await lease.stop()


async def test_script_flush_is_survived(lease: Lease, renewed: Renewed) -> None:
    """A server that forgot the script is given it again, within the same renewal."""
    lease.hold(0, b"job", TOKEN, b"1:5")
    for _ in range(3):
        assert renewed.next(timeout=LOCK_MS / 1000) == b"job"
        renewed.client.script_flush()


async def test_a_server_restart_is_survived(make_server: Callable[..., ServerProcess], prefix: str) -> None:
    """After a crash of the server renewal goes on by itself, on a new connection."""
    server = make_server(appendonly="always")
    renewed = Renewed(server.url, prefix)
    lease = Lease(ServerAddress("127.0.0.1", server.port), [queue_lease(prefix)])
    lease.hold(0, b"job", TOKEN, b"1:5")
    await lease.start()
    try:
        assert renewed.next() == b"job"
        server.kill9()
        server.start()
        renewed.forget()
        assert renewed.next() == b"job"
    finally:
        await lease.stop()
        renewed.client.close()


async def test_a_frozen_server_is_reported_and_survived(
    make_server: Callable[..., ServerProcess], prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not answer is noticed in less than a quarter of the lock time; recovery is noticed too."""
    server = make_server()
    events: asyncio.Queue[str] = asyncio.Queue()
    lease = Lease(ServerAddress("127.0.0.1", server.port), [queue_lease(prefix)])
    tell = lease._process._on_event

    def listen(event: dict[str, Any]) -> None:
        events.put_nowait(event["event"])
        tell(event)

    monkeypatch.setattr(lease._process, "_on_event", listen)
    lease.hold(0, b"job", TOKEN, b"1:5")
    await lease.start()
    try:
        server.freeze()
        assert await asyncio.wait_for(events.get(), 5) == "failing"
        server.thaw()
        assert await asyncio.wait_for(events.get(), 5) == "recovered"
    finally:
        server.thaw()
        await lease.stop()


async def test_a_killed_renewer_is_replaced(lease: Lease, renewed: Renewed) -> None:
    """When the renewer dies another one takes its place and finds the jobs in the table."""
    lease.hold(0, b"job", TOKEN, b"1:5")
    assert renewed.next() == b"job"
    first = lease.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await asyncio.wait_for(lease._process._died.wait(), 5)
    renewed.forget()
    assert await asyncio.to_thread(renewed.next) == b"job"
    assert lease.pid != first
    assert lease.restarts == 1


async def test_signals_to_the_group_do_not_end_it(lease: Lease, renewed: Renewed) -> None:
    """Ctrl-C and an init system's SIGTERM reach every process; the renewer stays, for the worker drains."""
    assert lease.pid is not None
    assert os.getpgid(lease.pid) != os.getpgid(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(lease.pid, number)
    lease.hold(0, b"job", TOKEN, b"1:5")
    assert renewed.next() == b"job"
    assert lease.restarts == 0


async def test_socket_password_and_database(make_server: Callable[..., ServerProcess], prefix: str) -> None:
    """The renewer connects by Unix socket, with a password, to another database."""
    server = make_server(unix_socket=True, password="hush hush")
    renewed = Renewed(f"{server.url}?db=3", prefix)
    address = ServerAddress(unix_path=str(server.socket_path), password="hush hush", db=3)
    lease = Lease(address, [queue_lease(prefix)])
    lease.hold(0, b"job", TOKEN, b"1:5")
    await lease.start()
    try:
        assert renewed.next() == b"job"
        assert lease.pid is not None
        assert "hush" not in " ".join(psutil.Process(lease.pid).cmdline())
        assert "hush" not in repr(address)
    finally:
        await lease.stop()
        renewed.client.close()


async def test_a_renewer_that_cannot_start_is_an_error(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker does not begin without renewal: `start` raises."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    lease = Lease(ServerAddress(), [queue_lease(prefix)])
    with pytest.raises(ChildProcessError):
        await lease.start()
    await lease.stop()


async def test_stop_ends_the_renewer(server: ServerProcess, prefix: str) -> None:
    """After `stop` there is no process left."""
    lease = Lease(ServerAddress("127.0.0.1", server.port), [queue_lease(prefix)])
    await lease.start()
    pid = lease.pid
    await lease.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux")
async def test_it_is_small(lease: Lease) -> None:
    """The renewer stays under 12 MiB, because every worker has one."""
    assert lease.pid is not None
    assert psutil.Process(lease.pid).memory_full_info().pss < 12 * 1024 * 1024


class Holder:
    """`lease_holder` as a process."""

    def __init__(self, server: ServerProcess, prefix: str, wire_id: str, *more: str) -> None:
        program = Path(__file__).with_name("lease_holder.py")
        arguments = [str(server.port), prefix, RENEW, str(LOCK_MS), wire_id, TOKEN.decode(), *more]
        self.process = subprocess.Popen(
            [sys.executable, str(program), *arguments], stdout=subprocess.PIPE, text=True, process_group=0
        )
        assert self.process.stdout is not None
        # A pidfd tells that a process has ended though its new parent has not asked yet.
        renewer, forked = map(int, self.process.stdout.readline().split())
        self.renewer, self.forked = os.pidfd_open(renewer), forked

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        if self.forked:
            os.kill(self.forked, signal.SIGKILL)
        self.process.communicate()
        os.close(self.renewer)


@pytest.fixture
def holder(server: ServerProcess, prefix: str, renewed: Renewed) -> Iterator[Holder]:
    """A worker in a process of its own, that holds one job."""
    made = Holder(server, prefix, "job")
    yield made
    made.close()


def test_the_renewer_of_a_killed_worker_ends(holder: Holder, renewed: Renewed) -> None:
    """kill -9 of the worker ends its renewer within a second, so that the locks run out."""
    assert renewed.next() == b"job"
    holder.process.kill()
    assert select.select([holder.renewer], [], [], 1.0)[0]


def test_a_forked_child_does_not_keep_the_renewer_alive(
    server: ServerProcess, prefix: str, renewed: Renewed
) -> None:
    """A child that a handler forked holds the worker's pipes open; the killed worker's renewer ends all the same."""
    holder = Holder(server, prefix, "job", "fork")
    try:
        assert renewed.next() == b"job"
        holder.process.kill()
        assert select.select([holder.renewer], [], [], 1.0)[0]
    finally:
        holder.close()


def test_a_stopped_worker_loses_its_locks(holder: Holder, renewed: Renewed, prefix: str) -> None:
    """While the worker is stopped (SIGSTOP) its locks run out; when it goes on, they are asked for again."""
    assert renewed.next() == b"job"
    holder.process.send_signal(signal.SIGSTOP)
    renewed.next(timeout=0.1)  # a renewal that was under way
    assert renewed.next(timeout=2 * LOCK_MS / 1000) is None
    assert renewed.client.get(f"{prefix}job:lock") is None
    holder.process.send_signal(signal.SIGCONT)
    assert renewed.next() == b"job"
