"""Recover: locks are renewed, and jobs of workers that are gone return."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.script import Script, load

__all__ = ["Held", "Stalled", "recover_stalled", "renew_locks", "renew_script"]


class Held(NamedTuple):
    """A run that holds a lock."""

    wire_id: Word
    token: Word
    fence: Word


class Stalled(NamedTuple):
    """A job that was returned because its worker is gone, and how often that has happened to it."""

    wire_id: bytes
    stalls: int


def renew_script() -> Script:
    """The script that renews locks, for the process that does nothing else."""
    return load("recover/renew_locks")


async def renew_locks(link: Link, keys: QueueKeys, runs: Sequence[Held], lock_ms: int) -> list[int]:
    """Renew the locks of running jobs: 1 renewed, 2 was missing and is taken again, 0 lost."""
    reply: list[int] = await link.run(renew_script(), keys, lock_ms, keys.base, *chain.from_iterable(runs))
    return reply


async def recover_stalled(
    link: Link, keys: QueueKeys, *, interval_ms: int, max_stalled: int, clock: Word = ""
) -> list[Stalled]:
    """Return jobs whose lock ran out. Does nothing when another worker has checked within `interval_ms`."""
    rows = await link.run(load("recover/recover_stalled"), keys, keys.base, clock, interval_ms, max_stalled)
    return [Stalled(wire_id, stalls) for wire_id, stalls in rows]
