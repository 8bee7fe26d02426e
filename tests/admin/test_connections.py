"""Workers as CLIENT LIST shows them."""

from __future__ import annotations

import pytest

from corral.admin.connections import Connection, connections_in

LINE = (
    "id=3 addr=10.0.0.1:5{n} laddr=10.0.0.9:6379 fd=8 name={name} age={age} idle=2 flags=b db=0 cmd=bzpopmin"
)


def line(name: str, age: str = "60", n: int = 0) -> str:
    """A line of CLIENT LIST."""
    return LINE.format(name=name, age=age, n=n)


def test_names() -> None:
    """Workers are told by the name of their connection; other queues, prefixes and readers of events are none."""
    lines = [
        line("bull:bWFpbA==:w:host-7"),
        line("bull:bWFpbA=="),
        line("bull:bWFpbA==:qe"),
        line("bull:x:bWFpbDI=:w:other"),
        line("bull:Og==:w:no-queue-can-be-a-colon"),
        line("bull:/w==:w:no-text"),
        line("bull::w:none"),
        line("b:bWFpbA==:w:other"),
        line(""),
        line("bull:bWFpbA==:w:a:b=c", "oops", 1),
        "no such thing",
        "",
    ]
    assert connections_in(lines, "bull") == [
        Connection("mail", "", "10.0.0.1:50", 60.0, 2.0),
        Connection("mail", "a:b=c", "10.0.0.1:51", 0.0, 2.0),
        Connection("mail", "host-7", "10.0.0.1:50", 60.0, 2.0),
    ]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("/run/redis.sock:0", "/run/redis.sock"),
        ("[/run/redis.sock:0]:0", "/run/redis.sock"),
        ("/run/redis.sock", "/run/redis.sock"),
        ("10.0.0.1:50", "10.0.0.1:50"),
        ("[::1]:50", "[::1]:50"),
    ],
)
def test_addresses(told: str, shown: str) -> None:
    """A unix socket is shown by its path, however the server writes it; anything else as it is."""
    [connection] = connections_in([f"id=3 addr={told} name=bull:bWFpbA=="], "bull")
    assert connection.address == shown


def test_any_prefix() -> None:
    """A prefix that looks like a part of such a name, and a worker's name that does, are read all the same."""
    [connection] = connections_in([line("a:w:b:bWFpbA==:w:c:w:d")], "a:w:b")
    assert (connection.queue, connection.name) == ("mail", "c:w:d")
