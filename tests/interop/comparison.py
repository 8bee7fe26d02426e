"""What differs between two snapshots, and which differences are meant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from typing import Any

ABSENT = "<absent>"


@dataclass(frozen=True)
class Difference:
    """One place where two snapshots differ: a path such as `j3.opts.attempts`, and both values."""

    where: str
    left: Any
    right: Any

    def __str__(self) -> str:
        """Show the place and both values on one line."""
        return f"{self.where}: {self.left!r} ≠ {self.right!r}"


@dataclass(frozen=True)
class IntendedDifference:
    """A difference that is meant: a pattern of paths, and why. `right`: the only value that is meant there."""

    where: str
    reason: str
    right: Any = None

    def covers(self, difference: Difference) -> bool:
        """Say whether this is the explanation of `difference`."""
        return fnmatchcase(difference.where, self.where) and self.right in (None, difference.right)


def diff(left: Any, right: Any, where: str = "") -> list[Difference]:
    """List every difference. Events are aligned first, so that one missing event is one difference."""
    if isinstance(left, dict) and isinstance(right, dict):
        return [found for key in sorted({*left, *right}) for found in _diff_entry(left, right, key, where)]
    if where.endswith("events.content") and isinstance(left, list) and isinstance(right, list):
        return list(_diff_events(left, right, where.removesuffix(".content")))
    return [] if left == right else [Difference(where, left, right)]


def _diff_entry(left: dict[str, Any], right: dict[str, Any], key: str, where: str) -> list[Difference]:
    path = f"{where}.{key}" if where else key
    return diff(left.get(key, ABSENT), right.get(key, ABSENT), path)


def _diff_events(
    left: Sequence[dict[str, Any]], right: Sequence[dict[str, Any]], where: str
) -> Iterator[Difference]:
    texts = [[json.dumps(event, sort_keys=True) for event in events] for events in (left, right)]
    matcher = SequenceMatcher(None, texts[0], texts[1], autojunk=False)
    for kind, left_from, left_to, right_from, right_to in matcher.get_opcodes():
        if kind == "equal":
            continue
        ours, theirs = left[left_from:left_to], right[right_from:right_to]
        if [event["event"] for event in ours] == [event["event"] for event in theirs]:
            for one, other in zip(ours, theirs, strict=True):
                yield from diff(one, other, f"{where}.{one['event']}")
            continue
        for event in ours:
            yield Difference(f"{where}.{event['event']}", event, ABSENT)
        for event in theirs:
            yield Difference(f"{where}.{event['event']}", ABSENT, event)


def unexplained(found: Iterable[Difference], intended: Sequence[IntendedDifference]) -> list[Difference]:
    """Return the differences that no row of `intended` covers."""
    return [difference for difference in found if not any(row.covers(difference) for row in intended)]
