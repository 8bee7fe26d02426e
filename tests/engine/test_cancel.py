"""A job is cancelled in whatever state it is: one that waits ends at once, one that runs ends no other way."""

from __future__ import annotations

import pytest

from corral.contracts.failure import FailureKind
from corral.contracts.states import JobState
from corral.engine.browse import job_state, read_job
from corral.engine.control import JOBS_PER_CALL, promote_jobs, remove_job, retry_jobs
from corral.engine.control_cancel import Cancellation, Cancelling, cancel_job
from corral.engine.orders import NOTHING_READ, read_orders
from corral.engine.record import OVERRULED, Verb
from corral.engine.script import load
from corral.engine.sender import Sent
from tests.engine.driver import START, Driver, end, new_job
from tests.engine.flows import add, family, new_node
from tests.engine.lines import LENGTH, fill
from tests.engine.schedules import Schedules, job

REASON = "cancelled: obsolete"
VERBS = [
    Verb.COMPLETE, Verb.RETRY, Verb.DELAY, Verb.SNOOZE, Verb.SNOOZE_UNTIL, Verb.GIVE_BACK, Verb.HOLD_OFF,
    Verb.WAIT_FOR_CHILDREN, Verb.FAIL,
]  # fmt: skip


async def cancel(driver: Driver, wire_id: str = "j", sent: Sent | None = None) -> Cancellation:
    """Cancel a job with the driver's clock."""
    sent = sent or Sent("", 0)
    return await cancel_job(driver.server, driver.keys, wire_id, REASON, sent=sent, clock=driver.now)


async def told(driver: Driver) -> list[dict[str, str]]:
    """What workers were told so far."""
    return [order.fields for order in await read_orders(driver.link, driver.keys, NOTHING_READ, block_ms=1)]


async def check_cancelled(driver: Driver, wire_id: str = "j", kind: str = FailureKind.CANCELLED) -> None:
    """The job has failed for good, for this reason, and nothing of it is left elsewhere."""
    found = await read_job(driver.server, driver.keys, wire_id)
    assert found is not None
    assert (found.state, found.failed_reason, found.failure_kind) == (JobState.FAILED, REASON, kind)
    assert wire_id not in await driver.waiting() + await driver.active()
    for name in ("delayed", "prioritized", "waiting_children"):
        assert wire_id not in await driver.scores(name)
    fields = await driver.fields(wire_id)
    assert "defa" not in fields


# --- jobs that wait


@pytest.mark.parametrize(
    ("delay", "priority", "previous"),
    [(0, 0, "waiting"), (0, 3, "prioritized"), (50, 0, "delayed")],
    ids=["waiting", "prioritized", "delayed"],
)
async def test_one_that_waits_ends_at_once(driver: Driver, delay: int, priority: int, previous: str) -> None:
    """It fails with the reason, is told as failed, and has spent no attempt; nobody is told anything."""
    await driver.add(new_job("j", delay=delay, priority=priority))
    await driver.forget_events()
    assert await cancel(driver) == Cancellation(1, None)
    await check_cancelled(driver)
    assert await driver.events() == [
        {"event": "failed", "jobId": "j", "failedReason": REASON, "prev": previous}
    ]
    assert (await driver.fields("j"))["atm"] == "0"
    assert await told(driver) == []


async def test_a_parent_that_waits_for_its_children(driver: Driver) -> None:
    """It ends, and its children go on for themselves."""
    await family(driver)
    assert (await cancel(driver, "p")).code == 1
    await check_cancelled(driver, "p")
    runs = await driver.take(2)
    assert await driver.settle(*map(end, runs)) == [0, 0]
    assert await driver.waiting() == []


@pytest.mark.parametrize(
    ("policy", "state"),
    [("fpof", JobState.WAITING), ("idof", JobState.WAITING_CHILDREN), ("", JobState.WAITING_CHILDREN)],
)
async def test_the_parent_of_a_cancelled_child(driver: Driver, policy: str, state: JobState) -> None:
    """It is told according to the policy, as of any failure."""
    await family(driver, policy)
    assert (await cancel(driver, "a")).code == 1
    assert await job_state(driver.server, driver.keys, "p") is state


async def test_a_deduplication_id_is_free_again(driver: Driver) -> None:
    """Another job with the same id may come."""
    await driver.add(new_job("j", rule={"id": "d"}))
    await cancel(driver)
    assert await driver.add(new_job("k", rule={"id": "d"})) == [0]


@pytest.mark.parametrize(
    ("opts", "kept"), [('{"removeOnFail":true}', False), ('{"removeOnFail":1}', True), ("{}", True)]
)
async def test_it_is_kept_as_any_failed_job(driver: Driver, opts: str, kept: bool) -> None:
    """As its own options say."""
    await driver.add(new_job("i", opts=opts), new_job("j", opts=opts))
    for wire_id in ("i", "j"):
        await cancel(driver, wire_id)
    assert await driver.call("EXISTS", driver.keys.job("j")) == kept
    assert list(await driver.scores("failed")) == {True: ["i", "j"]}.get(opts == "{}", ["j"] if kept else [])


async def test_traces_of_earlier_attempts_stay(driver: Driver) -> None:
    """With the reason behind them."""
    await driver.add("j")
    await driver.settle(end(await driver.take_one(), Verb.DELAY, "boom", trace="at boom", amount=50))
    assert (await cancel(driver)).code == 1
    fields = await driver.fields("j")
    assert (fields["stacktrace"], fields["atm"]) == (f'["at boom","{REASON}"]', "1")


async def test_in_a_long_line_it_is_found_in_steps(driver: Driver) -> None:
    """Some thousands of places a call, also where its time of arrival does not lead to it."""
    await fill(driver)
    deep = f"j{LENGTH // 2}"
    await driver.call("HSET", driver.keys.job(deep), "timestamp", START + LENGTH)
    assert (await cancel(driver, deep)).code == 1
    found = await read_job(driver.server, driver.keys, deep)
    assert found is not None
    assert found.failure_kind is FailureKind.CANCELLED
    assert await driver.call("LPOS", driver.keys.key("wait"), deep) is None


async def test_a_worker_that_claims_it_during_the_search_fails_it(driver: Driver) -> None:
    """It carries its failure from the first step on: whoever starts it does not run it."""
    await fill(driver)
    deep = f"j{LENGTH // 2}"
    await driver.call("HSET", driver.keys.job(deep), "timestamp", START + LENGTH)
    search = await driver.server.run(
        load("control/cancel_job"), driver.keys, driver.keys.base, driver.now, "", 0, deep, REASON, 0
    )
    assert search[0] == 2
    await driver.call("LREM", driver.keys.key("wait"), 0, deep)
    await driver.call("RPUSH", driver.keys.key("wait"), deep)
    claim = driver.a_claim(1)
    (claimed,) = (await driver.claim(claim)).jobs
    assert claimed.deferred == REASON.encode()


# --- jobs that run


async def test_the_worker_of_one_that_runs_is_told(driver: Driver) -> None:
    """Which run is meant, and why; the job runs on until its worker settles it."""
    await driver.add("j")
    await driver.take_one()
    assert await cancel(driver) == Cancellation(0, None)
    assert await told(driver) == [{"order": "cancel", "job": "j", "fence": f"1:{START}", "reason": REASON}]
    assert await driver.active() == ["j"]


@pytest.mark.parametrize("verb", VERBS)
async def test_a_cancelled_run_ends_no_other_way(driver: Driver, verb: Verb) -> None:
    """Whatever its handler did; the worker hears what was stored."""
    await driver.add(new_job("j", opts='{"attempts":5}'))
    run = await driver.take_one()
    await cancel(driver)
    assert await driver.settle(end(run, verb, "1", amount=5)) == [OVERRULED]
    await check_cancelled(driver)
    assert [event["event"] for event in await driver.events("completed", "failed")] == ["failed"]
    assert await driver.call("EXISTS", f"{driver.keys.job('j')}:lock") == 0


async def test_what_the_worker_says_itself_is_no_surprise(driver: Driver) -> None:
    """It has heard of it, and settles with the same reason."""
    await driver.add("j")
    run = await driver.take_one()
    await cancel(driver)
    assert await driver.settle(end(run, Verb.FAIL, REASON)) == [0]
    await check_cancelled(driver)


async def test_retention_of_a_completed_run_that_was_cancelled(driver: Driver) -> None:
    """What it would have kept as a completed job does not count: it has failed."""
    await driver.add("j")
    run = await driver.take_one()
    await cancel(driver)
    await driver.settle(end(run, keep=0))
    await check_cancelled(driver)


async def test_it_survives_its_worker(driver: Driver) -> None:
    """The recovered job is started once more only to be failed, however often it has stalled."""
    await driver.add("j")
    run = await driver.take_one()
    await cancel(driver)
    for stalls in (1, 2):
        await driver.lose_lock("j")
        await driver.check_stalled()
        assert (await driver.check_stalled())[0].stalls == stalls
        claim = driver.a_claim(1)
        (claimed,) = (await driver.claim(claim)).jobs
        assert claimed.deferred == REASON.encode()
    assert await driver.settle(end(run)) != [0]
    assert await driver.active() == ["j"]


async def test_the_first_reason_stays(driver: Driver) -> None:
    """A second cancel of a run tells its worker again, and changes nothing."""
    await driver.add("j")
    await driver.take_one()
    await cancel(driver)
    await cancel_job(driver.server, driver.keys, "j", "cancelled: again")
    assert [order["reason"] for order in await told(driver)] == [REASON, REASON]
    assert (await driver.fields("j"))["defa"] == REASON


async def test_a_child_that_fails_does_not_take_its_place(driver: Driver) -> None:
    """A cancelled parent that runs ends as cancelled, whatever its children do."""
    await driver.add("p")
    run = await driver.take_one()
    parent_key = driver.keys.job("p")
    await add(driver, new_node(driver, "c", parent_key, policy="fpof"), run=run)
    await cancel(driver, "p")
    child = await driver.take_one()
    await driver.settle(end(child, Verb.FAIL, "boom"))
    await driver.settle(end(run))
    await check_cancelled(driver, "p")


async def test_a_later_job_of_the_same_id_is_not_hit(driver: Driver) -> None:
    """The mark goes with the job: one that is added after it runs as any other."""
    await driver.add("j")
    run = await driver.take_one()
    await cancel(driver)
    await driver.settle(end(run))
    assert await remove_job(driver.server, driver.keys, "j") == 1
    driver.now += 1
    await driver.add("j")
    again = await driver.take_one()
    assert again.fence != run.fence
    assert await driver.settle(end(again)) == [0]


async def test_retried_by_an_operator_it_runs(driver: Driver) -> None:
    """To retry is to want it after all."""
    await driver.add("j")
    await cancel(driver)
    await retry_jobs(driver.server, driver.keys, JobState.FAILED, ["j"])
    assert "corral.failure" not in await driver.fields("j")
    assert await driver.settle(end(await driver.take_one())) == [0]


@pytest.mark.parametrize("kind", [JobState.COMPLETED, JobState.FAILED])
async def test_one_that_node_has_ended_and_an_operator_retries(driver: Driver, kind: JobState) -> None:
    """A Node worker has not heard of the mark and has left it in the job: retried, it runs all the same."""
    await driver.add("j")
    await driver.take_one()
    await cancel(driver)
    await driver.call("LREM", driver.keys.key("active"), 1, "j")
    await driver.call("DEL", driver.keys.job("j") + ":lock")
    await driver.call("ZADD", driver.keys.key(kind), driver.now, "j")
    await driver.call("HSET", driver.keys.job("j"), "finishedOn", driver.now)
    await retry_jobs(driver.server, driver.keys, kind, ["j"])
    assert "defa" not in await driver.fields("j")
    assert await driver.settle(end(await driver.take_one())) == [0]


async def test_a_kind_left_from_an_earlier_end_cancels_nothing(driver: Driver) -> None:
    """Node has retried a cancelled job, and knows nothing of its kind. What it carries later has its own reason."""
    await driver.add("j")
    await driver.call("HSET", driver.keys.job("j"), "corral.failure", FailureKind.CANCELLED)
    run = await driver.take_one()
    await driver.call("HSET", driver.keys.job("j"), "defa", "child bull:q:c failed")
    assert await driver.settle(end(run)) == [0]


# --- what is refused


@pytest.mark.parametrize(("verb", "state"), [(Verb.COMPLETE, "completed"), (Verb.FAIL, "failed")])
async def test_one_that_has_ended_stays_as_it_is(driver: Driver, verb: Verb, state: str) -> None:
    """The answer names its state; not a byte has changed."""
    await driver.add("j")
    await driver.settle(end(await driver.take_one(), verb))
    before = await driver.bytes_of_all()
    assert await cancel(driver) == Cancellation(-3, JobState(state))
    assert await driver.bytes_of_all() == before


@pytest.mark.parametrize("damaged", [False, True], ids=["none", "no hash"])
async def test_no_job(driver: Driver, damaged: bool) -> None:
    """Nothing is made of an id that nobody has, nor of a key that holds something else."""
    if damaged:
        await driver.call("SET", driver.keys.job("j"), "x")
    assert (await cancel(driver)).code == -1
    assert await driver.call("EXISTS", driver.keys.job("j")) == damaged


async def test_the_next_run_of_a_schedule(driver: Driver) -> None:
    """It is refused, before and after it is due: the schedule would end. One that has begun may be cancelled."""
    await Schedules(driver).every(1)
    (pending,) = await driver.scores("repeat_")
    assert pending == "s"
    first = (await driver.waiting() or list(await driver.scores("delayed")))[0]
    assert (await cancel(driver, first)).code == -8
    run = await driver.take_one()
    assert (await cancel(driver, first)).code == 0
    await driver.settle(end(run))
    assert list(await driver.scores("delayed")) == [job(1)]


async def test_a_call_that_is_sent_again_says_the_same(driver: Driver) -> None:
    """The job may have been removed and added again meanwhile: that one is not hit."""
    await driver.add("j")
    sent = Sent("s", 1)
    assert (await cancel(driver, sent=sent)).code == 1
    await remove_job(driver.server, driver.keys, "j")
    await driver.add("j")
    assert (await cancel(driver, sent=sent)).code == 1
    assert await driver.waiting() == ["j"]


# --- with all below it


async def test_children_too(driver: Driver) -> None:
    """All below a job that have not ended, in whatever state; those that have stay as they are."""
    root = new_node(driver, "r", has_children=True)
    middle = new_node(driver, "m", root, has_children=True)
    leaves = [new_node(driver, name, middle) for name in ("ended", "running", "waiting")]
    later = new_node(driver, "later", root, delay=1000)
    await add(driver, root, middle, later, *leaves)
    ended, running = await driver.take(2)
    await driver.settle(end(ended))
    done = await Cancelling(driver.server, driver.keys, REASON).cancel("r", children=True)
    assert done.code == 1
    for wire_id in ("r", "m", "waiting", "later"):
        await check_cancelled(driver, wire_id)
    assert await job_state(driver.server, driver.keys, "ended") is JobState.COMPLETED
    assert await driver.settle(end(running)) == [OVERRULED]
    await check_cancelled(driver, "running")


async def test_many_children_of_a_parent_that_is_not_kept(driver: Driver) -> None:
    """The list of them goes with it, and they are cancelled all the same, page by page."""
    count = 3 * JOBS_PER_CALL
    root = new_node(driver, "r", has_children=True)
    await add(driver, root, *(new_node(driver, f"c{number}", root, policy="idof") for number in range(count)))
    await driver.call("HSET", driver.keys.job("r"), "opts", '{"removeOnFail":true}')
    await Cancelling(driver.server, driver.keys, REASON).cancel("r", children=True)
    assert await driver.call("EXISTS", driver.keys.job("r")) == 0
    assert len(await driver.scores("failed")) == count
    assert await driver.waiting() == []


async def test_children_are_left_alone_unless_asked_for(driver: Driver) -> None:
    """They go on for themselves."""
    await family(driver)
    await Cancelling(driver.server, driver.keys, REASON).cancel("p")
    assert sorted(await driver.waiting()) == ["a", "b"]


async def test_one_that_was_promoted_meanwhile(driver: Driver) -> None:
    """A job on its way from one state to another is found."""
    await driver.add(new_job("j", delay=50))
    await promote_jobs(driver.server, driver.keys, ["j"])
    assert (await cancel(driver)).code == 1
    await check_cancelled(driver)
