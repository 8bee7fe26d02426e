"""A task's definition makes requests: payload encoded, options merged, limits kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from corral.contracts.codec import Codec
from corral.contracts.deduplication import Deduplication
from corral.contracts.options import DEFAULTS, JobOptions, merge_task_options
from corral.contracts.spec import MOST_VARIANTS, TaskSpec
from corral.errors import InvalidJobId, InvalidOption, InvalidPayload, PayloadTooLarge
from tests.contracts.models import Receipt, Reset


def spec(**options: Any) -> TaskSpec[Reset, Receipt]:
    """Make a definition with options of its own."""
    merged: JobOptions = merge_task_options(DEFAULTS, options)
    payload: Codec[Reset] = Codec.of(Reset, task="email.reset")
    result: Codec[Receipt] = Codec.of(Receipt, task="email.reset", role="result")
    return TaskSpec("email", "email.reset", payload, result, merged)


def test_a_request_is_complete() -> None:
    """Everything that the engine stores, and the codec that reads the result."""
    definition = spec(priority=4)
    request = definition.request(Reset(5), {})
    assert request[:3] == ("email", "email.reset", b'{"user_id":5,"note":null}')
    assert request[4:] == (None, 0, None, 4, False, None, None, definition.result)
    assert json.loads(request.opts)["priority"] == 4


def test_options_of_the_call_reach_the_request_and_the_job() -> None:
    """What differs from job to job is stored behind what a task's jobs share."""
    deduplication = Deduplication("d")
    request = spec(attempts=5).request(
        Reset(5), {"job_id": "a:b", "delay": 2, "deduplication": deduplication, "durability": "fsync"}
    )
    assert (request.job_id, request.delay_ms, request.deduplication, request.durability) == (
        "a%3Ab", 2000, deduplication, "fsync",
    )  # fmt: skip
    stored = json.loads(request.opts)
    assert (stored["attempts"], stored["jobId"], stored["delay"], stored["de"]) == (
        5,
        "a%3Ab",
        2000,
        {"id": "d"},
    )


def test_options_of_the_call_win() -> None:
    """Call over task."""
    request = spec(attempts=5, priority=3).request(
        Reset(5), {"attempts": 1, "priority": 0, "lifo": True, "delay": 1}
    )
    stored = json.loads(request.opts)
    assert (request.priority, request.lifo, request.delay_ms) == (0, True, 1000)
    assert (stored["attempts"], stored["lifo"], stored["delay"], stored.get("priority")) == (
        1,
        True,
        1000,
        None,
    )


def test_options_that_are_equal_but_not_the_same_are_kept_apart() -> None:
    """True is a policy and 1 is a number, though Python thinks them equal."""
    definition = spec()
    texts = [
        definition.request(Reset(5), {"remove_on_complete": value}).opts
        for value in (True, 1, True, False, 0)
    ]
    assert [json.loads(text)["removeOnComplete"] for text in texts] == [True, 1, True, False, True]


def test_texts_are_remembered_within_bounds() -> None:
    """A program that gives every job options of its own does not fill the memory."""
    definition = spec()
    texts = {
        definition.request(Reset(5), {"timeout": 1 + number}).opts for number in range(2 * MOST_VARIANTS + 1)
    }
    assert len(texts) == 2 * MOST_VARIANTS + 1
    assert len(definition._variants) <= MOST_VARIANTS


def test_run_at_is_absolute() -> None:
    """No clock is read: the engine compares with the server's."""
    request = spec().request(Reset(5), {"run_at": datetime(1970, 1, 2, tzinfo=UTC)})
    assert (request.due_ms, request.delay_ms) == (86_400_000, 0)


def test_requests_without_options_share_their_text() -> None:
    """Nothing is encoded again for the next job."""
    definition = spec()
    assert definition.request(Reset(1), {}).opts is definition.request(Reset(2), {}).opts


def test_a_payload_may_not_be_too_large() -> None:
    """The limit counts bytes of JSON; exactly as many are fine."""
    size = len(spec().request(Reset(5, "x" * 100), {}).data)
    assert spec(payload_limit=size).request(Reset(5, "x" * 100), {})
    with pytest.raises(PayloadTooLarge) as caught:
        spec(payload_limit=size - 1).request(Reset(5, "x" * 100), {})
    assert (caught.value.size, caught.value.limit) == (size, size - 1)


def test_a_mebibyte_is_the_default_limit() -> None:
    """1 MiB, as the documentation says."""
    assert spec().payload_limit == 1024 * 1024


@pytest.mark.parametrize(
    ("payload", "options", "error"),
    [
        (Reset("five"), {}, InvalidPayload),  # type: ignore[arg-type]
        (Reset(5), {"job_id": "7"}, InvalidJobId),
        (Reset(5), {"dealy": 5}, InvalidOption),
        (Reset(5), {"delay": -5}, InvalidOption),
    ],
)
def test_errors_come_before_anything_is_sent(
    payload: Reset, options: dict[str, Any], error: type[Exception]
) -> None:
    """A request is valid or there is none."""
    with pytest.raises(error):
        spec().request(payload, options)
