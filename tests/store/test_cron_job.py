"""A cron job as a value, and in JSON."""

from __future__ import annotations

from typing import Any

import pytest

from corral.errors import InvalidCronJob, InvalidPayload
from corral.store.cron_job import CronJob, fields_of
from tests.store.tasks import Digest, MailTasks

NIGHTLY = CronJob(
    job_id="nightly", pattern="0 3 * * *", handler="mail.digest", payload={"to": "ada"}, queue="mail"
)


def test_json_has_the_names_of_the_api() -> None:
    """`jobId`, `maxAttempts`, `backoffMs`: in JSON a cron job has the names that the API has, and reads them."""
    value = NIGHTLY.as_json()
    assert value == {
        "jobId": "nightly",
        "name": "",
        "pattern": "0 3 * * *",
        "handler": "mail.digest",
        "payload": {"to": "ada"},
        "enabled": True,
        "maxAttempts": 3,
        "backoffMs": 1000,
        "tz": "UTC",
        "queue": "mail",
    }
    assert CronJob.from_json(value) == NIGHTLY


def test_a_task_says_what_it_can() -> None:
    """Of a task come queue, handler, retries and their wait; the payload is validated, and stored as JSON."""
    made = CronJob.of(MailTasks.digest, Digest(to="ada"), "0 9 * * *", tz="Europe/Berlin")
    assert made == CronJob(
        job_id="mail.digest", queue="mail", handler="mail.digest", payload={"to": "ada", "days": 1},
        pattern="0 9 * * *", tz="Europe/Berlin", max_attempts=5, backoff_ms=2000,
    )  # fmt: skip
    wrong: Any = {"to": 7}
    with pytest.raises(InvalidPayload):
        CronJob.of(MailTasks.digest, wrong, "0 9 * * *")


def test_unknown_and_missing_fields_are_named() -> None:
    """JSON with a field that there is not, or without one that has to be: an error that lists them all."""
    with pytest.raises(InvalidCronJob) as caught:
        CronJob.from_json({"jobId": "a", "cron": "x", "retries": 3})
    assert [problem.path for problem in caught.value.problems] == ["cron", "retries"]
    with pytest.raises(InvalidCronJob) as caught:
        CronJob.from_json({"name": "a"})
    assert [problem.path for problem in caught.value.problems] == ["jobId", "pattern", "handler"]


def test_a_part_of_the_fields_is_a_change() -> None:
    """`fields_of` reads any part, under Python's names; what belongs to the row itself is no field."""
    assert fields_of({"maxAttempts": 7, "enabled": False}) == {"max_attempts": 7, "enabled": False}
    for name in ("id", "revision", "owner", "max_attempts"):
        with pytest.raises(InvalidCronJob):
            fields_of({name: 1})
