"""Options of any client's jobs, read tolerantly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corral.contracts.backoff import Backoff, Exponential, Fixed
from corral.contracts.deduplication import Deduplication
from corral.contracts.retention import KEEP_ALL, REMOVE, Keep
from corral.contracts.stored_options import NO_OPTIONS, StoredBackoff, decode_options
from corral.errors import InvalidOption


def decoded(**stored: Any) -> Any:
    """Decode options given as keywords."""
    return decode_options(json.dumps(stored))


@pytest.mark.parametrize("text", ["{}", "[]"])
def test_a_job_may_say_nothing(text: str) -> None:
    """No options, also as Lua's cjson writes them: one attempt, no backoff, the worker's own retention."""
    options = decode_options(text)
    assert options == NO_OPTIONS
    assert (options.attempts, options.backoff, options.remove_on_complete) == (1, None, None)


@pytest.mark.parametrize(("attempts", "runs"), [(0, 1), (1, 1), (5, 5), (-3, 1), (2.0, 2), (None, 1)])
def test_zero_and_one_attempt_both_mean_one(attempts: Any, runs: int) -> None:
    """BullMQ's default of 0 is one run."""
    assert decoded(attempts=attempts).attempts == runs


@pytest.mark.parametrize(
    ("stored", "keep"),
    [(True, REMOVE), (False, KEEP_ALL), (100, Keep(count=100)), (0, REMOVE), (-1, KEEP_ALL),
     ({"age": 60}, Keep(age=60)), ({"age": 60, "count": 5, "limit": 9}, Keep(count=5, age=60)),
     ({"count": 0}, REMOVE), ({}, KEEP_ALL), (None, None)],
)  # fmt: skip
def test_every_form_of_retention(stored: Any, keep: Keep | None) -> None:
    """Boolean, number, object, or nothing: then the worker decides."""
    assert decoded(removeOnComplete=stored).remove_on_complete == keep
    assert decoded(removeOnFail=stored).remove_on_fail == keep


def test_the_other_fields() -> None:
    """Short names are read, and what Corral does not know stays in ``raw``."""
    options = decoded(
        timeout=500, priority=3, delay=1000, lifo=True, stackTraceLimit=5, kl=10, jobId="x",
        repeat={"every": 1000}, de={"id": "d", "ttl": 5000, "keepLastIfActive": True}, fpof=True,
    )  # fmt: skip
    assert (options.timeout_ms, options.priority, options.delay_ms, options.lifo) == (500, 3, 1000, True)
    assert (options.stack_trace_limit, options.keep_logs, options.job_id, options.repeats) == (
        5,
        10,
        "x",
        True,
    )
    assert options.deduplication == Deduplication("d", ttl=5, keep_last_if_active=True)
    assert options.raw["fpof"] is True


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "null", "5", '"x"', '{"attempts":NaN}', '{"attempts":"three"}', '{"attempts":true}', "[1]",
     '{"backoff":"fixed"}', '{"backoff":{"delay":5}}', '{"backoff":{"type":"fixed","delay":"x"}}',
     '{"backoff":{"type":"fixed","jitter":"x"}}', '{"removeOnFail":"all"}', '{"attempts":1,"attempts":2}'],
)  # fmt: skip
def test_nonsense_is_refused_with_a_reason(text: str) -> None:
    """What is no JSON object, and values of the wrong type, raise a ValueError that says so."""
    with pytest.raises(InvalidOption) as caught:
        decode_options(text)
    assert caught.value.option.startswith("opts")


@pytest.mark.parametrize(
    ("stored", "followed"),
    [
        ({"type": "fixed", "delay": 2000}, Fixed(2)),
        ({"type": "exponential", "delay": 500, "jitter": 0.5}, Exponential(0.5, jitter=0.5)),
        (3000, Fixed(3)),
        ({"type": "theirs", "delay": 4000}, Exponential(4)),
        ({"type": "custom", "delay": 0}, Exponential(1)),
        ({"type": "fixed"}, Fixed(0)),
        ({"type": "fixed", "delay": -1, "jitter": 7}, Fixed(0, jitter=1)),
    ],
)
def test_a_stored_backoff_can_be_followed(stored: Any, followed: Backoff) -> None:
    """Built-in types as they are; a strategy that only its producer knows becomes exponential."""
    backoff = decoded(backoff=stored).backoff
    assert isinstance(backoff, StoredBackoff)
    assert backoff.resolve() == followed


def test_a_task_has_its_own_backoff_function() -> None:
    """The task's function serves custom types, and does not override what a job says itself."""

    def own(made: int, error: BaseException) -> float:
        return 1

    assert StoredBackoff("custom").resolve(own) is own
    assert StoredBackoff("fixed", 1000).resolve(own) == Fixed(1)


def test_equal_texts_are_read_once() -> None:
    """Thousands of jobs have the same options: the second reading is the first one's object."""
    assert decode_options('{"attempts":4}') is decode_options('{"attempts":4}')
