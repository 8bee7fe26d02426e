"""`Retry-After` is read off the errors of any HTTP client, by their shape."""

from __future__ import annotations

import email.message
import urllib.error
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.duration import MAX_MS
from corral.contracts.outcome import HeldOff, Outcome, Retried, decide
from corral.contracts.retry_after import retry_after_ms

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)


def of_httpx(status: int, headers: Mapping[str, str]) -> BaseException:
    """`response.raise_for_status()` of httpx."""
    response = httpx.Response(status, headers=dict(headers), request=httpx.Request("GET", "http://x"))
    return httpx.HTTPStatusError("no", request=response.request, response=response)


def of_requests(status: int, headers: Mapping[str, str]) -> BaseException:
    """The shape of requests: the answer stands on the error."""
    error = OSError(f"{status} Error")
    vars(error)["response"] = SimpleNamespace(status_code=status, headers=dict(headers))
    return error


def of_aiohttp(status: int, headers: Mapping[str, str]) -> BaseException:
    """The shape of aiohttp: the error has it itself."""
    error = Exception(status)
    vars(error).update(status=status, headers=dict(headers))
    return error


def of_urllib(status: int, headers: Mapping[str, str]) -> BaseException:
    """`urllib.request.urlopen`."""
    message = email.message.Message()
    for name, value in headers.items():
        message[name] = value
    return urllib.error.HTTPError("http://x", status, "no", message, None)


each_client = pytest.mark.parametrize("error", [of_httpx, of_requests, of_aiohttp, of_urllib])


@each_client
@pytest.mark.parametrize("status", [429, 503])
def test_seconds(error: Any, status: int) -> None:
    """A number of seconds, from every client."""
    assert retry_after_ms(error(status, {"Retry-After": "7"}), NOW_MS) == 7000


@each_client
def test_a_date(error: Any) -> None:
    """A date counts from the answer's own `Date`, else from now; one that is over is none."""
    later = format_datetime(NOW + timedelta(minutes=2), usegmt=True)
    said = format_datetime(NOW + timedelta(minutes=1), usegmt=True)
    assert retry_after_ms(error(503, {"Retry-After": later}), NOW_MS) == 120_000
    assert retry_after_ms(error(503, {"Retry-After": later, "Date": said}), NOW_MS) == 60_000
    assert retry_after_ms(error(503, {"Retry-After": said, "Date": later}), NOW_MS) is None


@each_client
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, {}),
        (429, {"Retry-After": "0"}),
        (429, {"Retry-After": "soon"}),
        (429, {"Retry-After": "-5"}),
        (429, {"Retry-After": "Wed, 99 Nov 2026"}),
        (500, {"Retry-After": "7"}),
        (200, {"Retry-After": "7"}),
    ],
)
def test_what_asks_for_nothing(error: Any, status: int, headers: dict[str, str]) -> None:
    """Other answers, and nonsense in the header."""
    assert retry_after_ms(error(status, headers), NOW_MS) is None


def test_it_is_found_behind_the_programs_own_error() -> None:
    """A program that raises an error of its own from the client's is understood too."""
    error = RuntimeError("the partner is busy")
    error.__cause__ = of_httpx(429, {"retry-after": "3"})
    assert retry_after_ms(error, NOW_MS) == 3000


class Hostile(Exception):
    """Whatever one asks of it raises."""

    @property
    def response(self) -> Any:
        raise RuntimeError("no response was set")

    @property
    def headers(self) -> Any:
        raise RuntimeError


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        Hostile(),
        httpx.ConnectError("refused"),
        of_requests(429, {"Retry-After": "9" * 400}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_pass(error: BaseException) -> None:
    """Errors without an answer, hostile ones, and numbers beyond all measure raise nothing."""
    assert retry_after_ms(error, NOW_MS) in (None, MAX_MS)


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    """No header brings the worker down."""
    found = retry_after_ms(of_requests(429, {"Retry-After": text}), NOW_MS)
    assert found is None or 0 < found <= MAX_MS + NOW_MS


def decided(error: BaseException, longest: int | None) -> Outcome:
    """What becomes of a run whose task listens so far."""
    return decide(
        error,
        attempts_made=0,
        attempts=3,
        backoff=None,
        random=0,
        now_ms=NOW_MS,
        longest_retry_after_ms=longest,
    )


def test_a_task_says_whether_it_listens() -> None:
    """Without the option it is an error like any other; with it, no attempt is spent, and no longer time believed than
    the task allows."""
    error = of_httpx(429, {"Retry-After": "7"})
    assert isinstance(decided(error, None), Retried)
    assert decided(error, 60_000) == HeldOff(7000)
    assert decided(error, 5000) == HeldOff(5000)
    assert isinstance(decided(of_httpx(429, {}), 60_000), Retried)
