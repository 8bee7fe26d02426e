"""Which request gets which answer."""

from __future__ import annotations

import pytest

from corral.worker.endpoint.answer import (
    MALFORMED,
    NOT_FOUND,
    WRONG_METHOD,
    answer_for,
    read_answer,
    wanted_path,
)
from corral.worker.health import STARTING, Health

ILL = Health(live=False, ready=False, status="unhealthy", reasons=("queue 'a\"\r\n\u2028</script>'",))


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", ("/healthz", True)),
        (b"HEAD /readyz?verbose HTTP/1.0\r\n\r\n", ("/readyz", False)),
        (b"GET / HTTP/1.1\r\n\r\n", NOT_FOUND),
        (b"GET /healthz/../etc HTTP/1.1\r\n\r\n", NOT_FOUND),
        (b"POST /healthz HTTP/1.1\r\n\r\n", WRONG_METHOD),
        (b"GET /healthz\r\n\r\n", MALFORMED),
        (b"GET http://x/healthz HTTP/1.1\r\n\r\n", MALFORMED),
        (b"get /healthz HTTP/1.1\r\n\r\n", MALFORMED),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", MALFORMED),
        (b"\r\n\r\n", MALFORMED),
    ],
    ids=lambda value: "",
)
def test_requests(head: bytes, wanted: object) -> None:
    """GET and HEAD of the two paths are answered; anything else is an error of whoever asks."""
    assert wanted_path(head) == wanted


@pytest.mark.parametrize(
    ("path", "health", "status"),
    [("/healthz", STARTING, 200), ("/readyz", STARTING, 503), ("/healthz", ILL, 503), ("/readyz", ILL, 503)],
)
def test_answers(path: str, health: Health, status: int) -> None:
    """The status says whether it is as asked for; the body holds all, and can be read again."""
    answer = answer_for(path, health)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert read_answer(answer) == health
    assert answer_for(path, health, body=False) == answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@pytest.mark.parametrize("text", [b"", MALFORMED, b"\r\n\r\n[]", b'\r\n\r\n{"live": 1}'])
def test_what_is_no_answer(text: bytes) -> None:
    """Anything else is a ValueError."""
    with pytest.raises(ValueError, match=r"answer|Expecting"):
        read_answer(text)
