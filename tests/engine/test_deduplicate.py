"""Deduplication: one job per deduplication id, in each mode and for each state of its owner (wire format §14)."""

from __future__ import annotations

from typing import Any

import pytest

from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job
from tests.engine.flows import add, dependencies, new_node

SIMPLE: dict[str, Any] = {"id": "d"}
THROTTLE: dict[str, Any] = {"id": "d", "ttl": 60_000}
EXTEND: dict[str, Any] = {"id": "d", "ttl": 60_000, "extend": True}
REPLACE: dict[str, Any] = {"id": "d", "replace": True}
DEBOUNCE: dict[str, Any] = {"id": "d", "ttl": 60_000, "extend": True, "replace": True}
FIXED_WINDOW: dict[str, Any] = {"id": "d", "ttl": 60_000, "replace": True}
KEEP_LAST: dict[str, Any] = {"id": "d", "keep": True}
KEEP_REPLACE: dict[str, Any] = {"id": "d", "keep": True, "replace": True}
EVERY_MODE = [SIMPLE, THROTTLE, EXTEND, REPLACE, DEBOUNCE, FIXED_WINDOW, KEEP_LAST, KEEP_REPLACE]
DROPPED = {"event": "deduplicated", "jobId": "o", "deduplicationId": "d", "deduplicatedJobId": "p"}


def mode_of(rule: dict[str, Any]) -> str:
    """The name of a mode, for the test's id."""
    return "+".join(name for name in rule if name != "id") or "simple"


each_mode = pytest.mark.parametrize("rule", EVERY_MODE, ids=mode_of)


async def owner(driver: Driver) -> str | None:
    """Who owns the deduplication id."""
    found: str | None = await driver.call("GET", driver.keys.base + "de:d")
    return found


async def window(driver: Driver) -> int:
    """How long it is owned, ms; -1 without end, -2 not at all."""
    left: int = await driver.call("PTTL", driver.keys.base + "de:d")
    return left


async def shorten(driver: Driver) -> None:
    """Let most of the window pass."""
    await driver.call("PEXPIRE", driver.keys.base + "de:d", 20_000)


@each_mode
async def test_the_first_is_added(driver: Driver, rule: dict[str, Any]) -> None:
    """Without an owner the job is added, owns the id, and its hash names the id."""
    assert await driver.add(new_job("o", rule=rule)) == [0]
    assert await owner(driver) == "o"
    assert (await driver.fields("o"))["deid"] == "d"
    left = await window(driver)
    if "ttl" in rule:
        assert 20_000 < left <= 60_000
    else:
        assert left == -1


@each_mode
async def test_while_the_owner_waits_nothing_is_added(driver: Driver, rule: dict[str, Any]) -> None:
    """Every mode drops the new job while the owner is ready to run. Replacing modes say nothing of it."""
    await driver.add(new_job("o", rule=rule))
    await driver.forget_events()
    assert await driver.add(new_job("p", rule=rule)) == [b"o"]
    assert (await driver.waiting(), await driver.fields("p"), await owner(driver)) == (["o"], {}, "o")
    assert await driver.events() == ([] if rule.get("replace") else [DROPPED])


@each_mode
async def test_while_the_owner_runs_nothing_is_added(driver: Driver, rule: dict[str, Any]) -> None:
    """Every mode drops the new job while the owner runs; those that keep the last remember it."""
    await driver.add(new_job("o", rule=rule))
    await driver.take_one()
    assert await driver.add(new_job("p", data='"p"', rule=rule)) == [b"o"]
    assert await driver.fields("p") == {}
    remembered = await driver.fields(driver.keys.base + "dn:d")
    kept = {"name": "n", "data": '"p"', "opts": "{}", "jid": "p"}
    assert remembered == (kept if rule.get("keep") else {})


@pytest.mark.parametrize("rule", [SIMPLE, THROTTLE, EXTEND, KEEP_LAST], ids=mode_of)
async def test_a_delayed_owner_stays(driver: Driver, rule: dict[str, Any]) -> None:
    """Modes that do not replace leave a delayed owner as it is and drop the new job."""
    await driver.add(new_job("o", delay=500, rule=rule))
    assert await driver.add(new_job("p", delay=900, rule=rule)) == [b"o"]
    assert list(await driver.scores("delayed")) == ["o"]
    assert await driver.events("deduplicated") == [DROPPED]


@pytest.mark.parametrize("rule", [REPLACE, DEBOUNCE, FIXED_WINDOW, KEEP_REPLACE], ids=mode_of)
async def test_a_delayed_owner_is_replaced(driver: Driver, rule: dict[str, Any]) -> None:
    """Replacing modes remove a delayed owner with all its keys; the new job owns the id."""
    await driver.add(new_job("o", delay=500, rule=rule))
    await driver.call("RPUSH", driver.keys.job("o") + ":logs", "line")
    await driver.forget_events()
    assert await driver.add(new_job("p", delay=900, rule=rule)) == [0]
    assert list(await driver.scores("delayed")) == ["p"]
    assert await driver.call("EXISTS", driver.keys.job("o"), driver.keys.job("o") + ":logs") == 0
    assert await owner(driver) == "p"
    assert (await driver.events())[:2] == [
        {"event": "removed", "jobId": "o", "prev": "delayed"},
        {"event": "deduplicated", "jobId": "p", "deduplicationId": "d", "deduplicatedJobId": "o"},
    ]


class TestWindow:
    """How long an id is owned."""

    async def test_throttle_does_not_move_its_window(self, driver: Driver) -> None:
        """A dropped job leaves the window of a plain ttl as it is."""
        await driver.add(new_job("o", rule=THROTTLE))
        await shorten(driver)
        await driver.add(new_job("p", rule=THROTTLE))
        assert 0 < await window(driver) <= 20_000

    async def test_extend_starts_the_window_again(self, driver: Driver) -> None:
        """With `extend` each dropped job starts the window again, for the same owner."""
        await driver.add(new_job("o", rule=EXTEND))
        await shorten(driver)
        await driver.add(new_job("p", rule=EXTEND))
        assert 20_000 < await window(driver) <= 60_000
        assert await owner(driver) == "o"

    async def test_replace_without_extend_keeps_the_window(self, driver: Driver) -> None:
        """A replacement inherits what is left of the window."""
        await driver.add(new_job("o", delay=500, rule=FIXED_WINDOW))
        await shorten(driver)
        await driver.add(new_job("p", delay=500, rule=FIXED_WINDOW))
        assert 0 < await window(driver) <= 20_000

    async def test_debounce_starts_the_window_again(self, driver: Driver) -> None:
        """A replacement with `extend` has a window of its own."""
        await driver.add(new_job("o", delay=500, rule=DEBOUNCE))
        await shorten(driver)
        await driver.add(new_job("p", delay=500, rule=DEBOUNCE))
        assert 20_000 < await window(driver) <= 60_000

    @pytest.mark.parametrize("verb", [Verb.COMPLETE, Verb.FAIL])
    async def test_without_ttl_it_ends_with_the_owner(self, driver: Driver, verb: Verb) -> None:
        """A window without end closes when its owner completes or fails for good."""
        await driver.add(new_job("o", rule=SIMPLE))
        await driver.settle(end(await driver.take_one(), verb, "null"))
        assert await owner(driver) is None
        assert await driver.add(new_job("p", rule=SIMPLE)) == [0]

    async def test_with_ttl_it_outlives_the_owner(self, driver: Driver) -> None:
        """A window with a ttl stays when its owner ends, also when the owner's keys are gone."""
        await driver.add(new_job("o", rule=THROTTLE))
        await driver.settle(end(await driver.take_one(), keep=0))
        assert await driver.add(new_job("p", rule=THROTTLE)) == [b"o"]

    async def test_a_retry_does_not_end_it(self, driver: Driver) -> None:
        """A failed attempt that will be tried again leaves the window as it is."""
        await driver.add(new_job("o", rule=SIMPLE))
        await driver.settle(end(await driver.take_one(), Verb.RETRY, "again"))
        assert await owner(driver) == "o"

    async def test_another_owner_keeps_its_window(self, driver: Driver) -> None:
        """The end of a job that no longer owns its id does not free it."""
        await driver.add(new_job("o", rule=SIMPLE))
        await driver.call("SET", driver.keys.base + "de:d", "other")
        await driver.settle(end(await driver.take_one()))
        assert await owner(driver) == "other"

    @each_mode
    async def test_a_stale_owner_is_forgotten(self, driver: Driver, rule: dict[str, Any]) -> None:
        """A window without end whose owner's hash is gone does not block its id for ever."""
        await driver.call("SET", driver.keys.base + "de:d", "gone")
        await driver.call("HSET", driver.keys.base + "dn:d", "jid", "x")
        assert await driver.add(new_job("p", rule=rule)) == [0]
        assert await owner(driver) == "p"
        assert await driver.fields(driver.keys.base + "dn:d") == {}


class TestKeepLast:
    """`keep_last_if_active`: what came while the owner ran, runs once more when the owner has ended."""

    async def test_the_last_of_several_runs(self, driver: Driver) -> None:
        """Only the latest is kept; it is added at the owner's end, owns the id, and is announced as added."""
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        opts = '{"de":{"id":"d","keepLastIfActive":true}}'
        await driver.add(*(new_job(i, data=f'"{i}"', opts=opts, rule=KEEP_LAST) for i in ("p", "q")))
        await driver.forget_events()
        assert await driver.settle(end(run)) == [0]
        assert await driver.waiting() == ["q"]
        stored = await driver.fields("q")
        assert (stored["data"], stored["opts"], stored["deid"]) == ('"q"', opts, "d")
        assert await owner(driver) == "q"
        assert await window(driver) == -1
        assert await driver.fields(driver.keys.base + "dn:d") == {}
        assert [event["event"] for event in await driver.events()] == ["added", "waiting", "completed"]

    async def test_its_options_are_honoured(self, driver: Driver) -> None:
        """Delay, priority and lifo of the kept job decide where it goes; a ttl of its own starts its window."""
        await driver.add(new_job("o", rule=KEEP_LAST), "a")
        run = await driver.take_one()
        opts = '{"priority":4,"de":{"id":"d","ttl":60000}}'
        await driver.add(new_job("p", opts=opts, rule=KEEP_LAST))
        await driver.settle(end(run))
        assert list(await driver.scores("prioritized")) == ["p"]
        assert 20_000 < await window(driver) <= 60_000

    async def test_also_after_a_final_failure(self, driver: Driver) -> None:
        """The kept job runs also when the owner failed for good, delayed as it asked."""
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.add(new_job("p", opts='{"delay":250}', rule=KEEP_LAST))
        await driver.settle(end(run, Verb.FAIL, "no"))
        assert await driver.scores("delayed") == {"p": (driver.now + 250) * 4096}

    async def test_it_takes_the_end_from_a_window(self, driver: Driver) -> None:
        """A kept job makes the owner's window last until the owner has ended (PERSIST)."""
        await driver.add(new_job("o", rule=THROTTLE))
        await driver.take_one()
        await driver.add(new_job("p", rule=KEEP_LAST))
        assert await window(driver) == -1

    async def test_an_id_that_is_in_use_again(self, driver: Driver) -> None:
        """A kept job whose own id was used for another job meanwhile does not overwrite it: `duplicated`."""
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.add(new_job("x", own_id=True, data='"kept"', rule=KEEP_LAST))
        await driver.add(new_job("x", own_id=True, data='"new"'))
        await driver.settle(end(run))
        assert await driver.waiting() == ["x"]
        assert (await driver.fields("x"))["data"] == '"new"'
        assert await driver.events("duplicated") == [{"event": "duplicated", "jobId": "x"}]
        assert await driver.fields(driver.keys.base + "dn:d") == {}
        assert await owner(driver) is None

    async def test_after_its_window_ran_out(self, driver: Driver) -> None:
        """An id that nobody owns any more keeps nothing back when its last owner ends."""
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.add(new_job("p", rule=KEEP_LAST))
        await driver.call("DEL", driver.keys.base + "de:d")
        await driver.settle(end(run))
        assert (await driver.waiting(), await owner(driver)) == (["p"], "p")

    async def test_options_that_cannot_be_read(self, driver: Driver) -> None:
        """A kept job of another client whose options are not JSON is added with its bytes as they are."""
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.call(
            "HSET", driver.keys.base + "dn:d", "name", "n", "data", "?", "opts", "{", "jid", "p"
        )
        assert await driver.settle(end(run)) == [0]
        assert (await driver.fields("p"))["opts"] == "{"
        assert await driver.waiting() == ["p"]

    async def test_child_of_a_flow(self, driver: Driver) -> None:
        """A kept job that is a child (another client's) is linked to its parent when it is added."""
        parent = f"{driver.keys.prefix}:{driver.keys.queue}:parent"
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.call(
            "HSET", driver.keys.base + "dn:d", "name", "n", "data", "1", "opts", "{}", "jid", "p",
            "pk", parent, "pd", '{"id":"parent"}', "pdk", parent + ":dependencies",
        )  # fmt: skip
        await driver.settle(end(run))
        assert (await driver.fields("p"))["parentKey"] == parent
        assert await driver.call("SMEMBERS", parent + ":dependencies") == [driver.keys.job("p")]


async def test_within_one_call(driver: Driver) -> None:
    """Of several jobs with one deduplication id in one call, the first is added and owns the others."""
    jobs = [new_job(f"j{number}", rule=SIMPLE) for number in range(3)]
    assert await driver.add(*jobs) == [0, b"j0", b"j0"]


async def test_different_ids_do_not_meet(driver: Driver) -> None:
    """Jobs with different deduplication ids are all added."""
    assert await driver.add(new_job("a", rule={"id": "x"}), new_job("b", rule={"id": "y"})) == [0, 0]


async def test_a_replaced_child(driver: Driver) -> None:
    """A delayed owner that is the child of a flow is removed like any job: its parent waits for it no longer."""
    rule = {**REPLACE}
    await driver.add(new_job("o", rule=rule, delay=60_000))
    parent = new_node(driver, "parent", has_children=True)
    await add(driver, parent, *(new_node(driver, child, parent, own_id=True) for child in ("o", "b")))
    await driver.add(new_job("n", rule=rule, delay=60_000))
    assert await dependencies(driver, "parent") == {"b"}
    await driver.settle(end(await driver.take_one()))
    assert await driver.waiting() == ["parent"]


async def test_the_only_child_is_replaced(driver: Driver) -> None:
    """The parent of an owner that was its last child runs."""
    await driver.add(new_job("o", rule=DEBOUNCE, delay=60_000))
    parent = new_node(driver, "parent", has_children=True)
    await add(driver, parent, new_node(driver, "o", parent, own_id=True))
    root = new_node(driver, "root", rule=DEBOUNCE)
    assert (await add(driver, root)).answers == [0]
    assert await driver.waiting() == ["parent", "root"]
    assert await driver.fields("o") == {}


async def test_a_child_that_its_own_root_replaces(driver: Driver) -> None:
    """It is added anew, and the root waits for it."""
    await driver.add(new_job("o", rule=REPLACE, delay=60_000))
    root = new_node(driver, "root", has_children=True, rule=REPLACE)
    added = await add(driver, root, new_node(driver, "o", root, own_id=True, data='"new"'))
    assert added.answers == [0, 0]
    assert (await driver.fields("o"))["data"] == '"new"'
    assert await driver.waiting() == ["o"]
    assert await dependencies(driver, "root") == {"o"}
