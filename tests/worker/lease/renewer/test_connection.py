"""The renewer's own RESP."""

from __future__ import annotations

from typing import Any

import pytest

from corral.worker.lease.renewer.connection import ErrorReply, pack_command, parse_reply


def test_commands_are_arrays_of_bulk_strings() -> None:
    """A command is packed with lengths in bytes, so its arguments may hold anything."""
    assert pack_command(b"SET", b"k\r\n", b"") == b"*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$0\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"+OK\r\n", b"OK"),
        (b":-12\r\n", -12),
        (b"$5\r\na\r\nbc\r\n", b"a\r\nbc"),
        (b"$-1\r\n", None),
        (b"*3\r\n:1\r\n:0\r\n:2\r\n", [1, 0, 2]),
        (b"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", [[1], b"x"]),
        (b"*0\r\n", []),
    ],
)
def test_replies(data: bytes, reply: Any) -> None:
    """Each kind of reply is read to its end; every part of it that came alone is incomplete."""
    assert parse_reply(data) == (reply, len(data))
    assert all(parse_reply(data[:size]) is None for size in range(len(data)))


def test_errors_are_values() -> None:
    """An error reply is returned, not raised, because an array may hold one."""
    parsed = parse_reply(b"-NOSCRIPT none\r\n")
    assert parsed is not None
    assert isinstance(parsed[0], ErrorReply)
    assert str(parsed[0]) == "NOSCRIPT none"


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n", b":x\r\n", b"x" * 70000])
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    """Whatever else listens on that port is noticed."""
    with pytest.raises(ValueError):
        parse_reply(data)
