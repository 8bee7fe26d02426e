"""Singleton jobs: of those that have the same key one runs at a time, and the others are set aside or skipped."""

from __future__ import annotations

import json

import pytest

from corral.contracts.states import JobState
from corral.engine.browse import job_state
from corral.engine.control import promote_jobs
from corral.engine.record import Refusal, Verb
from tests.engine.driver import Driver, end, new_job
from tests.engine.schedules import Schedules, at, job
from tests.engine.singletons import die, due_in, ids, line, single, start

HOUR = 3_600_000


async def test_one_at_a_time(driver: Driver) -> None:
    """Of the jobs of a key one starts, and all others around them."""
    await driver.add(single("a"), single("b"), "x", single("c"), single("d", "other"), "y")
    assert ids(await start(driver)) == ["a", "x", "d", "y"]
    assert await driver.active() == ["y", "d", "x", "a"]
    assert await line(driver) == ["b", "c"]


async def test_set_aside_jobs_are_delayed(driver: Driver) -> None:
    """Without a start or an attempt spent: the first in line is due when the lock of the holder ends, the others far
    later."""
    await driver.add(single("a"), single("b"), single("c"))
    await start(driver)
    assert 59_000 < await due_in(driver, "b") <= 60_000
    assert await due_in(driver, "c") == HOUR
    assert {"ats", "atm", "processedOn"} & (await driver.fields("b")).keys() == set()
    assert (await driver.call("ZSCORE", driver.keys.key("marker"), "1")) is not None


async def test_turns_are_taken_in_the_order_of_arrival(driver: Driver) -> None:
    """When the holder ends, the next becomes ready before all others and is started by the same call."""
    await driver.add(*map(single, "abcd"), "x")
    (run, _) = await start(driver)
    await driver.add("y")
    order = [str(run.wire_id)]
    for _ in "bcd":
        claim = driver.a_claim(1)
        committed = await driver.commit(end(run), claim=claim)
        (claimed,) = committed.jobs
        order.append(claimed.wire_id.decode())
        run = run._replace(wire_id=order[-1], token=claim.token, fence=claimed.fence)
    assert order == ["a", "b", "c", "d"]
    assert await line(driver) == []


@pytest.mark.parametrize(
    "verb", [Verb.COMPLETE, Verb.FAIL, Verb.DELAY, Verb.SNOOZE, Verb.SNOOZE_UNTIL, Verb.HOLD_OFF, Verb.RETRY]
)
async def test_every_end_of_a_run_ends_its_turn(driver: Driver, verb: Verb) -> None:
    """However the holder leaves active, the next is ready at once, and workers are woken."""
    await driver.add(single("a"), single("b"))
    (run,) = await start(driver)
    await driver.call("DEL", driver.keys.key("marker"))
    await driver.settle(end(run, verb, amount=driver.now + 5 if verb is Verb.SNOOZE_UNTIL else 5))
    assert "b" in await driver.waiting()
    assert await driver.call("HVALS", driver.keys.key("holders")) == [" b"]
    assert await driver.call("ZSCORE", driver.keys.key("marker"), "0") == "0"


async def test_a_job_handed_back_keeps_its_turn(driver: Driver) -> None:
    """A worker that stops gives its job back before those set aside, and the first of these keeps its place."""
    await driver.add(*map(single, "abc"))
    (run,) = await start(driver)
    await driver.settle(end(run, Verb.GIVE_BACK))
    assert ids(await start(driver)) == ["a"]
    assert await line(driver) == ["b", "c"]


async def test_a_dead_holder_is_replaced_when_its_lock_ends(driver: Driver) -> None:
    """By the first in line, which is due then: nobody else has to notice. The late run is fenced off."""
    await driver.add(*map(single, "abc"), "x")
    (late, _) = await start(driver)
    await driver.add("y", "z")
    await die(driver, "a")
    assert ids(await start(driver, 2)) == ["b", "y"]
    assert (await driver.fields("a"))["stc"] == "1"
    assert "a" not in await driver.active()
    assert await driver.renew(late) == [0]
    assert await driver.settle(end(late)) == [Refusal.NOT_ACTIVE]
    assert ids(await start(driver, 1)) == ["z"]  # a was looked at, and set aside behind c
    assert await line(driver) == ["c", "a"]
    assert 59_000 < await due_in(driver, "c") <= 60_000


async def test_a_holder_that_lives_is_not_replaced(driver: Driver) -> None:
    """The first in line looks, keeps its place, and looks again when the renewed lock ends."""
    await driver.add(*map(single, "abc"))
    await start(driver)
    driver.now += 60_001
    assert await start(driver) == []
    assert await line(driver) == ["b", "c"]
    assert 59_000 < await due_in(driver, "b") <= 60_000


async def test_a_holder_that_dies_too_often_is_failed(driver: Driver) -> None:
    """The job of a dead holder counts as stalled; beyond the limit it is started only to be failed, whoever holds the
    key."""
    await driver.add(single("a"), single("b"))
    await start(driver)
    await die(driver, "a")
    assert ids(await start(driver, max_stalled=0)) == ["b"]
    assert ids(await start(driver)) == ["a"]
    assert (await driver.fields("a"))["defa"] == "job stalled more than allowable limit"
    assert [event["event"] for event in await driver.events("stalled")] == ["stalled"]


async def test_the_stalled_check_ends_a_turn(driver: Driver) -> None:
    """A holder that the check finds dead gives way to the next."""
    await driver.add(single("a"), single("b"))
    await start(driver)
    await driver.check_stalled()
    await driver.lose_lock("a")
    await driver.check_stalled()
    assert await driver.waiting() == ["a", "b"]
    assert await driver.call("HVALS", driver.keys.key("holders")) == [" b"]


async def test_a_lock_that_was_merely_missing(driver: Driver) -> None:
    """While nobody has taken the turn, the holder takes its lock again and goes on holding its key."""
    await driver.add(single("a"), single("b"))
    (run,) = await start(driver)
    await driver.lose_lock("a")
    assert await driver.renew(run) == [2]
    driver.now += 60_001
    assert await start(driver) == []
    assert await driver.settle(end(run)) == [0]


async def test_a_run_of_another_program_is_left_alone(driver: Driver) -> None:
    """Node has recovered the holder and runs it: it takes no part, so the key is free, and its run stays."""
    await driver.add(single("a"), single("b"))
    await start(driver)
    await driver.call("SET", driver.keys.job("a") + ":lock", "node")
    driver.now += 60_001
    assert ids(await start(driver)) == ["b"]
    assert await driver.active() == ["b", "a"]


async def test_a_holder_that_another_program_returned(driver: Driver) -> None:
    """It is ready again, and is taken by the very claim that finds its key free: it is set aside, once."""
    await driver.add(*map(single, "ab"))
    await start(driver)
    await driver.lose_lock("a")
    await driver.call("LREM", driver.keys.key("active"), 0, "a")  # as Node's stalled check does
    await driver.call("RPUSH", driver.keys.key("wait"), "a")
    await promote_jobs(driver.server, driver.keys, ["b"])
    assert ids(await start(driver)) == ["b"]
    assert (await driver.active(), await driver.waiting(), await line(driver)) == (["b"], [], ["a"])


async def test_skipped(driver: Driver) -> None:
    """A job that is to be skipped fails without a start or an attempt spent, and says who holds the key."""
    await driver.add(single("a", otherwise="skip"), single("b", otherwise="skip"))
    assert ids(await start(driver)) == ["a"]
    assert await job_state(driver.server, driver.keys, "b") is JobState.FAILED
    assert (await driver.fields("b"))["failedReason"] == 'skipped: a holds "k"'
    assert "ats" not in await driver.fields("b")
    assert (await driver.fields("b"))["atm"] == "0"
    (event,) = await driver.events("failed")
    assert (event["jobId"], event["prev"]) == ("b", "waiting")


async def test_skipped_beside_a_dead_holder(driver: Driver) -> None:
    """A key whose holder is gone is free."""
    await driver.add(single("a", otherwise="skip"))
    await start(driver)
    await driver.add(single("b", otherwise="skip"))
    await driver.lose_lock("a")
    assert ids(await start(driver, 1)) == ["b"]


@pytest.mark.parametrize(
    ("rule", "data", "key"),
    [
        ({}, "{}", "n"),
        ({"field": "f"}, '{"f":"ä"}', "n:ä"),
        ({"field": "f"}, '{"f":7}', "n:7"),
        ({"field": "f"}, '{"f":-9007199254740991}', "n:-9007199254740991"),
        ({"field": "f"}, '{"f":1.5}', None),
        ({"field": "f"}, '{"f":null}', None),
        ({"field": "f"}, '{"f":""}', None),
        ({"field": "f"}, "[]", None),
        ({"field": "f"}, "no JSON", None),
    ],
)
async def test_what_a_worker_declares(
    driver: Driver, rule: dict[str, str], data: str, key: str | None
) -> None:
    """A job without a rule of its own, as Node adds it, has the one that the worker declares for its name; a payload
    without such a field has none."""
    await driver.add(*(new_job(job, data=data) for job in "ab"), new_job("c", name="m"))
    claim = driver.a_claim(5)._replace(singletons=json.dumps({"n": rule}))
    started = [job.wire_id.decode() for job in (await driver.claim(claim)).jobs]
    assert started == (["a", "c"] if key else ["a", "b", "c"])
    assert await driver.call("HKEYS", driver.keys.key("holders")) == ([key] if key else [])


async def test_words_in_other_places_are_no_rule(driver: Driver) -> None:
    """Only the option itself counts: neither its name in an id nor nonsense in its place."""
    for number, value in enumerate(['"x"', "null", "{}", '{"key":7}']):
        await driver.add(new_job(f"a{number}", opts=f'{{"singleton":{value}}}'))
    await driver.add(new_job("b", opts=json.dumps({"jobId": '"singleton":'})))
    assert len(await start(driver)) == 5
    assert await driver.call("EXISTS", driver.keys.key("holders")) == 0


async def test_no_room_and_no_rate_are_used_up(driver: Driver) -> None:
    """Under a limit of starts or of jobs at a time, those set aside leave theirs to the jobs behind them."""
    await driver.call("HSET", driver.keys.key("meta"), "concurrency", 3, "max", 3, "duration", 60_000)
    await driver.add(*map(single, "abcde"), "x", "y", "z")
    assert ids(await start(driver)) == ["a", "x", "y"]
    assert await driver.call("GET", driver.keys.key("limiter")) == "3"


async def test_a_burst_of_one_key(driver: Driver) -> None:
    """Of ten thousand jobs of one key a claim looks at some hundreds at most, and the jobs behind them run."""
    for first in range(0, 10_000, 1000):
        await driver.add(*(single(f"s{number}") for number in range(first, first + 1000)))
    await driver.add("x")
    started, claims = [], 0
    while "x" not in started:
        before = await driver.call("ZCARD", driver.keys.key("delayed"))
        started += ids(await start(driver, 10))
        claims += 1
        assert await driver.call("ZCARD", driver.keys.key("delayed")) - before <= 520
        assert await driver.call("ZSCORE", driver.keys.key("marker"), "0") == "0" or "x" in started
    assert started == ["s0", "x"]
    assert claims <= 25


async def test_priority(driver: Driver) -> None:
    """A prioritized job that was set aside is the first of its priority when its turn comes."""
    await driver.add(single("a"), single("b", priority=2), single("c", priority=2))
    (run,) = await start(driver)
    await driver.add(new_job("x", priority=2), new_job("y", priority=1))
    await driver.settle(end(run))
    assert list(await driver.scores("prioritized")) == ["y", "b", "x"]


async def test_promoted_by_an_operator(driver: Driver) -> None:
    """It is looked at again, and set aside again in its place."""
    await driver.add(*map(single, "abc"))
    await start(driver)
    assert await promote_jobs(driver.server, driver.keys, ["c", "b"]) == [None, None]
    assert await start(driver) == []
    assert await line(driver) == ["b", "c"]
    assert await due_in(driver, "c") == HOUR
    assert await due_in(driver, "b") <= 60_000


async def test_a_holder_that_others_removed(driver: Driver) -> None:
    """The stalled check forgets a holder that is no longer active, and calls the next."""
    await driver.add(single("a"), single("b"), single("c", "other"))
    await start(driver)
    await driver.call("LREM", driver.keys.key("active"), 0, "a")
    await driver.call("DEL", driver.keys.job("a"), driver.keys.job("a") + ":lock")
    await driver.check_stalled()
    assert await driver.waiting() == ["b"]
    assert await driver.call("HGET", driver.keys.key("holders"), "k") == " b"


async def test_own_keys_end(driver: Driver) -> None:
    """A line expires unless somebody in it looks again, and nothing is left when all have run."""
    await driver.add(single("a"), single("b"))
    (run,) = await start(driver)
    assert HOUR < await driver.call("PTTL", driver.keys.key("aside") + "k") <= 2 * HOUR
    await driver.settle(end(run))
    (run,) = await start(driver)
    await driver.settle(end(run))
    assert await driver.call("KEYS", f"{driver.keys.own_base}*") == []
    assert await driver.call("ZCARD", driver.keys.key("delayed")) == 0


async def test_sent_again(driver: Driver) -> None:
    """A claim that is sent again gives the job that holds its key, and sets nobody aside twice."""
    await driver.add(single("a"), single("b"))
    claim = driver.a_claim(5, "w", 1)
    first, second = await driver.claim(claim), await driver.claim(claim)
    assert [job.wire_id for job in first.jobs] == [job.wire_id for job in second.jobs] == [b"a"]
    assert await line(driver) == ["b"]


async def test_a_paused_queue(driver: Driver) -> None:
    """A turn that comes while the queue is paused is taken when it goes on."""
    await driver.add(single("a"), single("b"))
    (run,) = await start(driver)
    await driver.call("HSET", driver.keys.key("meta"), "paused", 1)
    await driver.settle(end(run))
    assert await start(driver) == []
    await driver.call("HDEL", driver.keys.key("meta"), "paused")
    assert ids(await start(driver)) == ["b"]


@pytest.mark.parametrize(("otherwise", "pending"), [("wait", 1), ("skip", 2)])
async def test_iterations_of_a_schedule(driver: Driver, otherwise: str, pending: int) -> None:
    """One that waits for its turn makes the next when it starts, so that they do not pile up; one that is skipped makes
    it at once, so that the schedule goes on."""
    schedules = Schedules(driver)
    opts = json.dumps({"singleton": {"key": "k", "else": otherwise}})
    await schedules.every(opts=opts)
    (run,) = await start(driver)
    driver.now = at(1)
    assert await start(driver) == []
    assert (await schedules.read()).next_run == at(pending)
    await driver.settle(end(run))
    driver.now = at(2)
    assert ids(await start(driver)) == [job(1 if otherwise == "wait" else 2)]


@pytest.mark.parametrize(("overlap", "running"), [("skip", 0), ("cancel_running", 1)])
async def test_a_schedule_that_forbids_overlap(driver: Driver, overlap: str, running: int) -> None:
    """Its policy comes first: an iteration does not wait for the one before it, but is passed over, or ends it."""
    schedules = Schedules(driver)
    await schedules.every(opts=json.dumps({"singleton": {"key": "k"}}), overlap=overlap)
    (first,) = await start(driver)
    driver.now = at(1)
    assert ids(await start(driver)) == [job(1)][:running]
    assert (await driver.active(), await line(driver)) == ([job(running)], [])
    assert (await schedules.read()).next_run == at(2)
    assert await driver.settle(end(first)) == [Refusal.NOT_ACTIVE if running else 0]
