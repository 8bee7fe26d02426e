"""The failures of a queue: grouped by cause, counted, retried, removed, by group or by filter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis.asyncio

from corral import Client, FailureKind, InvalidOption, JobFilter, JobState, Queue, Unrecoverable, Worker
from corral.admin import failure_index
from corral.admin.admin import Admin
from corral.admin.failures import QueueFailures
from corral.admin.queue import QueueAdmin
from corral.contracts.fingerprint import fingerprint_of
from tests.admin import failing

Fail = Callable[..., Awaitable[None]]
HOSTILE = ["\x00", "\ud800x", "é", "<script>", "%s{}", "x" * 10_000, "'\"`", "\n\n", "-1", "\u202e"]


@pytest.fixture
def failures(operated: QueueAdmin) -> QueueFailures:
    """The failures of the test's queue."""
    return operated.failures


@pytest.fixture
def fail(raw: redis.asyncio.Redis, admin: Admin, queue_name: str) -> Fail:
    """Let jobs of the test's queue have failed."""
    keys = admin.server.keys(queue_name)
    return lambda *arguments, **options: failing.fail(raw, keys, *arguments, **options)


def ids(first: int, count: int) -> list[str]:
    """Ids of jobs."""
    return [f"job-{number}" for number in range(first, first + count)]


async def sizes(failures: QueueFailures) -> list[int]:
    """How many jobs the groups have, the latest to fail first."""
    return [group.count for group in (await failures.groups()).groups]


async def test_groups(failures: QueueFailures, fail: Fail) -> None:
    """Failures of one cause are one group, with its first and last failure and its latest job as an example."""
    await fail(ids(0, 3), "user {id} not found", at=failing.NOW)
    await fail(ids(3, 2), "user {id} not found", error="LookupError", at=failing.NOW + 1000)
    found = await failures.groups()
    assert (found.covered, found.total, found.exact) == (5, 5, True)
    later, earlier = found.groups
    assert (later.count, later.error_type, later.place) == (2, "LookupError", "mail/sender.py:send")
    assert (earlier.count, earlier.message, earlier.kind) == (
        3,
        "user job-# not found",
        FailureKind.EXHAUSTED,
    )
    assert earlier.first_seen == datetime.fromtimestamp(failing.NOW / 1000, UTC)
    assert earlier.last_seen - earlier.first_seen == timedelta(milliseconds=2)
    assert earlier.example == "job-2"
    assert [job.id for job in await failures.jobs(earlier.fingerprint)] == ["job-2", "job-1", "job-0"]
    assert [job.id for job in await failures.jobs(earlier.fingerprint, start=1, limit=1)] == ["job-1"]
    assert len((await failures.groups(limit=1)).groups) == 1


async def test_nothing_failed(failures: QueueFailures, raw: redis.asyncio.Redis, prefix: str) -> None:
    """A queue without failures has no groups, and looking at it leaves no key."""
    found = await failures.groups()
    assert (found.groups, found.covered, found.total, found.exact) == ((), 0, 0, True)
    assert await failures.jobs("0" * 16) == []
    assert await failures.retry("0" * 16) == 0
    assert await raw.keys(f"{prefix}*") == []


async def test_what_fails_later_is_filed(failures: QueueFailures, fail: Fail) -> None:
    """Each look adds what has failed since, to its group or to a new one."""
    for round_ in range(3):
        await fail(ids(10 * round_, 2), "a", at=failing.NOW + 1000 * round_)
        await fail([f"new-{round_}"], f"error of kind {'abc'[round_]}", at=failing.NOW + 1000 * round_ + 500)
        assert sorted(await sizes(failures)) == [*[1] * (round_ + 1), 2 * (round_ + 1)]


async def test_a_look_files_a_bounded_number(failures: QueueFailures, fail: Fail) -> None:
    """Of many failures a look files the newest thousand, says so, and the next look goes on backwards."""
    await fail(ids(0, 2500), "old")
    await fail(ids(2500, 100), "new", at=failing.NOW + 10_000)
    found = await failures.groups()
    assert found.total == 2600
    assert 900 < found.covered < 1100
    assert not found.exact
    assert [group.message for group in found.groups] == ["new", "old"]
    await fail(ids(2600, 50), "newest", at=failing.NOW + 20_000)
    while not (found := await failures.groups()).exact:
        pass
    assert [(group.message, group.count) for group in found.groups] == [
        ("newest", 50), ("new", 100), ("old", 2500),
    ]  # fmt: skip


async def test_the_window(failures: QueueFailures, fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many of the newest are filed, and ids go when newer ones come; what is covered says so."""
    monkeypatch.setattr(failure_index, "WINDOW", 150)
    await fail(ids(0, 400), "a")
    await failures.groups()
    found = await failures.groups()
    assert (found.covered, found.total, found.exact) == (150, 400, False)
    await fail(ids(400, 100), "b", at=failing.NOW + 10_000)
    found = await failures.groups()
    assert [(group.message, group.count) for group in found.groups] == [("b", 100), ("a", 50)]
    await fail(ids(500, 1000), "c", at=failing.NOW + 20_000)
    found = await failures.groups()
    assert [(group.message, group.count) for group in found.groups] == [("c", 150)]


async def test_too_many_groups(failures: QueueFailures, fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every failure is a cause of its own, those that failed last are kept."""
    monkeypatch.setattr(failure_index, "MOST_GROUPS", 20)
    for number in range(30):
        letters = "".join("abcdefghij"[int(digit)] for digit in f"{number:02d}")
        await fail([f"j{number}"], letters, at=failing.NOW + number)
    found = await failures.groups()
    assert (len(found.groups), found.covered, found.total, found.exact) == (20, 20, 30, False)
    assert found.groups[0].example == "j29"
    assert await failures.count() == 30
    assert await failures.count(where=JobFilter(reason="aa")) == 1


async def test_what_is_no_longer_failed_falls_out(
    operated: QueueAdmin, failures: QueueFailures, fail: Fail
) -> None:
    """Retried, removed and cleaned jobs are in no group, whoever took them; one that failed anew is in its new one."""
    await fail(ids(0, 10), "a")
    assert await sizes(failures) == [10]
    await operated.jobs.retry("job-0")
    await operated.jobs.remove("job-1")
    assert await sizes(failures) == [8]
    await fail(["job-0", "job-2"], "b", at=failing.NOW + 1000)
    found = await failures.groups()
    assert [(group.message, group.count) for group in found.groups] == [("b", 2), ("a", 7)]
    assert found.exact
    await operated.clean(JobState.FAILED, older_than=0)
    await operated.jobs.retry_all()
    assert (await failures.groups()).total == len(await failures.jobs(found.groups[0].fingerprint))


async def test_failures_of_the_past(failures: QueueFailures, fail: Fail) -> None:
    """What a worker with a slow clock files behind others is found by one of the next looks."""
    await fail(ids(0, 5), "a")
    assert await sizes(failures) == [5]
    await fail(["late"], "b", at=failing.NOW - 60_000)
    assert not (await failures.groups()).exact
    assert await sizes(failures) == [5, 1]


async def test_two_that_look_at_once(admin: Admin, operated: QueueAdmin, fail: Fail) -> None:
    """Any number of observers may file the same failures at once; each job counts once."""
    await fail(ids(0, 700), "a {id}")
    await fail(ids(700, 300), "b {id}", at=failing.NOW + 5000)
    others = [admin.queue(operated.name).failures for _ in range(4)]
    await asyncio.gather(*(other.groups() for other in others))
    while not (found := await operated.failures.groups()).exact:
        pass
    assert [group.count for group in found.groups] == [300, 700]


async def test_the_index_expires(
    failures: QueueFailures, fail: Fail, raw: redis.asyncio.Redis, admin: Admin, queue_name: str
) -> None:
    """Every key of it goes a week after it was last used, and is made again from nothing."""
    await fail(ids(0, 5), "a")
    await failures.groups()
    keys = await raw.keys(f"{admin.server.keys(queue_name).own_base}*".replace("{", "?").replace("}", "?"))
    assert len(keys) == 2
    for key in keys:
        assert 6 * 86_400_000 < await raw.pttl(key) <= 7 * 86_400_000
    await raw.delete(*keys)
    assert await sizes(failures) == [5]


@pytest.mark.parametrize("filed", [True, False], ids=["filed", "not filed"])
async def test_retry_and_remove_a_group(
    operated: QueueAdmin, fail: Fail, monkeypatch: pytest.MonkeyPatch, filed: bool
) -> None:
    """A group is counted, retried and removed alone: by its ids where all are filed, else by looking at all."""
    if not filed:
        monkeypatch.setattr(failure_index, "WINDOW", 100)
    await fail(ids(0, 150), "a {id}")
    await fail(ids(150, 130), "b {id}", at=failing.NOW + 5000)
    await fail(ids(280, 120), "c {id}", at=failing.NOW + 9000, name="sms")
    failures = operated.failures
    names = {
        message: await group_of(operated, job)
        for message, job in zip("abc", ["job-0", "job-150", "job-280"], strict=True)
    }
    assert await failures.count(names["a"]) == 150
    assert await failures.count(names["a"], kind="poison") == 0
    assert await failures.count(names["a"], where=JobFilter(name="sms")) == 0
    assert await failures.count(kind=FailureKind.EXHAUSTED) == 400
    told: list[tuple[int, int]] = []
    assert await failures.retry(names["b"], limit=60, on_progress=lambda *step: told.append(step)) == 60
    assert await failures.retry(names["b"], reset_attempts=True) == 70
    assert told
    assert all(done <= of for done, of in told)
    assert await failures.count(names["b"]) == 0
    assert await failures.remove(names["c"]) == 120
    counts = await operated.counts()
    assert (counts[JobState.FAILED], counts[JobState.WAITING]) == (150, 130)
    assert await operated.jobs.get("job-280") is None


async def group_of(operated: QueueAdmin, job_id: str) -> str:
    """The fingerprint of one job, from what is stored of it."""
    job = await operated.jobs.get(job_id)
    assert job is not None
    return fingerprint_of("exhausted", job.failed_reason or "", job.stacktrace[-1]).digest


async def test_filters(failures: QueueFailures, fail: Fail) -> None:
    """Name, reason and time narrow what is counted, retried and removed."""
    await fail(ids(0, 5), "timeout", at=failing.NOW)
    await fail(ids(5, 5), "refused", at=failing.NOW + 60_000, name="sms")
    later = datetime.fromtimestamp(failing.NOW / 1000 + 30, UTC)
    for where in (JobFilter(name="sms"), JobFilter(reason="refu"), JobFilter(finished_after=later)):
        assert await failures.count(where=where) == 5
    assert await failures.count(where=JobFilter(finished_before=later, name="sms")) == 0
    assert await failures.remove(where=JobFilter(finished_before=later)) == 5
    assert await failures.retry(where=JobFilter(name="sms"), limit=3) == 3
    assert await failures.count() == 2


async def test_a_group_is_retried_once_while_workers_run(operated: QueueAdmin, client: Client) -> None:
    """Jobs that fail again at once are not retried a second time, and the kinds are told apart."""
    queue = Queue(operated.name)

    @queue.task(attempts=1)
    async def break_down(number: int) -> None:
        raise RuntimeError(f"as ever {number}")

    @queue.task
    async def give_up(number: int) -> None:
        raise Unrecoverable("never")

    async with Worker(queue, client=client, concurrency=20):
        handles = await break_down.enqueue_many(client, range(250))
        for handle in [*handles, await give_up.enqueue(client, 1)]:
            await handle.wait(timeout=30)
        found = await operated.failures.groups()
        assert {(group.kind, group.count) for group in found.groups} == {("exhausted", 250), ("permanent", 1)}
        assert {group.place for group in found.groups} == {
            "admin/test_failures.py:break_down", "admin/test_failures.py:give_up",
        }  # fmt: skip
        assert await operated.failures.retry(kind="exhausted") == 250
        while (await operated.counts())[JobState.FAILED] < 251:
            pass
    job = await operated.jobs.get(handles[0].id)
    assert job is not None
    assert job.attempts_started == 2


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_failures(
    failures: QueueFailures, raw: redis.asyncio.Redis, admin: Admin, queue_name: str, text: str
) -> None:
    """Whatever another client has written of a failed job, it is in a group and can be retried."""
    keys, stored = admin.server.keys(queue_name), text.encode("utf-8", "surrogatepass")
    await raw.hset(keys.job("a"), mapping={"name": stored, "failedReason": stored, "stacktrace": stored})
    await raw.hset(
        keys.job("b"),
        mapping={"failedReason": (stored * 500)[:400_000], "stacktrace": b'["' + (stored * 20_000)[:400_000]},
    )
    await raw.set(keys.job("c"), stored)
    await raw.zadd(keys.key("failed"), {b"a": 1, b"b": 2, b"c": 3, b"\xff\x00": 4})
    found = await failures.groups()
    assert (found.covered, found.total, found.exact) == (4, 4, True)
    assert sum(group.count for group in found.groups) == 4
    for group in found.groups:
        await failures.jobs(group.fingerprint)
    assert await failures.retry() == 3  # the fourth has no record: there is nothing to run


@pytest.mark.parametrize(
    "options",
    [
        {"fingerprint": 5},
        {"fingerprint": "\ud800"},
        {"kind": "bad"},
        {"kind": 5},
        {"where": {}},
        {"limit": -1},
    ],
    ids=str,
)
async def test_bad_arguments(failures: QueueFailures, options: dict[str, object]) -> None:
    """What cannot be is refused, with what to give instead, and nothing is done."""
    with pytest.raises(InvalidOption):
        await failures.retry(**options)  # type: ignore[arg-type]
