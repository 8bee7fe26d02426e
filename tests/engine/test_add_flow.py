"""Adding a flow: trees of jobs over several queues, all of it or nothing (wire format §§12, 13, 24)."""

from __future__ import annotations

import json

import pytest

from corral.engine.control_cancel import cancel_job
from corral.engine.enqueue import MAX_NODES, FlowAdded
from corral.engine.record import Refusal, Verb
from tests.engine.driver import Driver, end, new_job
from tests.engine.flows import add, dependencies, family, new_node


async def test_a_parent_waits_for_its_children(driver: Driver) -> None:
    """The parent is stored and waits; its children are ready, each knowing its parent."""
    parent = await family(driver, "fpof")
    assert await driver.scores("waiting_children") == {"p": driver.now}
    assert await driver.waiting() == ["a", "b"]
    assert await dependencies(driver, "p") == {"a", "b"}
    stored = await driver.fields("a")
    assert stored["parentKey"] == driver.keys.job("p")
    assert json.loads(stored["parent"]) == {"id": "p", "queueKey": parent.base[:-1], "fpof": True}
    assert (await driver.fields("p"))["timestamp"] == str(driver.now)


async def test_events(driver: Driver) -> None:
    """Each job is added, the parent before its children; the parent enters waiting-children, the others wait."""
    await family(driver)
    assert await driver.events() == [
        {"event": "added", "jobId": "p", "name": "n"},
        {"event": "waiting-children", "jobId": "p"},
        {"event": "added", "jobId": "a", "name": "n"},
        {"event": "waiting", "jobId": "a"},
        {"event": "added", "jobId": "b", "name": "n"},
        {"event": "waiting", "jobId": "b"},
    ]
    assert await driver.call("GET", driver.keys.key("id")) == "3"


async def test_several_queues(driver: Driver) -> None:
    """Each job goes to its own queue, which is made known and woken."""
    other = driver.keys.queue + "-ship"
    parent = new_node(driver, "p", has_children=True)
    child = new_node(driver, "a", parent, queue=other)
    await add(driver, parent, child)
    ship = driver.server.keys(other)
    assert await driver.call("LRANGE", ship.key("wait"), 0, -1) == ["a"]
    assert await driver.call("ZSCORE", ship.key("marker"), "0") == "0"
    assert (await driver.fields(ship.key("meta")))["version"] == "corral"
    assert await driver.call("EXISTS", driver.keys.key("marker")) == 0
    assert await driver.call("SMEMBERS", driver.keys.job("p") + ":dependencies") == [ship.job("a")]


async def test_where_children_go(driver: Driver) -> None:
    """Children are ready, at the front, delayed or prioritized, as they would be without a parent."""
    parent = new_node(driver, "p", has_children=True)
    await add(
        driver, parent,
        new_node(driver, "a", parent), new_node(driver, "b", parent, lifo=True),
        new_node(driver, "c", parent, delay=50), new_node(driver, "d", parent, priority=2),
        new_node(driver, "e", parent, due=driver.now + 70),
    )  # fmt: skip
    assert await driver.waiting() == ["b", "a"]
    assert await driver.scores("delayed") == {"c": (driver.now + 50) * 4096, "e": (driver.now + 70) * 4096}
    assert list(await driver.scores("prioritized")) == ["d"]


@pytest.mark.parametrize(("delay", "priority"), [(700, 0), (0, 3)])
async def test_a_parents_options_hold_from_its_release(driver: Driver, delay: int, priority: int) -> None:
    """A parent's delay and priority apply when its last child has ended."""
    await family(driver, children="a", delay=delay, priority=priority)
    assert await driver.scores("delayed") == await driver.scores("prioritized") == {}
    driver.now += 10_000
    await driver.settle(end(await driver.take_one()))
    where = "delayed" if delay else "prioritized"
    assert list(await driver.scores(where)) == ["p"]


async def test_a_tree_runs_from_its_leaves(driver: Driver) -> None:
    """A parent may be a child itself: each level runs when the one below has ended."""
    top = new_node(driver, "top", has_children=True)
    middle = new_node(driver, "middle", top, has_children=True)
    await add(driver, top, middle, new_node(driver, "leaf", middle))
    for expected in ("leaf", "middle", "top"):
        run = await driver.take_one()
        assert run.wire_id == expected
        await driver.settle(end(run, text=f'"{expected}"'))
    assert await driver.fields(driver.keys.job("top") + ":processed") == {
        driver.keys.job("middle"): '"middle"'
    }


async def test_the_order_of_children_is_kept(driver: Driver) -> None:
    """A field of Corral's own has the children in the order in which they were added, with their names."""
    parent = await family(driver, children="cab")
    await add(driver, new_node(driver, "d", driver.keys.job("p"), name='with "quotes"'))
    listed = json.loads(f"[{(await driver.fields(parent.wire_id))['children']}]")
    assert listed == [["c", "n"], ["a", "n"], ["b", "n"], ["d", 'with "quotes"']]


async def test_sent_again(driver: Driver) -> None:
    """The same call sent again adds nothing and gives the same answers."""
    parent = new_node(driver, "p", has_children=True)
    nodes = (parent, new_node(driver, "a", parent))
    first = await add(driver, *nodes, sender="s", number=1)
    before = await driver.bytes_of_all()
    assert await add(driver, *nodes, sender="s", number=1) == first
    assert await driver.bytes_of_all() == before


@pytest.mark.parametrize(
    "parent_id", ["report:ada:2026", "repeat:s:1800000000000", "repeat:eu:s:1800000000000"]
)
async def test_an_id_of_several_parts(driver: Driver, parent_id: str) -> None:
    """A parent whose id has colons, as that of a scheduled run has, is released into its own queue."""
    parent = new_node(driver, parent_id, has_children=True)
    child = new_node(driver, "a", parent)._replace(parent_key=driver.keys.job(parent_id))
    await add(driver, parent, child)
    await driver.settle(end(await driver.take_one()))
    assert await driver.waiting() == [parent_id]


class TestJobsThatExist:
    """Custom ids: what is there already is taken as it is."""

    async def test_a_child_that_has_not_ended(self, driver: Driver) -> None:
        """It becomes a child, its data untouched, and the parent waits for it."""
        await driver.add(new_job("a", data='"old"'))
        await driver.forget_events()
        parent = new_node(driver, "p", has_children=True)
        added = await add(driver, parent, new_node(driver, "a", parent, own_id=True, data='"new"'))
        assert added.answers == [0, 1]
        stored = await driver.fields("a")
        assert (stored["data"], stored["parentKey"]) == ('"old"', driver.keys.job("p"))
        assert await driver.events("duplicated") == [{"event": "duplicated", "jobId": "a"}]
        await driver.settle(end(await driver.take_one(), text="1"))
        assert await driver.waiting() == ["p"]

    async def test_a_completed_child(self, driver: Driver) -> None:
        """Its result counts, and the parent waits only for the others."""
        await driver.add("a")
        await driver.settle(end(await driver.take_one(), text="7"))
        parent = new_node(driver, "p", has_children=True)
        done, new = new_node(driver, "a", parent, own_id=True), new_node(driver, "b", parent)
        await add(driver, parent, done, new)
        assert await dependencies(driver, "p") == {"b"}
        assert await driver.fields(driver.keys.job("p") + ":processed") == {driver.keys.job("a"): "7"}
        assert await driver.waiting() == ["b"]

    async def test_all_children_have_completed(self, driver: Driver) -> None:
        """A parent that waits for nobody is released at the end of the call, and only then."""
        await driver.add("a", "b")
        await driver.settle(*(end(run) for run in await driver.take(2)))
        parent = new_node(driver, "p", has_children=True, priority=1)
        await add(driver, parent, *(new_node(driver, child, parent, own_id=True) for child in "ab"))
        assert list(await driver.scores("prioritized")) == ["p"]
        assert await driver.scores("waiting_children") == {}

    async def test_a_failed_child(self, driver: Driver) -> None:
        """Its policy applies at once, so that no parent waits for what has ended; without one the parent waits."""
        for child in "abcd":
            await driver.add(child)
            await driver.settle(end(await driver.take_one(), Verb.FAIL, f"why {child}"))
        for child, policy in zip("abcd", ("fpof", "cpof", "idof", ""), strict=True):
            parent = new_node(driver, f"p{child}", has_children=True)
            await add(driver, parent, new_node(driver, child, parent, own_id=True, policy=policy))
        assert await driver.waiting() == ["pc", "pb", "pa"]
        assert (await driver.fields("pa"))["defa"] == f"child {driver.keys.job('a')} failed"
        assert await driver.fields(driver.keys.job("pb") + ":failed") == {driver.keys.job("b"): "why b"}
        assert await driver.fields(driver.keys.job("pc") + ":failed") == {driver.keys.job("c"): "why c"}
        assert list(await driver.scores("waiting_children")) == ["pd"]

    async def test_the_same_flow_again(self, driver: Driver) -> None:
        """While its parent waits, nothing is added that the parent knows; a further child is."""
        parent = new_node(driver, "p", has_children=True, own_id=True)
        known = [new_node(driver, child, parent, own_id=True) for child in "ab"]
        await add(driver, parent, *known)
        await driver.settle(end(await driver.take_one(), keep=0))
        again = await add(driver, parent, *known, new_node(driver, "c", parent, own_id=True))
        assert again.answers == [1, 1, 1, 0]
        assert await dependencies(driver, "p") == {"b", "c"}
        assert await driver.fields("a") == {}

    async def test_a_parent_that_has_begun_takes_no_children(self, driver: Driver) -> None:
        """The same flow added again after its parent was released adds nothing, down to the leaves."""
        await driver.add(new_job("p", own_id=True))
        parent = new_node(driver, "p", has_children=True, own_id=True)
        middle = new_node(driver, "m", parent, has_children=True)
        before = await driver.call("DBSIZE")
        assert (await add(driver, parent, middle, new_node(driver, "a", middle))).answers == [1, 1, 1]
        assert await driver.call("DBSIZE") == before
        assert await driver.waiting() == ["p"]


class TestRefusals:
    """Whatever is refused has changed nothing."""

    async def refused(self, driver: Driver, *nodes: object, run: object = None) -> tuple[Refusal, int]:
        """Add a flow that is refused, and compare all keys."""
        before = await driver.bytes_of_all()
        added = await add(driver, *nodes, run=run, sender="s", number=1)  # type: ignore[arg-type]
        assert await driver.bytes_of_all() == before
        return Refusal(added.code), added.place

    async def test_no_parent(self, driver: Driver) -> None:
        """A child of a job that is not there (-5)."""
        child = new_node(driver, "a", driver.keys.job("gone"))
        assert await self.refused(driver, child) == (Refusal.NO_PARENT, 0)

    async def test_a_parent_that_does_not_wait(self, driver: Driver) -> None:
        """A child for a job that is about to run (-3): it could complete without it."""
        await driver.add("p")
        assert await self.refused(driver, new_node(driver, "a", driver.keys.job("p"))) == (
            Refusal.NOT_ACTIVE,
            0,
        )

    async def test_a_child_of_another(self, driver: Driver) -> None:
        """A job that has a parent keeps it (-7), as long as that one is there."""
        await family(driver)
        parent = new_node(driver, "q", has_children=True)
        nodes = (parent, new_node(driver, "x", parent), new_node(driver, "a", parent, own_id=True))
        assert await self.refused(driver, *nodes) == (Refusal.OTHER_PARENT, 2)
        await driver.call("DEL", driver.keys.job("p"))
        assert (await add(driver, *nodes)).answers == [0, 0, 1]

    async def test_a_circle(self, driver: Driver) -> None:
        """A job cannot wait for itself, over whatever jobs between (-20)."""
        top = new_node(driver, "top", has_children=True)
        middle = new_node(driver, "middle", top, has_children=True)
        leaf = new_node(driver, "leaf", middle, has_children=True)
        await add(driver, top, middle, leaf, new_node(driver, "a", leaf))
        below = new_node(driver, "b", driver.keys.job("leaf"), has_children=True)
        circle = new_node(driver, "top", below, own_id=True)
        assert await self.refused(driver, below, circle) == (Refusal.ABOVE_ITSELF, 1)

    async def test_too_deep(self, driver: Driver) -> None:
        """How far up is looked for a circle is bounded (-22); each job above is looked at once (see below)."""
        await self.grow(driver, 1001)
        await driver.add("x")
        child = new_node(driver, "x", driver.keys.job("j1000"), own_id=True)
        assert await self.refused(driver, child) == (Refusal.TOO_DEEP, 0)
        await driver.call("DEL", driver.keys.job("j0"))
        assert (await add(driver, child._replace(parent_key=driver.keys.job("j900")))).answers == [1]

    async def test_many_jobs_far_below(self, driver: Driver) -> None:
        """What is above several nodes is looked at once."""
        await self.grow(driver, 900)
        ids = [f"x{number}" for number in range(MAX_NODES)]
        await driver.add(*ids)
        nodes = [new_node(driver, wire_id, driver.keys.job("j899"), own_id=True) for wire_id in ids]
        await driver.call("CONFIG", "RESETSTAT")
        assert (await add(driver, *nodes)).answers == [1] * MAX_NODES
        told = await driver.call("INFO", "commandstats")
        hmget = next(line for line in told.splitlines() if line.startswith("cmdstat_hmget:"))
        assert int(hmget.partition("calls=")[2].partition(",")[0]) < 2000

    async def grow(self, driver: Driver, depth: int) -> None:
        """A chain of parents that wait: `j0` on top."""
        for number in range(depth):
            key = driver.keys.job(f"j{number}")
            above = ("parentKey", driver.keys.job(f"j{number - 1}")) if number else ()
            await driver.call("HSET", key, "name", "n", "data", "{}", *above)
            await driver.call("ZADD", driver.keys.key("waiting_children"), 1, f"j{number}")

    async def test_a_superseded_run(self, driver: Driver) -> None:
        """A run that is over adds no children to its job."""
        await driver.add("p")
        run = await driver.take_one()
        child = new_node(driver, "a", driver.keys.job("p"))
        stale = run._replace(fence="9:")
        assert await self.refused(driver, child, run=stale) == (Refusal.SUPERSEDED, -1)
        other = run._replace(token="somebody else's")
        assert await self.refused(driver, child, run=other) == (Refusal.HELD_BY_ANOTHER, -1)
        gone = run._replace(wire_id="gone")
        assert await self.refused(driver, child, run=gone) == (Refusal.NO_JOB, -1)
        await driver.settle(end(run, Verb.DELAY, amount=5_000))
        assert await self.refused(driver, child, run=run) == (Refusal.SUPERSEDED, -1)

    async def test_a_cancelled_run(self, driver: Driver) -> None:
        """Nor does one whose job was cancelled meanwhile: who cancelled the children has not seen these."""
        await driver.add("p")
        run = await driver.take_one()
        await cancel_job(driver.server, driver.keys, "p", "cancelled: no", clock=driver.now)
        child = new_node(driver, "a", driver.keys.job("p"))
        assert await self.refused(driver, child, run=run) == (Refusal.SUPERSEDED, -1)
        assert await driver.waiting() == []


async def test_children_of_a_running_job(driver: Driver) -> None:
    """A run adds children to its own job: a whole tree, and the same one again adds nothing."""
    await driver.add("p")
    run = await driver.take_one()
    child = new_node(driver, "a", driver.keys.job("p"), own_id=True, has_children=True)
    leaf = new_node(driver, "leaf", child, own_id=True)
    assert (await add(driver, child, leaf, run=run)).answers == [0, 0]
    assert (await add(driver, child, leaf, run=run)).answers == [1, 1]
    assert await dependencies(driver, "p") == {"a"}
    assert await driver.active() == ["p"]


async def test_a_root_with_a_deduplication_id(driver: Driver) -> None:
    """A flow whose root is deduplicated is not added at all; its owner's id is the answer."""
    parent = new_node(driver, "p", has_children=True, rule={"id": "d"})
    await add(driver, parent, new_node(driver, "a", parent))
    second = new_node(driver, "p2", has_children=True, rule={"id": "d"})
    middle = new_node(driver, "m", second, has_children=True)
    added = await add(driver, second, middle, new_node(driver, "b", middle))
    assert added.answers == [b"p", 1, 1]
    assert await driver.waiting() == ["a"]
    assert (await driver.fields("p"))["deid"] == "d"


async def test_a_paused_queue_of_version_5(driver: Driver) -> None:
    """Children of a queue that BullMQ 5 paused are parked, and wake nobody."""
    await driver.call("HSET", driver.keys.key("meta"), "paused", 1, "version", "bullmq:5.1.0")
    await family(driver)
    assert await driver.call("LRANGE", driver.keys.key("paused"), 0, -1) == ["b", "a"]
    assert await driver.call("EXISTS", driver.keys.key("marker")) == 0


async def test_a_key_that_is_no_hash(driver: Driver) -> None:
    """A custom id whose key holds something else is taken as a job that is there; nothing is half added."""
    await driver.call("SET", driver.keys.job("a"), "bytes")
    parent = new_node(driver, "p", has_children=True)
    assert (await add(driver, parent, new_node(driver, "a", parent, own_id=True))) == FlowAdded(0, -1, [0, 1])
