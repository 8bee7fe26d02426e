"""Queue names, job ids and the ids of schedules: what is allowed, and how an id is written on the wire.

BullMQ forbids ids that Corral's users want (``invite:42``) and its keys clash with others (``wait``), so the text
a user sees and the id in Redis differ for some ids. The two are a one-to-one mapping, also for the ids of Node
producers: whatever is read from Redis leads back to the same key. Rules and reasons: BullMQ's custom ids
(integers could collide with generated ids, ``0`` and ``0:`` are old markers, a colon splits keys).
"""

from __future__ import annotations

import base64
import re

from corral.contracts.arguments import NO_UNICODE
from corral.errors import InvalidJobId, InvalidQueueName, InvalidSchedule

__all__ = [
    "MAX_NAME_BYTES",
    "check_queue_name",
    "connection_name",
    "decode_job_id",
    "encode_job_id",
    "lookup_job_id",
]

MAX_NAME_BYTES = 200
"""The longest job id and queue name, in bytes of UTF-8."""

RESERVED_IDS = frozenset(
    (  # noqa: SIM905 - a list of 19 lines says no more
        "wait active paused prioritized pc delayed completed failed waiting-children id meta events marker "
        "limiter stalled stalled-check repeat delay priority"
    ).split()
)
"""A job is the key ``<prefix>:<queue>:<id>``: with one of these as its id it would *be* that key of its queue."""

_OWN_FAMILIES = ("de:", "dn:", "metrics:", "0:")
_ESCAPED_SUFFIXES = {f"%{ord(suffix[0]):02X}{suffix[1:]}": suffix for suffix in RESERVED_IDS}
_SUFFIX_ESCAPES = {suffix: escaped for escaped, suffix in _ESCAPED_SUFFIXES.items()}
_LONGEST_WIRE_ID = 3 * MAX_NAME_BYTES

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_INTEGER = re.compile(r"-?[0-9]+\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_.\-]{1,200}\Z")
_FOREIGN_ESCAPE = re.compile(r"%(?!25|3A)")
_ESCAPE = re.compile(r"%(25|3A)")
_LIKE_AN_ITERATION = re.compile(r":[0-9]+\Z")


def check_queue_name(name: object) -> str:
    """Return ``name``, or raise `InvalidQueueName`.

    Allowed are 1 to 200 bytes without ``:`` and control characters. Braces only as one pair around some text,
    a hash tag: ``{billing}-mail``.
    """
    if not isinstance(name, str):
        raise InvalidQueueName(str(name), f"it must be text, not {type(name).__name__}")
    reason = _fault(name)
    if reason is None and ":" in name:
        reason = "a colon separates the parts of a Redis key; use a dash or a dot"
    if reason is None and ("{" in name or "}" in name) and not _has_one_hash_tag(name):
        reason = "braces mark a Redis Cluster hash tag, so there may be one pair of them, with text inside"
    if reason is not None:
        raise InvalidQueueName(name, reason)
    return name


def connection_name(prefix: str, queue: str, worker: str = "") -> str:
    """What a worker calls its blocking connection to a queue: by this name BullMQ's ``getWorkers`` finds it."""
    name = f"{prefix}:{base64.b64encode(queue.encode()).decode()}"
    return f"{name}:w:{worker}" if worker else name


def encode_job_id(job_id: object) -> str:
    """The id in Redis of a job with the custom id ``job_id``, or `InvalidJobId`.

    Raw whenever BullMQ takes it raw; else ``:`` and ``%`` are percent-encoded, and so is the first letter of
    an id that is a key of the queue itself.
    """
    if not isinstance(job_id, str):
        raise InvalidJobId(str(job_id), f"it must be text, not {type(job_id).__name__}")
    if _INTEGER.match(job_id):
        raise InvalidJobId(
            job_id, f'integers are the ids that the queue gives itself; add a word: "job-{job_id}"'
        )
    if _PLAIN.match(job_id) and job_id not in _SUFFIX_ESCAPES:
        return job_id
    reason = _fault(job_id)
    if reason is None and job_id.startswith("repeat:"):
        reason = '"repeat:" begins the ids of scheduled jobs'
    if reason is not None:
        raise InvalidJobId(job_id, reason)
    return _to_wire(job_id)


def lookup_job_id(job_id: str) -> str:
    """The id in Redis of an existing job: like `encode_job_id`, but generated and scheduled ids pass too.

    Raises `InvalidJobId` for what is no text, or none that could be stored.
    """
    if not isinstance(job_id, str):
        raise InvalidJobId(str(job_id), f"it must be text, not {type(job_id).__name__}")
    try:
        job_id.encode()
    except UnicodeEncodeError:
        raise InvalidJobId(job_id, NO_UNICODE) from None
    if job_id.startswith("repeat:") or len(job_id) > _LONGEST_WIRE_ID:
        return job_id
    return _to_wire(job_id)


def decode_job_id(wire_id: str) -> str:
    """The id that users see, of a job with ``wire_id`` in Redis. The inverse of `encode_job_id` and `lookup_job_id`."""
    if "%" not in wire_id or ":" in wire_id or len(wire_id) > _LONGEST_WIRE_ID:
        return wire_id
    if wire_id in _ESCAPED_SUFFIXES:
        return _ESCAPED_SUFFIXES[wire_id]
    if _FOREIGN_ESCAPE.search(wire_id):
        return wire_id
    text = _ESCAPE.sub(lambda match: "%" if match[1] == "25" else ":", wire_id)
    # A Node producer may use ids that merely look encoded: those that Corral would not write so stay as they are.
    return text if _to_wire(text) == wire_id else wire_id


def check_schedule_id(schedule_id: object) -> str:
    """Return ``schedule_id``, or raise `InvalidSchedule`.

    Allowed are 1 to 200 bytes without control characters, which do not end in ``:`` and a number: the schedule would
    have the key of another one's job.
    """
    if not isinstance(schedule_id, str):
        raise InvalidSchedule("id", schedule_id, f"it must be text, not {type(schedule_id).__name__}")
    reason = _fault(schedule_id)
    if reason is None and _LIKE_AN_ITERATION.search(schedule_id):
        reason = "it ends in a colon and a number, and reads like the job of another schedule"
    if reason is not None:
        raise InvalidSchedule("id", schedule_id, reason)
    return schedule_id


def iteration_id(schedule_id: str, run_ms: int) -> str:
    """The id of the job that a schedule makes for its run at ``run_ms``."""
    return f"repeat:{schedule_id}:{run_ms}"


def _to_wire(job_id: str) -> str:
    if job_id in _SUFFIX_ESCAPES:
        return _SUFFIX_ESCAPES[job_id]
    if ":" in job_id:
        raw = job_id.count(":") == 2 and not job_id.startswith(_OWN_FAMILIES)
        return job_id if raw else _escape(job_id)
    # Text that reads like an encoded id must be encoded itself, or it would be decoded to another one.
    return _escape(job_id) if decode_job_id(job_id) != job_id else job_id


def _escape(job_id: str) -> str:
    return job_id.replace("%", "%25").replace(":", "%3A")


def _has_one_hash_tag(name: str) -> bool:
    opened, closed = name.find("{"), name.find("}")
    return name.count("{") == name.count("}") == 1 and closed > opened + 1


def _fault(name: str) -> str | None:
    """What makes ``name`` unfit for any use as a name, if anything does."""
    if not name:
        return "it is empty"
    if _CONTROL.search(name):
        return "it has control characters"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return NO_UNICODE
    if size > MAX_NAME_BYTES:
        return f"it has {size} bytes, and {MAX_NAME_BYTES} are allowed; a hash of a long key will do"
    return None
