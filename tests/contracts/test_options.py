"""Options: one place for defaults, four levels merged, and every wrong value refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

import pytest

from corral.contracts.backoff import Exponential, Fixed
from corral.contracts.deduplication import Deduplication
from corral.contracts.options import (
    DEFAULTS,
    MAX_PRIORITY,
    BatchOptions,
    EnqueueOptions,
    JobOptions,
    TaskOptions,
    call_changes,
    merge_task_options,
)
from corral.contracts.retention import KEEP_ALL, REMOVE, Keep
from corral.errors import InvalidJobId, InvalidOption


def test_the_defaults() -> None:
    """Three attempts, exponential from one second, the last 1,000 completed and all failed kept, 1 MiB of payload."""
    assert (
        JobOptions(
            attempts=3,
            backoff=Exponential(1.0),
            timeout_ms=None,
            priority=0,
            remove_on_complete=Keep(count=1000),
            remove_on_fail=KEEP_ALL,
            payload_limit=1_048_576,
        )
        == DEFAULTS
    )


def test_a_higher_level_wins_and_leaves_the_rest() -> None:
    """Defaults < task set < task: each changes only what it names."""
    of_set = merge_task_options(DEFAULTS, {"attempts": 5, "priority": 9})
    of_task = merge_task_options(of_set, {"priority": 1})
    assert (of_task.attempts, of_task.priority, of_task.backoff) == (5, 1, DEFAULTS.backoff)


def test_retries_are_runs_after_the_first() -> None:
    """``retries=n`` is ``attempts=n+1``, and overrides attempts of a lower level."""
    lower = merge_task_options(DEFAULTS, {"attempts": 10})
    assert merge_task_options(lower, {"retries": 0}).attempts == 1


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"timeout": timedelta(minutes=1)}, "timeout_ms", 60_000),
        ({"timeout": None}, "timeout_ms", None),
        ({"backoff": 5}, "backoff", Fixed(5)),
        ({"backoff": timedelta(seconds=5)}, "backoff", Fixed(timedelta(seconds=5))),
        ({"backoff": None}, "backoff", None),
        ({"backoff": Fixed(1)}, "backoff", Fixed(1)),
        ({"remove_on_complete": True}, "remove_on_complete", REMOVE),
        ({"remove_on_fail": 10}, "remove_on_fail", Keep(count=10)),
        ({"priority": MAX_PRIORITY}, "priority", 2_097_151),
        ({"delay": 1.5}, "delay_ms", 1500),
        ({"run_at": datetime(1970, 1, 2, tzinfo=UTC)}, "due_ms", 86_400_000),
        ({"lifo": True}, "lifo", True),
        ({"deduplication": "a"}, "deduplication", Deduplication("a")),
        ({"durability": "fsync"}, "durability", "fsync"),
        ({"job_id": "a:b"}, "job_id", "a%3Ab"),
    ],
)
def test_what_a_call_may_set(given: dict[str, Any], field: str, value: object) -> None:
    """Each option of ``enqueue`` becomes one field, in the units of the wire."""
    assert call_changes(given) == {field: value}


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0}, {"attempts": "3"}, {"attempts": 1.0}, {"attempts": True}, {"attempts": 2**31},
        {"retries": -1}, {"backoff": "fixed"}, {"backoff": -1}, {"timeout": 0}, {"timeout": "5s"},
        {"priority": -1}, {"priority": MAX_PRIORITY + 1}, {"remove_on_complete": "all"}, {"remove_on_fail": -1},
        {"delay": -1}, {"delay": "5"}, {"run_at": 5}, {"lifo": 1}, {"deduplication": 5}, {"durability": "disk"},
        {"dealy": 5},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name(wrong: dict[str, Any]) -> None:
    """The error names the option and holds the value."""
    with pytest.raises(InvalidOption) as caught:
        call_changes(wrong)
    assert {caught.value.option: caught.value.value} == wrong


@pytest.mark.parametrize(
    "both", [{"attempts": 3, "retries": 2}, {"delay": 5, "run_at": datetime(2030, 1, 1, tzinfo=UTC)}]
)
def test_options_that_say_the_same_exclude_each_other(both: dict[str, Any]) -> None:
    """Two ways to say one thing may disagree: only one is taken."""
    with pytest.raises(InvalidOption, match="not both"):
        call_changes(both)


def test_a_misspelt_option_is_told_what_there_is() -> None:
    """The message lists the options."""
    with pytest.raises(InvalidOption, match="attempts, backoff"):
        merge_task_options(DEFAULTS, {"atempts": 5})


def test_a_function_as_backoff_belongs_to_the_task() -> None:
    """A task may have one; a single job cannot, because no function can be stored."""
    assert callable(merge_task_options(DEFAULTS, {"backoff": lambda made, error: 1}).backoff)
    with pytest.raises(InvalidOption, match="on the task"):
        call_changes({"backoff": lambda made, error: 1})


def test_a_bad_id_has_an_error_of_its_own() -> None:
    """A job id that cannot be is InvalidJobId, as in every other place."""
    with pytest.raises(InvalidJobId):
        call_changes({"job_id": "7"})


@pytest.mark.parametrize(
    ("options", "is_call"), [(TaskOptions, False), (EnqueueOptions, True), (BatchOptions, True)]
)
def test_what_the_type_checker_knows_the_run_time_takes(options: type, is_call: bool) -> None:
    """No option of the typed dictionaries is unknown when the program runs.

    But for `repeat`: it asks for a schedule instead of a job, and is taken before the options of a job are read.
    """
    for option in get_type_hints(options).keys() - {"repeat"}:
        with pytest.raises((InvalidOption, InvalidJobId)) as caught:
            call_changes({option: object()}) if is_call else merge_task_options(DEFAULTS, {option: object()})
        assert "not an option" not in str(caught.value)
