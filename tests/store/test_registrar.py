"""The registrar: a schedule for each enabled cron job, and none for any other, whatever happened meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import redis.asyncio
from sqlalchemy import event, text

from corral import Admin, Client, Cron, Every, Schedule
from corral.errors import ServerRefused, ServerUnavailable
from corral.store.cron_job import CronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.registrar import Registrar
from tests.servers import ServerProcess, free_port
from tests.store.tasks import Digest, MailTasks

NIGHTLY = CronJob(
    job_id="nightly", pattern="0 3 * * *", handler="mail.digest", payload={"to": "ada"}, queue="mail"
)


@pytest.fixture
def registrar(cron_jobs: CronJobs, admin: Admin) -> Registrar:
    """A registrar of the test's server."""
    return Registrar(cron_jobs, admin.server)


def fresh(cron_jobs: CronJobs, admin: Admin) -> Registrar:
    """The registrar of another worker, or of the next one."""
    return Registrar(CronJobs(cron_jobs.database, MailTasks), admin.server)


async def schedules(admin: Admin, queue: str = "mail") -> dict[str, Schedule]:
    """The schedules that there are, by id."""
    return {schedule.id: schedule for schedule in await admin.queue(queue).schedules.list(limit=100)}


async def test_a_cron_job_is_a_schedule(cron_jobs: CronJobs, registrar: Registrar, admin: Admin) -> None:
    """Its id is the job id; pattern, zone, payload, attempts and backoff are the row's, the rest is the task's."""
    row = await cron_jobs.create(replace(NIGHTLY, tz="Europe/Berlin", max_attempts=7, backoff_ms=250))
    await registrar.register()
    (schedule,) = (await schedules(admin)).values()
    assert (schedule.id, schedule.name, schedule.data) == ("nightly", "mail.digest", {"to": "ada", "days": 1})
    assert schedule.rule == Cron("0 3 * * *", tz="Europe/Berlin")
    assert schedule.opts.attempts == 7
    assert schedule.opts.backoff is not None
    assert (schedule.opts.backoff.type, schedule.opts.backoff.delay_ms) == ("exponential", 250)
    assert schedule.opts.raw["removeOnComplete"] == 1000
    assert (schedule.opts.cron_job, schedule.opts.raw["kind"]) == (row.id, "cron")


async def test_registering_again_changes_nothing(
    cron_jobs: CronJobs, registrar: Registrar, admin: Admin
) -> None:
    """Any number of workers may start at once: the schedule and its pending job stay as they are."""
    await cron_jobs.create(NIGHTLY)
    await registrar.register()
    before = await schedules(admin)
    await asyncio.gather(*(fresh(cron_jobs, admin).register() for _ in range(5)))
    assert await schedules(admin) == before


async def test_a_look_at_what_has_not_changed_is_one_query(
    cron_jobs: CronJobs, registrar: Registrar, database: Database
) -> None:
    """Following costs one SELECT a look."""
    await cron_jobs.create(NIGHTLY)
    await registrar.register()
    queries: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        queries.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    await registrar.register()
    assert len([query for query in queries if not query.startswith("BEGIN")]) == 1


CHANGES: list[tuple[dict[str, Any], set[str]]] = [
    ({"enabled": False}, set()),
    ({"job_id": "renamed"}, {"renamed"}),
    ({"pattern": "@hourly"}, {"nightly"}),
    ({"queue": "elsewhere", "handler": "x"}, set()),
]


@pytest.mark.parametrize(
    ("changes", "left"), CHANGES, ids=["disabled", "renamed", "another pattern", "moved"]
)
@pytest.mark.parametrize("meanwhile", ["running", "no worker ran"])
async def test_changes_are_followed(
    cron_jobs: CronJobs, registrar: Registrar, admin: Admin, changes: Any, left: set[str], meanwhile: str
) -> None:
    """Disabled, renamed, changed or moved, while a worker runs or while none does: the next pass leaves exactly the
    schedules that are asked for, and no job of another."""
    row = await cron_jobs.create(NIGHTLY)
    await registrar.register()
    changed = await cron_jobs.update(row.id, **changes)
    await (registrar if meanwhile == "running" else fresh(cron_jobs, admin)).register()
    found = await schedules(admin)
    assert set(found) == left
    assert all(schedule.rule == Cron(changed.pattern) for schedule in found.values())
    jobs = await admin.queue("mail").jobs.list("delayed")
    assert {job.repeat_key for job in jobs} == left


@pytest.mark.parametrize("statement", [
    "DELETE FROM corral_cron_jobs",
    "UPDATE corral_cron_jobs SET job_id = 'renamed'",
    "UPDATE corral_cron_jobs SET enabled = false",
])  # fmt: skip
async def test_changes_by_sql_are_found_at_the_next_start(
    cron_jobs: CronJobs, registrar: Registrar, admin: Admin, database: Database, statement: str
) -> None:
    """Somebody edits the table by hand, while no worker runs: nothing is left behind."""
    await cron_jobs.create(NIGHTLY)
    await registrar.register()
    async with database.writing() as session:
        await session.execute(text(statement))
    await fresh(cron_jobs, admin).register()
    assert set(await schedules(admin)) == ({"renamed"} if "renamed" in statement else set())


async def test_the_schedules_of_others_are_left_alone(
    cron_jobs: CronJobs, registrar: Registrar, admin: Admin, client: Client
) -> None:
    """What code has scheduled stays, also where it has taken over the id of a cron job that is deleted then."""
    row = await cron_jobs.create(NIGHTLY)
    await registrar.register()
    await MailTasks.digest.enqueue(client, Digest(to="bob"), job_id="own", repeat=Every(hours=1))
    await MailTasks.digest.enqueue(client, Digest(to="bob"), job_id="nightly", repeat=Every(hours=1))
    await cron_jobs.delete(row.id)
    await registrar.register()
    assert set(await schedules(admin)) == {"own", "nightly"}


async def test_a_taken_over_id_is_the_new_ones(
    cron_jobs: CronJobs, registrar: Registrar, admin: Admin
) -> None:
    """Two rows change ids with each other by way of a third: each has its schedule, with its own payload."""
    one = await cron_jobs.create(replace(NIGHTLY, job_id="one"))
    two = await cron_jobs.create(replace(NIGHTLY, job_id="two", payload={"to": "bob"}))
    await registrar.register()
    await cron_jobs.update(one.id, job_id="three")
    await cron_jobs.update(two.id, job_id="one")
    await cron_jobs.update(one.id, job_id="two")
    await registrar.register()
    assert {key: found.data["to"] for key, found in (await schedules(admin)).items()} == {
        "one": "bob",
        "two": "ada",
    }


async def test_one_that_cannot_be_is_reported_and_skipped(
    cron_jobs: CronJobs,
    registrar: Registrar,
    admin: Admin,
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A row that somebody has spoilt: its problem stands in the row, the others are registered, and mending it is
    enough."""
    spoilt = await cron_jobs.create(replace(NIGHTLY, job_id="a-spoilt"))
    await cron_jobs.create(NIGHTLY)
    async with database.writing() as session:
        await session.execute(
            text("UPDATE corral_cron_jobs SET pattern = 'x', tz = 'Mars' WHERE job_id = 'a-spoilt'")
        )
    await registrar.register()
    assert set(await schedules(admin)) == {"nightly"}
    async with database.reading() as session:
        problem = await session.scalar(text("SELECT problem FROM corral_cron_jobs WHERE job_id = 'a-spoilt'"))
    assert "pattern: " in problem
    assert "tz: " in problem
    mended = await cron_jobs.update(spoilt.id, pattern="@daily", tz="UTC")
    assert mended.problem is None
    await registrar.register()
    assert set(await schedules(admin)) == {"nightly", "a-spoilt"}


async def test_a_refusal_of_redis_is_a_problem_of_the_row(
    cron_jobs: CronJobs, registrar: Registrar, admin: Admin, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """The id of the next run is that of a job that is kept: the row says so, until a pass can register it."""
    row = await cron_jobs.create(replace(NIGHTLY, pattern="0 0 1 1 *"))
    await registrar.register()
    (pending,) = await admin.queue("mail").jobs.list("delayed")
    await cron_jobs.update(row.id, enabled=False)
    await registrar.register()
    await raw.hset(f"{prefix}:mail:{pending.id}", "name", "kept from before")
    await cron_jobs.update(row.id, enabled=True)
    await registrar.register()
    read = await cron_jobs.get(row.id)
    assert read is not None
    assert "next run" in (read.problem or "")
    await raw.delete(f"{prefix}:mail:{pending.id}")
    await fresh(cron_jobs, admin).register()
    assert (await cron_jobs.get(row.id) or read).problem is None
    assert set(await schedules(admin)) == {"nightly"}


async def test_workers_register_the_queues_that_they_know(
    database: Database, cron_jobs: CronJobs, registrar: Registrar, admin: Admin
) -> None:
    """A row of another queue is left to the workers of that one; a worker that names no tasks registers all."""
    await CronJobs(database).create(replace(NIGHTLY, job_id="other", queue="other", handler="x"))
    await cron_jobs.create(NIGHTLY)
    await registrar.register()
    assert set(await schedules(admin)) == {"nightly"}
    assert await schedules(admin, "other") == {}
    await Registrar(CronJobs(database), admin.server).register()
    assert set(await schedules(admin, "other")) == {"other"}


async def test_what_failed_is_done_by_the_next_pass(
    cron_jobs: CronJobs, admin: Admin, database: Database
) -> None:
    """Redis is away during a pass: an error, and the next pass does what was not done; so does that of another
    worker, if this one has died in between."""
    gone = Registrar(cron_jobs, Admin(f"redis://127.0.0.1:{free_port()}", timeout=0.2).server)
    row = await cron_jobs.create(NIGHTLY)
    with pytest.raises(ServerUnavailable):
        await gone.register()
    with pytest.raises(ServerUnavailable):
        await gone.register()
    await fresh(cron_jobs, admin).register()
    assert set(await schedules(admin)) == {"nightly"}
    await cron_jobs.update(row.id, job_id="renamed")
    with pytest.raises(ServerUnavailable):
        await gone.register()
    await fresh(cron_jobs, admin).register()
    assert set(await schedules(admin)) == {"renamed"}


async def test_whoever_comes_last_the_last_change_wins(cron_jobs: CronJobs, admin: Admin) -> None:
    """Registrars of five workers at work while a row is switched on and off: in the end the schedule is there if and
    only if the row is enabled."""
    row = await cron_jobs.create(NIGHTLY)
    workers = [fresh(cron_jobs, admin) for _ in range(5)]
    for number in range(12):
        enabled = number % 2 == 1
        await asyncio.gather(
            cron_jobs.update(row.id, enabled=enabled), *(worker.register() for worker in workers)
        )
        await asyncio.gather(*(worker.register() for worker in workers))
        assert set(await schedules(admin)) == ({"nightly"} if enabled else set())


class Death(Exception):
    """A worker ends here."""


@pytest.mark.parametrize("commits", range(4))
async def test_a_worker_that_dies_at_any_commit_leaves_nothing_behind(
    cron_jobs: CronJobs, admin: Admin, database: Database, commits: int
) -> None:
    """A worker dies before it commits, for the first time or a later one, while it registers and while it removes; the
    row is deleted meanwhile: the next start leaves no schedule."""
    left = [commits]

    def die(_connection: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Death

    async def pass_until_death() -> None:
        left[0] = commits
        event.listen(database.engine.sync_engine, "commit", die)
        with suppress(Death):
            await fresh(cron_jobs, admin).register()
        event.remove(database.engine.sync_engine, "commit", die)

    row = await cron_jobs.create(NIGHTLY)
    await pass_until_death()
    await cron_jobs.update(row.id, job_id="renamed")
    await pass_until_death()
    await cron_jobs.delete(row.id)
    await pass_until_death()
    await fresh(cron_jobs, admin).register()
    assert await schedules(admin) == {}


async def test_a_damaged_queue_is_a_problem_of_its_rows(
    cron_jobs: CronJobs, admin: Admin, database: Database, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """Another program has written where its schedules ought to be: its rows say so, the others run."""
    await cron_jobs.create(replace(NIGHTLY, job_id="a-damaged", queue="damaged", handler="x"))
    await cron_jobs.create(NIGHTLY)
    await raw.set(f"{prefix}:damaged:repeat", "text")
    await Registrar(CronJobs(database), admin.server).register()
    assert set(await schedules(admin)) == {"nightly"}
    damaged = await cron_jobs.find("a-damaged")
    assert damaged is not None
    assert "WRONGTYPE" in (damaged.problem or "")


async def test_what_cannot_be_removed_hinders_no_other(
    cron_jobs: CronJobs, admin: Admin, database: Database, raw: redis.asyncio.Redis, prefix: str
) -> None:
    """A cron job of a queue that has been damaged since is deleted: the others run, and its schedule goes when the
    queue can be read again."""
    gone = await cron_jobs.create(replace(NIGHTLY, job_id="a-damaged", queue="damaged", handler="x"))
    await Registrar(CronJobs(database), admin.server).register()
    await raw.rename(f"{prefix}:damaged:repeat", f"{prefix}:kept")
    await raw.set(f"{prefix}:damaged:repeat", "text")
    await cron_jobs.delete(gone.id)
    await cron_jobs.create(NIGHTLY)
    await Registrar(CronJobs(database), admin.server).register()
    assert set(await schedules(admin)) == {"nightly"}
    await raw.rename(f"{prefix}:kept", f"{prefix}:damaged:repeat")
    await Registrar(CronJobs(database), admin.server).register()
    assert await admin.queue("damaged").schedules.get("a-damaged") is None


async def test_what_the_server_refuses_for_one_queue_hinders_no_other(
    cron_jobs: CronJobs, database: Database, make_server: Callable[..., ServerProcess]
) -> None:
    """A user who may not write to a queue: the pass says so at its end, and again each time, when all others have had
    their turn."""
    await cron_jobs.create(replace(NIGHTLY, job_id="a-forbidden", queue="forbidden", handler="x"))
    await cron_jobs.create(NIGHTLY)
    server = make_server()
    async with redis.asyncio.Redis.from_url(server.url) as raw:
        await raw.execute_command(  # type: ignore[no-untyped-call]
            "ACL", "SETUSER", "some", "on", ">pw", "+@all", "~bull:mail:*", "~bull::corral:mail:*"
        )
    async with Admin(f"redis://some:pw@127.0.0.1:{server.port}") as some, Admin(server.url) as admin:
        registrar = Registrar(CronJobs(database), some.server)
        for _ in range(2):
            with pytest.raises(ServerRefused):
                await registrar.register()
        assert set(await schedules(admin)) == {"nightly"}


async def test_registrations_are_noted_in_one_order(
    cron_jobs: CronJobs, registrar: Registrar, database: Database
) -> None:
    """Whoever else notes the same at that moment waits in a line for it, and not in a circle."""
    noted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT INTO corral_registrations"):
            rows = parameters if isinstance(parameters, list) else [parameters]
            noted.extend(next(text for text in row if text != "mail") for row in rows)

    for number in range(20):
        await cron_jobs.create(replace(NIGHTLY, job_id=f"{number:02}"))
    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    await registrar.register()
    assert noted == [f"{number:02}" for number in range(20)]
