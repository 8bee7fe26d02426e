"""The rule of a singleton task, as it is declared and as its jobs carry it."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from corral.contracts.codec import Codec
from corral.contracts.options import DEFAULTS, merge_task_options
from corral.contracts.queue import Queue
from corral.contracts.schedule import Every
from corral.contracts.singleton import Singleton, declared_singletons
from corral.contracts.spec import TaskSpec
from corral.contracts.task import Task, task
from corral.contracts.taskset import TaskSet
from corral.errors import InvalidOption
from tests.contracts.models import Receipt, Reset


def spec(singleton: Any) -> TaskSpec[Reset, Receipt]:
    """Make a definition with this option."""
    options = merge_task_options(DEFAULTS, {"singleton": singleton})
    return TaskSpec("email", "reset", Codec.of(Reset), Codec.of(Receipt, role="result"), options)


def rule_of(singleton: Any, **options: Any) -> Any:
    """The rule that a job carries."""
    return json.loads(spec(singleton).request(Reset(5), options).opts).get("singleton")


def test_what_a_job_carries() -> None:
    """Its key begins with the task's name, so that two tasks never share one by accident."""
    assert rule_of(True) == {"key": "reset"}
    assert rule_of("user_id") == {"key": "reset:5"}
    assert rule_of(lambda reset: f"u{reset.user_id}") == {"key": "reset:u5"}
    assert rule_of(Singleton("user_id", otherwise="skip")) == {"key": "reset:5", "else": "skip"}
    assert rule_of(Singleton(otherwise="skip")) == {"key": "reset", "else": "skip"}
    assert rule_of(False) is None


def test_beside_options_of_the_call() -> None:
    """The rule is the task's, whatever else a call sets."""
    assert rule_of("user_id", job_id="x", delay=1, priority=3, attempts=2) == {"key": "reset:5"}


def test_what_the_jobs_of_a_schedule_carry() -> None:
    """The rule of the schedule's payload."""
    schedule = spec("user_id").schedule(Reset(5), {"repeat": Every(minutes=5)})
    assert json.loads(schedule.opts)["singleton"] == {"key": "reset:5"}


def test_a_set_may_set_it_for_its_tasks() -> None:
    """Each task then has a key of its own; one may have none."""

    class Tasks(TaskSet, queue="q", singleton=True):
        one: Task[int, None] = task("one")
        two: Task[int, None] = task("two", singleton=False)

    assert Tasks.one.spec.options.singleton == Singleton()
    assert Tasks.two.spec.options.singleton is None


def test_a_misspelt_field() -> None:
    """Is an error when the task is made."""
    queue = Queue("q")
    with pytest.raises(InvalidOption, match=r"no such field; it has: note, user_id"):

        @queue.task(singleton="user")
        async def reset(payload: Reset) -> None: ...


@pytest.mark.parametrize("value", [None, 7, "", [], Singleton])
def test_what_is_no_rule(value: Any) -> None:
    """A clear error."""
    if value is not Singleton and value is not None:
        with pytest.raises(InvalidOption, match="give True, the name of a field"):
            Singleton.parse("singleton", value)
    with pytest.raises(InvalidOption, match="wait"):
        Singleton(otherwise=cast("Any", value))


def test_what_a_worker_declares() -> None:
    """The rules that need no Python, by the task's name; nothing when there are none."""
    rules = [("a", Singleton()), ("b", Singleton("f", otherwise="skip")), ("c", Singleton(str)), ("d", None)]
    assert json.loads(declared_singletons(rules)) == {"a": {}, "b": {"field": "f", "else": "skip"}}
    assert declared_singletons(rules[2:]) == ""
