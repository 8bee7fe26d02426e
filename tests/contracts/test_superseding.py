"""What a task with `supersedes=` makes of its payloads, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from corral import Deduplication, Every, InvalidOption, Queue, Task, TaskSet, task


class Report(BaseModel):
    """A payload."""

    account: int
    title: str = ""


def made(supersedes: Any) -> Any:
    """A task with this option."""

    @Queue("q").task(name="build", supersedes=supersedes)
    async def build(report: Report) -> None: ...

    return build


@pytest.mark.parametrize("supersedes", ["account", lambda report: report.account, lambda report: "5"])
def test_the_key_is_the_payloads(supersedes: Any) -> None:
    """A field by its name, or what a function gives; it begins with the task's name. Stored as BullMQ stores it."""
    request = made(supersedes).spec.request(Report(account=5), {"priority": 2})
    assert request.deduplication == Deduplication.superseding("build:5")
    assert json.loads(request.opts)["de"] == {"id": "build:5"}


@pytest.mark.parametrize("supersedes", [5, "", True])
def test_what_is_no_key(supersedes: Any) -> None:
    """It is refused when the task is made."""
    with pytest.raises(InvalidOption, match="supersedes"):
        made(supersedes)


def test_a_misspelt_field() -> None:
    """It is refused when the class is made, with the fields that there are."""
    with pytest.raises(InvalidOption, match="account, title"):

        class Tasks(TaskSet, queue="q"):
            build: Task[Report, None] = task("build", supersedes="acount")


@pytest.mark.parametrize(
    "key", [None, "", 1.5, "x" * 201, "x" * 199], ids=["None", "empty", "float", "long", "name"]
)
def test_a_function_that_gives_no_key(key: Any) -> None:
    """Nothing is sent."""
    with pytest.raises(InvalidOption):
        made(lambda report: key).spec.request(Report(account=5), {})


def test_not_together_with_deduplication() -> None:
    """A job has one deduplication id."""
    with pytest.raises(InvalidOption, match="not together"):
        made("account").spec.request(Report(account=5), {"deduplication": Deduplication("d")})


@pytest.mark.parametrize("rest", [{"ttl": 5}, {"replace": True}, {"keep_last_if_active": True}])
def test_not_together_with_other_modes(rest: dict[str, Any]) -> None:
    """The newest job wins, so there is nothing to keep, and no window."""
    with pytest.raises(InvalidOption, match="newest"):
        Deduplication("d", supersedes=True, **rest)


def test_only_the_root_of_a_flow() -> None:
    """A child that is superseded would fail its parent."""
    build = made("account")
    child = build.node(Report(account=5))
    with pytest.raises(InvalidOption, match="root"):
        build.node(Report(account=6), children=[child])


def test_the_jobs_of_a_schedule_have_no_key() -> None:
    """What happens when two of them meet is the schedule's `overlap=`."""
    request = made("account").spec.schedule(Report(account=5), {"repeat": Every(minutes=5)})
    assert "de" not in json.loads(request.opts)
