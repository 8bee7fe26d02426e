"""A run in a few lines, for the terminal."""

from __future__ import annotations

from benchmarks.report.bars import verdicts
from benchmarks.report.tables import TESTS
from benchmarks.results import Results
from benchmarks.systems import SYSTEMS

MARKS = {True: "met    ", False: "NOT MET", None: "–      "}


def summary(results: Results) -> str:
    """Rates, costs, and the bars that were measured."""
    lines = [
        f"{'system':18}" + "".join(f"{title:>20}" for title in TESTS.values()) + f"{'worker+store µs':>20}"
    ]
    for name in [*SYSTEMS, "corral+logs"]:
        if results.of("process1", name):
            rates = [results.median(test, name, "jps") for test in TESTS]
            costs = [results.median("process1", name, key) or 0 for key in ("worker_us", "store_us")]
            cells = "".join(f"{'–' if rate is None else f'{rate:,.0f}':>20}" for rate in rates)
            lines.append(f"{name:18}{cells}{f'{costs[0]:.1f} + {costs[1]:.1f}':>20}")
    lines.append("")
    lines += [
        f"{MARKS[each.met]} {each.measured:34} {each.needed:14} {each.bar}"
        for each in verdicts(results)
        if each.met is not None
    ]
    lines += [f"FAILED  {each['test']} {each['system']}: {each['error'][-200:]}" for each in results.failures]
    return "\n".join(lines)
