"""Whose a key is: which job of a queue it belongs to, if any, and which other queues it may belong to."""

from __future__ import annotations

import re
from typing import Final

from corral.contracts.names import RESERVED_IDS
from corral.engine.keys import SUFFIXES

__all__ = ["owner_of", "places_below"]

_OF_QUEUE: Final = frozenset({*SUFFIXES.values(), *RESERVED_IDS})
_FAMILIES: Final = ("de:", "dn:", "metrics:", "0:")
_PARTS: Final = (":lock", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful")
_OWN: Final = b"::corral:"
_DEEPEST: Final = 8
_ITERATION: Final = re.compile(r"repeat:.+:\d+\Z", re.DOTALL)


def owner_of(suffix: str) -> str | None:
    """The id of the job that `<prefix>:<queue>:<suffix>` belongs to, None when it is not a job's.

    A key of a job, or one beside it (`<id>:logs`, …). Keys of the queue, windows of deduplication (`de:`, `dn:`),
    metrics and definitions of schedules belong to no job.
    """
    if suffix in _OF_QUEUE or suffix.startswith(_FAMILIES):
        return None
    part = next((part for part in _PARTS if suffix.endswith(part)), None)
    job_id = suffix.removesuffix(part) if part else suffix
    if job_id.startswith("repeat:"):
        return job_id if _ITERATION.match(job_id) else None
    # Ids have no colon, or two: `a:b:logs` is a job of that name, not the log of a job `a:b`.
    return suffix if part and job_id.count(":") == 1 else job_id


def places_below(base: bytes, key: bytes) -> list[bytes]:
    """The places `<prefix>:<queue>` of other queues that a key beginning with `base` may belong to.

    Beside a queue `q` of the prefix `bull`, `bull:q:x:wait` may be a key of the queue `x` of the prefix `bull:q`, and
    `bull:q::corral:x:swept` Corral's own for it. Prefixes are looked for that have at most eight colons more.
    """
    places: list[bytes] = []
    end = len(base) - 1
    prefix, own, rest = key[end:].partition(_OWN)
    if own:
        places.append(key[:end] + prefix + b":" + rest.partition(b":")[0])
    while len(places) < _DEEPEST and (end := key.find(b":", end + 1)) >= 0:
        places.append(key[:end])
    return places
