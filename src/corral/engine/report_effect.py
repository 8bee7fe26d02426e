"""Report: the effects of a running job that happen once, and their results."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.recover import Held
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["ENTERED", "HAPPENED", "INSIDE", "Begun", "begin_effect", "finish_effect", "leave_effect"]

ENTERED: Final = 0
HAPPENED: Final = 1
INSIDE: Final = 2

KEPT_INSIDE_MS: Final = 7 * 86_400_000
"""How long the record of a run that never leaves is kept. It blocks nobody longer than the run has its lock."""


class Begun(NamedTuple):
    """`ENTERED`; `HAPPENED` and its result (JSON); `INSIDE` and the job whose run is; or a `Refusal`."""

    code: int
    said: bytes


async def begin_effect(server: Server, keys: QueueKeys, run: Held, effect: str) -> Begun:
    """Enter an effect, unless it has happened or another run is inside. Sent again by the same run, it enters again."""
    keep_ms = KEPT_INSIDE_MS
    code, said = await server.run(
        load("report/begin_effect"), keys, keys.base, run.wire_id, run.token, run.fence, effect, keep_ms
    )
    return Begun(code, said)


async def finish_effect(
    server: Server, keys: QueueKeys, run: Held, effect: str, result: bytes, keep_ms: int
) -> int:
    """Keep the result (JSON) of an effect that this run has entered. Returns 0 or a `Refusal`."""
    code: int = await server.run(
        load("report/finish_effect"), keys, run.wire_id, run.token, run.fence, effect, result, keep_ms
    )
    return code


async def leave_effect(server: Server, keys: QueueKeys, run: Held, effect: str) -> bool:
    """Leave an effect that has failed."""
    return bool(
        await server.run(load("report/leave_effect"), keys, run.wire_id, run.token, run.fence, effect)
    )
