"""Fingerprints: failures that an operator takes for the same get the same, and others do not."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.fingerprint import Fingerprint, fingerprint_of, last_trace, normalised

ALIKE = [
    [
        "user 42 not found",
        "user 7 not found",
        "user 507f1f77bcf86cd799439011 not found",
        "user 550e8400-e29b-41d4-a716-446655440000 not found",
        "user 01HXYZ4T9K3M5N7P8Q2R6S0V1W not found",
        "user bob.smith+tag@example.co.uk not found",
        "user  99\n not found ",
    ],
    [
        "Connection to 10.0.0.12:6379 failed at 2026-11-28T02:47:36.123Z after 1.5 s",
        "Connection to 192.168.1.1:80 failed at 2025-01-01 00:00:00+01:00 after 30 s",
        "Connection to fe80::1ff:fe23:4567:890a failed at 12:30:59 after 1e-07 s",
    ],
    ["invalid literal for int() with base 10: 'x'", "invalid literal for int() with base 10: 'it is not'"],
    [
        'Unexpected token } at position 17, "{1}" is not valid JSON',
        'Unexpected token } at position 4, "[1}" is not valid JSON',
    ],
    [  # V8 of Node 20 cites the text, quotation marks and all; that of Node 18 names the place
        "Unexpected token 'a', \"abc\" is not valid JSON",
        'Unexpected token \'b\', "{"a": bc}" is not valid JSON',
        'Unexpected token \'o\', ...""amount": oops, "zzz"... is not valid JSON',
        'Unexpected token \'"\', ..."a": "x" "b"}" is not valid JSON',
    ],
    ["Unexpected token } in JSON at position 17", "Unexpected token a in JSON at position 0"],
    ["<Order object at 0x7f3ae2c0> is closed", "<Order object at 0xdeadbeef> is closed"],
    ["Request failed with status code 503", "Request failed with status code 502"],
    ["cannot read order_991", "cannot read order_12"],
]
"""Messages as programs write them: those of one list belong together, and no two lists."""


@pytest.mark.parametrize("messages", ALIKE)
def test_messages_that_differ_in_values_are_alike(messages: list[str]) -> None:
    """Numbers, ids, addresses, times, quotations and white space do not count."""
    assert len({normalised(message) for message in messages}) == 1


def test_other_messages_differ() -> None:
    """What is left of messages about different things differs."""
    assert len({normalised(messages[0]) for messages in ALIKE}) == len(ALIKE)
    assert normalised("can't open it") != normalised("can't close it")


pieces = st.sampled_from(
    [
        "Unexpected token ",
        "'a'",
        "…",
        ", ",
        "...",
        ".",
        '"',
        " in JSON at ",
        " is not valid JSON",
        "7",
        "x",
        "'",
    ]
)


@given(
    st.text()
    | st.text(alphabet="aZ0-9.:# '\"`…@x\n", max_size=60)
    | st.lists(pieces, max_size=12).map("".join)
)
def test_normalising_twice_changes_nothing(message: str) -> None:
    """What is normal stays so."""
    once = normalised(message)
    assert normalised(once) == once
    assert len(once) <= 502


words = st.text("abcXYZ", min_size=1, max_size=8)
numbers = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(str)


@given(st.lists(words, min_size=1, max_size=6), st.data())
def test_numbers_do_not_matter(parts: list[str], data: st.DataObject) -> None:
    """Two messages from one template are alike, whatever numbers stand in it."""

    def filled() -> str:
        return " ".join(f"{part} {data.draw(numbers)}" for part in parts)

    assert normalised(filled()) == normalised(filled())


HOSTILE = [
    "a", "'", '"', "1", "a@", "a@b.", "-1", "0x", ":", "ab:", "1.", "f" * 7 + " ", "\n", " ", "\\", '\\"',
    '","', "2026-",     'File "', '  File "a", line 1, in b\n', "Traceback (most recent call last)\n",
    "    at x (", "    at a a", "    at a:1",
    "    at a (b:1:1)\n", "[", '["', "é", "\ud800", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=ascii)
def test_hostile_texts_are_fast(piece: str) -> None:
    """A mebibyte of anything takes some milliseconds, and has a fingerprint."""
    text = piece * (2**20 // len(piece))
    begun = time.process_time()
    found = fingerprint_of("exhausted", text, text)
    last_trace(text)
    assert time.process_time() - begun < 0.5
    assert len(found.digest) == 16
    assert sum(map(len, (found.error_type, found.place, found.message))) < 1000


@given(st.text(), st.text())
def test_any_text_has_a_fingerprint(reason: str, trace: str) -> None:
    """Nothing that stands in a reason or a trace raises."""
    last_trace(trace)
    assert fingerprint_of("exhausted", reason, trace) == fingerprint_of("exhausted", reason, trace)


def trace_of(function: Callable[[], object]) -> str:
    """What is stored of the exception that a function raises."""
    try:
        function()
    except Exception as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError


def fail_with_a_cause() -> None:
    """Raise because of something else."""
    try:
        int("x")
    except ValueError as error:
        raise LookupError("no such thing") from error


def fail_in_a_group() -> None:
    """Raise several at once."""
    try:
        fail_with_a_cause()
    except LookupError as error:
        raise ExceptionGroup("two", [ValueError("one"), error]) from None


PYTHON = """Traceback (most recent call last):
  File "/srv/app/mail/sender.py", line 41, in send
    return await smtp.send(message)
           ~~~~~~~~~^^^^^^^^^
  File "/usr/lib/python3.11/asyncio/tasks.py", line 490, in wait_for
    return fut.result()
  File "/srv/venv/lib/python3.11/site-packages/aiosmtplib/client.py", line 12, in send
    raise SMTPServerDisconnected("gone")
aiosmtplib.errors.SMTPServerDisconnected: gone"""
NODE = """TypeError [ERR_X]: Cannot read properties of undefined
    at Object.parse (/app/node_modules/lib/index.js:1:2)
    at JSON.parse (<anonymous>)
    at Mailer.send (/app/dist/mail/send.js:10:15)
    at async Worker.processFn (file:///app/dist/worker.js:3:4)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"""
TRACES = [
    (PYTHON, "aiosmtplib.errors.SMTPServerDisconnected", "mail/sender.py:send"),
    (PYTHON.replace("/srv/app", r"C:\app").replace("mail/sender", r"mail\sender"),
     "aiosmtplib.errors.SMTPServerDisconnected", "mail/sender.py:send"),
    (NODE, "TypeError", "mail/send.js:Mailer.send"),
    ("Error: x\n    at file:///app/jobs/run.mjs:5:9", "Error", "jobs/run.mjs"),
    ("Error\n    at async fetch (node:internal/x:1:1)", "Error", "node:internal/x:fetch"),
    ("ValueError: no frames", "", ""),
    ("", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("trace", "error_type", "place"), TRACES)
def test_type_and_place(trace: str, error_type: str, place: str) -> None:
    """The type is that of what was raised; the place is the innermost frame that is not of a library, the same on every
    machine and after every change elsewhere in the file."""
    found = fingerprint_of("exhausted", "m", trace)
    assert (found.error_type, found.place) == (error_type, place)
    moved = trace.replace("line 41", "line 57").replace("/srv/app/", "/home/me/src/").replace("10:15", "99:1")
    assert fingerprint_of("exhausted", "m", moved) == found


def test_of_causes_and_groups() -> None:
    """What was raised last counts, not its cause; of a group, the last one in it."""
    here = "contracts/test_fingerprint.py"
    found = fingerprint_of("exhausted", "m", trace_of(fail_with_a_cause))
    assert (found.error_type, found.place) == ("LookupError", f"{here}:fail_with_a_cause")
    found = fingerprint_of("exhausted", "m", trace_of(fail_in_a_group))
    assert (found.error_type, found.place) == ("LookupError", f"{here}:fail_with_a_cause")


def test_the_digest_is_the_same_for_ever() -> None:
    """It stands in addresses that people keep, so it never changes; each of the four texts counts."""
    one = Fingerprint("exhausted", "ValueError", "mail/sender.py:send", "user # not found")
    assert one.digest == "d5f80330dcc43573"
    others = [
        Fingerprint("poison", "ValueError", "mail/sender.py:send", "user # not found"),
        Fingerprint("exhausted", "LookupError", "mail/sender.py:send", "user # not found"),
        Fingerprint("exhausted", "ValueError", "mail/sender.py:open", "user # not found"),
        Fingerprint("exhausted", "ValueError", "mail/sender.py:send", "user # found"),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5


STORED = [
    ('["first\\n    at a","last\\n\\"x\\""]', 'last\n"x"'),
    ("[]", ""),
    ("{}", ""),
    ("[1]", ""),
    ("null", ""),
    ('cut off","a \\"quoted\\",\\"text\\" b\\n    at c"]', 'a "quoted","text" b\n    at c'),
    ('n only one\\n  at \\"b\\""]', 'n only one\n  at "b"'),
]


@pytest.mark.parametrize(("stored", "newest"), STORED)
def test_the_newest_trace(stored: str, newest: str) -> None:
    """The newest of the traces counts, also where the beginning of the list is cut off."""
    assert last_trace(stored) == newest


def test_a_message_has_no_secrets() -> None:
    """They are masked before numbers are taken out, which would leave the rest of one for everybody to read."""
    first, second = (f"refused: token=ab{n}cd with ghp_Ab{n}CdEfGhIjKlMnOpQrSt" for n in (1, 22))
    assert normalised(first) == normalised(second) == "refused: token=# with #"
