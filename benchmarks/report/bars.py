"""What Corral is to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.results import Results
from benchmarks.systems import PEERS
from benchmarks.trials.backlog import BACKLOGS

GAPS = {"latency": "idle for 5–15 ms", "latency-long": "idle for 1–2 s"}
PGQUEUERS = ("pgqueuer", "pgqueuer-cap")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bar: what is asked, what was measured, and whether that is enough. None: it was not measured."""

    bar: str
    needed: str
    measured: str
    met: bool | None


def verdicts(results: Results) -> list[Verdict]:
    """All bars in the order of the specification."""
    return [
        _times(results, "process1", ["bullmq-node"], "one worker process, beside Node's BullMQ", 2.0),
        _times(results, "process1", PGQUEUERS, "one worker process, beside pgqueuer (the faster of its two ways)", 1.5),
        _times(results, "process2", PEERS, "two worker processes, beside any peer with two", 1.0, strictly=True),
        _times(results, "bulk", PEERS, "bulk enqueue, beside the best peer", 2.0),
        _times(results, "awaited", PEERS, "one-by-one awaited enqueue, beside the best peer", 1.0),
        _times(results, "concurrent", PEERS, "100 concurrent enqueues, beside the best peer", 2.0),
        *(_latency(results, test) for test in GAPS),
        _limit("pick-up p99, idle for 5–15 ms", results.median("latency", "corral", "p99_ms"), 5.0, "ms", _below),
        _limit("pick-up p99, idle for 1–2 s", results.median("latency-long", "corral", "p99_ms"), 5.0, "ms", _below),
        *(_backlog(results, each.name) for each in BACKLOGS[1:]),
        _limit("idle worker: commands per 5 s and queue, apart from lock and stall upkeep",
               results.median("idle", "corral", "commands_per_5s"), 2.0, "", _at_most),
        _limit("idle worker: PSS with the renewing process", results.median("idle", "corral", "pss"), 60.0,
               "MiB", _below),
        _logs(results),
    ]  # fmt: skip


def _times(
    results: Results, test: str, peers: Sequence[str], bar: str, needed: float, *, strictly: bool = False
) -> Verdict:
    """Ours against the peer that comes closest."""
    ratios = {peer: ratio for peer in peers if (ratio := results.ratio(test, "corral", peer)) is not None}
    asked = f"{'more than ' if strictly else '≥ '}{needed:g} ×"
    if not ratios:
        return Verdict(bar, asked, "not measured", None)
    peer = min(ratios, key=lambda each: ratios[each])
    met = ratios[peer] > needed if strictly else ratios[peer] >= needed
    return Verdict(bar, asked, f"{ratios[peer]:.2f} × {peer}", met)


def _latency(results: Results, test: str) -> Verdict:
    bar = f"pick-up p50, {GAPS[test]}, beside a bare blocking pop and one script call"
    ratio = results.ratio(test, "corral", "bare", "p50_ms")
    if ratio is None:
        return Verdict(bar, "≤ 1.3 ×", "not measured", None)
    ours, bare = results.median(test, "corral", "p50_ms"), results.median(test, "bare", "p50_ms")
    return Verdict(bar, "≤ 1.3 ×", f"{ratio:.2f} × ({ours:.2f} ms beside {bare:.2f} ms)", ratio <= 1.3)


def _backlog(results: Results, name: str) -> Verdict:
    bar = f"cost per job with {name}, beside 1,000 waiting"
    ratio = results.ratio("backlog", name, BACKLOGS[0].name, "total_us")
    if ratio is None:
        return Verdict(bar, "within 15 %", "not measured", None)
    return Verdict(bar, "within 15 %", f"{(ratio - 1) * 100:+.1f} %", ratio <= 1.15)


def _logs(results: Results) -> Verdict:
    bar = "lifecycle logs on, written to a file, beside level warning"
    ratio = results.ratio("process1", "corral+logs", "corral")
    if ratio is None:
        return Verdict(bar, "≥ 60 %", "not measured", None)
    return Verdict(bar, "≥ 60 %", f"{ratio * 100:.0f} %", ratio >= 0.6)


def _limit(
    bar: str, value: float | None, limit: float, unit: str, fits: Callable[[float, float], bool]
) -> Verdict:
    asked = f"{'<' if fits is _below else '≤'} {limit:g} {unit}".strip()
    if value is None:
        return Verdict(bar, asked, "not measured", None)
    return Verdict(bar, asked, f"{value:g} {unit}".strip(), fits(value, limit))


def _below(value: float, limit: float) -> bool:
    return value < limit


def _at_most(value: float, limit: float) -> bool:
    return value <= limit
