"""The words of a play: what is asked of the queue, and what is remembered of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from corral.engine.record import Verb


@dataclass(frozen=True)
class Wanted:
    """A job to add. `window`: how its deduplication id is owned."""

    wire_id: str
    own_id: bool = False
    lifo: bool = False
    delay: int = 0
    priority: int = 0
    window: str = ""
    mode: str = "simple"


@dataclass(frozen=True)
class Child:
    """A child of a flow. `policy`: what its failure means to its parent (fpof, cpof, idof, rdof), or nothing."""

    wire_id: str
    policy: str = ""
    delay: int = 0
    priority: int = 0


class Run(NamedTuple):
    """A claim that was handed out once, and may speak at any later time."""

    wire_id: str
    token: str
    fence: str


def fence_of(job: Mapping[str, str]) -> str:
    """What the last run of a job is known by, from the job's fields."""
    return f"{job.get('ats', '')}:{job.get('timestamp', '')}"


@dataclass(frozen=True)
class End:
    """How a run says that it ended."""

    run: Run
    verb: Verb
    text: str = "null"
    amount: int = 0
    keep: int = -1
    age: int = -1
    traces: int = 2


@dataclass
class Sent:
    """The record of a sender's last call: its number, the codes it answered, the runs it started."""

    number: int
    answer: list[Any]
    runs: list[Run]
