"""One queue, driven call by call with a clock in hand: what the tests of the engine share."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from corral.engine.claim import Claim, Claims, claim_jobs
from corral.engine.enqueue import Added, add_jobs
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.record import Claimed, NewJob, Settlement, Verb
from corral.engine.recover import Held, Stalled, recover_stalled, renew_locks
from corral.engine.server import Server
from corral.engine.settle import Committed, commit_jobs

START = 1_800_000_000_000
LOCK_MS = 3_600_000
"""Locks outlive every test: one that runs out is deleted by the test itself."""

INTERVAL_MS = 30_000


def new_job(
    wire_id: str,
    *,
    own_id: bool = False,
    lifo: bool = False,
    name: str = "n",
    data: str = "{}",
    opts: str = "{}",
    delay: int = 0,
    due: Word = "",
    priority: int = 0,
    rule: dict[str, Any] | None = None,
) -> NewJob:
    """A job as `add_jobs` takes it: `own_id` for an id that the caller chose, `rule` for deduplication."""
    flags = ("c" if own_id else "") + ("l" if lifo else "")
    return NewJob(wire_id, flags, name, data, opts, delay, due, priority, json.dumps(rule) if rule else "")


def text_of(value: Any) -> Any:
    """A reply with its bytes as text, at any depth."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [text_of(part) for part in value]
    return value


@dataclass
class Driver:
    """A queue of a real server. Every call is given `now`, which only the test moves."""

    server: Server
    link: Link
    keys: QueueKeys
    now: int = START
    _tokens: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def add(self, *jobs: NewJob | str, sender: str = "", number: int = 0) -> list[Added]:
        """Add jobs, plain ones by their ids alone."""
        made = [new_job(job) if isinstance(job, str) else job for job in jobs]
        return await add_jobs(self.link, self.keys, made, sender=sender, number=number, clock=self.now)

    def a_claim(self, wanted: int, sender: str = "", number: int = 0, token: str = "") -> Claim:
        """A request for jobs, with a token of its own unless one is given."""
        return Claim(wanted, token or f"t{next(self._tokens)}", LOCK_MS, "", sender, number)

    async def claim(self, claim: Claim) -> Claims:
        """Claim as asked."""
        return await claim_jobs(self.link, self.keys, claim, clock=self.now)

    async def take(self, wanted: int = 1) -> list[Held]:
        """Claim jobs; what is held of each."""
        claim = self.a_claim(wanted)
        return held(claim.token, (await self.claim(claim)).jobs)

    async def take_one(self) -> Held:
        """Claim the one job that is there."""
        (run,) = await self.take(1)
        return run

    async def commit(self, *ends: Settlement, claim: Claim | None = None, points: int = 0) -> Committed:
        """Settle, and claim as asked (nothing by default)."""
        claim = claim or self.a_claim(0)
        return await commit_jobs(self.link, self.keys, ends, claim, metric_points=points, clock=self.now)

    async def settle(self, *ends: Settlement, points: int = 0) -> list[int]:
        """Settle without claiming; the codes."""
        return (await self.commit(*ends, points=points)).codes

    async def renew(self, *runs: Held) -> list[int]:
        """Renew locks."""
        return await renew_locks(self.link, self.keys, runs, LOCK_MS)

    async def check_stalled(self, *, max_stalled: int = 1) -> list[Stalled]:
        """The stalled check, as if its interval had passed."""
        await self.call("DEL", self.keys.key("stalled_check"))
        return await recover_stalled(
            self.link, self.keys, interval_ms=INTERVAL_MS, max_stalled=max_stalled, clock=self.now
        )

    async def lose_lock(self, wire_id: str) -> None:
        """The job's lock runs out."""
        await self.call("DEL", f"{self.keys.job(wire_id)}:lock")

    # --- what is on the server --------------------------------------------------------------------------

    async def call(self, *words: Word) -> Any:
        """Any command; the reply as text."""
        return text_of(await self.link.call(*words))

    async def waiting(self) -> list[str]:
        """Ids in `wait`, the next to run first."""
        ids: list[str] = await self.call("LRANGE", self.keys.key("wait"), 0, -1)
        return ids[::-1]

    async def active(self) -> list[str]:
        """Ids in `active`, the latest start first."""
        ids: list[str] = await self.call("LRANGE", self.keys.key("active"), 0, -1)
        return ids

    async def scores(self, name: str) -> dict[str, int]:
        """A sorted set: members in their order, with their scores."""
        flat = await self.call("ZRANGE", self.keys.key(name), 0, -1, "WITHSCORES")
        return {member: int(float(score)) for member, score in zip(flat[::2], flat[1::2], strict=True)}

    async def fields(self, key: str) -> dict[str, str]:
        """A hash: of a job by its id, or of the queue by its full key."""
        flat = await self.call("HGETALL", key if ":" in key else self.keys.job(key))
        return dict(zip(flat[::2], flat[1::2], strict=True))

    async def events(self, *names: str) -> list[dict[str, str]]:
        """The events of these names, all when none is given, each as its fields in their order."""
        rows = await self.call("XRANGE", self.keys.key("events"), "-", "+")
        found = [dict(zip(flat[::2], flat[1::2], strict=True)) for _, flat in rows]
        return [event for event in found if not names or event["event"] in names]

    async def forget_events(self) -> None:
        """Let the event stream begin here."""
        await self.call("DEL", self.keys.key("events"))

    async def bytes_of_all(self) -> dict[bytes, bytes]:
        """Every key of the server with its serialized value: equal before and after what changes nothing.

        Of a hash its sorted fields instead: the server may turn to another order of them by itself.
        """
        found: dict[bytes, bytes] = {}
        for key in sorted(await self.link.call("KEYS", f"{self.keys.prefix}:*")):
            if await self.link.call("TYPE", key) in (b"hash", "hash"):
                flat = await self.link.call("HGETALL", key)
                found[key] = repr(sorted(zip(flat[::2], flat[1::2], strict=True))).encode()
            else:
                found[key] = await self.link.call("DUMP", key)
        return found


def held(token: str, jobs: Sequence[Claimed]) -> list[Held]:
    """The runs that a claim started."""
    return [Held(job.wire_id.decode(), token, job.fence) for job in jobs]


def end(
    run: Held,
    verb: Verb = Verb.COMPLETE,
    text: str = "null",
    *,
    trace: str = "",
    amount: int = 0,
    keep: int = -1,
    age: int = -1,
    traces: int = 10,
) -> Settlement:
    """How a run ended: completed with null unless said otherwise."""
    return Settlement(run.wire_id, run.token, run.fence, verb, text, trace, amount, keep, age, traces)
