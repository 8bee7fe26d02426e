"""Slots are computed as the server computes them, and each command goes by its first key."""

from __future__ import annotations

import pytest

from corral.engine.keys import QueueKeys
from corral.engine.slots import SLOTS, hash_tag, slot_of, slot_of_command


@pytest.mark.parametrize(
    ("key", "slot"),
    [("123456789", 0x31C3), ("foo", 12182), ("{foo}bar", 12182), ("a{foo}{bar}", 12182), ("", 0)],
)
def test_slots(key: str, slot: int) -> None:
    """Known answers: the check value of CRC16/XMODEM, and keys of the Redis Cluster specification."""
    assert slot_of(key) == slot_of(key.encode()) == slot % SLOTS


@pytest.mark.parametrize(
    ("key", "tag"), [("a{b}c", "b"), ("a{}{b}", None), ("a{b", None), ("a}b{c", None), ("{{a}}", "{a")]
)
def test_tags(key: str, tag: str | None) -> None:
    """The tag is between the first brace and the next closing one; an empty one is none."""
    assert hash_tag(key) == tag


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("HGETALL", "k"), "k"),
        (("EVALSHA", "sha", 2, "k", "l", "x"), "k"),
        (("EVAL", b"text", b"1", b"k"), "k"),
        (("XREAD", "COUNT", 1, "BLOCK", 5, "STREAMS", "k", "0-0"), "k"),
        (("EVALSHA", "sha", 0), None),
        (("INFO",), None),
        (("client", "list"), None),
        (("SCAN", 0, "MATCH", "k"), None),
    ],
)
def test_commands(words: tuple[str | bytes | int, ...], key: str | None) -> None:
    """The first key decides; a command without one may go anywhere."""
    assert slot_of_command(words) == (None if key is None else slot_of(key))


@pytest.mark.parametrize(
    ("prefix", "queue", "tagged"),
    [
        ("{bull}", "q", True),
        ("bull", "{q}", True),
        ("a{b}", "{q}", True),
        ("bull", "q", False),
        ("a{b", "q", False),
    ],
)
def test_the_slot_of_a_queue(prefix: str, queue: str, tagged: bool) -> None:
    """All keys of a queue, Corral's own too, lie in its slot; without a tag there is none."""
    keys = QueueKeys(prefix, queue)
    found = {slot_of(key) for key in (keys.key("wait"), keys.job("{x}"), keys.key("sent"), keys.nothing)}
    assert (keys.slot is not None) is tagged
    if tagged:
        assert found == {keys.slot}
