"""Every verb for one job, in every state of that job: it does what it says, or refuses and changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from corral.admin.jobs import JobsAdmin
from corral.admin.queue import QueueAdmin
from corral.contracts.states import JobState
from corral.errors import (
    InvalidJobId,
    InvalidOption,
    InvalidPayload,
    JobError,
    JobGone,
    JobLocked,
    JobNotInState,
    PayloadTooLarge,
)
from tests.admin.states import PUT, put
from tests.engine.driver import Driver

W, P, D, A = JobState.WAITING, JobState.PRIORITIZED, JobState.DELAYED, JobState.ACTIVE
WC, C, F, GONE = JobState.WAITING_CHILDREN, JobState.COMPLETED, JobState.FAILED, JobState.UNKNOWN


class Rule(NamedTuple):
    """A verb, and what becomes of a job in each of the states that allow it."""

    name: str
    verb: Callable[[JobsAdmin], Awaitable[object]]
    leads_to: dict[JobState, JobState]


STAYS = {state: state for state in PUT}
RULES = [
    Rule("remove", lambda jobs: jobs.remove("j"), dict.fromkeys((W, P, D, WC, C, F), GONE)),
    Rule(
        "remove alone",
        lambda jobs: jobs.remove("j", children=False),
        dict.fromkeys((W, P, D, WC, C, F), GONE),
    ),
    Rule("remove children", lambda jobs: jobs.remove_unprocessed_children("j"), STAYS | {WC: W}),
    Rule("cancel", lambda jobs: jobs.cancel("j"), dict.fromkeys((W, P, D, WC), F) | {A: A}),
    Rule("retry", lambda jobs: jobs.retry("j"), {C: W, F: W}),
    Rule("promote", lambda jobs: jobs.promote("j"), {D: W}),
    Rule("delay", lambda jobs: jobs.set_delay("j", 60), {D: D}),
    Rule("priority", lambda jobs: jobs.set_priority("j", 5), STAYS | {W: P}),
    Rule("no priority", lambda jobs: jobs.set_priority("j", 0), STAYS | {P: W}),
    Rule("data", lambda jobs: jobs.set_data("j", [1]), STAYS),
    Rule("add a log line", lambda jobs: jobs.add_log("j", "x"), STAYS),
    Rule("clear the log", lambda jobs: jobs.clear_logs("j"), STAYS),
]
CASES = [(rule, state) for rule in RULES for state in (*PUT, GONE)]


@pytest.mark.parametrize(("rule", "state"), CASES, ids=[f"{rule.name}: {state}" for rule, state in CASES])
async def test_a_verb_in_a_state(operated: QueueAdmin, driver: Driver, rule: Rule, state: JobState) -> None:
    """Where the state allows it the job goes where the verb takes it; else the error names the state, and every key
    of the server is as it was."""
    await put(driver, state)
    before = await driver.bytes_of_all()
    if state in rule.leads_to:
        await rule.verb(operated.jobs)
        assert await operated.jobs.state("j") is rule.leads_to[state]
        return
    with pytest.raises(JobError) as caught:
        await rule.verb(operated.jobs)
    assert await driver.bytes_of_all() == before
    error = caught.value
    if state is GONE:
        assert type(error) is JobGone
    elif isinstance(error, JobNotInState):
        assert (error.state, set(error.allowed)) == (state, {str(one) for one in rule.leads_to})
        assert state in str(error)
    else:
        assert type(error) is JobLocked
        assert state is A


async def test_what_refuses_no_input(operated: QueueAdmin, driver: Driver) -> None:
    """What cannot be meant is refused before the server is asked, and nothing has changed."""
    await put(driver, D)
    before, jobs = await driver.bytes_of_all(), operated.jobs
    wrong: list[tuple[type[Exception], Callable[[], Awaitable[object]]]] = [
        (InvalidOption, lambda: jobs.set_priority("j", -1)),
        (InvalidOption, lambda: jobs.set_priority("j", 2**21)),
        (InvalidOption, lambda: jobs.set_delay("j")),
        (InvalidOption, lambda: jobs.set_delay("j", -1)),
        (InvalidOption, lambda: jobs.set_delay("j", 1, run_at=datetime.now(UTC))),
        (InvalidOption, lambda: jobs.set_delay("j", run_at=datetime(2030, 1, 1))),  # noqa: DTZ001
        (InvalidPayload, lambda: jobs.set_data("j", float("nan"))),
        (PayloadTooLarge, lambda: jobs.set_data("j", "x" * 2**20)),
        (PayloadTooLarge, lambda: jobs.set_data("j", "x" * 10, payload_limit=11)),
        (InvalidOption, lambda: jobs.set_data("j", "x", payload_limit=0)),
        (InvalidOption, lambda: jobs.clear_logs("j", keep=-1)),
        (InvalidOption, lambda: jobs.clear_logs("j", keep=1.5)),  # type: ignore[arg-type]
        (InvalidOption, lambda: jobs.add_log("j", None)),  # type: ignore[arg-type]
        (InvalidOption, lambda: jobs.retry_many("job")),
        (InvalidJobId, lambda: jobs.remove_many(["j", 5])),  # type: ignore[list-item]
        (InvalidJobId, lambda: jobs.remove("\ud800")),
        (InvalidOption, lambda: jobs.remove("j", children="no")),  # type: ignore[arg-type]
        (InvalidOption, lambda: jobs.retry_all(where="timeout")),  # type: ignore[arg-type]
        (InvalidOption, lambda: jobs.retry_all(limit=True)),
        (InvalidOption, lambda: jobs.retry_all(reset_attempts="yes")),  # type: ignore[arg-type]
        (InvalidOption, lambda: jobs.list("failed", limit=-1)),
        (InvalidOption, lambda: jobs.list("failed", start=1.5)),  # type: ignore[arg-type]
        (InvalidOption, lambda: jobs.logs("j", limit="5")),  # type: ignore[arg-type]
        (InvalidOption, lambda: jobs.retry_all("waiting")),
        (InvalidOption, lambda: jobs.count_matching(JobState.ACTIVE)),
        (InvalidOption, lambda: jobs.retry_all(limit=-1)),
        (InvalidOption, lambda: jobs.list("unknown")),
    ]
    for kind, call in wrong:
        with pytest.raises(kind):
            await call()
    assert await driver.bytes_of_all() == before


class TestRetry:
    """A finished job runs again."""

    @pytest.mark.parametrize("state", [C, F])
    async def test_its_outcome_is_forgotten(
        self, operated: QueueAdmin, driver: Driver, state: JobState
    ) -> None:
        """The outcome and its times go; attempts, stacks and log stay; one event says where the job was."""
        await put(driver, state)
        await driver.forget_events()
        await operated.jobs.add_log("j", "before")
        await operated.jobs.retry("j")
        kept = await driver.fields("j")
        assert not kept.keys() & {"returnvalue", "failedReason", "finishedOn", "processedOn"}
        assert (kept["atm"], kept["ats"]) == ("1", "1")
        assert await driver.events() == [{"event": "waiting", "jobId": "j", "prev": str(state)}]
        assert await operated.jobs.logs("j") == ["before"]
        assert await driver.scores("marker") == {"0": 0}

    async def test_attempts_anew(self, operated: QueueAdmin, driver: Driver) -> None:
        """With `reset_attempts` the attempts and stalls begin anew, and the starts go on: they fence runs off."""
        await put(driver, F)
        await driver.call("HSET", driver.keys.job("j"), "stc", 3)
        await operated.jobs.retry("j", reset_attempts=True)
        kept = await driver.fields("j")
        assert (kept.get("atm"), kept.get("stc"), kept["ats"]) == (None, None, "1")

    async def test_its_place_in_line(self, operated: QueueAdmin, driver: Driver) -> None:
        """Behind the others, or before them when its options or the caller say so."""
        for wire_id in ("plain", "asked", "own"):
            await put(driver, F, wire_id)
        await driver.call("HSET", driver.keys.job("own"), "opts", '{"lifo":true}')
        await driver.add("first", "second")
        await operated.jobs.retry("plain")
        await operated.jobs.retry("asked", lifo=True)
        await operated.jobs.retry("own")
        assert await driver.waiting() == ["own", "asked", "first", "second", "plain"]

    async def test_priority_is_honoured(self, operated: QueueAdmin, driver: Driver) -> None:
        """A job with a priority goes back among the prioritized ones."""
        await put(driver, F)
        await driver.call("HSET", driver.keys.job("j"), "priority", 7)
        await operated.jobs.retry("j")
        assert await operated.jobs.state("j") is P

    async def test_several(self, operated: QueueAdmin, driver: Driver) -> None:
        """Each of several is retried or refused on its own, failed and completed ones mixed; progress is told."""
        for state in PUT:
            await put(driver, state, f"job-{state}")
        told: list[tuple[int, int]] = []
        ids = [*(f"job-{state}" for state in PUT), "nobody", "job-failed"]
        done = await operated.jobs.retry_many(ids, on_progress=lambda *step: told.append(step))
        assert done.done == ("job-completed", "job-failed")
        assert {job_id: type(error) for job_id, error in done.refused.items()} == {
            **{f"job-{state}": JobNotInState for state in PUT if state not in (C, F)},
            "nobody": JobGone,
        }
        assert told == [(8, 8)]

    async def test_a_key_that_holds_no_hash(self, operated: QueueAdmin, driver: Driver) -> None:
        """A job that cannot be read fails again, and its bytes are kept."""
        await driver.call("SET", driver.keys.job("bad"), "bytes")
        await driver.call("ZADD", driver.keys.key("failed"), 1, "bad")
        await operated.jobs.retry("bad")
        assert await driver.take(1) == []
        assert await operated.jobs.state("bad") is F
        assert await driver.call("GET", driver.keys.job("bad")) == "bytes"


class TestPromote:
    """A delayed job runs now."""

    async def test_it_is_delayed_no_more(self, operated: QueueAdmin, driver: Driver) -> None:
        """`delay` becomes 0, a worker is woken, one event says where the job was; priority is honoured."""
        await put(driver, D)
        await put(driver, D, "urgent")
        await driver.call("HSET", driver.keys.job("urgent"), "priority", 3)
        await driver.forget_events()
        done = await operated.jobs.promote_many(["j", "urgent", "j", "nobody"])
        assert (done.done, [*done.refused]) == (("j", "urgent"), ["nobody"])
        assert (await driver.fields("j"))["delay"] == "0"
        assert [event["jobId"] for event in await driver.events("waiting")] == ["j", "urgent"]
        assert (await driver.scores("marker"))["0"] == 0
        assert (await driver.waiting(), [*await driver.scores("prioritized")]) == (["j"], ["urgent"])


class TestChange:
    """A job is changed and stays where it is, or takes the place that follows from it."""

    async def test_a_delay(self, operated: QueueAdmin, driver: Driver) -> None:
        """Due so long from now, or at that time; `delayed` tells the time, and the marker is set to it."""
        await put(driver, D)
        at = datetime.now(UTC) + timedelta(hours=2)
        await operated.jobs.set_delay("j", run_at=at)
        due = round(at.timestamp() * 1000)
        assert await driver.scores("delayed") == {"j": due * 4096}
        assert await driver.scores("marker") == {"1": due}
        assert (await driver.events("delayed"))[-1]["delay"] == str(due)
        await operated.jobs.set_delay("j", timedelta(minutes=1))
        assert (await driver.fields("j"))["delay"] == "60000"
        assert (await driver.scores("delayed"))["j"] < due * 4096

    async def test_a_priority(self, operated: QueueAdmin, driver: Driver) -> None:
        """Behind its new equals, or before them; the same in the line of those without one."""
        for wire_id in ("a", "b", "c", "d"):
            await put(driver, W, wire_id)
        for wire_id, lifo in (("a", False), ("b", False), ("c", True)):
            await operated.jobs.set_priority(wire_id, 3, lifo=lifo)
        assert [*await driver.scores("prioritized")] == ["c", "a", "b"]
        await operated.jobs.set_priority("a", 0)
        await operated.jobs.set_priority("b", 0, lifo=True)
        assert await driver.waiting() == ["b", "d", "a"]

    async def test_data(self, operated: QueueAdmin, driver: Driver) -> None:
        """The payload is what was given, as JSON; None is stored as BullMQ does."""
        await put(driver, W)
        await operated.jobs.set_data("j", {"to": "ü"})
        assert (await driver.fields("j"))["data"] == '{"to":"ü"}'
        await operated.jobs.set_data("j", None)
        assert (await driver.fields("j"))["data"] == "{}"
        await operated.jobs.set_data("j", "x" * 2**20, payload_limit=2**21)
        assert len((await driver.fields("j"))["data"]) == 2**20 + 2

    async def test_logs(self, operated: QueueAdmin, driver: Driver) -> None:
        """Lines are added, the newest kept as the job's options say, cleared down to some or to none."""
        await put(driver, F)
        await driver.call("HSET", driver.keys.job("j"), "opts", '{"kl":3}')
        assert [await operated.jobs.add_log("j", line) for line in "abcd"] == [1, 2, 3, 3]
        assert await operated.jobs.logs("j") == ["b", "c", "d"]
        assert await operated.jobs.logs("j", start=1, limit=1) == ["c"]
        await operated.jobs.clear_logs("j", keep=1)
        assert await operated.jobs.logs("j") == ["d"]
        await operated.jobs.clear_logs("j")
        assert await driver.call("EXISTS", driver.keys.job("j") + ":logs") == 0


async def test_looking(operated: QueueAdmin, driver: Driver) -> None:
    """A job, its state, and the pages of a state."""
    for state in PUT:
        await put(driver, state, f"job-{state}")
    for state in PUT:
        job = await operated.jobs.get(f"job-{state}")
        assert job is not None
        assert job.state is state
        assert job.id in [listed.id for listed in await operated.jobs.list(state)]
    assert await operated.jobs.get("nobody") is None
