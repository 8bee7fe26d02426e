"""A PostgreSQL of our own on loopback. It does not run as root: then it is started as the user postgres."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.processes import cpu_of_family, family
from benchmarks.redis_server import free_port

START_SECONDS = 30.0
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
}
"""The rest is as it comes: fsync and synchronous_commit are on."""


class PostgresServer:
    """Started when entered, ended when left. BENCH_POSTGRES_BIN names the folder of its programs."""

    kind = "postgres"

    def __init__(self) -> None:
        self._bin = _programs()
        self._port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        self._folder = Path(tempfile.mkdtemp(prefix="corral-bench-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        user = AS_POSTGRES if os.geteuid() == 0 else []
        if user:
            shutil.chown(self._folder, "postgres", "postgres")
        data = str(self._folder / "data")
        words = [*user, str(self._bin / "initdb"), "-D", data, "-A", "trust", "-U", "postgres"]
        subprocess.run(words, check=True, capture_output=True, cwd="/")
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [*user, str(self._bin / "postgres"), "-D", data, "-p", str(self._port), *settings],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/",
        )  # fmt: skip
        self._wait()
        return self

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        words = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        while subprocess.run(words, check=False).returncode:
            if time.monotonic() > end:
                self.__exit__(None, None, None)
                raise SystemExit("PostgreSQL did not start")
            time.sleep(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # its "fast" shutdown
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def version(self) -> str:
        """Name and version."""
        words = [str(self._bin / "postgres"), "--version"]
        text = subprocess.run(words, capture_output=True, check=True, text=True).stdout
        return f"PostgreSQL {text.split()[2]}"

    @property
    def processes(self) -> list[int]:
        """The ids of its processes."""
        return family(self._process.pid) if self._process is not None else []

    def cpu_seconds(self) -> float:
        """CPU that the server with all its processes has spent."""
        return cpu_of_family(self._process.pid) if self._process else 0.0


def _programs() -> Path:
    given = os.environ.get("BENCH_POSTGRES_BIN")
    found = [Path(given)] if given else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found += [Path(path).parent for path in [shutil.which("initdb")] if path]
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise SystemExit("pgqueuer needs PostgreSQL: apt-get install postgresql")
