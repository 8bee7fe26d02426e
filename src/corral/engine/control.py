"""Control: what an operator or producer does to a job that no worker holds."""

from __future__ import annotations

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["remove_job"]


async def remove_job(server: Server, keys: QueueKeys, wire_id: Word, *, clock: Word = "") -> int:
    """Remove a job and all its keys. 1 removed, 0 a worker holds it, or a `Refusal` (NO_JOB, SCHEDULED).

    A waiting job is taken out of a list by value, which costs time in proportion to the backlog.
    """
    code: int = await server.run(load("control/remove_job"), keys, keys.base, clock, wire_id)
    return code
