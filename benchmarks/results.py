"""The results of a run: kept as JSON with every sample, read back as medians and ratios."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Sample
from benchmarks.installation import versions
from benchmarks.machine import describe
from benchmarks.places import ROOT
from benchmarks.systems import System, tuned


@dataclass(frozen=True, slots=True)
class Results:
    """One run."""

    meta: dict[str, Any]
    samples: list[Sample]
    failures: list[Sample]

    def of(self, test: str, system: str) -> list[Sample]:
        """The samples of one test of one system."""
        return [each for each in self.samples if each["test"] == test and each["system"] == system]

    def by_rep(self, test: str, system: str, key: str) -> dict[int, float]:
        """One figure for each repeat, the median where there are several samples of it."""
        found: dict[int, list[float]] = {}
        for test_name, key_name in _sources(test, key):
            for sample in self.of(test_name, system):
                if key_name in sample:
                    found.setdefault(sample["rep"], []).append(sample[key_name])
        return {rep: statistics.median(values) for rep, values in found.items()}

    def values(self, test: str, system: str, key: str) -> list[float]:
        """The figures of all repeats."""
        return list(self.by_rep(test, system, key).values())

    def median(self, test: str, system: str, key: str) -> float | None:
        """Over the repeats; None when nothing was measured."""
        values = self.values(test, system, key)
        return statistics.median(values) if values else None

    def ratio(self, test: str, ours: str, theirs: str, key: str = "jps") -> float | None:
        """Ours divided by theirs in each repeat, then the median."""
        one, other = self.by_rep(test, ours, key), self.by_rep(test, theirs, key)
        ratios = [one[rep] / other[rep] for rep in one if other.get(rep)]
        return statistics.median(ratios) if ratios else None

    def systems(self, test: str) -> list[str]:
        """The systems that a test measured, in the order in which they came."""
        return list(dict.fromkeys(each["system"] for each in self.samples if each["test"] == test))


def _sources(test: str, key: str) -> list[tuple[str, str]]:
    """Where a figure comes from: filling the queue before processing is the bulk test."""
    if test == "bulk":
        return [("process1", "fill_jps"), ("process2", "fill_jps")]
    return [(test, key)]


def load(path: Path) -> Results:
    """Read a run."""
    content = json.loads(path.read_text())
    return Results(content["meta"], content["samples"], content["failures"])


def save(path: Path, bench: Bench, systems: Sequence[System], reps: int, began: float) -> Results:
    """Write a run, one line for each sample."""
    meta = {
        "date": time.strftime("%Y-%m-%d", time.localtime(began)),
        "minutes": round((time.time() - began) / 60, 1),
        "repeats": reps,
        "commit": _commit(),
        "machine": describe(),
        "stores": _stores(bench, systems),
        "versions": versions(systems),
        "tuned": tuned(),
    }
    parts = [
        f'"meta": {json.dumps(meta, indent=2)}',
        f'"samples": [\n{_rows(bench.samples)}\n]',
        f'"failures": [\n{_rows(bench.failures)}\n]',
    ]
    path.write_text("{" + ",\n".join(parts) + "}\n")
    return load(path)


def _rows(samples: list[Sample]) -> str:
    return ",\n".join(json.dumps(sample) for sample in samples)


def _stores(bench: Bench, systems: Sequence[System]) -> dict[str, str]:
    stores = {"redis": bench.redis.version}
    if any(system.store == "postgres" for system in systems):
        stores["postgres"] = bench.postgres.version
    return stores


def _commit() -> str:
    words = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
