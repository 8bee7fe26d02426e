"""Starting the programs of the systems: producers that end with a result, and groups of workers."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.installation import node_modules, python_of
from benchmarks.places import BENCHMARKS, HOME, LOGS, ROOT
from benchmarks.processes import cpu_of_session, kill_session, memory_of_session
from benchmarks.systems import System, flight_of

READY_SECONDS = 30.0
STOP_SECONDS = 15.0
UNWANTED = ("BENCH_", "CORRAL_", "REDIS_", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED")


@dataclass(frozen=True, slots=True)
class Target:
    """A system, the store that it is to use, and the file for its records."""

    system: System
    url: str
    log: Path

    def command(self, *words: object) -> list[str]:
        """Its program with these words."""
        system = self.system
        if system.environment == "node":
            return ["node", str(BENCHMARKS / "peers" / system.program), *map(str, words)]
        module = f"benchmarks.peers.{system.program}"
        return [str(python_of(system.environment)), "-m", module, *map(str, words)]

    def environment(self, **more: str) -> dict[str, str]:
        """What its program finds in the environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED)}
        return kept | {
            "BENCH_POSTGRES" if self.system.store == "postgres" else "BENCH_REDIS": self.url,
            "BENCH_LOG": str(self.log),
            "BENCH_VARIANT": self.system.variant,
            "BENCH_FLIGHT": str(flight_of(self.system)),
            "CORRAL_LOG_LEVEL": "warning",
            "NODE_PATH": str(node_modules()),
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(HOME / "bytecode"),
            **more,
        }


def produce(target: Target, *words: object, seconds: float = 300, **more: str) -> dict[str, Any]:
    """Run a producer to its end: its result, and in "cpu" the seconds of CPU that it took in all."""
    before = _children_cpu()
    done = subprocess.run(
        target.command(*words), env=target.environment(**more),
        capture_output=True, text=True, timeout=seconds, check=False, cwd=HOME,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
            return result | {"cpu": _children_cpu() - before}
    if done.returncode == 0 and words[0] == "init":
        return {}
    raise RuntimeError(
        f"{target.system.name} {words}: no result\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
    )


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Workers:
    """Worker processes of one system, each in a session of its own, ready to go and told to."""

    def __init__(self, target: Target, count: int, concurrency: int) -> None:
        self._target = target
        self._go = target.log.with_suffix(".go")
        self._go.unlink(missing_ok=True)
        self.errors = LOGS / f"worker-{target.log.stem}.log"
        self._output: IO[bytes] = self.errors.open("wb")
        self.processes: list[subprocess.Popen[bytes]] = []
        words = target.command("worker", concurrency)
        environment = target.environment(BENCH_GO=str(self._go))
        try:
            for _ in range(count):
                self.processes.append(self._start(words, environment))
            for process in self.processes:
                self._await_ready(process)
        except BaseException:
            self.kill()
            raise

    def _start(self, words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._output,
            start_new_session=True,
            cwd=HOME,
        )

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(READY_SECONDS) or process.stdout.readline().strip() != b"READY":
                self._output.flush()
                told = self.errors.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._target.system.name}: the worker did not get ready\n{told}")

    def go(self) -> None:
        """Let them work."""
        self._go.touch()

    def cpu(self) -> float:
        """CPU seconds of all their processes."""
        return sum(cpu_of_session(process.pid) for process in self.processes)

    def memory(self) -> tuple[float, float]:
        """PSS and RSS in MiB of all their processes."""
        each = [memory_of_session(process.pid) for process in self.processes]
        return round(sum(pss for pss, _ in each), 1), round(sum(rss for _, rss in each), 1)

    def stop(self) -> None:
        """Ask them to end, and end them when they do not."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(end - time.monotonic(), 0.01))
        self.kill()

    def kill(self) -> None:
        """End them now."""
        for process in self.processes:
            kill_session(process.pid)
            process.wait()
            if process.stdout:
                process.stdout.close()
        self._output.close()
