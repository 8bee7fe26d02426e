"""Waiting for more than the server's word: its disk (`WAITAOF`), or its replica (`WAIT`)."""

from __future__ import annotations

from typing import Final

from redis.exceptions import ResponseError

from corral.contracts.options import Durability
from corral.engine.faults import Unanswered
from corral.engine.link import Link
from corral.errors import DurabilityUnavailable

__all__ = ["check_durability", "confirm"]

ONE: Final = 1
REMEMBERED_MS: Final = 600_000
"""How long the record of a call is kept: as `lua/lib/sent` has it."""


async def check_durability(link: Link, durability: Durability) -> None:
    """Ask, before anything is stored, whether the server can give this.

    Raises:
        DurabilityUnavailable: no append-only file, a server too old, or no replica.
    """
    if durability == "fsync":
        try:
            await link.call("WAITAOF", 0, 0, 1)
            await link.call("WAITAOF", ONE, 0, ONE)
        except ResponseError as error:
            raise DurabilityUnavailable(durability, _remedy(str(error))) from None
        return
    replicas = await link.call("WAIT", 0, 1)
    info = await link.call("INFO", "replication")
    if not replicas and b"\r\nslave0:" not in info:
        raise DurabilityUnavailable(durability, "the server has no replica: connect one (REPLICAOF)")


async def confirm(link: Link, durability: Durability, record: str, *, kept_ms: int = REMEMBERED_MS) -> None:
    """Wait until what was written is safe in the way asked for, up to the link's timeout.

    The server speaks only of the writes of the connection that asks, and the call may have been carried out over an
    earlier one, its reply lost. So the call's `record` is written once more first: what comes later in the same
    log covers it. A server that knows no such record has taken the place of the one that was called, and missed it:
    the call has to be made again. The jobs are stored when this fails; they are only not known to be that safe.
    """
    limit_ms = max(1, int(link.timeout * 1000))
    patience = link.timeout + 1
    if not await link.call("PEXPIRE", record, kept_ms):
        raise Unanswered(link.server, "the call was lost in a failover")
    try:
        if durability == "fsync":
            reached = (await link.call("WAITAOF", ONE, 0, limit_ms, timeout=patience))[0]
        else:
            reached = await link.call("WAIT", ONE, limit_ms, timeout=patience)
    except ResponseError as error:
        raise DurabilityUnavailable(durability, _remedy(str(error))) from None
    if reached < ONE:
        raise DurabilityUnavailable(
            durability,
            f"not reached within {link.timeout:g} s; the jobs are stored, but may not survive a crash",
        )


def _remedy(said: str) -> str:
    if "unknown command" in said.lower():
        return "the server has no WAITAOF: it needs Redis 7.2 or Valkey"
    if "appendonly" in said:
        return "the server keeps no append-only file: set appendonly yes"
    return said
