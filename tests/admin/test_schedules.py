"""What an operator does with schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from corral import Client, Cron, Every, JobState, Queue, RunAll
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from corral.errors import InvalidOption, InvalidPayload, InvalidSchedule

LATER = datetime(2100, 1, 1, tzinfo=UTC)


async def test_a_schedule_of_a_task(operated: QueueAdmin, produced: QueueClient) -> None:
    """Made with a payload that is checked, read back as it is, changed, and removed with its pending job."""
    queue = Queue(operated.name)

    @queue.task(attempts=5)
    async def report(pages: int) -> None: ...

    schedules = operated.schedules
    made = await schedules.upsert("nightly", Cron("0 3 * * *", tz="Europe/Berlin"), report, 7, priority=2)
    assert (made.id, made.queue, made.name, made.data) == ("nightly", operated.name, "report", 7)
    assert (made.opts.attempts, made.opts.priority) == (5, 2)
    assert made.rule == Cron("0 3 * * *", tz="Europe/Berlin")
    assert made == await schedules.get("nightly")
    assert made.next_job_id is not None
    assert await produced.job(made.next_job_id).state() is JobState.DELAYED

    changed = await schedules.upsert("nightly", Every(days=1, start=LATER, missed=RunAll(3)), report, 8)
    assert changed.next_run == LATER
    assert (await produced.counts())[JobState.DELAYED] == 1

    with pytest.raises(InvalidPayload):
        await schedules.upsert("nightly", Every(days=1), report, "many")  # type: ignore[misc]
    assert await schedules.get("nightly") == changed

    assert await schedules.remove("nightly") is True
    assert await schedules.remove("nightly") is False
    assert await schedules.get("nightly") is None
    assert sum((await produced.counts()).values()) == 0


async def test_what_is_said_again(operated: QueueAdmin, produced: QueueClient) -> None:
    """Nothing changes: a run that was promoted stays so. Rule and id are said once, by position."""
    schedules, rule = operated.schedules, Cron("0 3 * * *")
    made = await schedules.upsert("nightly", rule, "report")
    assert made.next_job_id is not None
    await operated.jobs.promote(made.next_job_id)
    assert await schedules.upsert("nightly", rule, "report") == made
    assert await produced.job(made.next_job_id).state() is JobState.WAITING
    misplaced: list[Any] = [{"repeat": rule}, {"job_id": "weekly"}]
    for options in misplaced:
        with pytest.raises(InvalidOption, match="by position"):
            await schedules.upsert("nightly", rule, "report", **options)


async def test_a_schedule_of_another_programs_task(operated: QueueAdmin) -> None:
    """By the name that jobs carry, with any JSON value."""
    made = await operated.schedules.upsert("often", Every(minutes=5, offset=0), "report", {"to": ["ops"]})
    assert (made.name, made.data) == ("report", {"to": ["ops"]})
    assert (await operated.schedules.upsert("bare", Every(minutes=5), "report")).data == {}


async def test_a_page(operated: QueueAdmin) -> None:
    """The next to run first; how many there are is another question."""
    for number in range(5):
        rule = Every(days=1, start=LATER - timedelta(days=number))
        await operated.schedules.upsert(f"s{number}", rule, "report")
    assert [schedule.id for schedule in await operated.schedules.list(limit=2)] == ["s4", "s3"]
    assert [schedule.id for schedule in await operated.schedules.list(start=3)] == ["s1", "s0"]
    assert await operated.schedules.count() == 5


async def test_a_preview_of_a_schedule(operated: QueueAdmin) -> None:
    """Its next runs, no more than its limit allows; a schedule that is not there is an error that says so."""
    await operated.schedules.upsert("daily", Every(days=1, start=LATER, limit=3), "report")
    expected = [LATER + timedelta(days=number) for number in range(3)]
    assert await operated.schedules.preview("daily") == expected
    assert await operated.schedules.preview("daily", 2) == expected[:2]
    with pytest.raises(InvalidOption, match="Cron"):
        await operated.schedules.preview("0 9 * * 1-5")


async def test_a_preview_of_a_rule(operated: QueueAdmin, client: Client) -> None:
    """Before a schedule is made: its runs if it were made now. Nothing is stored."""
    runs = await operated.schedules.preview(Cron("0 9 * * mon", tz="America/New_York"), 4)
    assert [run.astimezone().weekday() for run in runs] == [0, 0, 0, 0]
    assert runs[0] > datetime.now(UTC)
    pair = await operated.schedules.preview(Every(minutes=5, limit=2))
    assert [later - earlier for earlier, later in pairwise(pair)] == [timedelta(minutes=5)]
    assert await operated.schedules.preview(Every(minutes=5, end=datetime(2020, 1, 1, tzinfo=UTC))) == []
    assert await client.queues() == []


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (("HSET", "repeat:bad", "every", "often"), "rule"),
        (("HSET", "repeat:bad", "every", "0"), "rule"),
        (("ZADD", "repeat", "inf", "bad"), "next_run"),
        (("HSET", "repeat:bad", "data", "{"), "data"),
        (("HSET", "repeat:bad", "opts", "[" * 9999), "opts"),
    ],
)
async def test_a_damaged_schedule(
    operated: QueueAdmin, client: Client, damage: tuple[str, str, str, str], field: str
) -> None:
    """It says what cannot be read, stands in nobody's way, and is whole again when it is stored anew."""
    schedules = operated.schedules
    for schedule_id in ("bad", "well"):
        await schedules.upsert(schedule_id, Every(days=1, start=LATER), "report")
    verb, key, *words = damage
    await client.server.call(verb, f"{client.server.keys(operated.name).base}{key}", *words)
    bad = await schedules.get("bad")
    assert bad is not None
    assert set(bad.malformed) == {field}
    assert {schedule.id for schedule in await schedules.list()} == {"bad", "well"}
    assert len(await schedules.preview("bad", 3)) == (0 if field in ("rule", "next_run") else 3)
    assert (await schedules.upsert("bad", Every(days=1, start=LATER), "report")).malformed == {}
    await client.server.call(verb, f"{client.server.keys(operated.name).base}{key}", *words)
    assert await schedules.remove("bad") is True


async def test_what_cannot_be_is_refused(operated: QueueAdmin) -> None:
    """Ids that cannot be, options that schedules do not have, a task of another queue: nothing is stored."""
    elsewhere = Queue("elsewhere")

    @elsewhere.task
    async def report(pages: int) -> None: ...

    schedules = operated.schedules
    with pytest.raises(InvalidSchedule, match="another schedule"):
        await schedules.upsert("a:5", Every(5), "report")
    with pytest.raises(InvalidSchedule, match="empty"):
        await schedules.get("")
    with pytest.raises(InvalidOption, match="delay"):
        await schedules.upsert("a", Every(5), "report", None, delay=5)  # type: ignore[call-overload]
    with pytest.raises(InvalidOption, match="elsewhere"):
        await schedules.upsert("a", Every(5), report, 1)
    with pytest.raises(InvalidOption, match="Cron"):
        await schedules.upsert("a", "0 0 * * *", "report")  # type: ignore[call-overload]
    with pytest.raises(InvalidOption, match="name=5"):
        await schedules.upsert("a", Every(5), 5)  # type: ignore[call-overload]
    for wrong in (-1, True, "3"):
        with pytest.raises(InvalidOption, match="whole number from 0"):
            await schedules.preview(Every(5), wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidOption, match="whole number from 0"):
            await schedules.list(limit=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="give the id"):
        await schedules.preview(None)  # type: ignore[arg-type]
    assert await schedules.count() == 0
