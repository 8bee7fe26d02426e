"""Browse: whose a key is that was found somewhere, of whatever queue and prefix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["JobKey", "split_keys"]

PAGE: Final = 500


class JobKey(NamedTuple):
    """The key of a job, taken apart."""

    prefix: str
    queue: str
    wire_id: str

    @property
    def keys(self) -> QueueKeys:
        """The keys of its queue."""
        return QueueKeys(self.prefix, self.queue)


async def split_keys(server: Server, keys: QueueKeys, job_keys: Sequence[str]) -> list[JobKey]:
    """Take keys of jobs apart that were found in the queue of `keys`, whatever queues and prefixes they are of.

    Ids have one part, three, or more (`repeat:…`), and prefixes any number: the server knows which queues there are. Of
    a queue that is gone the prefix is taken to be that of `keys`, or the id to be one part.
    """
    unclear = [key for key in job_keys if key.count(":") > 3]
    lengths: dict[str, int] = {}
    for first in range(0, len(unclear), PAGE):
        chunk = unclear[first : first + PAGE]
        found = await server.run(load("browse/split_keys"), keys, *chunk)
        lengths.update(zip(chunk, found, strict=True))
    return [_split(keys.prefix, key, lengths.get(key, 0)) for key in job_keys]


def _split(prefix: str, key: str, length: int) -> JobKey:
    if length:
        data = key.encode("utf-8", "surrogateescape")
        base, wire_id = (part.decode("utf-8", "surrogateescape") for part in (data[:length], data[length:]))
    elif key.startswith(f"{prefix}:"):
        queue, _, wire_id = key[len(prefix) + 1 :].partition(":")
        base = f"{prefix}:{queue}:"
    else:
        base, _, wire_id = key.rpartition(":")
        base += ":"
    above, _, queue = base[:-1].rpartition(":")
    return JobKey(above, queue, wire_id)
