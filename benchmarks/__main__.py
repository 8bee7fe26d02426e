"""The command line: `python -m benchmarks [command]`, or `make bench`."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import profiling, runs
from benchmarks.bench import Bench
from benchmarks.installation import install
from benchmarks.places import HOME, LAST_RUN, PAGE, QUICK_RUN, RESULTS
from benchmarks.report.page import write_page
from benchmarks.report.summary import summary
from benchmarks.results import load, save
from benchmarks.systems import SYSTEMS, System

COMMANDS = """commands:
  run       install what is missing, run everything, write results.json and docs/benchmarks.md (default; BENCH_REPS=3)
  quick     processing and enqueueing only, fewer jobs: for tuning; writes nothing in the repository
  smoke     each part with very few jobs: does everything work?
  tune      find the best concurrency for each system, kept in tuned.json
  profile   where Corral's worker and the server spend their time
  nodes     what each node of a cluster spends on a job, over one node, two and three (docs/scale.md)
  report    write docs/benchmarks.md from results.json
  setup     install only
"""


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("command", nargs="?", default="run")
    parser.add_argument("systems", nargs="*", help=f"of: {', '.join(SYSTEMS)}")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the numbers of jobs")
    parser.add_argument("--patience", type=float, help="seconds to wait for a quiet machine; 0: do not look")
    words = parser.parse_intermixed_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [_system(parser, name) for name in words.systems] or list(SYSTEMS.values())
    commands = {
        "run": run, "quick": quick, "smoke": smoke, "tune": tune, "profile": profile, "nodes": nodes,
        "report": report, "setup": setup,
    }  # fmt: skip
    if words.command not in commands:
        parser.error(f"there is no command {words.command!r}")
    with only_one():
        commands[words.command](Choice(chosen, words.scale, words.patience))


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asks for."""

    systems: list[System]
    scale: float
    patience: float | None

    def bench(self, scale: float = 1.0, patience: float = 45.0, save_to: Path | None = None) -> Bench:
        """A run with these settings, unless the command line has others."""
        patience = patience if self.patience is None else self.patience
        return Bench(patience=patience, scale=scale * self.scale, save_to=save_to)


def run(choice: Choice) -> None:
    """Everything; written in the repository only when all systems took part, with all jobs, on a quiet machine."""
    setup(choice)
    reps, began = int(os.environ.get("BENCH_REPS", "3")), time.time()
    complete = len(choice.systems) == len(SYSTEMS) and choice.scale == 1 and choice.patience is None
    with choice.bench(save_to=LAST_RUN) as bench:
        runs.everything(bench, choice.systems, reps)
        _finish(bench, choice, reps, began, RESULTS if complete else LAST_RUN)
    if complete:
        report(choice)


def quick(choice: Choice) -> None:
    """The tuning run."""
    setup(choice)
    reps, began = int(os.environ.get("BENCH_REPS", "2")), time.time()
    with choice.bench(0.5, patience=20) as bench:
        runs.quick(bench, choice.systems, reps)
        _finish(bench, choice, reps, began, QUICK_RUN)


def smoke(choice: Choice) -> None:
    """Every part, with few jobs and without waiting for a quiet machine."""
    setup(choice)
    with choice.bench(0.005, patience=0) as bench:
        runs.everything(bench, choice.systems, 1)
        _finish(bench, choice, 1, time.time(), QUICK_RUN)
        if bench.failures:
            raise SystemExit(f"{len(bench.failures)} parts failed")


def tune(choice: Choice) -> None:
    """Find the best concurrencies."""
    setup(choice)
    with choice.bench(0.5, patience=20) as bench:
        runs.tune(bench, choice.systems)


def profile(choice: Choice) -> None:
    """Find what bounds Corral."""
    install([SYSTEMS["corral"]], ["profiler"])
    with choice.bench(patience=20) as bench:
        profiling.profile(bench)


def nodes(choice: Choice) -> None:
    """Measure clusters of several sizes."""
    with choice.bench(patience=20) as bench:
        runs.nodes(bench, int(os.environ.get("BENCH_REPS", "3")))


def report(_choice: Choice) -> None:
    """Write the page."""
    write_page(load(RESULTS))
    print(f"wrote {PAGE}")


def setup(choice: Choice) -> None:
    """Install what these systems need."""
    install([SYSTEMS["corral"], *choice.systems])


def _finish(bench: Bench, choice: Choice, reps: int, began: float, path: Path) -> None:
    print(f"\n{summary(save(path, bench, choice.systems, reps, began))}\n{path}")


def _system(parser: argparse.ArgumentParser, name: str) -> System:
    if name not in SYSTEMS:
        parser.error(f"there is no system {name!r}; there are {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


@contextmanager
def only_one() -> Iterator[None]:
    """Two benchmarks at once measure each other: the second one waits."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
