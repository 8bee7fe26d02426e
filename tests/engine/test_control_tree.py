"""A job goes with all below it: at once where that is little, in steps where it is much (wire format §20)."""

from __future__ import annotations

from typing import Any

import pytest

from corral.engine import browse_pages, control_tree
from corral.engine.control import Removal
from corral.engine.control_tree import CHILDREN_PER_CALL, TreeRemoval
from corral.engine.keys import QueueKeys
from corral.engine.record import Refusal
from corral.engine.sender import Sender
from corral.errors import ServerUnavailable
from tests.engine.driver import Driver, end
from tests.engine.lines import LENGTH, fill

MANY = 2 * CHILDREN_PER_CALL + 50


class Tree:
    """Jobs below jobs, built key by key as a flow leaves them."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.steps: list[int] = []

    async def root(self, wire_id: str) -> None:
        """A parent that waits for its children."""
        key = self.driver.keys.job(wire_id)
        await self.driver.call("HSET", key, "name", "p", "data", "{}")
        await self.driver.call("ZADD", self.driver.keys.key("waiting_children"), 1, wire_id)

    async def below(
        self, parent: str, *children: str, part: str = "dependencies", waits: bool = True
    ) -> None:
        """Children of a job: waiting ones, or parents themselves."""
        keys = self.driver.keys
        for child in children:
            if waits:
                await self.driver.add(child)
            else:
                await self.root(child)
            await self.driver.call("HSET", keys.job(child), "parentKey", keys.job(parent))
        await self.list_below(parent, part, [keys.job(child) for child in children])

    async def list_below(self, parent: str, part: str, members: list[str]) -> None:
        """Put children on one of the lists of their parent."""
        keys = self.driver.keys
        for first in range(0, len(members), 1000):
            chunk = members[first : first + 1000]
            if part == "dependencies":
                await self.driver.call("SADD", f"{keys.job(parent)}:{part}", *chunk)
            elif part == "unsuccessful":
                pairs = [word for member in chunk for word in (1, member)]
                await self.driver.call("ZADD", f"{keys.job(parent)}:{part}", *pairs)
            else:
                pairs = [word for member in chunk for word in (member, "1")]
                await self.driver.call("HSET", f"{keys.job(parent)}:{part}", *pairs)

    async def remove(self, wire_id: str, *, fail_after: int = 0) -> Removal:
        """Remove a job with all below it; fewer steps than it takes when `fail_after` is given."""
        self.steps = []

        def told(count: int) -> None:
            self.steps.append(count)
            if fail_after and len(self.steps) == fail_after:
                raise ServerUnavailable("here", 1, "interrupted")

        server = self.driver.server
        return await TreeRemoval(server, self.driver.keys, Sender(server), told).remove(
            self.driver.keys, wire_id
        )

    async def left(self) -> set[str]:
        """The suffixes of all keys of the queue that are about jobs."""
        base = self.driver.keys.base
        found = await self.driver.call("KEYS", f"{base}*")
        own = {"wait", "marker", "events", "id", "meta", "waiting-children", "active", "pc", "repeat"}
        return {key.removeprefix(base) for key in found} - own


@pytest.fixture
def tree(driver: Driver) -> Tree:
    """A queue of trees."""
    return Tree(driver)


async def test_all_below_goes(tree: Tree, driver: Driver) -> None:
    """Children of every kind and their children go with the job; others stay; nobody is released on the way."""
    await tree.root("p")
    await tree.below("p", "a", "b")
    await tree.below("p", "done", part="processed")
    await tree.below("p", "ignored", part="failed")
    await tree.below("p", "broke", part="unsuccessful")
    await tree.below("p", "q", waits=False)
    await tree.below("q", "c", "d")
    await driver.add("other")
    assert await tree.remove("p") == (1, 9)
    assert await tree.left() == {"other"}
    assert await driver.waiting() == ["other"]
    assert len(await driver.events("removed")) == 9
    assert [event["jobId"] for event in await driver.events("waiting")].count("p") == 0


@pytest.mark.parametrize("many", [0, MANY])
async def test_a_worker_below(tree: Tree, driver: Driver, many: int) -> None:
    """While a worker holds one of them, at any depth, nothing is changed, and the answer names it."""
    await tree.root("p")
    await tree.below("p", "q", waits=False)
    await tree.below("q", "held")
    await driver.take_one()
    await tree.below("p", *(f"c{number}" for number in range(many)))
    before = await driver.bytes_of_all()
    assert await tree.remove("p") == (0, driver.keys.job("held").encode())
    assert await driver.bytes_of_all() == before


async def test_the_next_run_of_a_schedule_below(tree: Tree, driver: Driver) -> None:
    """The pending iteration of a schedule is not removed, wherever it stands."""
    await tree.root("p")
    wire_id = f"repeat:s:{driver.now}"
    await tree.below("p", wire_id)
    await driver.call("HSET", driver.keys.job(wire_id), "rjk", "s")
    await driver.call("ZADD", driver.keys.key("repeat_"), driver.now, "s")
    before = await driver.bytes_of_all()
    assert await tree.remove("p") == (Refusal.SCHEDULED, driver.keys.job(wire_id).encode())
    assert await driver.bytes_of_all() == before


async def test_children_in_other_queues(tree: Tree, driver: Driver) -> None:
    """A child is removed where it lives, and its own queue hears of it."""
    other = Driver(driver.server, driver.link, QueueKeys(driver.keys.prefix, driver.keys.queue + "-2"))
    await tree.root("p")
    await other.add("x", "y")
    await driver.call("HSET", other.keys.job("x"), "parentKey", driver.keys.job("p"))
    await driver.call("SADD", driver.keys.job("p") + ":dependencies", other.keys.job("x"))
    assert await tree.remove("p") == (1, 2)
    assert await other.waiting() == ["y"]
    assert await other.events("removed") == [{"event": "removed", "jobId": "x", "prev": "wait"}]


async def test_a_child_that_went_elsewhere(tree: Tree, driver: Driver) -> None:
    """A job that belongs to another parent by now is left alone."""
    await tree.root("p")
    await tree.below("p", "a")
    await driver.call("HSET", driver.keys.job("a"), "parentKey", driver.keys.job("new"))
    assert await tree.remove("p") == (1, 1)
    assert await driver.waiting() == ["a"]


async def test_the_parent_above(tree: Tree, driver: Driver) -> None:
    """The parent of the job that was removed waits for it no longer."""
    await tree.root("top")
    await tree.below("top", "p", waits=False)
    await tree.below("p", "a")
    assert await tree.remove("p") == (1, 2)
    assert await driver.waiting() == ["top"]


@pytest.mark.parametrize("wire_id", ["a:b:c", "repeat:eu:west:1:1800000000000"])
async def test_an_id_of_several_parts(tree: Tree, driver: Driver, wire_id: str) -> None:
    """A child that goes by a call of its own is found by its key, whatever its id looks like."""
    await tree.root("p")
    await tree.below("p", wire_id, waits=False)
    await tree.below(wire_id, *(f"c{number}" for number in range(MANY)))
    assert (await tree.remove("p")).code == 1
    assert await tree.left() == set()


class TestLarge:
    """What is too much for one call goes in steps."""

    async def grow(self, tree: Tree) -> set[str]:
        """A tree of three levels, larger than two calls."""
        await tree.root("p")
        await tree.below("p", *(f"a{number}" for number in range(MANY)))
        await tree.below("p", *(f"d{number}" for number in range(5)), part="processed")
        await tree.below("p", "q", "r", waits=False)
        await tree.below("q", "s", waits=False)
        await tree.below("s", *(f"b{number}" for number in range(MANY)))
        await tree.below("r", "c")
        return await tree.left()

    async def test_all_goes(self, tree: Tree, driver: Driver) -> None:
        """Nothing is left of it, each job said so once, and no call removed more than its share."""
        await self.grow(tree)
        assert (await tree.remove("p")).code == 1
        assert await tree.left() == set()
        gone = [event["jobId"] for event in await driver.events("removed")]
        assert len(gone) == len(set(gone)) == 2 * MANY + 10 == tree.steps[-1]
        assert {event["jobId"] for event in await driver.events("waiting")} & {"p", "q", "r", "s"} == set()
        shares = [after - before for before, after in zip([0, *tree.steps], tree.steps, strict=False)]
        assert max(shares) <= 2 * CHILDREN_PER_CALL

    @pytest.mark.parametrize("many", [3_000, 20_000])
    @pytest.mark.parametrize("part", ["processed", "unsuccessful"])
    async def test_very_many(self, tree: Tree, driver: Driver, part: str, many: int) -> None:
        """However many have ended: none is left behind."""
        keys = driver.keys
        for first in range(0, many, 1000):
            ids = [f"c{number}" for number in range(first, first + 1000)]
            await driver.call("ZADD", keys.key("completed"), *(word for child in ids for word in (1, child)))
            children = [keys.job(child) for child in ids]
            create = "for _, key in ipairs(KEYS) do redis.call('HSET', key, 'parentKey', ARGV[1]) end"
            await driver.call("EVAL", create, len(children), *children, keys.job("p"))
            await tree.list_below("p", part, children)
        await driver.call("HSET", keys.job("p"), "name", "p")
        await driver.call("ZADD", keys.key("completed"), 1, "p")
        assert (await tree.remove("p")).code == 1
        assert tree.steps[-1] == many + 1
        assert await tree.left() == set()

    @pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 6])
    async def test_an_interruption(self, tree: Tree, driver: Driver, steps: int) -> None:
        """The same call goes on with what an interrupted one has left, wherever it stopped."""
        await self.grow(tree)
        with pytest.raises(ServerUnavailable):
            await tree.remove("p", fail_after=steps)
        assert (await tree.remove("p")).code in (1, Refusal.NO_JOB)
        assert await tree.left() == set()
        gone = [event["jobId"] for event in await driver.events("removed")]
        assert len(gone) == len(set(gone)) == 2 * MANY + 10

    async def test_what_starts_meanwhile(self, tree: Tree, driver: Driver) -> None:
        """A job that a worker takes while its tree goes is left to that worker, and all others go."""
        await self.grow(tree)
        with pytest.raises(ServerUnavailable):
            await tree.remove("p", fail_after=1)
        run = await driver.take_one()
        await driver.call("HSET", driver.keys.job("c"), "processedOn", 1)
        await driver.call("SET", driver.keys.job("c") + ":lock", "t")
        await tree.remove("p")
        held = {str(run.wire_id), "c"}
        assert await tree.left() == held | {f"{wire_id}:lock" for wire_id in held}
        assert await driver.settle(end(run)) == [0]

    async def test_nothing_to_go_on_with(self, tree: Tree, driver: Driver) -> None:
        """A job that never was is not taken for an interrupted removal."""
        assert (await tree.remove("nobody")).code == Refusal.NO_JOB
        assert await driver.bytes_of_all() == {}


class TestCycles:
    """A damaged tree that leads back to where it began: the removal ends, and each job goes once."""

    async def grow(self, tree: Tree, many: int, part: str) -> None:
        """Two jobs, each a child of the other, with others below them."""
        await tree.root("a")
        await tree.below("a", "b", part=part, waits=False)
        await tree.below("b", "a", part=part, waits=False)
        for parent in ("a", "b"):
            await tree.below(parent, *(f"{parent}{number}" for number in range(many)), part=part)

    @pytest.mark.parametrize("part", ["dependencies", "processed"])
    @pytest.mark.parametrize("many", [0, MANY])
    async def test_a_job(self, tree: Tree, many: int, part: str) -> None:
        """At once or in steps."""
        await self.grow(tree, many, part)
        assert (await tree.remove("a")).code == 1
        assert tree.steps[-1] == 2 + 2 * many
        assert await tree.left() == set()

    async def test_unprocessed_children(self, tree: Tree, driver: Driver) -> None:
        """The same for what has not ended."""
        await self.grow(tree, MANY, "dependencies")
        removal = TreeRemoval(driver.server, driver.keys, Sender(driver.server), lambda _: None)
        await removal.remove_unprocessed("a")
        assert await driver.waiting() == []


class TestUnprocessed:
    """Children that have not ended go, and the parent stays."""

    async def run(self, driver: Driver) -> int:
        """Remove the unprocessed children of `p`; how many jobs that were."""
        removal = TreeRemoval(driver.server, driver.keys, Sender(driver.server), lambda _: None)
        await removal.remove_unprocessed("p")
        return removal.count

    async def test_which(self, tree: Tree, driver: Driver) -> None:
        """Held and failed children stay, and finished ones are not asked."""
        await tree.root("p")
        await tree.below("p", "held", "broke")
        await driver.take(1)
        await driver.call("LREM", driver.keys.key("wait"), 0, "broke")
        await driver.call("ZADD", driver.keys.key("failed"), 1, "broke")
        await tree.below("p", "done", part="processed")
        await tree.below("p", "a", "b")
        await tree.below("p", "q", waits=False)
        await tree.below("q", "c")
        assert await self.run(driver) == 4
        kept = {driver.keys.job("held"), driver.keys.job("broke")}
        assert set(await driver.call("SMEMBERS", driver.keys.job("p") + ":dependencies")) == kept
        assert [*await driver.scores("waiting_children")] == ["p"]

    @pytest.mark.parametrize("many", [0, MANY])
    async def test_below_them(self, tree: Tree, driver: Driver, many: int) -> None:
        """What is below a child that goes is spared likewise, in one call or many: who runs, has failed or ended."""
        await tree.root("p")
        await tree.below("p", "q", waits=False)
        await tree.below("q", "s", waits=False)
        await tree.below("q", "held", "broke", *(f"a{number}" for number in range(many)))
        await tree.below("q", "done", part="processed")
        await tree.below("s", *(f"b{number}" for number in range(many)), "c", "late")
        await driver.call("SET", driver.keys.job("held") + ":lock", "t")
        await driver.call("SET", driver.keys.job("late") + ":lock", "t")
        await driver.call("LREM", driver.keys.key("wait"), 0, "broke")
        await driver.call("ZADD", driver.keys.key("failed"), 1, "broke")
        assert await self.run(driver) == 3 + 2 * many
        assert await tree.left() == {"p", "held", "held:lock", "late", "late:lock", "broke", "failed", "done"}
        assert (await driver.waiting())[0] == "p"

    async def test_the_last_releases_the_parent(self, tree: Tree, driver: Driver) -> None:
        """With nothing left to wait for, the parent becomes ready."""
        await tree.root("p")
        await tree.below("p", *(f"a{number}" for number in range(MANY)))
        assert await self.run(driver) == MANY
        assert await driver.waiting() == ["p"]


class TestLongLines:
    """Children that stand in long lines of other queues are searched for, too, each call its share."""

    async def grow(self, tree: Tree, *places: int, ordered: bool = True) -> Driver:
        """A parent of waiting jobs of a long line, whose queue is not its own."""
        driver = tree.driver
        other = Driver(driver.server, driver.link, QueueKeys(driver.keys.prefix, driver.keys.queue + "-long"))
        await fill(other)
        await tree.root("p")
        for place in places:
            child = other.keys.job(f"j{place}")
            await driver.call("HSET", child, "parentKey", driver.keys.job("p"))
            if not ordered:
                await driver.call("HSET", child, "timestamp", 1)
            await driver.call("SADD", driver.keys.job("p") + ":dependencies", child)
        return other

    @pytest.mark.parametrize("ordered", [True, False])
    async def test_all_below_goes(self, tree: Tree, driver: Driver, ordered: bool) -> None:
        """Whether they stand where the time of their arrival says or not."""
        places = [10, *range(54_000, 54_400, 100), 60_000, LENGTH - 10]
        other = await self.grow(tree, *places, ordered=ordered)
        line = [f"j{number}" for number in range(LENGTH)]
        assert await tree.remove("p") == (1, 1)
        assert tree.steps[-1] == 1 + len(places)
        assert sorted(await other.waiting()) == sorted(set(line) - {f"j{place}" for place in places})
        assert await tree.left() == set()
        assert len(await other.events("removed")) == len(places)

    async def test_unprocessed_children(self, tree: Tree, driver: Driver) -> None:
        """The last one releases the parent."""
        places = [54_000, 55_000, 56_000]
        other = await self.grow(tree, *places, ordered=False)
        removal = TreeRemoval(driver.server, driver.keys, Sender(driver.server), lambda _: None)
        await removal.remove_unprocessed("p")
        assert removal.count == 3
        assert len(await other.waiting()) == LENGTH - 3
        assert await driver.waiting() == ["p"]

    async def test_one_that_has_moved(
        self, tree: Tree, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A place is a hint: a job that is no longer near it is searched for anew."""
        other = await self.grow(tree, 54_000, 55_000, ordered=False)
        look = browse_pages.find_waiting

        async def moved(*arguments: Any) -> Any:
            page = await look(*arguments)
            return page._replace(places=[(wire_id, 40_000) for wire_id, _ in page.places])

        monkeypatch.setattr(control_tree, "find_waiting", moved)
        await tree.remove("p")
        assert len(await other.waiting()) == LENGTH - 2


async def test_a_deep_tree(tree: Tree, driver: Driver) -> None:
    """A chain of any length goes, from the top down."""
    await tree.root("j0")
    for number in range(1, 500):
        await tree.below(f"j{number - 1}", f"j{number}", waits=False)
    assert (await tree.remove("j0")).code == 1
    assert tree.steps[-1] == 500
    assert await tree.left() == set()
