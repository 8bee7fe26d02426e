"""An entry of a queue's event stream (wire format §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from corral.contracts.names import decode_job_id
from corral.contracts.states import JobState
from corral.contracts.strict_json import parse_strict_json

__all__ = ["Event"]


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a queue. ``name`` is BullMQ's: ``added``, ``completed``, ``stalled``, …"""

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
        try:
            return JobState(self.fields["prev"])
        except (KeyError, ValueError):
            return None

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
        text = self.fields.get("delay", "")
        return int(text) if text.isdecimal() else None

    @property
    def attempts_made(self) -> int | None:
        """How many attempts were made (``retries-exhausted``)."""
        text = self.fields.get("attemptsMade", "")
        return int(text) if text.isdecimal() else None

    @property
    def deduplication_id(self) -> str | None:
        """The id that both jobs have (``deduplicated``)."""
        return self.fields.get("deduplicationId")

    @property
    def deduplicated_job_id(self) -> str | None:
        """The job that was dropped in favour of ``job_id`` (``deduplicated``)."""
        wire_id = self.fields.get("deduplicatedJobId")
        return None if wire_id is None else decode_job_id(wire_id)

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
