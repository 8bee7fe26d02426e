"""The server under the machine: calls go through the engine, its state is read past the engine."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import redis

from corral.contracts.rate_limit import RateLimit
from corral.engine.browse import count_jobs
from corral.engine.claim import Claim, Claims, claim_jobs
from corral.engine.control import remove_job
from corral.engine.control_cancel import cancel_job
from corral.engine.enqueue import FlowAdded, add_flow, add_jobs
from corral.engine.keys import QueueKeys
from corral.engine.limit import set_concurrency, set_rate
from corral.engine.link import Link
from corral.engine.record import NewJob, NewNode, Settlement
from corral.engine.recover import Held, recover_stalled, renew_locks
from corral.engine.recur import NewSchedule, remove_schedule, sweep_schedules, upsert_schedule
from corral.engine.report import append_log, save_progress
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from corral.engine.settle import Committed, commit_jobs
from tests.model.calls import Child, End, Run, Wanted
from tests.model.family_model import Family, parent_of
from tests.model.queue_model import QueueModel
from tests.model.queue_state import rank
from tests.model.schedule_model import ScheduleState

PARSED = {"stacktrace", "opts"}
T = TypeVar("T")
HOUR_MS = 3_600_000
KEEP_LOGS = 2
MODES: dict[str, dict[str, Any]] = {
    "simple": {},
    "ttl": {"ttl": HOUR_MS},
    "replace": {"replace": True},
    "keep": {"keep": True},
}

# Every key with its value, in one call.
READ_ALL = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local kind = redis.call('TYPE', key).ok
  local value = nil
  if kind == 'string' then value = redis.call('GET', key)
  elseif kind == 'list' then value = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'set' then value = redis.call('SMEMBERS', key)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'hash' then value = redis.call('HGETALL', key) end
  found[#found + 1] = { key, kind, value or '' }
  if string.find(key, ':de:', 1, true) and redis.call('PTTL', key) == -1 then
    found[#found + 1] = { key .. ' without end', 'string', 'yes' }
  end
end
return found
"""
DUMP_ALL = """
-- The server may turn to another order of a hash's fields by itself: they are sorted.
local function fields_of(key)
  local flat, rows = redis.call('HGETALL', key), {}
  for at = 1, #flat, 2 do
    rows[#rows + 1] = cmsgpack.pack(flat[at], flat[at + 1])
  end
  table.sort(rows)
  return table.concat(rows)
end

local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local kind = redis.call('TYPE', key)
  found[#found + 1] = key
  found[#found + 1] = kind.ok == 'hash' and fields_of(key) or redis.call('DUMP', key)
end
return found
"""


@dataclass
class Bench:
    """One server for all runs of the machine, one queue for each run."""

    url: str
    prefix: str
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    last_event: str = "-"
    now: int = 0
    _numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        # Patient: a machine that stands still for two seconds is not what a model is about.
        self.engine = Server(ServerSettings(self.url, self.prefix, timeout=60))
        self.link: Link = self._do(self.engine.link())
        self.raw = redis.Redis.from_url(self.url, decode_responses=True, encoding_errors="replace")
        self.bytes = redis.Redis.from_url(self.url)
        self.begin()

    def begin(self) -> None:
        """A new queue, empty."""
        self.keys = QueueKeys(self.prefix, f"q{next(self._numbers)}")
        self.last_event = "-"

    def wipe(self) -> None:
        """Remove what the queue left."""
        left = [*self.raw.scan_iter(f"{self.prefix}:*", count=1000)]
        if left:
            self.raw.delete(*left)

    def close(self) -> None:
        """Close all connections."""
        self._do(self.link.close())
        self._do(self.engine.close())
        self.raw.close()
        self.bytes.close()
        self.loop.close()

    def _do(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)

    # --- calls ------------------------------------------------------------------------------------------

    def add(self, jobs: Sequence[Wanted], sender: str, number: int) -> list[Any]:
        """`enqueue/add_jobs`."""
        return self._do(
            add_jobs(
                self.link, self.keys, [row(job) for job in jobs], sender=sender, number=number, clock=self.now
            )
        )

    def add_flow(
        self, parent: str, children: Sequence[Child], delay: int, priority: int, sender: str, number: int
    ) -> FlowAdded:
        """`enqueue/add_flow`."""
        base = self.keys.base
        root = NewNode(base, parent, "p", "n", f'"{parent}"', "{}", delay, "", priority, "", "", "")
        nodes = [
            NewNode(
                base, child.wire_id, "", "n", f'"{child.wire_id}"', "{}", child.delay, "", child.priority,
                base + parent, parent_of(child, parent, base), "",
            )
            for child in children
        ]  # fmt: skip
        call = add_flow(self.link, self.keys, [root, *nodes], sender=sender, number=number, clock=self.now)
        return self._do(call)

    def claim(self, token: str, wanted: int, sender: str, number: int) -> Claims:
        """`claim/claim_jobs`."""
        claim = Claim(wanted, token, HOUR_MS, "", sender, number)
        return self._do(claim_jobs(self.link, self.keys, claim, clock=self.now))

    def commit(self, ends: Sequence[End], token: str, wanted: int, sender: str, number: int) -> Committed:
        """`settle/commit_jobs`."""
        claim = Claim(wanted, token, HOUR_MS, "", sender, number)
        settlements = [
            Settlement(
                *end.run, end.verb, end.text, f"at {end.text}", end.amount, end.keep, end.age, end.traces
            )
            for end in ends
        ]
        return self._do(commit_jobs(self.link, self.keys, settlements, claim, clock=self.now))

    def renew(self, runs: Sequence[Run]) -> list[int]:
        """`recover/renew_locks`."""
        return self._do(renew_locks(self.link, self.keys, [Held(*run) for run in runs], HOUR_MS))

    def check_stalled(self, max_stalled: int) -> list[tuple[str, int]]:
        """`recover/recover_stalled`, its interval over."""
        self.raw.delete(self.keys.key("stalled_check"))
        reply = self._do(
            recover_stalled(
                self.link, self.keys, interval_ms=HOUR_MS, max_stalled=max_stalled, clock=self.now
            )
        )
        return [(wire_id.decode(), stalls) for wire_id, stalls in reply]

    def report(self, run: Run, progress: str) -> int:
        """`report/save_progress`."""
        return self._do(save_progress(self.engine, self.keys, Held(*run), progress.encode()))

    def log(self, run: Run, line: str) -> int:
        """`report/append_log`."""
        return self._do(append_log(self.engine, self.keys, Held(*run), line, keep=KEEP_LOGS))

    def remove(self, wire_id: str) -> int:
        """`control/remove_job`."""
        return self._do(remove_job(self.engine, self.keys, wire_id, clock=self.now))

    def cancel(self, wire_id: str, reason: str) -> int:
        """`control/cancel_job`."""
        return self._do(cancel_job(self.engine, self.keys, wire_id, reason, clock=self.now)).code

    def upsert(self, schedule_id: str, every: int) -> tuple[str, int]:
        """`recur/upsert_schedule`."""
        schedule = NewSchedule(schedule_id, "n", every_ms=every)
        wire_id, due = self._do(upsert_schedule(self.engine, self.keys, schedule, clock=self.now))
        return wire_id.decode(), due

    def unschedule(self, schedule_id: str) -> bool:
        """`recur/remove_schedule`."""
        return self._do(remove_schedule(self.engine, self.keys, schedule_id))

    def sweep(self) -> None:
        """`recur/sweep_schedules`, its interval over, to the last page."""
        cursor = b""
        while cursor != b"0":
            self.raw.delete(self.keys.key("swept"))
            sweep = sweep_schedules(self.engine, self.keys, cursor, interval_ms=HOUR_MS, clock=self.now)
            cursor, _ = self._do(sweep)
        self.raw.delete(self.keys.key("swept"))

    def lose_from_places(self, wire_id: str) -> None:
        """Another program loses a job from wherever it waits."""
        for name in ("delayed", "prioritized"):
            self.raw.zrem(self.keys.key(name), wire_id)
        self.raw.lrem(self.keys.key("wait"), 0, wire_id)

    def counts(self) -> dict[str, int]:
        """`browse.count_jobs`."""
        return {str(state): count for state, count in self._do(count_jobs(self.engine, self.keys)).items()}

    def lose(self, *suffixes: str) -> None:
        """Keys of the queue run out."""
        self.raw.delete(*(self.keys.base + suffix for suffix in suffixes))

    def pop_token(self) -> str:
        """What a sleeping worker does: take the first token."""
        taken: Any = self.raw.zpopmin(self.keys.key("marker"))
        return str(taken[0][0])

    def set_meta(self, name: str, meta: dict[str, str], marker: dict[str, int]) -> None:
        """What another client does: a setting of the queue, and the tokens that follow from it."""
        if name in meta:
            self.raw.hset(self.keys.key("meta"), name, meta[name])
        else:
            self.raw.hdel(self.keys.key("meta"), name)
        self.raw.delete(self.keys.key("marker"))
        if marker:
            self.raw.zadd(self.keys.key("marker"), dict(marker))

    def set_concurrency(self, most: int | None) -> None:
        """`limit/set_concurrency`."""
        self._do(set_concurrency(self.engine, self.keys, most))

    def set_rate(self, most: int | None) -> None:
        """`limit/set_rate`. Windows last so long that only the play ends them."""
        self._do(set_rate(self.engine, self.keys, RateLimit(most, per=HOUR_MS / 1000) if most else None))

    def suspects(self) -> list[str]:
        """The order in which the server will look at suspected jobs."""
        order: list[str] = self.raw.eval(
            "return redis.call('SMEMBERS', KEYS[1])", 1, self.keys.key("stalled")
        )
        return order

    # --- what is there ----------------------------------------------------------------------------------

    def dump(self) -> dict[bytes, bytes]:
        """All keys, serialized."""
        flat: list[bytes] = self.bytes.eval(DUMP_ALL, 0, f"{self.prefix}:*")
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def state(self) -> dict[str, Any]:
        """All keys but the event stream and Corral's own records, by their suffix."""
        rows: list[Any] = self.raw.eval(READ_ALL, 0, f"{self.prefix}:*")
        records, notes = self.keys.key("sent"), self.keys.key("schedules")
        found = {}
        for key, kind, value in rows:
            if key == notes:
                found["notes"] = set(value[::2])
            elif kind != "stream" and not key.startswith(records):
                assert key.startswith(self.keys.base), f"a key outside of the queue: {key}"
                found[key.removeprefix(self.keys.base)] = readable(kind, value)
        return found

    def new_events(self) -> list[dict[str, str]]:
        """The events since this was asked last."""
        rows: Any = self.raw.xrange(self.keys.key("events"), self.last_event)
        if rows:
            self.last_event = f"({rows[-1][0]}"
        return [fields for _, fields in rows]


def row(job: Wanted) -> NewJob:
    """A job as the script takes it."""
    flags = ("c" if job.own_id else "") + ("l" if job.lifo else "")
    modes: dict[str, dict[str, Any]] = {
        "ttl": {"ttl": HOUR_MS},
        "replace": {"replace": True},
        "keep": {"keep": True},
        "simple": {},
    }
    rule = json.dumps({"id": job.window, **modes[job.mode]}) if job.window else ""
    return NewJob(job.wire_id, flags, "n", f'"{job.wire_id}"', "{}", job.delay, "", job.priority, rule)


def readable(kind: str, value: Any) -> Any:
    """A value as Python has it: lists in their order, sorted sets as pairs."""
    if kind == "zset":
        return [(member, int(score)) for member, score in zip(value[::2], value[1::2], strict=True)]
    if kind == "hash":
        fields = dict(zip(value[::2], value[1::2], strict=True))
        return {name: json.loads(text) if name in PARSED else text for name, text in fields.items()}
    return set(value) if kind == "set" else value


def expected(model: QueueModel) -> dict[str, Any]:
    """The model in the form in which the server's state is read. Of Corral's notes on schedules only whose they are."""
    keys: dict[str, Any] = {
        "wait": model.wait,
        "active": model.active,
        "stalled": model.suspects,
        "meta": model.meta,
        "id": str(model.added or ""),
        "pc": str(model.arrivals or ""),
        "limiter": str(model.started or ""),
        **{f"de:{window}": owner for window, owner in model.owners.items()},
        **{f"de:{window} without end": "yes" for window in model.endless},
        **{f"dn:{window}": kept for window, kept in model.kept.items()},
        **model.jobs,
        "repeat": rank({each: schedule.next_run for each, schedule in model.schedules.items()}),
        "notes": set(model.schedules),
        **{f"repeat:{each}": definition(schedule) for each, schedule in model.schedules.items()},
        **family_keys(model.families),
        **{f"{wire_id}:lock": token for wire_id, token in model.locks.items()},
        **{f"{wire_id}:logs": lines for wire_id, lines in model.logs.items()},
    }
    for name in ("delayed", "prioritized", "completed", "failed", "waiting_children", "marker"):
        keys[name.replace("_", "-")] = rank(getattr(model, name))
    return {suffix: value for suffix, value in keys.items() if value}


def definition(schedule: ScheduleState) -> dict[str, str]:
    """The hash of a schedule."""
    return {
        "name": "n",
        "ic": str(schedule.made),
        "offset": str(schedule.offset),
        "every": str(schedule.every),
    }


def family_keys(families: dict[str, Family]) -> dict[str, Any]:
    """The keys of parents beside their hashes."""
    keys: dict[str, Any] = {}
    for parent, family in families.items():
        keys[f"{parent}:dependencies"] = family.pending
        keys[f"{parent}:processed"] = family.processed
        keys[f"{parent}:failed"] = family.failed
        keys[f"{parent}:unsuccessful"] = rank(family.unsuccessful)
    return keys
