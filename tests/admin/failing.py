"""Jobs that have failed, many at once: for the tests of what an operator sees of failures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import redis.asyncio

from corral.engine.keys import QueueKeys

NOW = 1_700_000_000_000
TRACE = """Traceback (most recent call last):
  File "/srv/app/mail/sender.py", line 41, in {function}
    raise {error}("…")
{error}: …"""


async def fail(
    raw: redis.asyncio.Redis,
    keys: QueueKeys,
    ids: Iterable[str],
    reason: str = "refused",
    *,
    error: str = "ValueError",
    function: str = "send",
    name: str = "mail",
    at: int = NOW,
) -> None:
    """Let jobs have failed one after the other, a millisecond apart; `{id}` in the reason is the job's."""
    trace = json.dumps([TRACE.format(error=error, function=function)])
    async with raw.pipeline(transaction=False) as pipe:
        for number, wire_id in enumerate(ids):
            fields: dict[Any, Any] = {
                "name": name, "data": "{}", "opts": "{}", "timestamp": at, "atm": 1, "finishedOn": at + number,
                "failedReason": reason.format(id=wire_id), "stacktrace": trace,
            }  # fmt: skip
            pipe.hset(keys.job(wire_id), mapping=fields)
            pipe.zadd(keys.key("failed"), {wire_id: at + number})
        await pipe.execute()
