"""Parents: what the end of a child does to its parent (wire format §11: ChildDone, ChildFailed, Unlink).

Parents are written as another client would write them: Corral makes none yet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from corral.engine.record import Refusal, Verb
from corral.engine.recover import Held
from tests.engine.driver import Driver, end, new_job


@dataclass
class Family:
    """A parent `p` with children `a` and `b`, the parent in a queue of its own."""

    driver: Driver

    @property
    def base(self) -> str:
        """What the keys of the parent's queue begin with."""
        return f"{self.driver.keys.prefix}:{self.driver.keys.queue}-parents:"

    @property
    def parent(self) -> str:
        """The parent's key."""
        return self.base + "p"

    async def found(self, policy: str = "", *, delay: int = 0, priority: int = 0) -> None:
        """Write the parent, then add its two children with a policy (`fpof`, `cpof`, `idof`, `rdof` or none)."""
        call, keys = self.driver.call, self.driver.keys
        await call(
            "HSET", self.parent, "name", "p", "data", "{}", "opts", "{}", "delay", delay, "priority", priority
        )
        await call("ZADD", self.base + "waiting-children", 1, "p")
        known = {"id": "p", "queueKey": self.base[:-1], **({policy: True} if policy else {})}
        for child in "ab":
            await self.driver.add(child)
            await call("HSET", keys.job(child), "parentKey", self.parent, "parent", json.dumps(known))
            await call("SADD", self.parent + ":dependencies", keys.job(child))

    async def ready(self) -> list[str]:
        """Ids of the parent's queue that may run, the next first."""
        call = self.driver.call
        waiting = await call("LRANGE", self.base + "wait", 0, -1)
        return [*waiting[::-1], *await call("ZRANGE", self.base + "prioritized", 0, -1)]

    async def still_waits(self) -> bool:
        """Whether the parent waits for its children."""
        return bool(await self.driver.call("ZSCORE", self.base + "waiting-children", "p"))

    async def hash_of(self, part: str) -> dict[str, str]:
        """A hash beside the parent's own, keyed by the children's ids."""
        found = await self.driver.fields(f"{self.parent}:{part}")
        return {key.rpartition(":")[2]: value for key, value in found.items()}

    async def events(self) -> list[dict[str, str]]:
        """The events of the parent's queue."""
        rows = await self.driver.call("XRANGE", self.base + "events", "-", "+")
        return [dict(zip(flat[::2], flat[1::2], strict=True)) for _, flat in rows]


@pytest.fixture
def family(driver: Driver) -> Family:
    """A family to be."""
    return Family(driver)


async def test_the_last_child_releases_the_parent(family: Family, driver: Driver) -> None:
    """Results collect in `processed`; the parent runs when the last child has completed, not before."""
    await family.found()
    a, b = await driver.take(2)
    await driver.settle(end(a, text="1"))
    assert await family.still_waits()
    await driver.settle(end(b, text='"two"'))
    assert not await family.still_waits()
    assert await family.ready() == ["p"]
    assert await family.hash_of("processed") == {"a": "1", "b": '"two"'}
    assert await family.events() == [{"event": "waiting", "jobId": "p", "prev": "waiting-children"}]
    assert await driver.call("ZSCORE", family.base + "marker", "0") == "0"


async def test_a_released_parent_runs_next(family: Family, driver: Driver) -> None:
    """Without priority it goes before what waits in its queue."""
    await driver.call("LPUSH", family.base + "wait", "x")
    await family.found()
    await driver.settle(*(end(run) for run in await driver.take(2)))
    assert await family.ready() == ["p", "x"]


async def test_a_parents_priority_and_delay(family: Family, driver: Driver) -> None:
    """A released parent goes where its own options send it."""
    await family.found(priority=3)
    await driver.settle(*(end(run) for run in await driver.take(2)))
    assert await driver.call("ZRANGE", family.base + "prioritized", 0, -1) == ["p"]


async def test_a_delayed_parent(family: Family, driver: Driver) -> None:
    """Its delay counts from its release, and the marker of its queue says when."""
    await family.found(delay=700)
    await driver.settle(*(end(run) for run in await driver.take(2)))
    due = driver.now + 700
    assert await driver.call("ZSCORE", family.base + "delayed", "p") == str(due * 4096)
    assert await family.events() == [{"event": "delayed", "jobId": "p", "delay": str(due)}]
    assert await driver.call("ZSCORE", family.base + "marker", "1") == str(due)


async def test_a_paused_queue_of_the_parent(family: Family, driver: Driver) -> None:
    """Released into a paused queue a parent wakes nobody; where BullMQ 5 paused it, it is parked."""
    await driver.call("HSET", family.base + "meta", "paused", 1, "version", "bullmq:5.1.0")
    await family.found()
    await driver.settle(*(end(run) for run in await driver.take(2)))
    assert await driver.call("LRANGE", family.base + "paused", 0, -1) == ["p"]
    assert await driver.call("EXISTS", family.base + "marker") == 0


class TestAChildFails:
    """The policy stands in the child's `parent` JSON."""

    async def fail_first(self, family: Family, driver: Driver, policy: str, **options: int) -> None:
        """The first child fails for good, the second goes on."""
        await family.found(policy, **options)
        a, _ = await driver.take(2)
        await driver.settle(end(a, Verb.FAIL, "why"))

    async def test_no_policy(self, family: Family, driver: Driver) -> None:
        """The parent goes on waiting, for the child too: somebody may retry it."""
        await self.fail_first(family, driver, "")
        assert await family.still_waits()
        left = await driver.call("SMEMBERS", family.parent + ":dependencies")
        assert driver.keys.job("a") in left

    async def test_fpof(self, family: Family, driver: Driver) -> None:
        """The parent is run through a worker only to be failed: `defa` says which child."""
        await self.fail_first(family, driver, "fpof")
        assert await family.ready() == ["p"]
        stored = await driver.fields(family.parent)
        assert stored["defa"] == f"child {driver.keys.job('a')} failed"
        unsuccessful = await driver.call("ZRANGE", family.parent + ":unsuccessful", 0, -1)
        assert unsuccessful == [driver.keys.job("a")]

    async def test_fpof_of_a_delayed_parent(self, family: Family, driver: Driver) -> None:
        """A parent that was delayed is taken out and fails at once."""
        await family.found("fpof", delay=900)
        await driver.call("ZREM", family.base + "waiting-children", "p")
        await driver.call("ZADD", family.base + "delayed", 1, "p")
        a, _ = await driver.take(2)
        await driver.settle(end(a, Verb.FAIL, "why"))
        assert await family.ready() == ["p"]
        assert (await driver.fields(family.parent))["delay"] == "0"

    async def test_fpof_of_a_failed_parent(self, family: Family, driver: Driver) -> None:
        """A parent that has failed already is not touched again."""
        await family.found("fpof")
        await driver.call("ZREM", family.base + "waiting-children", "p")
        await driver.call("ZADD", family.base + "failed", 1, "p")
        a, _ = await driver.take(2)
        await driver.settle(end(a, Verb.FAIL, "why"))
        assert "defa" not in await driver.fields(family.parent)

    async def test_fpof_of_a_parent_that_is_gone(self, family: Family, driver: Driver) -> None:
        """A parent that was removed does not come back as half a hash, nor what belongs to it."""
        await family.found("fpof")
        await driver.call("DEL", family.parent)
        a, _ = await driver.take(2)
        assert await driver.settle(end(a, Verb.FAIL, "why")) == [0]
        assert await driver.fields(family.parent) == {}
        assert await driver.call("EXISTS", family.parent + ":unsuccessful") == 0

    async def test_cpof(self, family: Family, driver: Driver) -> None:
        """The parent runs at once, with the reason in `failed`, other children or not."""
        await self.fail_first(family, driver, "cpof")
        assert await family.ready() == ["p"]
        assert await family.hash_of("failed") == {"a": "why"}

    async def test_idof(self, family: Family, driver: Driver) -> None:
        """The child no longer counts; its reason is kept; the parent waits for the others."""
        await self.fail_first(family, driver, "idof")
        assert await family.still_waits()
        assert await family.hash_of("failed") == {"a": "why"}
        await driver.settle(end(await self.second(driver), text="2"))
        assert await family.ready() == ["p"]

    async def test_rdof(self, family: Family, driver: Driver) -> None:
        """The child is forgotten; the parent waits for the others."""
        await self.fail_first(family, driver, "rdof")
        assert await family.still_waits()
        assert await family.hash_of("failed") == {}
        assert await driver.call("SMEMBERS", family.parent + ":dependencies") == [driver.keys.job("b")]

    async def second(self, driver: Driver) -> Held:
        """The run of `b`, found by its lock."""
        fields = await driver.fields("b")
        token = await driver.call("GET", driver.keys.job("b") + ":lock")
        return Held("b", token, f"1:{fields['timestamp']}")

    @pytest.mark.parametrize("text", ["{", "[]", '"x"', "null"])
    async def test_a_parent_text_that_cannot_be_read(self, family: Family, driver: Driver, text: str) -> None:
        """A child whose `parent` is not what it should be ends all the same, as one without policy."""
        await family.found("fpof")
        await driver.call("HSET", driver.keys.job("a"), "parent", text)
        a, _ = await driver.take(2)
        assert await driver.settle(end(a, Verb.FAIL, "why")) == [0]
        assert await family.still_waits()


async def test_children_removed_at_their_end(family: Family, driver: Driver) -> None:
    """A child that is not kept still releases its parent, once."""
    await family.found()
    a, b = await driver.take(2)
    await driver.settle(end(a, keep=0), end(b, Verb.FAIL, "x", keep=0))
    assert await family.ready() == ["p"]
    assert await family.hash_of("processed") == {"a": "null"}


async def test_a_parent_with_children_does_not_complete(driver: Driver) -> None:
    """A run that added children cannot complete before them (-4), nor after one that must fail it (-9)."""
    await driver.add("p")
    run = await driver.take_one()
    await driver.call("SADD", driver.keys.job("p") + ":dependencies", driver.keys.job("a"))
    await driver.call("ZADD", driver.keys.job("p") + ":unsuccessful", 1, driver.keys.job("b"))
    before = await driver.bytes_of_all()
    assert await driver.settle(end(run)) == [Refusal.CHILDREN_PENDING]
    assert await driver.bytes_of_all() == before
    await driver.call("DEL", driver.keys.job("p") + ":dependencies")
    assert await driver.settle(end(run)) == [Refusal.CHILDREN_FAILED]
    assert await driver.settle(end(run, Verb.FAIL, "children")) == [0]


async def test_sent_again_the_parent_hears_once(family: Family, driver: Driver) -> None:
    """A child's end that is sent again tells its parent nothing twice."""
    await family.found()
    a, b = await driver.take(2)
    claim = driver.a_claim(0, "w", 1)
    await driver.commit(end(a), end(b), claim=claim)
    before = await driver.bytes_of_all()
    await driver.commit(end(a), end(b), claim=claim)
    assert await driver.bytes_of_all() == before


async def test_wrong_types_around_a_parent(family: Family, driver: Driver) -> None:
    """A parent whose key is no hash is released as one without options; the child's end is stored."""
    await family.found()
    await driver.call("SET", family.parent, "bytes")
    runs = await driver.take(2)
    assert await driver.settle(*(end(run) for run in runs)) == [0, 0]
    assert await family.ready() == ["p"]


async def test_same_queue(driver: Driver) -> None:
    """Parent and child may share a queue: the released parent can be claimed in the same call."""
    await driver.add("a")
    await driver.call("HSET", driver.keys.job("p"), "name", "p", "data", "{}")
    await driver.call("ZADD", driver.keys.key("waiting_children"), 1, "p")
    await driver.call("SADD", driver.keys.job("p") + ":dependencies", driver.keys.job("a"))
    await driver.call("HSET", driver.keys.job("a"), "parentKey", driver.keys.job("p"))
    run = await driver.take_one()
    reply = await driver.commit(end(run), claim=driver.a_claim(1))
    assert [job.wire_id for job in reply.jobs] == [b"p"]
    assert await driver.add(new_job("p", own_id=True)) == [1]
