"""A redis-server of our own on loopback, without persistence."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

START_SECONDS = 10.0
STOP_SECONDS = 5.0
ANSWER_SECONDS = 60.0


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """Started when entered, ended when left. BENCH_REDIS_SERVER names another program than redis-server."""

    kind = "redis"

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, socket_timeout=ANSWER_SECONDS)
        self._folder = tempfile.mkdtemp(prefix="corral-bench-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = os.environ.get("BENCH_REDIS_SERVER", "redis-server")
        if not shutil.which(program):
            raise SystemExit(f"{program} is not on PATH: apt-get install redis-server")
        words = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        output = (Path(self._folder) / "log").open("wb")
        self._process = subprocess.Popen(
            [*words, "--dir", self._folder], stdout=output, stderr=output, start_new_session=True
        )
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.client.ping()
                return self
            except redis.ConnectionError:
                if time.monotonic() > end:
                    self.__exit__(None, None, None)
                    raise
                time.sleep(0.02)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:  # a script that does not end
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def version(self) -> str:
        """Name and version as the server tells them."""
        info = self.info("server")
        if "valkey_version" in info:
            return f"Valkey {info['valkey_version']}"
        return f"Redis {info['redis_version']}"

    def info(self, section: str) -> dict[str, Any]:
        """One section of INFO."""
        found: dict[str, Any] = self.client.info(section)
        return found

    @property
    def processes(self) -> list[int]:
        """The ids of its processes."""
        return [self._process.pid] if self._process is not None else []

    def cpu_seconds(self) -> float:
        """CPU that the server has spent."""
        info = self.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    def clear(self) -> None:
        """Forget all data and scripts."""
        self.client.flushall()
        self.client.script_flush()
