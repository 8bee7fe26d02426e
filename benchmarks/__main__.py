"""The command line: `python -m benchmarks [command]`, or `make bench`."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
    words = parser.parse_intermixed_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [_system(parser, name) for name in words.systems] or list(SYSTEMS.values())
    commands = {
        "run": run, "quick": quick, "smoke": smoke, "tune": tune, "profile": profile, "report": report,
        "setup": setup,
    }  # fmt: skip
    if words.command not in commands:
        parser.error(f"there is no command {words.command!r}")
    with only_one():
        commands[words.command](chosen, words.scale)


def run(systems: Sequence[System], scale: float) -> None:
    """Everything; written in the repository only when all systems took part, with all jobs."""
    setup(systems)
    reps, began = int(os.environ.get("BENCH_REPS", "3")), time.time()
    complete = len(systems) == len(SYSTEMS) and scale == 1
    with Bench(scale=scale, save_to=LAST_RUN) as bench:
        runs.everything(bench, systems, reps)
        _finish(bench, systems, reps, began, RESULTS if complete else LAST_RUN)
    if complete:
        report(systems, scale)


def quick(systems: Sequence[System], scale: float) -> None:
    """The tuning run."""
    setup(systems)
    reps, began = int(os.environ.get("BENCH_REPS", "2")), time.time()
    with Bench(patience=20, scale=0.5 * scale) as bench:
        runs.quick(bench, systems, reps)
        _finish(bench, systems, reps, began, QUICK_RUN)


def smoke(systems: Sequence[System], scale: float) -> None:
    """Every part, with few jobs and without waiting for a quiet machine."""
    setup(systems)
    with Bench(patience=0, scale=0.005 * scale) as bench:
        runs.everything(bench, systems, 1)
        _finish(bench, systems, 1, time.time(), QUICK_RUN)
        if bench.failures:
            raise SystemExit(f"{len(bench.failures)} parts failed")


def tune(systems: Sequence[System], scale: float) -> None:
    """Find the best concurrencies."""
    setup(systems)
    with Bench(patience=20, scale=0.5 * scale) as bench:
        runs.tune(bench, systems)


def profile(_systems: Sequence[System], scale: float) -> None:
    """Find what bounds Corral."""
    install([SYSTEMS["corral"]], ["profiler"])
    with Bench(patience=20, scale=scale) as bench:
        profiling.profile(bench)


def report(_systems: Sequence[System], _scale: float) -> None:
    """Write the page."""
    write_page(load(RESULTS))
    print(f"wrote {PAGE}")


def setup(systems: Sequence[System], _scale: float = 1) -> None:
    """Install what these systems need."""
    install([SYSTEMS["corral"], *systems])


def _finish(bench: Bench, systems: Sequence[System], reps: int, began: float, path: Path) -> None:
    print(f"\n{summary(save(path, bench, systems, reps, began))}\n{path}")


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
