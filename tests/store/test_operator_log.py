"""The operator log: added, read in pages, removed by age; and nothing else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.errors import InvalidOption
from corral.store import operator_log
from corral.store.database import Database
from corral.store.operator_log import OperatorLog
from corral.store.roles import Role
from tests.store.conftest import Clock


@pytest.fixture
def log(database: Database, clock: Clock) -> OperatorLog:
    """A log by a clock that tests move."""
    return OperatorLog(database, clock=clock)


async def test_an_entry_says_who_did_what(log: OperatorLog, clock: Clock) -> None:
    """All that is written is read again, the newest entry first."""
    await log.write("ada", "job.retry", "queue email, job 7", {"was": "failed"}, role=Role.OPERATOR)
    clock.forward(seconds=1)
    await log.write("bob", "queue.pause", "queue email", outcome="refused")
    second, first = (await log.page()).entries
    assert (first.actor, first.role, first.action, first.target, first.detail, first.outcome) == (
        "ada", Role.OPERATOR, "job.retry", "queue email, job 7", {"was": "failed"}, "done",
    )  # fmt: skip
    assert (second.actor, second.role, second.detail, second.outcome) == ("bob", None, None, "refused")
    assert second.at - first.at == timedelta(seconds=1)


async def test_pages_have_every_entry_once(log: OperatorLog) -> None:
    """`before` leads from page to page, to the end; entries that are added meanwhile do not shift them."""
    for number in range(7):
        await log.write("ada", "x", str(number))
    found: list[str] = []
    before = None
    while True:
        page = await log.page(before, 3)
        found += [entry.target for entry in page.entries]
        await log.write("ada", "x", "later")
        if (before := page.before) is None:
            break
    assert found == [str(number) for number in reversed(range(7))]


async def test_filters(log: OperatorLog) -> None:
    """By actor, action and outcome exactly, by a part of the target, and together; `%` and `_` mean themselves."""
    await log.write("ada", "job.retry", "queue email, job 100%")
    await log.write("ada", "job.remove", "queue email, job a_b")
    await log.write("bob", "job.retry", "queue sms, job axb", outcome="refused")

    async def targets(**filters: Any) -> list[str]:
        return [entry.target[-4:] for entry in reversed((await log.page(**filters)).entries)]

    assert await targets(actor="ada") == ["100%", " a_b"]
    assert await targets(action="job.retry") == ["100%", " axb"]
    assert await targets(outcome="refused") == [" axb"]
    assert await targets(target="email") == ["100%", " a_b"]
    assert await targets(target="a_b") == [" a_b"]
    assert await targets(target="%") == ["100%"]
    assert await targets(actor="ada", action="job.retry", target="email") == ["100%"]
    assert await targets(actor="nobody") == []
    assert await targets(target="\0") == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(), max_size=80),
    detail=st.recursive(st.none() | st.text(st.characters()), st.lists),
)
async def test_any_text_is_taken(log: OperatorLog, text: str, detail: Any) -> None:
    """NUL, lone surrogates, control characters: an entry is written for any text, and read as far as it can be."""
    await log.write(text, text, text, detail, outcome=text)
    entry = (await log.page(limit=1)).entries[0]
    readable = text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
    if len(readable) <= 100:
        assert entry.actor == entry.action == entry.target == entry.outcome == readable


async def test_what_is_too_long_is_cut(log: OperatorLog) -> None:
    """An entry is bounded: its texts are cut, a detail beyond 64 KiB is left out, and so is what is not JSON."""
    await log.write("a" * 5000, "b" * 5000, "c" * 5000, "d" * 70_000, outcome="e" * 5000)
    await log.write("a", "b", "c", {"not": {"json"}})
    wrong, long = (await log.page()).entries
    assert [len(text) for text in (long.actor, long.action, long.target, long.outcome)] == [
        200,
        100,
        1000,
        100,
    ]
    assert long.detail == {"leftOut": "70,002 bytes of JSON"}
    assert "not JSON" in wrong.detail["leftOut"]


async def test_entries_go_by_age_only(log: OperatorLog, clock: Clock) -> None:
    """`remove_older` removes what is older, says how many, and leaves the rest; there is no other way to remove."""
    for _ in range(3):
        await log.write("ada", "x", "old")
    clock.forward(days=10)
    await log.write("ada", "x", "new")
    assert await log.remove_older(timedelta(days=10)) == 0
    assert await log.remove_older(timedelta(days=9)) == 3
    assert [entry.target for entry in (await log.page()).entries] == ["new"]
    assert {name for name in vars(OperatorLog) if not name.startswith("_")} == {
        "page",
        "remove_older",
        "trim_daily",
        "write",
    }


@pytest.mark.parametrize("age", [timedelta.max, 10**12])
async def test_no_age_is_too_old(log: OperatorLog, age: Any) -> None:
    """Nothing is older than time itself; what cannot be counted is refused."""
    await log.write("ada", "x", "new")
    try:
        assert await log.remove_older(age) == 0
    except InvalidOption:
        assert age is timedelta.max


async def test_who_writes_removes_what_is_too_old(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some with each entry until there are none, and then not before the next day: an entry costs no more than that."""
    monkeypatch.setattr(operator_log, "AT_ONCE", 2)
    for _ in range(5):
        await OperatorLog(database, clock=clock).write("ada", "x", "old")
    clock.forward(days=10)
    log = OperatorLog(database, keep=timedelta(days=9), clock=clock)
    left = []
    for _ in range(4):
        await log.write("ada", "x", "new")
        left.append([entry.target for entry in (await log.page()).entries].count("old"))
    assert left == [3, 1, 0, 0]
    await OperatorLog(database, clock=lambda: clock.now - timedelta(days=20)).write("ada", "x", "late")
    await log.write("ada", "x", "new")
    assert "late" in [entry.target for entry in (await log.page()).entries]
    clock.forward(days=1)
    await log.write("ada", "x", "new")
    assert {entry.target for entry in (await log.page()).entries} == {"new"}


async def test_several_remove_at_once(
    database_url: str, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for another in a circle, and nothing that is young goes."""
    monkeypatch.setattr(operator_log, "AT_ONCE", 7)
    log = OperatorLog(database, clock=clock)
    for _ in range(100):
        await log.write("ada", "x", "old")
    clock.forward(days=10)
    await log.write("ada", "x", "new")
    others = [Database(database_url) for _ in range(4)]
    removed = await asyncio.gather(
        *(OperatorLog(other, clock=clock).remove_older(timedelta(days=9)) for other in others)
    )
    assert sum(removed) + await log.remove_older(timedelta(days=9)) == 100
    assert [entry.target for entry in (await log.page()).entries] == ["new"]
    for other in others:
        await other.close()


async def test_it_is_trimmed_where_nobody_writes(database: Database, clock: Clock) -> None:
    """At once when a program starts, and then once a day; where all is kept nothing goes."""
    await OperatorLog(database, clock=clock).write("ada", "x", "old")
    clock.forward(days=10)
    reading = OperatorLog(database)
    for keep, left in ((None, 1), (timedelta(days=9), 0)):
        trimming = asyncio.create_task(OperatorLog(database, keep=keep, clock=clock).trim_daily())
        async with asyncio.timeout(20):
            while len((await reading.page()).entries) != left:
                assert not trimming.done()
        trimming.cancel()


@pytest.mark.parametrize("page", [{"limit": -1}, {"limit": "5"}, {"before": -1}, {"before": 2**70}])
async def test_numbers_are_checked(log: OperatorLog, page: Any) -> None:
    """A page's numbers are whole and within what a database can count."""
    with pytest.raises(InvalidOption):
        await log.page(**page)
