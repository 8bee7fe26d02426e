"""Several servers that belong together: a cluster, and a primary watched by sentinels. Started and ended as one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import redis

from tests.servers import ServerProcess, free_port, program_of

SLOTS = 16384
NODE_TIMEOUT_MS = 1500
"""After so long without a word a node counts as dead. A busy machine may hold one up for half a second."""
MASTER = "main"


def until(condition: Callable[[], Any], what: str, within: float = 30.0) -> None:
    """Wait until a condition holds; fail after `within` seconds."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        pause.wait(0.05)


class Cluster:
    """Primaries that share the slots, and as many replicas of each as asked for."""

    def __init__(
        self, primaries: int = 3, *, replicas: int = 0, kind: str = "valkey", args: Sequence[str] = ()
    ) -> None:
        self._primaries = primaries
        self.nodes: list[ServerProcess] = [
            ServerProcess(kind, args=(*_cluster_arguments(), *args))
            for _ in range(primaries * (1 + replicas))
        ]

    @property
    def url(self) -> str:
        """A URL with two of the nodes, one of which may be dead."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])

    @property
    def homes(self) -> list[ServerProcess]:
        """The nodes that hold keys, as they were at first."""
        return self.nodes[: self._primaries]

    def start(self) -> Self:
        """Start all nodes and let them find each other; returns when they serve."""
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_ready()
        clients = [redis.Redis.from_url(node.url) for node in self.nodes]
        try:
            self._join(clients)
        finally:
            for client in clients:
                client.close()
        return self

    def _join(self, clients: Sequence[redis.Redis]) -> None:
        count = self._primaries
        for number, client in enumerate(clients):
            # Nodes that share an epoch argue about it first.
            _say(client, "CLUSTER SET-CONFIG-EPOCH", number + 1)
            if number < count:
                first, last = SLOTS * number // count, SLOTS * (number + 1) // count - 1
                _say(client, "CLUSTER ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            _say(clients[0], "CLUSTER MEET", "127.0.0.1", node.port, _bus_port(node))
        until(lambda: all(_knows(client, len(clients)) for client in clients), "all nodes know each other")
        for number, client in enumerate(clients[count:]):
            name = _say(clients[number % count], "CLUSTER MYID")
            _say(client, "CLUSTER REPLICATE", name.decode())
        for client in clients[count:]:
            until(lambda: "master_link_status:up" in _info(client), "the replicas follow")  # noqa: B023
        until(lambda: all(_serves(client, count) for client in clients), "the cluster serves")

    def home_of(self, key: str) -> ServerProcess:
        """The node that serves the slot of a key, as the nodes that live agree."""
        for node in filter(lambda node: node.running, self.nodes):
            with redis.Redis.from_url(node.url) as client:
                slot = _say(client, "CLUSTER KEYSLOT", key)
                for first, last, primary, *_ in _say(client, "CLUSTER SLOTS"):
                    if first <= slot <= last:
                        return next(each for each in self.nodes if each.port == primary[1])
        raise AssertionError("nobody serves the slot")

    def close(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.close()

    def __enter__(self) -> Self:
        """Start it; what has started ends when the rest cannot."""
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()


def _cluster_arguments() -> tuple[str, ...]:
    return (
        "--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-node-timeout", str(NODE_TIMEOUT_MS),
        "--repl-diskless-sync-delay", "0",
    )  # fmt: skip


def _bus_port(node: ServerProcess) -> int:
    return int(node.args[node.args.index("--cluster-port") + 1])


def _say(client: redis.Redis, words: str, *more: Any) -> Any:
    """Send a command and return the reply as the server gave it, which the client would make over."""
    connection = client.connection_pool.get_connection()
    try:
        connection.send_command(*words.split(), *more)  # type: ignore[no-untyped-call]
        return connection.read_response()
    finally:
        client.connection_pool.release(connection)


def _info(client: redis.Redis) -> str:
    reply: bytes = _say(client, "INFO replication")
    return reply.decode()


def _knows(client: redis.Redis, count: int) -> bool:
    text = _say(client, "CLUSTER INFO").decode()
    return (
        f"cluster_known_nodes:{count}" in text and "handshake" not in _say(client, "CLUSTER NODES").decode()
    )


def _serves(client: redis.Redis, primaries: int) -> bool:
    text = _say(client, "CLUSTER INFO").decode()
    return (
        f"cluster_slots_ok:{SLOTS}" in text
        and "cluster_state:ok" in text
        and f"cluster_size:{primaries}" in text
    )


class Sentinel(ServerProcess):
    """One sentinel. It keeps what it learns in its file."""

    ready_sign = "sentinel id is"

    def __init__(self, primary: ServerProcess, *, quorum: int = 2, settings: Sequence[str] = ()) -> None:
        super().__init__(primary.kind)
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {self.directory}",
            f"sentinel monitor {MASTER} 127.0.0.1 {primary.port} {quorum}",
            f"sentinel down-after-milliseconds {MASTER} 1000",
            f"sentinel failover-timeout {MASTER} 3000",
            *settings,
        ]
        (self.directory / "sentinel.conf").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        """How it is started."""
        return [str(program_of(self.kind)), str(self.directory / "sentinel.conf"), "--sentinel"]


class Watched:
    """A primary and its replica, watched by three sentinels."""

    def __init__(self, *, kind: str = "valkey", args: Sequence[str] = ()) -> None:
        common = ("--repl-diskless-sync-delay", "0", *args)
        self.primary = ServerProcess(kind, args=common)
        self.replica = ServerProcess(kind, args=(*common, "--replicaof", f"127.0.0.1 {self.primary.port}"))
        self.sentinels: list[Sentinel] = []
        self._home = self.primary

    @property
    def url(self) -> str:
        """The URL with all sentinels."""
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{MASTER}/0"

    @property
    def homes(self) -> list[ServerProcess]:
        """The primary, as it was at first."""
        return [self.primary]

    def home_of(self, key: str) -> ServerProcess:
        """The primary that all sentinels name; as long as they differ, the one that they all named before. Who starts
        the old one again sooner may see it, empty as it is, made the primary by a sentinel that has not heard yet."""
        named = {self._named_by(sentinel) for sentinel in self.sentinels}
        if len(named) == 1:
            self._home = next(each for each in (self.primary, self.replica) if each.port in named)
        return self._home

    def _named_by(self, sentinel: Sentinel) -> int:
        with redis.Redis.from_url(sentinel.url) as client:
            return int(_say(client, "SENTINEL GET-MASTER-ADDR-BY-NAME", MASTER)[1])

    def start(self) -> Self:
        """Start all; returns when the replica follows and the sentinels know each other."""
        self.primary.start()
        self.replica.start()
        with redis.Redis.from_url(self.replica.url) as client:
            until(lambda: "master_link_status:up" in _info(client), "the replica follows")
        for _ in range(3):
            sentinel = Sentinel(self.primary)
            self.sentinels.append(sentinel)
            sentinel.start()
        for sentinel in self.sentinels:
            with redis.Redis.from_url(sentinel.url) as client:
                until(lambda: _is_complete(client), "the sentinels know each other")
        return self

    def close(self) -> None:
        """End all."""
        for process in (*self.sentinels, self.replica, self.primary):
            process.close()

    def __enter__(self) -> Self:
        """Start it; what has started ends when the rest cannot."""
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()


def _is_complete(client: redis.Redis) -> bool:
    said = {name.decode(): value.decode() for name, value in _say(client, "SENTINEL MASTER", MASTER).items()}
    return (said["num-slaves"], said["num-other-sentinels"], said["flags"]) == ("1", "2", "master")


TOPOLOGIES: dict[str, type[Cluster] | type[Watched]] = {"cluster": Cluster, "sentinel": Watched}
"""What `--server=` may name beside single servers."""
