"""What the witness saw of each run: from its start to its end, or to the death of its worker."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.faults.witness import Sighting

__all__ = ["Run", "runs_of"]

OVER = ("end", "cancelled")


class Run(NamedTuple):
    """One run of a job in one process. `how` is `end`, `cancelled`, `killed`, or `open` when nothing ended it."""

    job: str
    pid: int
    start: float
    end: float
    how: str


def runs_of(seen: Iterable[Sighting], killed: Mapping[int, float]) -> list[Run]:
    """All runs, by their starts. `killed`: when each process that died did."""
    running: dict[tuple[str, int], float] = {}
    found: list[Run] = []
    for each in seen:
        if each.what == "start":
            running[each.job, each.pid] = each.at
        elif each.what in OVER and (start := running.pop((each.job, each.pid), None)) is not None:
            found.append(Run(each.job, each.pid, start, each.at, each.what))
    for (job, pid), start in running.items():
        found.append(Run(job, pid, start, killed.get(pid, math.inf), "killed" if pid in killed else "open"))
    return sorted(found, key=lambda run: run.start)
