"""Whose a key is: a job's own and those beside it are told from those of the queue (wire format §1)."""

from __future__ import annotations

import pytest

from corral.engine.key_owner import owner_of, places_below
from corral.engine.keys import SUFFIXES


@pytest.mark.parametrize(
    ("suffix", "owner"),
    [
        ("42", "42"),
        ("invite-7", "invite-7"),
        ("42:lock", "42"),
        ("42:logs", "42"),
        ("42:dependencies", "42"),
        ("42:processed", "42"),
        ("42:failed", "42"),
        ("42:unsuccessful", "42"),
        ("report:ada:2026", "report:ada:2026"),
        ("report:ada:2026:logs", "report:ada:2026"),
        ("report:ada:logs", "report:ada:logs"),
        ("repeat:s:1700000000000", "repeat:s:1700000000000"),
        ("repeat:s:1700000000000:logs", "repeat:s:1700000000000"),
        ("repeat:a:b:1700000000000", "repeat:a:b:1700000000000"),
        ("repeat:s", None),
        ("repeat:s:logs", None),
        ("de:x", None),
        ("de:x:logs", None),
        ("dn:x:failed", None),
        ("metrics:failed", None),
        ("metrics:failed:data", None),
        ("priority", None),
    ],
)
def test_owner(suffix: str, owner: str | None) -> None:
    """A key leads to its job; keys of deduplication, metrics and schedules lead to none."""
    assert owner_of(suffix) == owner


def test_keys_of_the_queue() -> None:
    """No key of the queue itself is taken for a job's."""
    assert {suffix: owner_of(suffix) for suffix in SUFFIXES.values()} == dict.fromkeys(SUFFIXES.values())


@pytest.mark.parametrize(
    ("key", "places"),
    [
        (b"bull:q:42", []),
        (b"bull:q:x:wait", [b"bull:q:x"]),
        (b"bull:q:a:b:logs", [b"bull:q:a", b"bull:q:a:b"]),
        (b"bull:q::corral:x:sent:1", [b"bull:q:x"]),
        (b"bull:q:a::corral:x:swept", [b"bull:q:a:x"]),
    ],
)
def test_queues_below(key: bytes, places: list[bytes]) -> None:
    """A key with more colons may belong to a queue under a longer prefix, one of Corral's own too."""
    assert set(places) <= set(places_below(b"bull:q:", key))


def test_a_key_of_many_colons() -> None:
    """Somebody's key of a thousand colons costs no more than others."""
    assert len(places_below(b"bull:q:", b"bull:q:" + b"x:" * 1000)) == 8
