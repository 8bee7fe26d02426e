"""Browse workers: what they say of themselves, and what their connections show. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from corral.engine.faults import ResponseError
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["KeptBeats", "list_beats", "list_clients"]

MOST_WORKERS: Final = 1000


class KeptBeats(NamedTuple):
    """The server's time (ms), and for each worker of a queue its instance, when it last said something (ms), what."""

    now: int
    beats: list[tuple[str, int, bytes]]


async def list_beats(
    server: Server, queues: Sequence[QueueKeys], *, clock: Word = ""
) -> list[KeptBeats | ResponseError]:
    """What the workers of each queue said last, the latest first, at most 1,000 of each; what the server says in place
    of that where the keys are damaged."""
    most = MOST_WORKERS
    replies = await server.run_each(load("browse/list_beats"), queues, lambda _: (clock, most))
    return [reply if isinstance(reply, ResponseError) else _kept(reply) for reply in replies]


def _kept(reply: Sequence[Any]) -> KeptBeats:
    now, found = reply
    beats = [(instance.decode(errors="replace"), int(at), said or b"") for instance, at, said in found]
    return KeptBeats(int(now), beats)


async def list_clients(server: Server) -> list[str]:
    """CLIENT LIST of all ordinary connections, to any node, a line each."""
    texts: list[bytes] = await server.call_each("CLIENT", "LIST", "TYPE", "normal")
    return [line for text in texts for line in text.decode(errors="replace").splitlines()]
