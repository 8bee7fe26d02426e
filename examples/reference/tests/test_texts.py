"""Texts that no database takes: whoever sends one is told so, by every endpoint."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from at_work import PASSWORD, Shop

JSON = {"Content-Type": "application/json"}
NUL, SURROGATE = "a\0b", "a\ud800b"
ADA: dict[str, Any] = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}
ORDER = {"item": "anvil", "note": "for the coyote"}
HOOK = {"url": "https://shop.example/hooks", "events": ["order.*"]}

BODIES = [
    *(("POST", "/users", ADA | {field: "@"}) for field in ADA),
    *(("POST", "/sessions", ADA | {field: "@"}) for field in ("email", "password")),
    ("POST", "/invitations", {"email": "@"}),
    *(("POST", "/orders", ORDER | {field: "@"}) for field in ORDER),
    ("PATCH", "/orders/1", {"note": "@"}),
    ("POST", "/webhooks", HOOK | {"url": "@"}),
    ("POST", "/webhooks", HOOK | {"events": ["@"]}),
]
"""Requests, with `@` where the text stands."""


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
async def test_in_a_body(closed_shop: Shop, method: str, path: str, body: dict[str, Any]) -> None:
    """JSON can name characters that are none, and such that PostgreSQL cannot store."""
    await closed_shop.log_in()
    for text in (NUL, SURROGATE):
        sent = json.dumps(body).replace('"@"', json.dumps(text))
        answer = await closed_shop.http.request(method, path, content=sent, headers=JSON)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
        (problem,) = answer.json()["detail"]
        assert problem["loc"][0] == "body"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders?q=@"),
        ("GET", "/orders/@"),
        ("DELETE", "/orders/@"),
        ("POST", "/invitations/@/resend"),
        ("GET", "/invitations/@"),
        ("GET", "/webhooks?after=@"),
        ("DELETE", "/webhooks/@"),
    ],
)
async def test_in_an_address(closed_shop: Shop, method: str, path: str) -> None:
    """So can paths and queries."""
    await closed_shop.log_in()
    answer = await closed_shop.http.request(method, path.replace("@", "a%00b"))
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
    assert "NUL" in answer.json()["detail"][0]["msg"]


async def test_in_a_form(closed_shop: Shop) -> None:
    """And so can the form of an invitation."""
    answer = await closed_shop.http.post("/invitations/1", data={"name": "Alan", "password": PASSWORD + NUL})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text


async def test_what_it_says(closed_shop: Shop) -> None:
    """The answer names the field and the reason, and does not repeat what was given: it may be a password."""
    for text, reason in ((NUL, "NUL"), (SURROGATE, "lone surrogate"), ("short", "at least 10 characters")):
        sent = json.dumps(ADA | {"password": text})
        answer = await closed_shop.http.post("/users", content=sent, headers=JSON)
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == ["body", "password"]
        assert reason in problem["msg"]
        assert "input" not in problem


async def test_an_address_that_is_too_long(closed_shop: Shop) -> None:
    """The longest address that there can be is longer than our column, and PostgreSQL would mind."""
    address = f"{'a' * 64}@{'.'.join(['b' * 60] * 3)}.com"
    answer = await closed_shop.http.post("/users", json=ADA | {"email": address})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
