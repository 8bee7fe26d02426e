"""The systems that are compared: what runs each, on which store, and with how many jobs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.places import TUNED

FAST_JOBS = 40_000
SLOW_JOBS = 8_000


@dataclass(frozen=True, slots=True)
class System:
    """One system, or one way to use it.

    Attributes:
        environment: the virtual environment that it runs in, or "node".
        program: its module in `benchmarks.peers`, or its .js file.
        variant: what tells its program which way to use it.
        jobs: how many are enqueued and processed per repeat: about one to four seconds' worth.
        awaited: how many are enqueued one by one.
        concurrent: how many are enqueued by 100 callers.
        candidates: the concurrencies that `tune` tries.
        bulk: whether it has an API for many jobs in one call.
    """

    name: str
    environment: str
    program: str
    store: Literal["redis", "postgres"] = "redis"
    variant: str = ""
    jobs: int = SLOW_JOBS
    awaited: int = 4_000
    concurrent: int = SLOW_JOBS
    candidates: tuple[int, ...] = (10, 100)
    bulk: bool = True

    def with_variant(self, name: str, variant: str) -> System:
        """The same system used in another way, under a name of its own."""
        return replace(self, name=name, variant=",".join(part for part in (self.variant, variant) if part))


_ALL = (
    System("corral", "corral", "corral_peer", jobs=FAST_JOBS, concurrent=FAST_JOBS,
           candidates=(50, 100, 200, 400)),
    System("bullmq-node", "node", "bullmq_node.js", jobs=FAST_JOBS, concurrent=20_000,
           candidates=(10, 50, 100, 200)),
    System("bullmq-py", "bullmq", "bullmq_peer", candidates=(4, 10, 50)),
    System("pgqueuer", "pgqueuer", "pgqueuer_peer", "postgres", jobs=FAST_JOBS, awaited=1_500,
           concurrent=2_000, candidates=(100, 500, 1000)),
    System("pgqueuer-cap", "pgqueuer", "pgqueuer_peer", "postgres", "cap", jobs=FAST_JOBS, awaited=1_500,
           concurrent=2_000, candidates=(500, 1000, 2000)),
    System("taskiq-list", "taskiq", "taskiq_peer", variant="broker=list", candidates=(10, 100, 300), bulk=False),
    System("taskiq-stream", "taskiq", "taskiq_peer", variant="broker=stream", candidates=(10, 100, 300),
           bulk=False),
    System("dramatiq", "dramatiq", "dramatiq_peer", candidates=(8, 16, 32), bulk=False),
    System("saq", "saq", "saq_peer", candidates=(5, 20, 100), bulk=False),
)  # fmt: skip

SYSTEMS: dict[str, System] = {system.name: system for system in _ALL}
CORRAL = SYSTEMS["corral"]
PEERS = tuple(name for name in SYSTEMS if name != "corral")

BARE = System("bare", "corral", "bare_peer")
"""No job system: a blocking pop and one script call, for the latency of the stack itself."""

BARE_CLAIM = System("bare-claim", "corral", "bare_peer", variant="claim")
"""The same, but the script call is Corral's claim on a queue of Corral's: what its worker adds lies between."""

Tuned = dict[str, dict[str, int]]


def tuned() -> Tuned:
    """Per system: "concurrency", and for those with a bulk API "flight", the bulk calls under way at once."""
    loaded: Tuned = json.loads(TUNED.read_text())
    return loaded


def concurrency_of(system: System) -> int:
    """The tuned concurrency; a variant has that of the system it varies."""
    table = tuned()
    for name in (system.name, system.name.partition("+")[0]):
        if name in table:
            return table[name]["concurrency"]
    return system.candidates[0]


def flight_of(system: System) -> int:
    """How many bulk calls the tuned producer has under way."""
    return tuned().get(system.name.partition("+")[0], {}).get("flight", 1)
