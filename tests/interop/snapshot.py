"""All keys of a queue as one comparable value: what two engines left behind can be held side by side.

Ids are named by order of creation (`j1`, `j2`, …) except those that the test gave; moments become `<time>`,
due times become distances, tokens become `<token>`. Everything else stays as it is stored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

Snapshot = dict[str, Any]
Raw = Any
"""A redis.asyncio.Redis that decodes replies. Its stubs answer every call with a union of all protocols."""

TIME = "<time>"
TOKEN = "<token>"
JSON_FIELDS = ("data", "progress", "returnvalue", "opts", "parent")
TIME_FIELDS = ("timestamp", "processedOn", "finishedOn")
ID_LISTS = ("wait", "active", "paused")
FINISHED = ("completed", "failed")
JOB_PARTS = ("lock", "logs", "dependencies", "processed", "failed", "unsuccessful")
#: Two runs of one step are never exactly as far from its due time; less than this is the same distance.
SLACK_MS = 2_000
#: What a whole sequence may take: a time to live that has run for less than this counts as whole.
RUN_MS = 15_000


@dataclass
class Names:
    """Comparable names of job ids: given ids stay, made ones are numbered by the `added` events.

    `timed`: the test holds the clock of both sides, so that moments stay, too.
    """

    given: Container[str]
    timed: bool = False
    made: dict[str, str] = field(default_factory=dict)

    def learn(self, stream: list[tuple[str, dict[str, str]]]) -> None:
        """Number the ids that the stream says were added."""
        for _, fields in stream:
            job_id = fields.get("jobId", "")
            if fields["event"] == "added" and job_id not in self.given:
                self.made.setdefault(job_id, f"j{len(self.made) + 1}")

    def of(self, job_id: str) -> str:
        """Return the comparable name; an id that was never added is only said to be so."""
        if job_id in self.given:
            return job_id
        return self.made.get(job_id, "<never added>")


class AnyId:
    """All ids, where all are of the test's choice."""

    def __contains__(self, job_id: object) -> bool:
        """Say whether it is one."""
        return bool(job_id)


def distance(milliseconds: float) -> int:
    """Round a distance to the step that two runs share."""
    return round(milliseconds / SLACK_MS) * SLACK_MS


def remaining(milliseconds: int) -> int | None:
    """Return the time to live that a key was given, from what is left of it; None when it has none."""
    return None if milliseconds < 0 else math.ceil(milliseconds / RUN_MS) * RUN_MS


async def snapshot(
    raw: Raw, prefix: str, queue: str, given: Container[str] = (), *, timed: bool = False
) -> Snapshot:
    """Read every key of the queue; `raw` must decode replies. `given` are the ids that the test chose; `timed`, that
    it holds the clock."""
    base = f"{prefix}:{queue}:"
    stream = await raw.xrange(f"{base}events")
    names = Names(given, timed)
    names.learn(stream)
    keys = sorted([key async for key in raw.scan_iter(match=f"{base}*", count=1000)])
    pictures: Snapshot = {}
    for key in keys:
        suffix = key.removeprefix(base)
        pictures[_name_of(suffix, names)] = await _picture(raw, base, suffix, names)
    return pictures


def events_by_job(taken: Snapshot) -> Snapshot:
    """The same with the events of each job on their own: in which order one step tells of several jobs is no part of
    the layout."""
    if "events" not in taken:
        return taken
    told = taken["events"]["content"]
    names = {event.get("jobId", "") for event in told}
    content = {name: [event for event in told if event.get("jobId", "") == name] for name in names}
    return {**taken, "events": {"type": "stream", "content": content}}


def _name_of(suffix: str, names: Names) -> str:
    job_id, _, part = suffix.rpartition(":")
    if part in JOB_PARTS and (job_id in names.made or job_id in names.given):
        return f"{names.of(job_id)}:{part}"
    return names.made.get(suffix, suffix)


async def _picture(raw: Raw, base: str, suffix: str, names: Names) -> Any:
    kind = await raw.type(base + suffix)
    return {"type": kind, "content": await _READERS[kind](raw, base, suffix, names)}


async def _read_string(raw: Raw, base: str, suffix: str, names: Names) -> Any:
    text = await raw.get(base + suffix)
    left = await raw.pttl(base + suffix)
    if suffix.endswith(":lock"):
        text = TOKEN
    elif suffix.startswith("de:"):
        text = names.of(text)
    elif suffix == "stalled-check":
        text = TIME
    return {"text": text, "expires": remaining(left)}


async def _read_list(raw: Raw, base: str, suffix: str, names: Names) -> Any:
    members = await raw.lrange(base + suffix, 0, -1)
    return [names.of(member) for member in members] if suffix in ID_LISTS else members


async def _read_set(raw: Raw, base: str, suffix: str, names: Names) -> Any:
    return sorted(names.of(member) for member in await raw.smembers(base + suffix))


async def _read_zset(raw: Raw, base: str, suffix: str, names: Names) -> Any:
    entries: list[tuple[str, float]] = await raw.zrange(base + suffix, 0, -1, withscores=True)
    if suffix == "marker":
        return {member: 0 if score == 0 else "<due>" for member, score in entries}
    if suffix == "prioritized":
        return [[names.of(member), *divmod(int(score), 2**32)] for member, score in entries]
    if suffix == "delayed":
        return [[names.of(member), await _due(raw, base, member, score)] for member, score in entries]
    if suffix in FINISHED:
        ends = {member: await raw.hget(base + member, "finishedOn") for member, _ in entries}
        return [
            [names.of(member), "finishedOn" if ends[member] == str(int(score)) else score]
            for member, score in entries
        ]
    return entries


async def _due(raw: Raw, base: str, job_id: str, score: float) -> str:
    """Say how a delayed job's score agrees with the due time that its last event announced."""
    events = await raw.xrevrange(f"{base}events")
    told = (int(f["delay"]) for _, f in events if f["event"] == "delayed" and f["jobId"] == job_id)
    announced = next(told, None)
    return "as announced" if int(score) >> 12 == announced else f"not as announced: {int(score) >> 12}"


async def _read_hash(raw: Raw, base: str, suffix: str, names: Names) -> Any:
    stored = await raw.hgetall(base + suffix)
    if suffix.startswith("metrics:"):
        return {**stored, "prevTS": TIME, "prevCount": "<count then>"}
    return {name: _comparable(name, text, names) for name, text in stored.items()}


def _comparable(name: str, text: str, names: Names) -> Any:
    if name in TIME_FIELDS:
        return text if names.timed else TIME
    if name in JSON_FIELDS:
        return json.loads(text)
    if name == "stacktrace":
        return f"{len(json.loads(text))} traces"
    if name == "delay" and not names.timed:
        return distance(int(text))
    if name == "jid":
        return names.of(text)
    return text


async def _read_stream(raw: Raw, base: str, suffix: str, names: Names) -> Any:
    return [_event(entry_id, fields, names) for entry_id, fields in await raw.xrange(base + suffix)]


def _event(entry_id: str, fields: dict[str, str], names: Names) -> dict[str, Any]:
    comparable: dict[str, Any] = dict(fields)
    for name in ("jobId", "deduplicatedJobId"):
        if name in fields:
            comparable[name] = names.of(fields[name])
    for name in ("returnvalue", "data"):
        if name in fields:
            comparable[name] = json.loads(fields[name])
    if "delay" in fields and not names.timed:
        comparable["delay"] = f"in {distance(int(fields['delay']) - int(entry_id.partition('-')[0]))} ms"
    return comparable


_READERS = {
    "string": _read_string,
    "list": _read_list,
    "set": _read_set,
    "zset": _read_zset,
    "hash": _read_hash,
    "stream": _read_stream,
}
