"""An entry of a queue's event stream (wire format §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from corral.contracts.names import decode_job_id
from corral.contracts.states import JobState
from corral.contracts.strict_json import parse_strict_json

__all__ = ["Event", "EventName"]


class EventName(StrEnum):
    """The events that BullMQ's clients and Corral write, with the fields that each carries beside ``jobId``."""

    ADDED = "added"
    """A job was stored: ``name``."""
    WAITING = "waiting"
    """It is ready to run: ``prev``, the state that it left, unless it is new."""
    DELAYED = "delayed"
    """It runs later: ``delay``, which is the time when it is due, in ms since the epoch."""
    WAITING_CHILDREN = "waiting-children"
    """A parent waits for its children: ``prev`` when it ran before."""
    ACTIVE = "active"
    """A worker runs it: ``prev``, which is always ``waiting``."""
    PROGRESS = "progress"
    """Its handler said how far it is: ``data`` (JSON)."""
    COMPLETED = "completed"
    """Its handler returned: ``returnvalue`` (JSON), ``prev``."""
    FAILED = "failed"
    """It failed for good: ``failedReason``, ``prev``."""
    RETRIES_EXHAUSTED = "retries-exhausted"
    """It failed, and all its attempts are spent: ``attemptsMade``."""
    STALLED = "stalled"
    """Its worker is gone, and it was put back."""
    DRAINED = "drained"
    """Nothing waits and nothing runs. About no job."""
    DUPLICATED = "duplicated"
    """It was added again under its id."""
    DEDUPLICATED = "deduplicated"
    """Another job was dropped in its favour: ``deduplicationId``, ``deduplicatedJobId``."""
    DEBOUNCED = "debounced"
    """The same, as BullMQ 5 says it: ``debounceId``."""
    REMOVED = "removed"
    """It was removed: ``prev``."""
    CLEANED = "cleaned"
    """Finished jobs were removed: ``count``. About no job."""
    PAUSED = "paused"
    """The queue hands out no jobs. About no job."""
    RESUMED = "resumed"
    """It does again. About no job."""


_PREVIOUS: Final = {"wait": JobState.WAITING, "paused": JobState.WAITING}
"""Names of lists that BullMQ gives where it means a state."""


_OWN_NAMES: Final = frozenset(EventName)


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a queue. ``name`` is one of `EventName`, or of a program's own (`publish`)."""

    id: str
    """The entry's id in the stream: milliseconds, a dash, a number. Reading can go on after it."""
    name: str
    job_id: str | None
    queue: str
    fields: Mapping[str, str] = field(default_factory=_nothing)
    """The other fields, as stored."""

    @staticmethod
    def from_fields(queue: str, entry_id: str | bytes, fields: Mapping[Any, Any]) -> Event:
        """An event from a stream entry, keys and values as bytes or text."""
        stored = {_text(key): _text(value) for key, value in fields.items()}
        name, wire_id = stored.pop("event", ""), stored.pop("jobId", None)
        job_id = None if wire_id is None else decode_job_id(wire_id)
        return Event(_text(entry_id), name, job_id, queue, MappingProxyType(stored))

    @property
    def timestamp_ms(self) -> int:
        """When it happened, by the server's clock: milliseconds since the epoch."""
        return int(self.id.partition("-")[0])

    @property
    def prev(self) -> JobState | None:
        """The state that the job left, where the event says so."""
        text = self.fields.get("prev", "")
        try:
            return _PREVIOUS.get(text) or JobState(text)
        except ValueError:
            return None

    @property
    def is_custom(self) -> bool:
        """Whether a program published it, which means what that program says."""
        return self.name not in _OWN_NAMES

    @property
    def job_name(self) -> str | None:
        """The name of the job (``added``)."""
        return self.fields.get("name")

    @property
    def returnvalue(self) -> Any:
        """What the handler returned (``completed``); None elsewhere."""
        return self._json("returnvalue")

    @property
    def failed_reason(self) -> str | None:
        """Why the job failed (``failed``)."""
        return self.fields.get("failedReason")

    @property
    def data(self) -> Any:
        """The progress (``progress``)."""
        return self._json("data")

    @property
    def due_ms(self) -> int | None:
        """When the job is due, milliseconds since the epoch (``delayed``, whose field is called ``delay``)."""
        return self._number("delay")

    @property
    def count(self) -> int | None:
        """How many jobs were removed (``cleaned``)."""
        return self._number("count")

    @property
    def attempts_made(self) -> int | None:
        """How many attempts were made (``retries-exhausted``)."""
        return self._number("attemptsMade")

    @property
    def deduplication_id(self) -> str | None:
        """The id that both jobs have (``deduplicated``, ``debounced``)."""
        return self.fields.get("deduplicationId", self.fields.get("debounceId"))

    @property
    def deduplicated_job_id(self) -> str | None:
        """The job that was dropped in favour of ``job_id`` (``deduplicated``)."""
        wire_id = self.fields.get("deduplicatedJobId")
        return None if wire_id is None else decode_job_id(wire_id)

    def _number(self, name: str) -> int | None:
        text = self.fields.get(name, "")
        return int(text) if text.isdecimal() and text.isascii() else None

    def _json(self, name: str) -> Any:
        text = self.fields.get(name)
        if text is None:
            return None
        try:
            return parse_strict_json(text)
        except ValueError:  # some other client's: better its text than no event at all
            return text


def _text(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
