"""A job as it is stored, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

from corral.contracts.failure import FailureKind, kind_of_failed
from corral.contracts.kind import JobKind, kind_of
from corral.contracts.names import decode_job_id
from corral.contracts.states import JobState
from corral.contracts.strict_json import parse_strict_json
from corral.contracts.wire_options import NO_OPTIONS, StoredOptions, decode_options

__all__ = ["Job"]


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A snapshot of a job: plain data that cannot act on itself. Verbs are on the client, the task and the handle.

    Where a field of another client's job is not what it should be, its raw text stands here and ``malformed`` says why.
    """

    id: str
    queue: str
    name: str
    data: Any
    opts: StoredOptions = NO_OPTIONS
    state: JobState | None = None
    """None where the state was not looked up."""
    timestamp: datetime | None = None
    """When it was enqueued. UTC, as all times here."""
    processed_on: datetime | None = None
    """When its latest run began."""
    finished_on: datetime | None = None
    delay: int = 0
    """Milliseconds from ``timestamp``, or from the last attempt, until it is due."""
    priority: int = 0
    attempts_started: int = 0
    attempts_made: int = 0
    stalled_count: int = 0
    progress: Any = None
    returnvalue: Any = None
    failed_reason: str | None = None
    """Why the latest failed attempt failed: also set on a job that succeeded later."""
    failure_kind: FailureKind | None = None
    """Why it failed for good, where its state is failed. Told from the rest where another program failed it."""
    stacktrace: tuple[str, ...] = ()
    """One text per failed attempt, oldest first."""
    parent_key: str | None = None
    deduplication_id: str | None = None
    repeat_key: str | None = None
    """The schedule that made it."""
    processed_by: str | None = None
    """The worker of the latest run."""
    malformed: Mapping[str, str] = field(default_factory=_nothing)
    """Fields that could not be read, each with the reason."""

    @property
    def kind(self) -> JobKind:
        """Where it came from: a call, a schedule, or a schedule triggered by hand."""
        return kind_of(self.repeat_key, self.opts)

    @staticmethod
    def from_fields(
        queue: str, wire_id: str, fields: Mapping[Any, Any], *, state: JobState | None = None
    ) -> Job:
        """A job from its hash in Redis, keys and values as bytes or text. Never fails: see ``malformed``."""
        stored = _Fields({_text(name): _text(value) for name, value in fields.items()})
        return Job(
            id=decode_job_id(wire_id),
            queue=queue,
            name=stored.text("name") or "",
            data=stored.json("data"),
            opts=stored.options(),
            state=state,
            timestamp=stored.time("timestamp"),
            processed_on=stored.time("processedOn"),
            finished_on=stored.time("finishedOn"),
            delay=stored.number("delay"),
            priority=stored.number("priority"),
            attempts_started=stored.number("ats"),
            attempts_made=stored.attempts_made(),
            stalled_count=stored.number("stc"),
            progress=stored.json("progress"),
            returnvalue=stored.json("returnvalue"),
            failed_reason=stored.text("failedReason"),
            failure_kind=stored.failure_kind(state),
            stacktrace=stored.stacks(),
            parent_key=stored.text("parentKey"),
            deduplication_id=stored.text("deid"),
            repeat_key=stored.text("rjk"),
            processed_by=stored.text("pb"),
            malformed=MappingProxyType(stored.malformed),
        )


class _Fields:
    """The fields of a hash, read one by one; what cannot be read is noted."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        self.malformed: dict[str, str] = {}
        for name in ("name", "data"):
            if name not in fields:
                self.malformed[name] = "missing"

    def text(self, name: str) -> str | None:
        return self.fields.get(name)

    def number(self, name: str) -> int:
        text = self.fields.get(name) or "0"
        try:
            return int(float(text)) if "." in text or "e" in text else int(text)
        except (ValueError, OverflowError):
            self.malformed[name] = f"not a number: {text[:40]!r}"
            return 0

    def time(self, name: str) -> datetime | None:
        milliseconds = self.number(name)
        try:
            return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
        except (ValueError, OverflowError, OSError):
            self.malformed[name] = f"not a time: {milliseconds}"
            return None

    def json(self, name: str) -> Any:
        text = self.fields.get(name)
        if text is None:
            return None
        try:
            return parse_strict_json(text)
        except ValueError as error:
            self.malformed[name] = f"not JSON: {error}"
            return text

    def attempts_made(self) -> int:
        return self.number("atm") or self.number("attemptsMade")

    def failure_kind(self, state: JobState | None) -> FailureKind | None:
        if state is not JobState.FAILED:
            return None
        made, allowed = self.attempts_made(), self.options().attempts
        return kind_of_failed(self.text("corral.failure"), self.text("failedReason") or "", made, allowed)

    def options(self) -> StoredOptions:
        try:
            return decode_options(self.fields.get("opts") or "{}")
        except ValueError as error:
            self.malformed["opts"] = str(error)
            return NO_OPTIONS

    def stacks(self) -> tuple[str, ...]:
        value = self.json("stacktrace")
        if isinstance(value, list):
            return tuple(str(stack) for stack in cast("list[object]", value))
        return (str(value),) if value else ()


def _text(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
