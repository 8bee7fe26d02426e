"""Why a job failed: told from what is stored, or from what other programs left."""

from __future__ import annotations

import pytest

from corral import FailureKind, InvalidOption, Job, JobState
from corral.contracts.failure import cancel_reason, cancellation, kind_of_deferred


def failed(**fields: str) -> Job:
    """A failed job as its hash says."""
    stored = {"name": "n", "data": "{}", "opts": '{"attempts":3}', "finishedOn": "1", **fields}
    return Job.from_fields("q", "7", stored, state=JobState.FAILED)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_what_is_stored_counts(kind: FailureKind) -> None:
    """Corral's workers store the kind with the reason."""
    assert failed(**{"corral.failure": kind}, failedReason=f"{kind}: boom", atm="3").failure_kind is kind


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"failedReason": "boom", "atm": "3"}, "exhausted"),
        ({"failedReason": "boom", "atm": "1"}, "permanent"),
        ({"failedReason": "job stalled more than allowable limit", "atm": "3"}, "poison"),
        ({"failedReason": "boom", "atm": "3", "corral.failure": "<script>"}, "exhausted"),
        ({"failedReason": "boom", "atm": "3", "corral.failure": "cancelled"}, "exhausted"),
        ({}, "permanent"),
    ],
    ids=["all attempts", "attempts left", "stalled", "no kind at all", "kind of an earlier end", "no reason"],
)
def test_the_kind_of_a_job_that_another_program_failed(fields: dict[str, str], kind: str) -> None:
    """Node stores none: attempts that are left say that another would not have helped."""
    assert failed(**fields).failure_kind == kind


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.FAILED])
def test_only_a_failed_job_has_a_kind(state: JobState) -> None:
    """Also one that failed before, and was retried by a program that does not know the kind."""
    stored = {"name": "n", "data": "{}", "failedReason": "boom", "corral.failure": "cancelled"}
    assert Job.from_fields("q", "7", stored, state=state).failure_kind is None


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("cancelled", "cancelled"),
        ("cancelled: obsolete", "cancelled"),
        ("superseded by 8", "superseded"),
        ("job stalled more than allowable limit", "poison"),
        ("child bull:q:8 failed", "permanent"),
    ],
)
def test_a_failure_that_a_job_carries_to_its_start(reason: str, kind: str) -> None:
    """Engines alone write these, so the text tells."""
    assert kind_of_deferred(reason) == kind


def test_the_reason_of_a_cancelled_job() -> None:
    """It says that it was cancelled, and why; the error has what was said."""
    assert [cancel_reason(""), cancel_reason("obsolete")] == ["cancelled", "cancelled: obsolete"]
    assert [cancellation("7", cancel_reason(said)).reason for said in ("", "obsolete")] == ["", "obsolete"]


def test_the_error_of_a_superseded_job_names_the_newer_one() -> None:
    """By the id that users see."""
    error = cancellation("7", "superseded by invite%3A42")
    assert (error.superseded_by, cancellation("7", "cancelled").superseded_by) == ("invite:42", None)


@pytest.mark.parametrize("reason", ["x" * 1001, "\ud800", None], ids=["too long", "no Unicode", "no text"])
def test_a_reason_that_cannot_be_stored(reason: str) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(InvalidOption, match="reason"):
        cancel_reason(reason)
