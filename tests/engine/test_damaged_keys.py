"""Keys that somebody else has damaged: a damaged job costs at most itself, and never another run of a healthy one."""

from __future__ import annotations

from typing import Any

import pytest

from corral.contracts.rate_limit import RateLimit
from corral.engine.faults import ResponseError, failed_halfway
from corral.engine.limit import HELD_OFF, hold_starts, set_rate
from corral.engine.record import NewJob, Verb
from tests.engine.driver import Driver, end, new_job
from tests.engine.flows import add, family, new_node

KEEP_LAST: dict[str, Any] = {"id": "d", "keep": True}

each_size = pytest.mark.parametrize("healthy", ["a", "abcde"], ids=["few", "many"])


def key_of(driver: Driver, kind: str) -> str:
    """What belongs to the deduplication id: its owner (de), or the job kept for later (dn)."""
    return f"{driver.keys.base}{kind}:d"


async def limiter(driver: Driver) -> tuple[str | None, int]:
    """What the limiter counts, and how long, ms."""
    key = driver.keys.key("limiter")
    return await driver.call("GET", key), await driver.call("PTTL", key)


class TestSettling:
    """A batch of runs, one of which meets damage."""

    @each_size
    @pytest.mark.parametrize(
        ("policy", "verb", "kept"),
        [
            ("", Verb.COMPLETE, "processed"),
            ("fpof", Verb.FAIL, "unsuccessful"),
            ("cpof", Verb.FAIL, "failed"),
            ("idof", Verb.FAIL, "failed"),
        ],
    )
    async def test_a_parent_with_a_damaged_key(
        self, driver: Driver, healthy: str, policy: str, verb: Verb, kept: str
    ) -> None:
        """Its child ends, the parent is released, and every other run is settled, once."""
        await driver.add(*healthy)
        await family(driver, policy, children="x")
        runs = await driver.take(len(healthy) + 1)
        await driver.call("SET", f"{driver.keys.job('p')}:{kept}", "damage")
        codes = await driver.settle(*(end(run, verb if run.wire_id == "x" else Verb.RETRY) for run in runs))
        assert codes == [0] * len(runs)
        assert await driver.active() == []
        assert sorted(await driver.waiting()) == sorted([*healthy, "p"])
        assert [(await driver.fields(job))["atm"] for job in [*healthy, "x"]] == ["1"] * len(runs)

    @pytest.mark.parametrize("damage", ["dependencies", "no key"])
    async def test_a_parent_that_cannot_be_told(self, driver: Driver, damage: str) -> None:
        """The child ends all the same, also one that is deleted at its end."""
        await driver.add("a")
        await family(driver, children="xy")
        runs = await driver.take(3)
        if damage == "dependencies":
            await driver.call("SET", f"{driver.keys.job('p')}:dependencies", "damage")
        else:
            await driver.call("HSET", driver.keys.job("x"), "parentKey", damage)
            await driver.call("HSET", driver.keys.job("y"), "parentKey", damage)
        keep = {"x": 0}
        ends = [end(run, keep=keep.get(str(run.wire_id), -1)) for run in runs]
        assert await driver.settle(*ends) == [0, 0, 0]
        assert set(await driver.scores("completed")) == {"a", "y"}
        assert await driver.fields("x") == {}

    @each_size
    async def test_a_damaged_line(self, driver: Driver, healthy: str) -> None:
        """A run that cannot go where it should stays active, the others leave; it is returned when its lock is over."""
        await driver.add(*healthy, "x")
        runs = await driver.take(len(healthy) + 1)
        await driver.call("SET", driver.keys.key("delayed"), "damage")
        late = end(runs[-1], Verb.DELAY, amount=5)
        assert await driver.settle(late, *map(end, runs[:-1])) == [-1, *[0] * len(healthy)]
        assert await driver.active() == ["x"]
        assert set(await driver.scores("completed")) == set(healthy)
        await driver.call("DEL", driver.keys.key("delayed"))
        await driver.lose_lock("x")
        await driver.check_stalled()
        await driver.check_stalled()
        assert await driver.waiting() == ["x"]


class TestLimiter:
    """The key that counts the starts of a window."""

    @pytest.mark.parametrize("damage", ["x", "", "nan", "1.5", "-3", "007", "0x10", "1e400"])
    async def test_no_whole_number(self, driver: Driver, damage: str) -> None:
        """It counts nothing: a new window begins with the claim, and every job that was started is handed out."""
        await driver.add(*"abc")
        await driver.call("SET", driver.keys.key("limiter"), damage)
        claim = driver.a_claim(3, "w", 1)._replace(rate_max=2, window_ms=60_000)
        assert len((await driver.claim(claim)).jobs) == len(await driver.active()) == 2
        count, left = await limiter(driver)
        assert (count, 59_000 < left <= 60_000) == ("2", True)

    @pytest.mark.parametrize("sender", ["", "w"])
    async def test_another_type(self, driver: Driver, sender: str) -> None:
        """The same for a key that holds no string; an operator may set limits over it."""
        await driver.add("a")
        await driver.call("RPUSH", driver.keys.key("limiter"), "damage")
        await set_rate(driver.server, driver.keys, RateLimit(2, per=60))
        assert len((await driver.claim(driver.a_claim(1, sender, 1))).jobs) == 1
        assert (await limiter(driver))[0] == "1"
        await driver.call("DEL", driver.keys.key("limiter"))
        await driver.call("RPUSH", driver.keys.key("limiter"), "damage")
        await hold_starts(driver.server, driver.keys, 60_000)
        assert (await limiter(driver))[0] == str(HELD_OFF)

    @pytest.mark.parametrize("number", [2**53 - 1, 2**53, 2**63 - 1])
    async def test_beyond_counting(self, driver: Driver, number: int) -> None:
        """Counted up by another client while the queue is held off: still held off."""
        await driver.add("a")
        await driver.call("SET", driver.keys.key("limiter"), number, "PX", 60_000)
        claims = await driver.claim(driver.a_claim(1))
        assert (claims.jobs, claims.limited_ms > 0) == ([], True)
        assert (await limiter(driver))[0] == str(number)


class TestKeptJob:
    """What a deduplication id has kept for the end of its owner."""

    @pytest.mark.parametrize("fields", [("pk",), ("pd",), ("pk", "pdk"), ("pdk",)], ids="+".join)
    async def test_half_a_parent(self, driver: Driver, fields: tuple[str, ...]) -> None:
        """It is added as a job of its own, and its owner ends."""
        parent = driver.keys.job("parent")
        values = {"pk": parent, "pd": "{}", "pdk": parent + ":dependencies"}
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.add(new_job("p", rule=KEEP_LAST))
        await driver.call(
            "HSET", key_of(driver, "dn"), *(word for name in fields for word in (name, values[name]))
        )
        assert await driver.settle(end(run)) == [0]
        assert await driver.waiting() == ["p"]
        assert not {"parentKey", "parent"} & set(await driver.fields("p"))
        assert await driver.call("EXISTS", values["pdk"]) == 0
        assert set(await driver.scores("completed")) == {"o"}

    async def test_keys_of_another_type(self, driver: Driver) -> None:
        """Neither the counter of ids nor the parent's children stop its owner or the kept job."""
        parent = driver.keys.job("parent")
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.add(new_job("p", rule=KEEP_LAST))
        await driver.call(
            "HSET", key_of(driver, "dn"), "pk", parent, "pd", "{}", "pdk", parent + ":dependencies"
        )
        await driver.call("SET", parent + ":dependencies", "damage")
        await driver.call("SET", driver.keys.key("id"), "damage")
        assert await driver.settle(end(run)) == [0]
        assert await driver.waiting() == ["p"]
        assert (await driver.fields("p"))["parentKey"] == parent


class TestAdding:
    """Keys that a call adds jobs to, or takes the owners of deduplication ids from."""

    KEYS = ("id", "pc", "wait", "paused", "active", "prioritized", "delayed", "waiting_children", "completed",
        "failed", "marker", "events", "orders")  # fmt: skip

    @pytest.mark.parametrize("sender", ["", "outbox:o"])
    @pytest.mark.parametrize("key", KEYS)
    async def test_nothing_is_written(self, driver: Driver, key: str, sender: str) -> None:
        """One that is damaged is found before the first job is added: a call is not carried out in part."""
        await driver.call("HSET", driver.keys.key(key), "a", "damage")
        rule = {"id": "d", "supersedes": True}
        jobs = [new_job("a", priority=1), new_job("b", rule=rule, delay=5), new_job("c", rule=rule, delay=5)]
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await driver.add(*jobs, sender=sender, number=1)
        assert await driver.call("KEYS", "*") == [driver.keys.key(key)]
        await driver.call("DEL", driver.keys.key(key))
        assert await driver.add(*jobs, sender=sender, number=1) == [0, 0, 0]

    @pytest.mark.parametrize("count", ["", "x", "1.5", "007", "-", "9" * 19])
    @pytest.mark.parametrize("key", ["id", "pc"])
    async def test_a_counter(self, driver: Driver, key: str, count: str) -> None:
        """One that cannot be counted up is no better than a key of another type."""
        await driver.call("SET", driver.keys.key(key), count)
        with pytest.raises(ResponseError, match="counted up"):
            await driver.add("a", new_job("b", priority=1), sender="outbox:o", number=1)
        assert await driver.call("KEYS", "*") == [driver.keys.key(key)]

    @pytest.mark.parametrize("count", ["0", "7", "-7", "9" * 18])
    async def test_a_counter_that_counts(self, driver: Driver, count: str) -> None:
        """All others are counted up."""
        await driver.call("SET", driver.keys.key("pc"), count)
        assert await driver.add(new_job("b", priority=1), sender="outbox:o", number=1) == [0]

    async def test_plain_jobs_need_no_more_than_their_own(self, driver: Driver) -> None:
        """What only superseding could reach stops no outbox without it."""
        await driver.call("SET", driver.keys.key("failed"), "damage")
        assert await driver.add("a", new_job("b", rule={"id": "d"}), sender="outbox:o", number=1) == [0, 0]

    async def test_a_call_of_an_outbox_that_failed_halfway(self, driver: Driver) -> None:
        """It is not carried out again, under this number; a later one is."""
        await driver.call("SET", driver.keys.job("b"), "damage")
        jobs = [new_job("a", priority=1), new_job("b")]
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await driver.add(*jobs, sender="outbox:o", number=1)
        await driver.call("DEL", driver.keys.job("b"))
        with pytest.raises(ResponseError) as raised:
            await driver.add(*jobs, sender="outbox:o", number=1)
        assert failed_halfway(raised.value)
        assert list(await driver.scores("prioritized")) == ["a"]
        assert await driver.add("b", sender="outbox:o", number=2) == [0]


class TestOwner:
    """The key that says whose a deduplication id is."""

    RULES = ({"id": "d"}, {"id": "d", "ttl": 60_000, "extend": True}, {"id": "d", "replace": True}, KEEP_LAST)

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: "+".join(rule))
    async def test_of_another_type(self, driver: Driver, rule: dict[str, Any]) -> None:
        """It names no owner: the job is added and owns the id, and with it all others of its call."""
        await driver.call("RPUSH", key_of(driver, "de"), "damage")
        jobs: list[NewJob | str] = ["a", new_job("p", rule=rule), "b"]
        assert await driver.add(*jobs) == [0, 0, 0]
        assert await driver.waiting() == ["a", "p", "b"]
        assert await driver.call("GET", key_of(driver, "de")) == "p"

    async def test_of_another_type_in_a_flow(self, driver: Driver) -> None:
        """No parent is left without its children."""
        await driver.call("RPUSH", key_of(driver, "de"), "damage")
        parent = new_node(driver, "p", has_children=True)
        assert (await add(driver, parent, new_node(driver, "c", parent, rule=KEEP_LAST))).answers == [0, 0]
        await driver.settle(end(await driver.take_one()))
        assert await driver.waiting() == ["p"]

    async def test_of_another_type_when_its_owner_ends(self, driver: Driver) -> None:
        """As if it had run out: what was kept is added."""
        await driver.add(new_job("o", rule=KEEP_LAST))
        run = await driver.take_one()
        await driver.add(new_job("p", rule=KEEP_LAST))
        await driver.call("DEL", key_of(driver, "de"))
        await driver.call("RPUSH", key_of(driver, "de"), "damage")
        assert await driver.settle(end(run)) == [0]
        assert await driver.waiting() == ["p"]
        assert await driver.call("GET", key_of(driver, "de")) == "p"
