"""What is shown of what is kept: somebody's data on its way to a page or an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from corral.contracts.event import Event
from corral.contracts.job import Job
from corral.contracts.redaction import redacted, redacted_job
from corral.contracts.schedule_snapshot import Schedule
from corral.contracts.secret import MASK, looks_secret, masked_text
from corral.contracts.strict_json import parse_strict_json
from corral.http.catalogue import Catalogue
from corral.store.cron_job import StoredCronJob

__all__ = ["Redactor"]

Kept = TypeVar("Kept", Job, Schedule)


class Redactor:
    """Masks the secrets that the tasks' types mark, and those that can be seen. Whatever shows data asks here first;
    what searches it looks only at what it would show."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def job(self, job: Job) -> Job:
        """A job as it is shown."""
        return _told(redacted_job(job, self._catalogue.find(job.queue, job.name)))

    def schedule(self, schedule: Schedule) -> Schedule:
        """A schedule, with the payload of its jobs."""
        return _told(replace(schedule, data=self._payload(schedule.queue, schedule.name, schedule.data)))

    def cron_job(self, cron_job: StoredCronJob) -> StoredCronJob:
        """A cron job of the database."""
        problem = None if cron_job.problem is None else masked_text(cron_job.problem)
        payload = self._payload(cron_job.queue, cron_job.handler, cron_job.payload)
        return replace(cron_job, payload=payload, problem=problem)

    def event(self, event: Event) -> dict[str, Any]:
        """The fields of an event. It does not say which task its job is of, so that a result is masked by those of all
        tasks of its queue."""
        values = () if event.is_custom else ("returnvalue", "data")
        fields: dict[str, Any] = {
            name: text if name in values else _masked(name, text) for name, text in event.fields.items()
        }
        if event.is_custom:
            return fields
        if "returnvalue" in fields:
            result = redacted(event.returnvalue)
            for spec in self._catalogue.of(event.queue):
                result = redacted_job(_job(event.queue, spec.name, returnvalue=result), spec).returnvalue
            fields["returnvalue"] = result
        if "data" in fields:
            fields["data"] = redacted(event.data)
        return fields

    def _payload(self, queue: str, task: str, payload: Any) -> Any:
        return self.job(_job(queue, task, data=payload)).data


def _job(queue: str, name: str, *, data: Any = None, returnvalue: Any = None) -> Job:
    return Job(id="", queue=queue, name=name, data=data, returnvalue=returnvalue)


def _told(kept: Kept) -> Kept:
    """With its options masked, and what is said of fields that could not be read, which may quote them."""
    malformed: Mapping[str, str] = {name: masked_text(text) for name, text in kept.malformed.items()}
    return replace(kept, opts=replace(kept.opts, raw=redacted(dict(kept.opts.raw))), malformed=malformed)


def _masked(name: str, text: str) -> str:
    """A text that may be JSON. It stays as it is where nothing in it is a secret."""
    if looks_secret(name):
        return MASK
    try:
        value = parse_strict_json(text)
    except ValueError:
        return masked_text(text)
    shown = redacted(value)
    return text if shown == value else json.dumps(shown, ensure_ascii=False)
