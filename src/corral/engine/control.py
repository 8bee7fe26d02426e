"""Control of single jobs: what an operator or producer does to a job that no worker holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from corral.contracts.states import JobState
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.record import Refusal
from corral.engine.script import load
from corral.engine.sender import UNNUMBERED, Sent
from corral.engine.server import Server

__all__ = [
    "JOBS_PER_CALL",
    "Removal",
    "add_log",
    "clear_log",
    "detach_child",
    "promote_jobs",
    "remove_job",
    "remove_step",
    "replay_job",
    "retry_jobs",
    "set_data",
    "set_delay",
    "set_priority",
]

JOBS_PER_CALL: Final = 100
"""How many jobs one call moves: some milliseconds of the server's time."""

SEARCH_ON: Final = 2


class Removal(NamedTuple):
    """What became of a request to remove a job: a code (see `control/remove_job`), and what goes with it."""

    code: int
    detail: int | bytes


async def remove_step(
    server: Server,
    keys: QueueKeys,
    wire_id: Word,
    *,
    children: int = 0,
    most: int = JOBS_PER_CALL,
    search: int = 0,
    sent: Sent = UNNUMBERED,
    clock: Word = "",
) -> Removal:
    """Remove a job and all its keys.

    `children`: 1 with all below it, 0 alone, 2 alone for now, 3 the same below a parent that is gone, 4 with those
    below it that have not ended. A waiting job is searched for, some thousands of places a call; `search`: minus its
    place, when that is known.
    """
    while True:
        code, detail = await server.run(
            load("control/remove_job"),
            keys,
            keys.base,
            clock,
            sent.sender,
            sent.number,
            wire_id,
            children,
            most,
            search,
        )
        if code != SEARCH_ON:
            return Removal(code, detail)
        search = detail


async def remove_job(
    server: Server, keys: QueueKeys, wire_id: Word, *, sent: Sent = UNNUMBERED, clock: Word = ""
) -> int:
    """Remove a job and leave its children alone. 1 removed, 0 a worker holds it, or a `Refusal` (NO_JOB, SCHEDULED)."""
    return (await remove_step(server, keys, wire_id, sent=sent, clock=clock)).code


async def retry_jobs(
    server: Server,
    keys: QueueKeys,
    state: JobState,
    wire_ids: Sequence[Word],
    *,
    front: str = "",
    anew: int = 0,
    sent: Sent = UNNUMBERED,
) -> list[JobState | None]:
    """Make finished jobs ready to run again, at most `JOBS_PER_CALL`. For each None, or the state it is in instead.

    `front`: "1" first in line, "0" behind the others, empty for what its own options say. `anew` forgets the attempts
    made and the stalls, if 1.
    """
    answers = await server.run(
        load("control/retry_jobs"),
        keys,
        keys.base,
        sent.sender,
        sent.number,
        state,
        front,
        anew,
        *wire_ids,
    )
    return [_state(answer) for answer in answers]


async def promote_jobs(
    server: Server, keys: QueueKeys, wire_ids: Sequence[Word], *, sent: Sent = UNNUMBERED
) -> list[JobState | None]:
    """Make delayed jobs ready, at most `JOBS_PER_CALL`. For each None, or the state it is in instead."""
    answers = await server.run(
        load("control/promote_jobs"), keys, keys.base, sent.sender, sent.number, *wire_ids
    )
    return [_state(answer) for answer in answers]


async def set_priority(
    server: Server,
    keys: QueueKeys,
    wire_id: Word,
    priority: int,
    *,
    front: int = 0,
    sent: Sent = UNNUMBERED,
) -> bool:
    """Change a job's priority, and its place in line if it is ready. False when there is no such job."""
    search = 0
    while True:
        code, detail = await server.run(
            load("control/set_priority"),
            keys,
            keys.base,
            sent.sender,
            sent.number,
            wire_id,
            priority,
            front,
            search,
        )
        if code != SEARCH_ON:
            return bool(code == 1)
        search = detail


async def set_delay(
    server: Server,
    keys: QueueKeys,
    wire_id: Word,
    *,
    delay: int = 0,
    due: Word = "",
    sent: Sent = UNNUMBERED,
    clock: Word = "",
) -> JobState | None:
    """Change when a delayed job is due: `delay` ms from now, or at `due` (ms since the epoch). None when that is done,
    else the state the job is in instead."""
    answer = await server.run(
        load("control/set_delay"),
        keys,
        keys.base,
        clock,
        sent.sender,
        sent.number,
        wire_id,
        delay,
        due,
    )
    return _state(answer)


async def set_data(server: Server, keys: QueueKeys, wire_id: Word, data: bytes, *, name: str = "") -> int:
    """Replace the payload (JSON) of a job, of this name if one is given. 1, or a `Refusal`: NO_JOB, or OTHER_NAME."""
    code: int = await server.run(load("control/set_data"), keys, keys.base, wire_id, data, name)
    return code


async def replay_job(
    server: Server,
    keys: QueueKeys,
    wire_id: Word,
    data: bytes,
    *,
    name: str = "",
    sent: Sent = UNNUMBERED,
) -> JobState | int:
    """Give a finished job another payload, and make it ready to run anew. 1, `OTHER_NAME` where a name is given and the
    job's is another, or the state it is in instead."""
    answer = await server.run(
        load("control/replay_job"), keys, keys.base, sent.sender, sent.number, wire_id, data, name
    )
    return _state(answer) or answer


async def add_log(
    server: Server, keys: QueueKeys, wire_id: Word, line: str, *, keep: int, sent: Sent = UNNUMBERED
) -> int:
    """Append a line to a job's log, of which the newest `keep` stay unless the job says otherwise. Returns how many
    there are, or a `Refusal` (NO_JOB)."""
    count: int = await server.run(
        load("control/add_log"), keys, keys.base, sent.sender, sent.number, wire_id, line, keep
    )
    return count


async def clear_log(server: Server, keys: QueueKeys, wire_id: Word, *, keep: int = 0) -> bool:
    """Delete all but the newest `keep` lines of a job's log. False when there is no such job."""
    code = await server.run(load("control/clear_log"), keys, keys.base, wire_id, keep)
    return bool(code != Refusal.NO_JOB)


def _state(answer: int | bytes) -> JobState | None:
    return JobState(answer.decode()) if isinstance(answer, bytes) else None


async def detach_child(
    server: Server, keys: QueueKeys, wire_id: Word, *, sent: Sent = UNNUMBERED, clock: Word = ""
) -> int:
    """Take a child away from its parent. 0 done, 1 the parent does not wait for it, or a `Refusal` (NO_JOB,
    NO_PARENT)."""
    code: int = await server.run(
        load("control/detach_child"), keys, keys.base, clock, sent.sender, sent.number, wire_id
    )
    return code
