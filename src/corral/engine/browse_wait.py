"""Browse: what a job waits for."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.contracts.states import JobState
from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["WaitFacts", "explain_wait"]

FARTHEST: Final = 1000
"""How many of the jobs that run next are looked through for one. More take the server's time."""


class WaitFacts(NamedTuple):
    """What the server says, in one look.

    `due` is milliseconds since the epoch, 0 for none; `ahead` is -1 when the job is not among the next thousand;
    `concurrency` 0 when the queue has no limit; `children` are the keys of some of those that it waits for;
    `holder` is the job that holds its key, `singleton`, empty when it does not wait for its turn.
    """

    state: JobState
    due: int
    ahead: int
    paused: bool
    concurrency: int
    active: int
    limited_ms: int
    children_left: int
    children: list[str]
    holder: str
    singleton: str


async def explain_wait(server: Server, keys: QueueKeys, wire_id: str) -> WaitFacts:
    """Where a job is, and what keeps it there."""
    farthest = FARTHEST
    state, due, ahead, paused, concurrency, active, limited, left, children, holder, key = await server.run(
        load("browse/explain_wait"), keys, keys.base, wire_id, farthest
    )
    return WaitFacts(
        JobState(state.decode()), due, ahead, bool(paused), concurrency, active, limited, left,
        list(map(_text, children)), _text(holder), _text(key),
    )  # fmt: skip


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
