"""A real PostgreSQL for tests: a server of the run's own, on loopback, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import free_port

READY = "database system is ready to accept connections"
REMEDY = "no PostgreSQL found: apt-get install postgresql (the tests run a server of their own)"
QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "16MB", "max_connections": "60"}
"""No test pulls the plug, so nothing has to reach a disk."""


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs; LookupError says what to install."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which(
        name, path=os.pathsep.join([*map(str, reversed(folders)), os.environ.get("PATH", "")])
    )
    if found is None:
        raise LookupError(REMEDY)
    return found


class PostgresServer:
    """One server. It refuses to run as root, so it runs as another user where the tests do."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="corral-test-pg-"))
        self.port = free_port()
        self.log: list[str] = []
        self._ready: Future[bool] = Future()
        self._process: subprocess.Popen[str] | None = None

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://corral:secret@127.0.0.1:{self.port}/{database}"

    def start(self, timeout: float = 60.0) -> Self:
        """Make the server's files and start it; return when it takes connections."""
        unprivileged = self._as_other_user()
        data = str(self.directory / "data")
        initdb = [program("initdb"), "-D", data, "-U", "corral", "-A", "trust", "-E", "UTF8", "--no-sync"]
        made = subprocess.run(
            [*unprivileged, *initdb], cwd=self.directory, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stdout + made.stderr
        options = {
            **QUICK,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        flat = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "KILL"] if setpriv and not unprivileged else []
        self._process = subprocess.Popen(
            [*guard, *unprivileged, program("postgres"), "-D", data, *flat],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read_log, args=(self._process,), daemon=True).start()
        assert self._ready.result(timeout), "PostgreSQL did not start:\n" + "\n".join(self.log[-20:])
        return self

    def _as_other_user(self) -> list[str]:
        if os.getuid() != 0:
            return []
        users = {user.pw_name: user for user in pwd.getpwall()}
        user = users.get("postgres") or users["nobody"]
        os.chown(self.directory, user.pw_uid, user.pw_gid)
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise LookupError("PostgreSQL refuses to run as root: apt-get install util-linux (setpriv)")
        ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return [setpriv, "--pdeathsig", "KILL", *ids]

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.log.append(line.rstrip())
                if READY in line and not self._ready.done():
                    self._ready.set_result(True)
        if not self._ready.done():
            self._ready.set_result(False)

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and delete its folder."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
