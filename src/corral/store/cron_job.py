"""A cron job as a value: what a program declares, what an operator gives, and what is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Literal, TypedDict, TypeVar, cast

from corral.contracts.backoff import Exponential, Fixed
from corral.contracts.duration import milliseconds
from corral.contracts.task import Task
from corral.errors import FieldProblem, InvalidCronJob

__all__ = [
    "FIELDS",
    "JSON_NAMES",
    "CronJob",
    "CronJobChanges",
    "Owner",
    "StoredCronJob",
    "fields_of",
    "legible_values",
]

P = TypeVar("P")

Owner = Literal["code", "operator"]
"""Who says what a cron job is: the program that declares it, or an operator who made or edited it."""


def _no_payload() -> Any:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CronJob:
    """A job that recurs by a cron pattern, to be kept in a database.

    Checked when it is stored, not when it is made: a row that somebody has spoilt is one, too.
    """

    job_id: str
    """Its own id, and that of its schedule: 1 to 150 bytes."""
    pattern: str
    """As for `Cron`: ``0 9 * * 1-5``."""
    handler: str
    """The name of the task."""
    queue: str = ""
    """Empty: the one queue, of those that are known, with such a task."""
    name: str = ""
    """For people. Empty: the job id."""
    payload: Any = field(default_factory=_no_payload)
    """A JSON value."""
    enabled: bool = True
    max_attempts: int = 3
    """Runs in all."""
    backoff_ms: int = 1000
    """Milliseconds before the second run; twice as long before each further one."""
    tz: str = "UTC"
    """The time zone by whose clock it runs."""

    @staticmethod
    def of(
        task: Task[P, Any],
        payload: P,
        pattern: str,
        /,
        *,
        job_id: str | None = None,
        name: str = "",
        tz: str = "UTC",
        enabled: bool = True,
    ) -> CronJob:
        """The cron job of a task: its queue, its name and its retries come from there. Raises `InvalidPayload` and
        `PayloadTooLarge`.

        ``CronJob.of(EmailTasks.send_digest, Digest(…), "0 9 * * 1-5", tz="Europe/Berlin")``
        """
        spec = task.spec
        backoff = spec.options.backoff
        wait = milliseconds("delay", backoff.delay) if isinstance(backoff, Exponential | Fixed) else 1000
        return CronJob(
            job_id=spec.name if job_id is None else job_id,
            pattern=pattern,
            handler=spec.name,
            queue=spec.queue,
            name=name,
            payload=json.loads(spec.encoded(payload)),
            enabled=enabled,
            max_attempts=spec.options.attempts,
            backoff_ms=wait,
            tz=tz,
        )

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> CronJob:
        """The cron job that a JSON object describes. Raises `InvalidCronJob` for fields that are unknown or missing;
        what is wrong with their values is found when it is stored."""
        given = fields_of(value)
        missing = [JSON_NAMES[name] for name in REQUIRED if name not in given]
        if missing:
            problems = [FieldProblem(name, "it is missing") for name in missing]
            raise InvalidCronJob(str(given.get("job_id", "")), problems)
        return CronJob(**given)

    def as_json(self) -> dict[str, Any]:
        """Its fields, named as in JSON; times as text."""
        return {
            JSON_NAMES[name]: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCronJob(CronJob):
    """A cron job as it is stored, at one moment."""

    id: str
    created_at: datetime
    """UTC."""
    updated_at: datetime
    revision: int
    """How often it was changed, from 1."""
    owner: Owner
    """``code``: the program declares all of it. ``operator``: an operator has made it, or has edited fields of it."""
    declared: bool
    """Whether the program declares it."""
    edited: tuple[str, ...] = ()
    """The fields of a declared one, by their names in JSON, that an operator has set: the program leaves them alone."""
    problem: str | None = None
    """Why it does not run, if it cannot."""


class CronJobChanges(TypedDict, total=False):
    """What can be changed of a cron job: see `CronJob`."""

    job_id: str
    pattern: str
    handler: str
    queue: str
    name: str
    payload: Any
    enabled: bool
    max_attempts: int
    backoff_ms: int
    tz: str


FIELDS: Final = tuple(each.name for each in fields(CronJob))
"""What can be said of a cron job."""

REQUIRED: Final = ("job_id", "pattern", "handler")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


JSON_NAMES: Final[Mapping[str, str]] = {each.name: _camel(each.name) for each in fields(StoredCronJob)}
"""The name in JSON of each field."""


def legible_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row, each of its type whatever stands in the table: what is not becomes text, off, or -1."""
    blanks = {"enabled": False, "max_attempts": -1, "backoff_ms": -1}
    made = dict[str, Any]()
    for name, value in values.items():
        blank = blanks.get(name, str(value))
        made[name] = value if name == "payload" or isinstance(value, type(blank)) else blank
    return made


def fields_of(value: Mapping[str, Any]) -> CronJobChanges:
    """The fields of a JSON object, which may be a part of them. Raises `InvalidCronJob` for one that is unknown."""
    names = {JSON_NAMES[name]: name for name in FIELDS}
    unknown = [name for name in value if name not in names]
    if unknown:
        reason = f"there is no such field; those are {', '.join(names)}"
        raise InvalidCronJob(
            str(value.get("jobId", "")), [FieldProblem(name[:100], reason) for name in unknown[:10]]
        )
    return cast("CronJobChanges", {names[name]: given for name, given in value.items()})
