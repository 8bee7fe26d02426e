"""Results as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.report.bars import Verdict, verdicts
from benchmarks.results import Results
from benchmarks.systems import PEERS, SYSTEMS

TESTS = {
    "process1": "one worker",
    "process2": "two workers",
    "bulk": "bulk enqueue",
    "awaited": "awaited enqueue",
    "concurrent": "100 callers enqueue",
}
MET = {True: "met", False: "**not met**", None: "–"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bars(results: Results) -> str:
    """What is to be reached, and what was."""
    found: list[Verdict] = verdicts(results)
    rows = [[each.bar, each.needed, each.measured, MET[each.met]] for each in found]
    return table(["bar", "to reach", "measured", ""], rows)


def throughput(results: Results) -> str:
    """Jobs per second of every system in every test."""
    rows = []
    for name in SYSTEMS:
        if not results.of("process1", name):
            continue
        concurrency = results.meta["tuned"].get(name, {}).get("concurrency", "")
        rows.append([name, str(concurrency), *(spread(results.values(test, name, "jps")) for test in TESTS)])
    return table(["system", "c", *(f"{title}, jobs/s" for title in TESTS.values())], rows)


def ratios(results: Results) -> str:
    """Corral divided by each peer, per repeat, then the median."""
    rows = []
    for peer in PEERS:
        each = [results.ratio(test, "corral", peer) for test in TESTS]
        if any(each):
            rows.append([peer, *("–" if ratio is None else f"{ratio:.2f} ×" for ratio in each)])
    return table(["Corral beside", *TESTS.values()], rows)


def costs(results: Results) -> str:
    """CPU per job and memory."""
    rows = []
    for name in [*SYSTEMS, "corral+logs"]:
        if results.of("process1", name):
            each = [results.values("process1", name, key) for key in ("worker_us", "store_us", "pss")]
            rows.append([name, spread(each[0], 1), spread(each[1], 1), spread(each[2], 1)])
    return table(["system", "worker CPU, µs/job", "store CPU, µs/job", "PSS after the run, MiB"], rows)


def latencies(results: Results) -> str:
    """Pick-up latency of everything, and of the bare pop."""
    rows = []
    for test, gap in (("latency", "5–15 ms"), ("latency-long", "1–2 s")):
        for name in results.systems(test):
            keys = ("p50_ms", "p90_ms", "p99_ms", "max_ms")
            figures = [spread(results.values(test, name, key), 2) for key in keys]
            count = sum(int(sample["picked_up"]) for sample in results.of(test, name))
            rows.append([name, gap, str(count), *figures])
    return table(["system", "idle before", "jobs", "p50, ms", "p90, ms", "p99, ms", "most, ms"], rows)


def backlogs(results: Results) -> str:
    """Cost per job out of backlogs of several sizes."""
    rows = []
    for name in results.systems("backlog"):
        keys = ("worker_us", "store_us", "total_us")
        figures = [spread(results.values("backlog", name, key), 1) for key in keys]
        rows.append([name, *figures, spread(results.values("backlog", name, "jps"))])
    head = ["behind the 20,000 jobs", "worker CPU, µs/job", "server CPU, µs/job", "both", "jobs/s"]
    return table(head, rows)


def idle(results: Results) -> str:
    """What an idle worker sends."""
    found = results.of("idle", "corral")
    if not found:
        return "Not measured."
    sample = found[-1]
    seconds = sample["watched_seconds"]
    rows = [
        [name, str(count), f"{count / seconds * 5:.2f}"] for name, count in sorted(sample["sent"].items())
    ]
    stats = ", ".join(f"{name} {count}" for name, count in sorted(sample["commandstats"].items()))
    memory = (
        f"{sample['processes']} processes with together PSS {sample['pss']} MiB (RSS {sample['rss']} MiB), "
        f"CPU {sample['cpu_percent']} % of a core."
    )
    head = ["sent by the worker and its renewing process", f"in {seconds:g} s", "per 5 s"]
    inside = f"INFO commandstats over the same time, calls inside scripts included: {stats}."
    return f"{table(head, rows)}\n\n{memory} {inside}"


def versions(results: Results) -> str:
    """What was compared with what."""
    rows = []
    for name, found in results.meta["versions"].items():
        rows.append([name, ", ".join(f"{package} {version}" for package, version in found.items())])
    return table(["environment", "packages"], rows)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median, and smallest to largest."""
    if not values:
        return "–"
    ordered = sorted(values)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    if len(ordered) == 1:
        return f"{middle:,.{digits}f}"
    return f"{middle:,.{digits}f} ({ordered[0]:,.{digits}f}–{ordered[-1]:,.{digits}f})"
