"""A random play with singleton jobs, and what has to hold after each of its steps."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

from corral.engine.control import promote_jobs, remove_job
from corral.engine.record import Verb
from corral.engine.recover import Held, renew_locks
from tests.engine.driver import START, Driver, end
from tests.engine.singletons import single
from tests.model.invariants import check

LOCK_MS = 60_000
KEYS = ("k", "m")
VERBS = [*(verb for verb in Verb if verb is not Verb.WAIT_FOR_CHILDREN), Verb.COMPLETE, Verb.COMPLETE]


class SingletonPlay:
    """One queue, workers that die, and a memory of who started last and who came to a line when."""

    def __init__(self, driver: Driver, seed: int) -> None:
        self.driver = driver
        self.chance = random.Random(seed)
        self.key_of: dict[str, str] = {}
        self.skips: set[str] = set()
        self.runs: list[Held] = []
        self.last: dict[str, Held] = {}
        self.lines: defaultdict[str, list[str]] = defaultdict(list)
        self.gone: set[str] = set()
        self.promoted: set[str] = set()
        self.taken: set[str] = set()
        self.now = driver.now = START

    # --- steps ------------------------------------------------------------------------------------------

    async def add(self) -> None:
        """Add some jobs."""
        for _ in range(self.chance.randint(1, 3)):
            wire_id = f"j{len(self.key_of)}"
            self.key_of[wire_id] = key = self.chance.choice(KEYS)
            skips = self.chance.random() < 0.1
            if skips:
                self.skips.add(wire_id)
            await self.driver.add(single(wire_id, key, otherwise="skip" if skips else "wait"))

    async def claim(self) -> None:
        """Claim some jobs. A job in line starts only as the first of it, unless an operator has promoted it."""
        heads = await self.heads()
        claim = self.driver.a_claim(self.chance.randint(1, 3))._replace(lock_ms=LOCK_MS)
        for job in (await self.driver.claim(claim)).jobs:
            run = Held(job.wire_id.decode(), claim.token, job.fence)
            self.runs.append(run)
            if job.deferred is None:
                key = self.key_of[str(run.wire_id)]
                in_line = run.wire_id in self.lines[key] and run.wire_id not in self.promoted
                assert not in_line or heads.get(key) == run.wire_id, "a job starts before its turn"
                self.last[key] = run

    async def settle(self) -> None:
        """A run ends: the last of its key, or one that is long over and must not count."""
        if self.runs:
            run = self.chance.choice(self.runs)
            deferred = (await self.driver.fields(str(run.wire_id))).get("defa")
            verb = Verb.FAIL if deferred else self.chance.choice(VERBS)
            amount = self.driver.now + 500 if verb is Verb.SNOOZE_UNTIL else 500
            (code,) = await self.driver.settle(end(run, verb, amount=1 if verb is Verb.RETRY else amount))
            await self.driver.call("DEL", self.driver.keys.key("limiter"))
            self._count(run, deferred, code == 0)

    async def renew(self) -> None:
        """A lock is renewed, or not."""
        if self.runs:
            run = self.chance.choice(self.runs)
            deferred = (await self.driver.fields(str(run.wire_id))).get("defa")
            self._count(
                run, deferred, (await renew_locks(self.driver.link, self.driver.keys, [run], LOCK_MS))[0] > 0
            )

    def _count(self, run: Held, deferred: object, counts: bool) -> None:
        is_last = self.last.get(self.key_of[str(run.wire_id)]) == run
        assert not counts or is_last or deferred, "a run counts though another of its key has started"

    async def lose(self) -> None:
        """A worker dies: its lock runs out."""
        active = await self.driver.active()
        if active:
            await self.driver.lose_lock(self.chance.choice(active))

    async def tick(self) -> None:
        """Time goes by: little, or as long as a lock lasts."""
        self.driver.now += self.chance.choice([500, LOCK_MS + 1])

    async def recover(self) -> None:
        """The stalled check, for the second time in a row."""
        await self.driver.check_stalled(max_stalled=self.chance.choice([0, 2]))

    async def recover_elsewhere(self) -> None:
        """The stalled check of another program, which ends no turn."""
        for job in await self.driver.active():
            if not await self.driver.call("EXISTS", self.driver.keys.job(job) + ":lock"):
                await self.driver.call("LREM", self.driver.keys.key("active"), 0, job)
                await self.driver.call("RPUSH", self.driver.keys.key("wait"), job)
                self.taken.add(job)

    async def promote(self) -> None:
        """An operator makes a delayed job ready."""
        if delayed := list(await self.driver.scores("delayed")):
            chosen = self.chance.choice(delayed)
            self.promoted.add(chosen)
            await promote_jobs(self.driver.server, self.driver.keys, [chosen])

    async def remove(self) -> None:
        """An operator removes a job that waits, but none that is first in line."""
        heads = set((await self.heads()).values())
        if others := [job for job in await self.driver.scores("delayed") if job not in heads]:
            going = self.chance.choice(others)
            await remove_job(self.driver.server, self.driver.keys, going)
            self.gone.add(going)

    # --- what holds -------------------------------------------------------------------------------------

    async def heads(self) -> dict[str, str]:
        """Who is first in each line."""
        lines = {key: await self.line(key) for key in KEYS}
        return {key: line[0] for key, line in lines.items() if line}

    async def line(self, key: str) -> list[str]:
        """Who is set aside for a key, but for those who have gone without the line's knowing."""
        found = await self.driver.call("ZRANGE", self.driver.keys.key("aside") + key, 0, -1)
        return [job for job in found if job not in self.gone]

    async def check_all(self) -> None:
        """One live run a key, nobody lost, the lines in the order of arrival, and their first in good time."""
        driver = self.driver
        active, ready, delayed = await driver.active(), await driver.waiting(), await driver.scores("delayed")
        live: defaultdict[str, list[str]] = defaultdict(list)
        for job in active:
            is_locked = await driver.call("EXISTS", driver.keys.job(job) + ":lock")
            if is_locked and "defa" not in await driver.fields(job):
                live[self.key_of[job]].append(job)
        for key in KEYS:
            assert len(live[key]) <= 1, f"{live[key]} run at the same time"
            await self.check_line(key, active, ready, delayed)
        await self.check_places([*active, *ready, *delayed])

    async def check_line(
        self, key: str, active: list[str], ready: list[str], delayed: dict[str, int]
    ) -> None:
        """M: the line as it should be."""
        line = await self.line(key)
        known = [job for job in self.lines[key] if job in line]
        self.lines[key] = known + [job for job in line if job not in known]
        check(line, self.lines[key])
        assert not self.skips & set(line), "one that skips stands in line"
        for job in delayed:
            if self.key_of[job] == key and "ats" not in await self.driver.fields(job):
                assert job in line, f"{job} is set aside, and in no line"
        if line and line[0] in delayed:
            holder = (await self.driver.call("HGET", self.driver.keys.key("holders"), key) or "x").split()[-1]
            assert holder in active or holder in self.taken, (
                f"{line[0]} was not called, though {holder} runs no more"
            )
            due_in = delayed[line[0]] // 4096 - self.driver.now
            assert due_in <= LOCK_MS + 10, f"{line[0]} looks in {due_in} ms"
        elif line:
            assert line[0] in ready, f"{line[0]} is first in line, and nowhere"

    async def check_places(self, places: list[str]) -> None:
        """Each job is in one place."""
        driver = self.driver
        ended = [*await driver.scores("completed"), *await driver.scores("failed")]
        check(sorted([*places, *ended]), sorted(self.key_of.keys() - self.gone))

    # --- a play -----------------------------------------------------------------------------------------

    async def run(self, steps: int) -> None:
        """Some steps, then everything ends, without anybody waiting to be healed."""
        acts: list[Any] = [
            self.add, self.add, self.claim, self.claim, self.claim, self.settle, self.settle, self.settle, self.renew,
            self.lose, self.tick, self.recover, self.recover_elsewhere, self.promote, self.remove,
        ]  # fmt: skip
        for _ in range(steps):
            await self.chance.choice(acts)()
            await self.check_all()
        began = self.driver.now
        while self.key_of.keys() - self.gone - set(await self.ended()):
            before = len(self.runs)
            await self.claim()
            for run in self.runs[before:] or self.runs:
                deferred = (await self.driver.fields(str(run.wire_id))).get("defa")
                await self.driver.settle(end(run, Verb.FAIL if deferred else Verb.COMPLETE))
            if len(self.runs) == before:
                self.driver.now += LOCK_MS + 1
                await self.recover()
            assert self.driver.now - began < 50 * LOCK_MS, "somebody waits for an hour"
            await self.check_all()

    async def ended(self) -> list[str]:
        """Who has an outcome."""
        return [*await self.driver.scores("completed"), *await self.driver.scores("failed")]
