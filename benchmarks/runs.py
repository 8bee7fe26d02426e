"""The runs: everything, quick, smoke, and tuning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from statistics import median

from benchmarks.bench import Bench
from benchmarks.places import TUNED
from benchmarks.systems import BARE, BARE_CLAIM, CORRAL, SYSTEMS, System, tuned
from benchmarks.trials import backlog, enqueueing, idle, latency, processing
from benchmarks.trials import nodes as cluster_nodes

BACKLOG_REPS = 2
"""As many times more often than the rest: its bar is the narrowest."""


def everything(bench: Bench, systems: Sequence[System], reps: int) -> None:
    """All tests, the repeats interleaved over the systems."""
    for rep in range(reps):
        start = rep * len(systems) // max(reps, 1)
        for system in [*systems[start:], *systems[:start]]:
            throughput(bench, system, rep)
        if CORRAL in systems:
            for system in (CORRAL, BARE, BARE_CLAIM):
                measure_latency(bench, system, rep)
    for system in systems:
        if system is not CORRAL:
            measure_latency(bench, system, 0)
    if CORRAL in systems:
        measure_long_gaps(bench)
        measure_backlogs(bench, reps * BACKLOG_REPS)
        bench.measure("idle", "corral", 0, lambda: idle.idle(bench))


def throughput(bench: Bench, system: System, rep: int) -> None:
    """Processing and enqueueing of one system."""
    name = system.name
    bench.measure("process1", name, rep, lambda: processing.process(bench, system, 1))
    if system is CORRAL:
        logging = with_logs(bench)
        bench.measure("process1", logging.name, rep, lambda: processing.process(bench, logging, 1))
    bench.measure("process2", name, rep, lambda: processing.process(bench, system, 2))
    bench.measure("awaited", name, rep, lambda: enqueueing.enqueue(bench, system, "awaited", system.awaited))
    bench.measure(
        "concurrent", name, rep, lambda: enqueueing.enqueue(bench, system, "concurrent", system.concurrent)
    )


def with_logs(bench: Bench) -> System:
    """Corral with its lifecycle lines written to a file."""
    return CORRAL.with_variant("corral+logs", f"logs={bench.folder / 'lifecycle.log'}")


def measure_latency(bench: Bench, system: System, rep: int) -> None:
    """Pick-up after a few milliseconds of idleness."""
    bench.measure("latency", system.name, rep, lambda: latency.short_gaps(bench, system))


def measure_long_gaps(bench: Bench) -> None:
    """Pick-up after a second or two, beside the bare pop and Node's."""
    systems = [CORRAL, BARE, BARE_CLAIM, SYSTEMS["bullmq-node"]]
    try:
        for name, sample in latency.long_gaps(bench, systems).items():
            bench.add({"test": "latency-long", "system": name, "rep": 0, **sample})
    except Exception as error:
        bench.fail("latency-long", "corral", 0, error)


def measure_backlogs(bench: Bench, reps: int) -> None:
    """The cost per job with few and many behind it, interleaved."""
    try:
        with backlog.filled(bench) as servers:
            for rep in range(reps):
                for each, server in servers:
                    bench.measure("backlog", each.name, rep, partial(backlog.process, bench, each, server))
    except Exception as error:
        bench.fail("backlog", "corral", 0, error)


def nodes(bench: Bench, reps: int) -> None:
    """What each node of a cluster does, interleaved over the sizes; the medians at the end."""
    for rep in range(reps):
        for count in cluster_nodes.NODES:
            bench.measure("nodes", str(count), rep, partial(cluster_nodes.spread, bench, count))
    for count in cluster_nodes.NODES:
        samples = [each for each in bench.samples if each["test"] == "nodes" and each["system"] == str(count)]
        medians = {name: median(each[name] for each in samples) for name in ("sum_us", "busiest_us")}
        print(f"{count} nodes: {medians}, at most {1e6 / medians['busiest_us']:,.0f} jobs/s")


def quick(bench: Bench, systems: Sequence[System], reps: int) -> None:
    """Processing and enqueueing only, with fewer jobs."""
    for rep in range(reps):
        for system in systems:
            throughput(bench, system, rep)


def tune(bench: Bench, systems: Sequence[System]) -> None:
    """Find the concurrency, and the number of bulk calls under way, that are fastest here; keep them in tuned.json."""
    table = tuned()
    for system in systems:
        rates = {}
        for concurrency in system.candidates:
            trial = partial(processing.process, bench, system, 1, concurrency)
            sample = bench.measure("tune", system.name, concurrency, trial)
            rates[concurrency] = sample["jps"] if sample else 0
        table[system.name] = {"concurrency": max(rates, key=lambda each: rates[each])}
        TUNED.write_text(_lines(table))
        if system.bulk:
            table[system.name]["flight"] = _best_flight(bench, system, table)


def _best_flight(bench: Bench, system: System, table: dict[str, dict[str, int]]) -> int:
    rates = {}
    for flight in (1, 2):
        table[system.name]["flight"] = flight
        TUNED.write_text(_lines(table))
        trial = partial(enqueueing.enqueue, bench, system, "bulk", system.jobs)
        samples = [bench.measure("tune-bulk", system.name, flight, trial) for _ in range(2)]
        rates[flight] = max(sample["jps"] if sample else 0 for sample in samples)
    best = max(rates, key=lambda each: rates[each])
    table[system.name]["flight"] = best
    TUNED.write_text(_lines(table))
    return best


def _lines(table: dict[str, dict[str, int]]) -> str:
    rows = [f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in table.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"
