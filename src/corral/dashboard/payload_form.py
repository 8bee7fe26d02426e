"""The form of a payload: made from the task's type, or a field for JSON where no type is known, or on request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from starlette.datastructures import FormData

from corral.contracts.codec import JSON_CODEC
from corral.contracts.spec import TaskSpec
from corral.contracts.strict_json import parse_strict_json
from corral.dashboard.form_values import MOST_ITEMS, as_spoken, pointer, texts_of, value_of
from corral.dashboard.schema_fields import Field, fields_of
from corral.errors import InvalidInput, InvalidPayload
from corral.http.catalogue import value_for
from corral.http.problem import Problem, problem_of

__all__ = ["PayloadForm", "form_fields"]

Spec: TypeAlias = TaskSpec[Any, Any]

LONGEST: Final = 2 * 1024 * 1024
"""Letters of a payload as JSON."""


def form_fields(spec: Spec | None) -> Field | None:
    """The fields for a task's payload; None where only JSON can be asked for."""
    if spec is None or spec.payload is JSON_CODEC:
        return None
    fields = fields_of(spec.payload.adapter.json_schema())
    return None if fields.kind == "json" else fields


@dataclass(frozen=True, slots=True)
class PayloadForm:
    """A form as it was filled in, with what is wrong with it: by pointer, where that is known."""

    fields: Field | None
    """None: as JSON."""
    texts: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: Problem | None = None

    @staticmethod
    def of(spec: Spec | None, payload: Any = ...) -> PayloadForm:
        """The form that shows a payload; without one, the defaults. As JSON where the fields would lose some of it."""
        fields = form_fields(spec)
        texts = {} if fields is None else texts_of(fields, payload)
        if fields is not None and (payload is ... or _same(spec, value_of(fields, texts)[0], payload)):
            return PayloadForm(fields, texts)
        shown = {} if payload is ... else payload
        return PayloadForm(None, {"json": json.dumps(shown, indent=2, ensure_ascii=False, default=str)})

    @staticmethod
    def sent(fields: Field | None, form: FormData) -> PayloadForm:
        """The form that was sent. Where a row of a list was asked for, with that."""
        texts = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        if change := texts.pop("rows", ""):
            texts |= _rows(texts, change)
        return PayloadForm(None if "json" in texts else fields, texts)

    def as_json(self) -> PayloadForm:
        """The same payload as JSON."""
        if self.fields is None:
            return self
        value = value_of(self.fields, self.texts)[0]
        return PayloadForm(
            None, {"json": json.dumps(None if value is ... else value, indent=2, ensure_ascii=False)}
        )

    def read(self) -> tuple[Any, PayloadForm]:
        """The payload, and the form with what is wrong with the texts."""
        if self.fields is not None:
            payload, problems = value_of(self.fields, self.texts)
            return None if payload is ... else payload, PayloadForm(self.fields, self.texts, problems)
        try:
            return parse_strict_json(self.texts.get("json", "")[:LONGEST]), self
        except ValueError as error:
            return None, PayloadForm(None, self.texts, {"": f"this is not JSON: {error}"})

    def refused(self, error: InvalidInput | Problem) -> PayloadForm:
        """The form with what was wrong with the payload beside the field that asks for it, or the nearest around it."""
        problem = problem_of(error) if isinstance(error, InvalidInput) else error
        found: dict[str, str] = {}
        if isinstance(error, InvalidPayload) and self.fields is not None:
            places = {as_spoken(name[1:]): name[1:] for name in self.texts if name[:1] in ("=", "#", "?")}
            for path, message in error.problems:
                near = [one for one in places if path == one or path.startswith((f"{one}.", f"{one}["))]
                place = places[max(near, key=len)] if near else ""
                found[place] = message if place else f"{path}: {message}".removeprefix(": ")
        return PayloadForm(self.fields, self.texts, found, problem)

    def shown(self) -> dict[str, Any]:
        """As templates take it."""
        return {
            "fields": self.fields,
            "texts": self.texts,
            "problems": self.problems,
            "problem": self.problem,
            "pointer": pointer,
            "most_items": MOST_ITEMS,
        }

    @property
    def status(self) -> int:
        """Of the answer that shows it."""
        if self.problem:
            return self.problem.status_code
        return 422 if self.problems else 200


def _rows(texts: Mapping[str, str], change: str) -> dict[str, str]:
    """One more item at the end of a list (`+` and its pointer), or one less (`-`)."""
    name = f"#{change[1:]}"
    count = texts.get(name, "0")
    number = int(count) if re.fullmatch("[0-9]{1,5}", count) else 0
    return {name: str(min(MOST_ITEMS, number + 1) if change[:1] == "+" else max(0, number - 1))}


def _same(spec: Spec | None, one: Any, other: Any) -> bool:
    """Whether two payloads mean the same to their task."""
    try:
        meant = [value_for(spec, value) for value in (one, other)]
    except InvalidInput:
        return False
    return bool(meant[0] == meant[1])
