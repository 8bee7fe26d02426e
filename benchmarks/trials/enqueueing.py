"""Enqueueing: one by one, many in one call, and from 100 callers at the same time."""

from __future__ import annotations

import time
from contextlib import nullcontext

from benchmarks.bench import Bench, Sample
from benchmarks.machine import busy_seconds, one_core
from benchmarks.programs import produce
from benchmarks.systems import System


def enqueue(bench: Bench, system: System, way: str, jobs: int) -> Sample:
    """Enqueue on an empty queue: `way` is "awaited" (on one core), "bulk" or "concurrent"."""
    target, _ = bench.fresh(system)
    store = bench.store_of(system)
    machine, served, began = busy_seconds(), store.cpu_seconds(), time.monotonic()
    with one_core(store.processes) if way == "awaited" else nullcontext():
        result = produce(target, way, bench.jobs(jobs))
    taken = time.monotonic() - began
    served = store.cpu_seconds() - served
    others = (busy_seconds() - machine - served - result["cpu"]) / taken
    sample = {
        "jps": round(result["jobs"] / result["seconds"]),
        "jobs": result["jobs"],
        "seconds": round(result["seconds"], 3),
        "store_us": round(served / result["jobs"] * 1e6, 2),
        "others": round(others, 2),
    }
    return sample | ({"way": result["way"]} if "way" in result else {})
