"""Enqueue: a job comes into being."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.record import NewJob, NewNode
from corral.engine.recover import Held
from corral.engine.script import load

__all__ = [
    "MAX_JOBS_PER_CALL",
    "MAX_NODES",
    "POSITION_KEPT_MS",
    "Added",
    "FlowAdded",
    "add_flow",
    "add_jobs",
    "outbox_sender",
]

MAX_JOBS_PER_CALL: Final = 500
"""One call holds the server for some milliseconds at this size."""

MAX_NODES: Final = 500
"""Jobs of one flow: it is added in one call, however large it is."""

LIBRARY: Final = "corral"

POSITION_KEPT_MS: Final = 365 * 24 * 3_600_000
"""How long an outbox that sends nothing is remembered: as `lua/lib/sent` has it."""

Added = int | bytes
"""0 added; 1 a job with this id was there already; or the id of the job that it was deduplicated into."""


async def add_jobs(
    link: Link,
    keys: QueueKeys,
    jobs: Sequence[NewJob],
    *,
    sender: str = "",
    number: int | str = 0,
    clock: Word = "",
    timeout: float | None = None,
) -> list[Added]:
    """Add jobs in one atomic call, in their order. At most `MAX_JOBS_PER_CALL`.

    Args:
        sender: with `number`, lets the same call be sent again without adding anything twice.
        number: the same call is the one with the same text; a later one has a larger number.
        clock: milliseconds since the epoch for tests; empty for the server's time.
    """
    words: Iterable[Word] = chain.from_iterable(jobs)
    reply: list[Added] = await link.run(
        load("enqueue/add_jobs"), keys, keys.base, clock, sender, number, LIBRARY, *words, timeout=timeout
    )
    return reply


def outbox_sender(name: str) -> str:
    """The sender of an outbox. The record of its last call is its position in the queue, written by the script that
    adds the jobs: a call that is made again adds nothing, also when its jobs have run and are gone."""
    return f"outbox:{name}"


class _Across(QueueKeys):
    """The keys of a flow's first queue, and one of each other: a cluster then refuses a script that would touch several
    slots before it has done anything."""

    __slots__ = ("_others",)

    def __init__(self, keys: QueueKeys, nodes: Sequence[NewNode]) -> None:
        super().__init__(keys.prefix, keys.queue)
        bases = dict.fromkeys(node.base for node in nodes if node.base != keys.base)
        self._others = tuple(f"{base}meta" for base in bases)

    def all(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The keys for several names, and those of the other queues."""
        return (*super().all(names), *self._others)


class FlowAdded(NamedTuple):
    """The reply to `add_flow`: 0 and an entry a node, or a `Refusal` and the place of the node that it is about."""

    code: int
    place: int
    answers: list[Added]


async def add_flow(
    link: Link,
    keys: QueueKeys,
    nodes: Sequence[NewNode],
    *,
    run: Held | None = None,
    sender: str = "",
    number: int = 0,
    clock: Word = "",
    timeout: float | None = None,
) -> FlowAdded:
    """Add a flow, or nothing of it, in one atomic call: at most `MAX_NODES`, each parent before its children.

    All queues have to be in the hash slot of `keys`, the queue of the first root or of the run.

    Args:
        run: of the running job that adds children to itself: refused when it was superseded.
        sender: with `number`, lets the same call be sent again without adding anything twice.
        clock: milliseconds since the epoch for tests; empty for the server's time.
    """
    job_id, token, fence = run or ("", "", "")
    keys = _Across(keys, nodes)
    words: Iterable[Word] = chain.from_iterable(nodes)
    code, found = await link.run(
        load("enqueue/add_flow"), keys, keys.base, clock, sender, number, LIBRARY, job_id, token, fence, *words,
        timeout=timeout,
    )  # fmt: skip
    return FlowAdded(0, -1, found) if code == 0 else FlowAdded(code, found - 1, [])
