"""Explain: why a job does not run yet, with the names of the children that it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from corral.contracts.names import decode_job_id
from corral.contracts.states import FINISHED, JobState
from corral.contracts.waiting import PendingChild, Waiting, WaitKind
from corral.engine.browse import job_state
from corral.engine.browse_keys import JobKey, split_keys
from corral.engine.browse_wait import WaitFacts, explain_wait
from corral.engine.keys import QueueKeys
from corral.engine.server import Server

__all__ = ["why_waiting"]

NAMED: Final = 20
"""How many children are looked at."""

_STUCK: Final = (JobState.FAILED, JobState.UNKNOWN)


async def why_waiting(server: Server, keys: QueueKeys, wire_id: str) -> Waiting:
    """What a job waits for. Costs a call, and one for each of at most 20 children."""
    facts = await explain_wait(server, keys, wire_id)
    found = await split_keys(server, keys, facts.children[:NAMED])
    children = [await _child(server, child) for child in found]
    # What will not end by itself is what somebody has to know.
    children.sort(key=lambda child: child.state not in _STUCK)
    return Waiting(
        kind=_kind(facts),
        state=facts.state,
        children=tuple(children),
        children_left=facts.children_left,
        until=await _until(server, facts),
        ahead=None if facts.ahead < 0 else facts.ahead,
        active=facts.active,
        holder=decode_job_id(facts.holder) if facts.holder else None,
        singleton=facts.singleton if facts.holder else None,
    )


def _kind(facts: WaitFacts) -> WaitKind:
    if facts.state is JobState.UNKNOWN:
        return "unknown"
    if facts.state in FINISHED:
        return "ended"
    if facts.holder:
        return "turn"
    fixed: dict[JobState, WaitKind] = {
        JobState.ACTIVE: "running",
        JobState.WAITING_CHILDREN: "children",
        JobState.DELAYED: "due",
    }
    if facts.state in fixed:
        return fixed[facts.state]
    if facts.paused:
        return "paused"
    if facts.limited_ms:
        return "rate-limit"
    full = facts.concurrency and facts.active >= facts.concurrency
    return "concurrency" if full else "line"


async def _until(server: Server, facts: WaitFacts) -> datetime | None:
    if facts.due and not facts.holder:
        return datetime.fromtimestamp(facts.due / 1000, UTC)
    if _kind(facts) != "rate-limit":
        return None
    seconds, micros = await server.call("TIME")
    now = datetime.fromtimestamp(int(seconds) + int(micros) / 1e6, UTC)
    return now + timedelta(milliseconds=facts.limited_ms)


async def _child(server: Server, child: JobKey) -> PendingChild:
    state = await job_state(server, child.keys, child.wire_id)
    return PendingChild(decode_job_id(child.wire_id), child.queue, state)
