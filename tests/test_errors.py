"""The error tree: one root, data as fields, a remedy in the message, and a way through pickle."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from corral import errors
from corral.contracts.outcome import (
    HandlerSignal,
    RateLimited,
    RetryAt,
    Snooze,
    Unrecoverable,
    WaitForChildren,
)
from corral.errors import CorralError, FieldProblem, InvalidInput

SAMPLES: list[tuple[CorralError, dict[str, Any]]] = [
    (
        errors.InvalidPayload("email.send", [FieldProblem("to", "missing")]),
        {"task": "email.send", "problems": (FieldProblem("to", "missing"),)},
    ),
    (errors.PayloadTooLarge(2_000_000, 1_048_576), {"size": 2_000_000, "limit": 1_048_576}),
    (errors.InvalidResult("email.send", "not JSON"), {"task": "email.send", "reason": "not JSON"}),
    (errors.InvalidJobId("7", "an integer"), {"job_id": "7", "reason": "an integer"}),
    (errors.InvalidQueueName("a:b", "a colon"), {"name": "a:b", "reason": "a colon"}),
    (
        errors.InvalidOption("attempts", 0, "at least 1"),
        {"option": "attempts", "value": 0, "reason": "at least 1"},
    ),
    (
        errors.InvalidSchedule("tz", "Mars", "no zone"),
        {"field": "tz", "value": "Mars", "reason": "no zone"},
    ),
    (errors.InvalidFlow("duplicate", "twice"), {"kind": "duplicate", "reason": "twice"}),
    (errors.ScheduleTaken("email", "nightly"), {"queue": "email", "schedule_id": "nightly"}),
    (errors.DuplicateTask("email", "send"), {"queue": "email", "name": "send"}),
    (errors.InvalidTask("send", "no types"), {"name": "send", "reason": "no types"}),
    (errors.UnpicklableHandler("app.f", "a lambda"), {"handler": "app.f", "reason": "a lambda"}),
    (errors.UnknownTask("email", "send"), {"queue": "email", "name": "send"}),
    (errors.TargetNotFound("app:worker", "no such module"), {"target": "app:worker"}),
    (
        errors.ServerUnavailable("redis://localhost:6379", 5.0, "refused"),
        {"server": "redis://localhost:6379", "after_seconds": 5.0, "cause": "refused"},
    ),
    (errors.QueueFull("email"), {"queue": "email"}),
    (
        errors.ServerRefused("redis://localhost", "wrong password", "Set REDIS_PASSWORD."),
        {"reason": "wrong password", "remedy": "Set REDIS_PASSWORD."},
    ),
    (
        errors.InvalidFlow("circular", "a job would wait for itself", queue="q", job_id="7"),
        {"kind": "circular", "queue": "q", "job_id": "7"},
    ),
    (WaitForChildren(), {}),
    (errors.InvalidEvent("completed", "reserved"), {"name": "completed", "reason": "reserved"}),
    (errors.EventsTrimmed("q", "5-0", "7-0"), {"queue": "q", "after": "5-0", "oldest": "7-0"}),
    (errors.DurabilityUnavailable("fsync", "no append-only file"), {"durability": "fsync"}),
    (errors.EmbeddedServerError("no program"), {"reason": "no program"}),
    (
        errors.InvalidCronJob("nightly", [FieldProblem("pattern", "five fields")]),
        {"job_id": "nightly", "problems": (FieldProblem("pattern", "five fields"),)},
    ),
    (errors.DatabaseUnavailable("sqlite:///x", "gone"), {"database": "sqlite:///x", "cause": "gone"}),
    (errors.DatabaseOutdated("sqlite:///x", "no table"), {"database": "sqlite:///x", "cause": "no table"}),
    (errors.CronJobGone("1"), {"cron_job_id": "1"}),
    (
        errors.OutboxDamaged("email", "corral_outbox", "with id 7", "no rule"),
        {"queue": "email", "table": "corral_outbox", "row": "with id 7", "reason": "no rule"},
    ),
    (errors.OutboxTaken(15.0), {"waited": 15.0}),
    (errors.OutboxHalfway("email", 7), {"queue": "email", "number": 7}),
    (errors.SubscriptionGone("1"), {"subscription_id": "1"}),
    (errors.TooManyKeys("1", 10), {"subscription_id": "1", "most": 10}),
    (errors.CronJobChanged("nightly", 1, 2), {"job_id": "nightly", "revision": 1, "found": 2}),
    (errors.CronJobTaken("nightly"), {"job_id": "nightly"}),
    (errors.QueueActive("email", 2), {"queue": "email", "active": 2}),
    (
        errors.QueueDamaged("email", "bull:email:x", "no number"),
        {"queue": "email", "key": "bull:email:x", "reason": "no number"},
    ),
    (errors.WorkerGone("host-7", "none"), {"name": "host-7", "reason": "none"}),
    (errors.JobFailed("7", "boom", 3), {"job_id": "7", "reason": "boom", "attempts_made": 3}),
    (errors.JobGone("7"), {"job_id": "7"}),
    (errors.JobCancelled("7", "obsolete"), {"job_id": "7", "reason": "obsolete", "superseded_by": None}),
    (
        errors.JobNotInState("7", "retried", "active", ["failed", "completed"]),
        {"job_id": "7", "verb": "retried", "state": "active", "allowed": ("failed", "completed")},
    ),
    (errors.JobLocked("7", "8"), {"job_id": "7", "locked": "8"}),
    (errors.JobScheduled("7"), {"job_id": "7", "scheduled": "7"}),
    (errors.StaleRun("7"), {"job_id": "7"}),
    (
        errors.HandlerRaised("ValueError", "boom", "Traceback"),
        {"type_name": "ValueError", "trace": "Traceback"},
    ),
    (errors.ProcessDied(-9), {"signal": 9, "exit_code": None}),
    (Unrecoverable("no such user"), {"reason": "no such user"}),
    (Snooze(5), {"delay": 5, "delay_ms": 5000}),
    (RetryAt(datetime(2030, 1, 1, tzinfo=UTC)), {"when_ms": 1_893_456_000_000}),
    (WaitForChildren(), {}),
    (RateLimited(0.5), {"retry_after_ms": 500}),
]


def name_of(value: object) -> str:
    """Name a sample after its class."""
    return type(value).__name__ if isinstance(value, Exception) else ""


MODULES = {errors.__name__, HandlerSignal.__module__}
"""Where the tree is."""


def concrete(root: type[CorralError]) -> set[type[CorralError]]:
    """Return the leaves of the tree below a class."""
    children = {child for child in root.__subclasses__() if child.__module__ in MODULES}
    return set[type[CorralError]]().union(*(concrete(child) for child in children)) if children else {root}


def test_every_error_of_the_contract_is_sampled_here() -> None:
    """The samples below cover every error class of the tree that contracts and errors define."""
    leaves = concrete(CorralError)
    assert leaves == {type(sample) for sample, _ in SAMPLES}


@pytest.mark.parametrize(("error", "fields"), SAMPLES, ids=name_of)
def test_data_is_in_fields(error: CorralError, fields: dict[str, Any]) -> None:
    """Callers read what happened from attributes, never from the text."""
    assert {name: getattr(error, name) for name in fields} == fields
    assert str(error)


@pytest.mark.parametrize(("error", "fields"), SAMPLES, ids=name_of)
def test_errors_pass_between_processes(error: CorralError, fields: dict[str, Any]) -> None:
    """An error raised in a handler's process arrives in the worker with its fields and its message."""
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert {name: getattr(arrived, name) for name in fields} == fields


def test_invalid_input_is_a_value_error() -> None:
    """What the caller gave wrongly can be caught as ValueError too."""
    assert issubclass(InvalidInput, ValueError)


def test_the_tree_in_the_docstring_names_every_class() -> None:
    """The drawing at the top of the module is complete."""
    drawn = errors.__doc__ or ""
    assert [name for name in errors.__all__ if name not in drawn and name != "FieldProblem"] == []


@pytest.mark.parametrize("name", sorted({*errors.__all__} - {"FieldProblem"}))
def test_errors_are_named_as_they_are_imported(name: str) -> None:
    """Whichever module it is written in, tracebacks and the site show the name that `import` and `except` take."""
    assert f"{getattr(errors, name).__module__}.{name}" == f"corral.errors.{name}"


def test_long_values_are_cut_in_messages() -> None:
    """A huge value does not make a huge message."""
    assert len(str(errors.InvalidOption("job_id", "x" * 10_000, "too long"))) < 300


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (errors.PayloadTooLarge(2, 1), "payload_limit"),
        (errors.UnknownTask("email", "send"), 'unknown="park"'),
        (errors.ServerUnavailable("redis://localhost", 5, "refused"), "REDIS_URL"),
        (errors.UnpicklableHandler("app.f", "a lambda"), "top level"),
        (errors.QueueFull("email"), "maxmemory"),
    ],
    ids=name_of,
)
def test_messages_say_the_remedy(error: CorralError, remedy: str) -> None:
    """A person who reads the message knows what to do next."""
    assert remedy in str(error)
