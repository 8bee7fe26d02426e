"""One benchmark run: its stores, its folder, its samples."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from benchmarks.machine import wait_until_quiet
from benchmarks.places import HOME
from benchmarks.postgres_server import PostgresServer
from benchmarks.programs import Target, produce
from benchmarks.record_log import RecordLog
from benchmarks.redis_server import RedisServer
from benchmarks.systems import System

Sample: TypeAlias = dict[str, Any]
"""One measurement. "others": cores that went elsewhere meanwhile, where it is known."""

DISTURBED = 0.35
ATTEMPTS = 3


@dataclass(slots=True)
class Bench:
    """What the trials work with.

    Attributes:
        patience: seconds to wait for a quiet machine before each measurement; 0 does not look.
        scale: of the numbers of jobs; 1 in a real run.
    """

    patience: float = 45.0
    scale: float = 1.0
    save_to: Path | None = None
    samples: list[Sample] = field(default_factory=list)
    failures: list[Sample] = field(default_factory=list)
    redis: RedisServer = field(default_factory=RedisServer)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="corral-bench-")))
    _postgres: PostgresServer | None = None
    _started: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Self:
        HOME.mkdir(parents=True, exist_ok=True)
        self.redis.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.redis.__exit__(kind, error, trace)
        if self._postgres is not None:
            self._postgres.__exit__(kind, error, trace)
        shutil.rmtree(self.folder, ignore_errors=True)

    def jobs(self, count: int) -> int:
        """A number of jobs at this run's scale."""
        return max(int(count * self.scale), 100)

    @property
    def postgres(self) -> PostgresServer:
        """PostgreSQL, started when it is first needed."""
        if self._postgres is None:
            self._postgres = PostgresServer().__enter__()
        return self._postgres

    def store_of(self, system: System) -> RedisServer | PostgresServer:
        """The server that a system uses."""
        return self.redis if system.store == "redis" else self.postgres

    def fresh(self, system: System, redis: RedisServer | None = None) -> tuple[Target, RecordLog]:
        """An empty store and an empty log for a system; a `redis` of its own stays as it is."""
        log = RecordLog.fresh(self.folder / f"{system.name}.log")
        if redis is not None:
            return Target(system, redis.url, log.path), log
        store = self.store_of(system)
        target = Target(system, store.url, log.path)
        if isinstance(store, RedisServer):
            store.clear()
        else:
            produce(target, "init")
        return target, log

    def measure(self, test: str, system: str, rep: int, trial: Callable[[], Sample]) -> Sample | None:
        """Run a trial on a quiet machine, again while it was disturbed, and keep the calmest. None if it failed."""
        best: Sample | None = None
        for _ in range(ATTEMPTS if self.patience else 1):
            before = wait_until_quiet(self.patience)
            try:
                sample = trial() | {"busy_before": before}
            except Exception as error:
                self.fail(test, system, rep, error)
                return None
            if best is None or sample.get("others", 0) < best.get("others", 0):
                best = sample
            if best.get("others", 0) < DISTURBED:
                break
        assert best is not None
        self.add({"test": test, "system": system, "rep": rep, **best})
        return best

    def add(self, sample: Sample) -> None:
        """Keep a sample, show it, and save all of them."""
        self.samples.append(sample)
        shown = {
            k: v for k, v in sample.items() if k not in ("test", "system") and not isinstance(v, (list, dict))
        }
        words = " ".join(f"{key}={value}" for key, value in shown.items())
        print(f"{self._clock()} {sample['test']:12} {sample['system']:18} {words}", flush=True)
        if self.save_to is not None:
            self.save_to.write_text(json.dumps({"samples": self.samples, "failures": self.failures}))

    def fail(self, test: str, system: str, rep: int, error: Exception) -> None:
        """Remember that a measurement could not be made."""
        self.failures.append({"test": test, "system": system, "rep": rep, "error": str(error)[-1500:]})
        print(f"{self._clock()} {test:12} {system:18} FAILED: {str(error)[-600:]}", flush=True)

    def _clock(self) -> str:
        return f"{time.monotonic() - self._started:6.1f}s"
