"""What a cron job has to be: everything that is wrong is said, each with its field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.store.cron_job import JSON_NAMES, CronJob
from corral.store.cron_job_rules import completed, problems_of
from corral.store.known_tasks import KnownTasks
from tests.store.tasks import MailTasks, other_queue

GOOD = CronJob(
    job_id="nightly", pattern="0 3 * * *", handler="mail.digest", payload={"to": "ada"}, queue="mail"
)
TASKS = KnownTasks(MailTasks, other_queue())
NOTHING = KnownTasks()


def paths(cron_job: CronJob, tasks: KnownTasks = TASKS) -> list[str]:
    """The fields that something is wrong with."""
    return [problem.path for problem in problems_of(completed(cron_job, tasks), tasks)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("job_id", wrong) for wrong in ("", "x" * 151, "a:7", "a\nb", "a\0b", "\ud800", 7, None)],
        *[("pattern", wrong) for wrong in ("", "* * *", "61 * * * *", "0 0 30 2 *", "x" * 2000, "\0", None)],
        *[("handler", wrong) for wrong in ("", "mail.nothing", "x" * 201, "\0", 7)],
        *[("name", wrong) for wrong in ("x" * 201, "\0", "\ud800", 7)],
        *[("tz", wrong) for wrong in ("", "Mars/Olympus", "x" * 101, "../../etc/passwd", None)],
        *[("queue", wrong) for wrong in ("a:b", "x" * 201, "{", 7)],
        *[("enabled", wrong) for wrong in ("yes", 1, None)],
        *[("max_attempts", wrong) for wrong in (0, -1, 2**31, 1.5, "3", True, None)],
        *[("backoff_ms", wrong) for wrong in (-1, 2**60, 1.5, "3", True, None)],
    ],
)
def test_each_field_is_checked(field: str, value: Any) -> None:
    """One value that cannot be: the problem is with this field alone, under its name in JSON."""
    assert paths(replace(GOOD, **{field: value})) == [JSON_NAMES[field]]


def test_all_problems_are_said_at_once() -> None:
    """Three fields are wrong: three problems."""
    wrong = replace(GOOD, pattern="never", tz="Mars", payload={"to": 7})
    assert paths(wrong) == ["pattern", "tz", "payload.to"]


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({}, "payload.to"),
        ({"to": "ada", "days": 0}, "payload.days"),
        ([1], "payload"),
        ("text", "payload"),
        (float("nan"), "payload"),
        ({"to": object()}, "payload"),
        ({"to": "\ud800"}, "payload"),
        ({"to": "x" * 2_000_000}, "payload"),
    ],
)
def test_the_payload_is_the_tasks(payload: Any, path: str) -> None:
    """A payload is validated by its task's type and limit; the problem says where in it."""
    assert paths(replace(GOOD, payload=payload)) == [path]


def test_the_queue_is_found_by_the_handler() -> None:
    """Without a queue it is the one that has such a task; where several have, or none, a problem says so."""
    assert completed(replace(GOOD, queue=""), TASKS).queue == "mail"
    assert completed(replace(GOOD, queue="", handler="other.count"), TASKS).queue == "other"
    assert paths(replace(GOOD, queue="", handler="mail.purge", payload=None)) == ["queue"]
    assert paths(replace(GOOD, queue="", handler="nothing")) == ["handler"]
    assert paths(replace(GOOD, queue=""), NOTHING) == ["queue"]


def test_of_other_queues_nothing_is_known() -> None:
    """A queue of another program takes any handler, and any JSON."""
    assert paths(replace(GOOD, queue="node", handler="anything", payload=[1])) == []
    assert paths(replace(GOOD, handler="anything", payload=[1]), NOTHING) == []


def test_a_queue_with_a_catch_all_takes_any_handler() -> None:
    """Its names are open; of the tasks that it has the payload is checked."""
    other = other_queue()

    @other.catch_all
    async def anything(job: Any) -> None: ...

    tasks = KnownTasks(other)
    assert paths(replace(GOOD, queue="other", handler="anything"), tasks) == []
    assert paths(replace(GOOD, queue="other", handler="other.count", payload="x"), tasks) == ["payload"]


def test_what_is_left_out_is_filled_in() -> None:
    """The name is the job id, the payload an empty object."""
    made = completed(CronJob(job_id="a", pattern="@daily", handler="x", payload=None), NOTHING)
    assert (made.name, made.payload) == ("a", {})


@given(
    st.fixed_dictionaries(
        {}, optional={name: st.from_type(object) for name in JSON_NAMES if hasattr(GOOD, name)}
    )
)
def test_no_value_breaks_the_check(values: dict[str, Any]) -> None:
    """Whatever stands in a row, what is wrong with it can be said."""
    cron_job = replace(GOOD, **values)
    assert all(problem.path and problem.message for problem in problems_of(cron_job, TASKS))
