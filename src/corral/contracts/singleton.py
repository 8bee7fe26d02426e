"""Singleton: of the jobs of a key, one runs at a time, over all Corral workers and machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from corral.contracts.codec import Codec
from corral.contracts.payload_key import PayloadKey, check_payload_key, payload_key
from corral.errors import InvalidOption

__all__ = ["Singleton", "declared_singletons"]


@dataclass(frozen=True, slots=True)
class Singleton:
    """One job of a task at a time; the others wait for their turn, or are skipped.

    key:
        Of the jobs that have the same key one runs at a time: the name of a field of the payload, as its JSON has it,
        or a function of the payload that gives text or a whole number. None: all jobs of the task have the same.
    otherwise:
        What becomes of a job whose turn it is not. ``"wait"``: it is set aside, and takes its turn in the order of
        arrival. ``"skip"``: it fails at once with the reason ``skipped: <id> holds "<key>"``, without having run.
    """

    key: PayloadKey | None = None
    otherwise: Literal["wait", "skip"] = "wait"

    def __post_init__(self) -> None:
        """Refuse what is no key."""
        if (
            self.key is not None
            and not callable(self.key)
            and (not isinstance(self.key, str) or not self.key)
        ):
            raise InvalidOption(
                "singleton", self.key, "give True, the name of a field, or a function of the payload"
            )
        if self.otherwise not in ("wait", "skip"):
            raise InvalidOption("otherwise", self.otherwise, 'give "wait" or "skip"')

    @classmethod
    def parse(cls, _option: str, value: Any) -> Singleton | None:
        """What ``singleton=`` takes: True, False, a key, or a `Singleton`."""
        if value is False or isinstance(value, Singleton):
            return value or None
        return cls() if value is True else cls(value)

    def check(self, payload: Codec[Any]) -> None:
        """Raise `InvalidOption` when the payload has no such field."""
        if self.key is not None:
            check_payload_key("singleton", self.key, payload)

    def stored(self, task: str, payload: Any, data: bytes) -> str:
        """The rule of one job as its ``opts`` hold it (JSON). Raises `InvalidOption`."""
        key = task if self.key is None else f"{task}:{payload_key('singleton', self.key, payload, data)}"
        return json.dumps({"key": key, **self._otherwise()}, separators=(",", ":"))

    def declared(self) -> Mapping[str, str] | None:
        """The rule as a worker declares it for jobs that do not carry one, because another program has added them; None
        for a key that only Python can make."""
        if callable(self.key):
            return None
        return {**({} if self.key is None else {"field": self.key}), **self._otherwise()}

    def _otherwise(self) -> dict[str, str]:
        return {"else": "skip"} if self.otherwise == "skip" else {}


def declared_singletons(tasks: Iterable[tuple[str, Singleton | None]]) -> str:
    """What a worker declares with its claims, from the names of its tasks and their rules: JSON, empty for none."""
    declared = {name: rule.declared() for name, rule in tasks if rule is not None}
    known = {name: rule for name, rule in declared.items() if rule is not None}
    return json.dumps(known, separators=(",", ":")) if known else ""
