"""Failures: what failed for good, by cause, and what is done about all of one cause."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field

from corral.admin.failure_group import FailureGroup
from corral.contracts.failure import FailureKind
from corral.http.action import Action, Operator
from corral.http.bounded import Outcome, within_time
from corral.http.bulk import Where
from corral.http.desk import TheDesk, TheQueue, may
from corral.http.job_model import JobModel
from corral.http.model import Given, Moment, Shown, moment_of
from corral.http.paging import Cursor, Limit, Page, page_of, start_of
from corral.http.strict_body import Resource

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/queues/{queue}/failures", tags=["failures"], route_class=Resource)

Kind = Annotated[FailureKind | None, Query(description="Only failures of this kind.")]
Fingerprint = Annotated[str, Path(description="Of a group.", examples=["3f0c9a1b2c3d4e5f"])]


class GroupModel(Shown):
    """Failed jobs that have the same fingerprint."""

    fingerprint: str
    kind: str
    error_type: str = Field(description="Of the exception; empty where no stack trace tells it.")
    place: str = Field(examples=["shop/mail.py:send"])
    message: str = Field(description="The reason, without what differs from job to job.")
    count: int
    first_seen: Moment
    last_seen: Moment
    example: str = Field(description="The id of the job that failed last.")


class GroupsModel(Shown):
    """The groups, and what they cover."""

    groups: list[GroupModel]
    covered: int = Field(description="How many failed jobs all groups have together.")
    total: int = Field(description="How many failed jobs there are.")
    exact: bool = Field(description="Whether each failed job is in its group.")


class Selection(Given):
    """Which failed jobs: all that is given has to be so. Nothing given means all."""

    fingerprint: str = ""
    kind: Annotated[FailureKind, Field(strict=False)] | None = None
    where: Where = Where()
    dry_run: bool = Field(default=False, description="Only count them.")

    def arguments(self) -> dict[str, Any]:
        """As the admin takes them. Raises `InvalidOption`."""
        return {"fingerprint": self.fingerprint, "kind": self.kind, "where": self.where.filter()}


class FailureRetries(Selection):
    """Which failed jobs to run again, and how."""

    limit: int | None = Field(default=None, ge=1, description="At most so many.")
    reset_attempts: bool = Field(default=False, description="With all of their attempts.")


class FailureRemovals(Selection):
    """Which failed jobs to remove."""

    limit: int | None = Field(default=None, ge=1, description="At most so many.")


@router.get("", summary="Failures by cause")
async def list_groups(queue: TheQueue, kind: Kind = None, limit: Limit = 100) -> GroupsModel:
    """The latest to fail first. A look files up to a thousand failed jobs that no worker has filed yet; when `exact` is
    false, ask again."""
    found = await queue.failures.groups(kind, limit)
    groups = [_shown(group) for group in found.groups]
    return GroupsModel(groups=groups, covered=found.covered, total=found.total, exact=found.exact)


@router.get("/{fingerprint}/jobs", summary="The jobs of one cause")
async def list_jobs(
    desk: TheDesk, queue: TheQueue, fingerprint: Fingerprint, limit: Limit = 20, cursor: Cursor = None
) -> Page[JobModel]:
    """The latest to fail first."""
    start = start_of(cursor)
    found = await queue.failures.jobs(fingerprint, start=start, limit=limit)
    return page_of([desk.show(job) for job in found], start, limit)


@router.post("/retries", summary="Run failed jobs again, by cause")
async def retry(
    operator: Annotated[Operator, may(Action.RETRY_JOBS)], queue: TheQueue, retries: FailureRetries
) -> Outcome:
    """Each once, the oldest first; with `dryRun` only their number, and nothing is changed."""
    arguments = retries.arguments()
    if retries.dry_run:
        return await within_time(lambda report: queue.failures.count(**arguments, on_progress=report))
    said = retries.model_dump(exclude_unset=True, mode="json")
    async with operator.acting(Action.RETRY_JOBS, queue.name, **said) as detail:
        arguments |= {"limit": retries.limit, "reset_attempts": retries.reset_attempts}
        outcome = await within_time(lambda report: queue.failures.retry(**arguments, on_progress=report))
        detail.update(outcome.model_dump())
    return outcome


@router.post("/removals", summary="Remove failed jobs, by cause")
async def remove(
    operator: Annotated[Operator, may(Action.REMOVE_JOBS)], queue: TheQueue, removals: FailureRemovals
) -> Outcome:
    """The same for those that nobody needs any more."""
    arguments = removals.arguments()
    if removals.dry_run:
        return await within_time(lambda report: queue.failures.count(**arguments, on_progress=report))
    said = removals.model_dump(exclude_unset=True, mode="json")
    async with operator.acting(Action.REMOVE_JOBS, queue.name, **said) as detail:
        outcome = await within_time(
            lambda report: queue.failures.remove(**arguments, limit=removals.limit, on_progress=report)
        )
        detail.update(outcome.model_dump())
    return outcome


def _shown(group: FailureGroup) -> GroupModel:
    return GroupModel(
        fingerprint=group.fingerprint,
        kind=group.kind,
        error_type=group.error_type,
        place=group.place,
        message=group.message,
        count=group.count,
        first_seen=moment_of(group.first_seen),
        last_seen=moment_of(group.last_seen),
        example=group.example,
    )
