"""What is answered to a request for health or metrics: pure functions of the request and of what was found."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any, Final

from corral.worker.health import Health

__all__ = [
    "MALFORMED",
    "METRICS",
    "NOT_FOUND",
    "UNMEASURED",
    "WRONG_METHOD",
    "answer_for",
    "answer_with_metrics",
    "read_answer",
    "wanted_path",
]

LIVE: Final = "/healthz"
READY: Final = "/readyz"
METRICS: Final = "/metrics"

_REQUEST: Final = re.compile(rb"([A-Z]{1,10}) (/[!-~]*) HTTP/1\.[01]\r\n")


def response(status: HTTPStatus, content: dict[str, Any], *, body: bool = True, more: str = "") -> bytes:
    """A whole HTTP response with JSON, after which the connection is closed."""
    return _response(status, "application/json", json.dumps(content).encode(), body=body, more=more)


def _response(status: HTTPStatus, kind: str, text: bytes, *, body: bool = True, more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\n"
        f"Content-Length: {len(text)}\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode() + (text if body else b"")


MALFORMED: Final = response(HTTPStatus.BAD_REQUEST, {"error": "this is no HTTP request"})
WRONG_METHOD: Final = response(
    HTTPStatus.METHOD_NOT_ALLOWED, {"error": "GET or HEAD"}, more="Allow: GET, HEAD\r\n"
)
NOT_FOUND: Final = response(HTTPStatus.NOT_FOUND, {"error": f"there are {LIVE}, {READY} and {METRICS}"})
UNMEASURED: Final = response(
    HTTPStatus.NOT_IMPLEMENTED, {"error": "metrics need prometheus-client: pip install 'corral[prometheus]'"}
)


def wanted_path(head: bytes) -> tuple[str, bool] | bytes:
    """The path that a request asks for and whether with its body, or what to answer to one that asks for nothing that
    there is."""
    found = _REQUEST.match(head)
    if found is None:
        return MALFORMED
    method, path = found[1].decode(), found[2].decode().partition("?")[0]
    if method not in ("GET", "HEAD"):
        return WRONG_METHOD
    return (path, method == "GET") if path in (LIVE, READY, METRICS) else NOT_FOUND


def answer_for(path: str, health: Health, *, body: bool = True) -> bytes:
    """200 when it is as asked for, else 503; the whole truth in both."""
    good = health.live if path == LIVE else health.ready
    content = {
        "status": health.status,
        "live": health.live,
        "ready": health.ready,
        "reasons": list(health.reasons),
    }
    return response(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, content, body=body)


def answer_with_metrics(text: bytes, *, body: bool = True) -> bytes:
    """Metrics in Prometheus' text format."""
    return _response(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", text, body=body)


def read_answer(text: bytes) -> Health:
    """The health in an answer. ValueError: it is none."""
    content = json.loads(text.partition(b"\r\n\r\n")[2])
    try:
        return Health(content["live"], content["ready"], content["status"], tuple(content["reasons"]))
    except (KeyError, TypeError) as error:
        raise ValueError("no answer of a worker") from error
