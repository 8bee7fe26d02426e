"""Tasks by what callers call them, so that a payload can be validated before it is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeAlias

import pydantic_core

from corral.contracts.codec import JSON_CODEC
from corral.contracts.redaction import is_redacted, restored
from corral.contracts.secret import MASK
from corral.contracts.spec import TaskSpec, untyped_spec
from corral.http.problem import Problem
from corral.store.known_tasks import KnownTasks, Source

__all__ = ["Catalogue", "given_in_full", "put_back", "value_for"]

Spec: TypeAlias = TaskSpec[Any, Any]


class Catalogue:
    """Finds a task by what callers call it."""

    def __init__(self, tasks: Iterable[Source] = ()) -> None:
        self._known = KnownTasks(*tasks)

    @property
    def specs(self) -> list[Spec]:
        """All that are known, by queue and name."""
        known = self._known
        found = (known.get(queue, name) for queue in sorted(known.queues) for name in known.names(queue))
        return [spec for spec in found if spec is not None]

    def of(self, queue: str) -> list[Spec]:
        """The tasks of a queue, as far as they are known."""
        return [spec for name in self._known.names(queue) if (spec := self._known.get(queue, name))]

    def find(self, queue: str, name: str) -> Spec | None:
        """The task of a queue, if it is known."""
        return self._known.get(queue, name)

    def resolve(self, handler: str, queue: str | None = None) -> Spec:
        """The task that `handler` names: by its name, or as `queue:name`; with a queue also one that is not known, as
        long as no task of that queue is. Raises `Problem` 422, with the reason."""
        if queue is None:
            queues = self._known.queues_with(handler)
            if len(queues) > 1:
                raise _unclear(handler, queues)
            queue, colon, name = (queues[0], ":", handler) if queues else handler.partition(":")
            if not colon:
                raise self._unknown(handler, None)
            handler = name
        if self._known.excludes(queue, handler):
            raise self._unknown(handler, queue)
        return self._known.get(queue, handler) or untyped_spec(queue, handler)

    def _unknown(self, handler: str, queue: str | None) -> Problem:
        names = [spec.name for spec in self.specs if queue in (None, spec.queue)]
        close = get_close_matches(handler, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        where = "" if queue is None else f" of queue {queue!r}"
        remedy = (
            ""
            if queue
            else "; for a task of another program say which queue: queue, or handler as queue:name"
        )
        detail = f"no task{where} is called {handler!r}{hint}{remedy}"
        return Problem(422, "unknown-task", detail, errors=[{"path": "handler", "message": "unknown"}])


def given_in_full(payload: Any) -> Any:
    """A payload that came from somebody who may have read it here. Raises `Problem` 422 where a secret is masked."""
    if is_redacted(payload):
        detail = f"a secret is masked in the payload ({MASK}): give it in full. Nothing was changed"
        raise Problem(422, "redacted", detail, errors=[{"path": "data", "message": "masked"}])
    return payload


def put_back(sent: Any, shown: Any, kept: Any) -> Any:
    """What came back of a payload that was shown: secrets that were left masked stay what they are. Raises `Problem`
    422 where a mask stands that cannot be told."""
    value = restored(sent, shown, kept)
    return value if _masks(value) <= _masks(kept) else given_in_full(value)


def _masks(payload: Any) -> int:
    """How many masks stand in it: a payload may be about masks."""
    return json.dumps(payload, ensure_ascii=False, default=str).count(MASK)


def value_for(spec: Spec | None, payload: Any) -> Any:
    """A payload that came as JSON, as the task takes it; as it is, where none is known. Raises `InvalidPayload`."""
    if spec is None or spec.payload is JSON_CODEC:
        return {} if payload is None else payload  # as BullMQ has it
    return spec.payload.decode(pydantic_core.to_json(payload))


def _unclear(handler: str, queues: list[str]) -> Problem:
    detail = (
        f"several queues have a task {handler!r}: say which one, queue or handler as queue:name, of {queues}"
    )
    return Problem(422, "unclear-task", detail, errors=[{"path": "handler", "message": "not clear"}])
