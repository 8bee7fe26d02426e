"""The receiver's side, alone and in a FastAPI application."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import httpx
import pytest
import standardwebhooks
from fastapi import Depends, FastAPI

from corral.tasks.errors import NotGenuine
from corral.tasks.webhooks import Signing, SigningKey, Verifier
from corral.tasks.webhooks.signing import signed_headers

OLD, NEW = SigningKey.generate(), SigningKey.generate()
RSA = SigningKey.generate("rsa")
BODY = b'{"n": 1}'
NOW = 1_800_000_000
Genuine = Annotated[bytes, Depends(Verifier([NEW.public], largest=100, clock=lambda: NOW))]


def headers(signing: Signing, *keys: SigningKey, at: int = NOW) -> dict[str, str]:
    """As they arrive."""
    return {name.lower(): value for name, value in signed_headers(signing, keys, "m", at, BODY).items()}


def verifier(*keys: SigningKey, signing: Signing = Signing.STANDARD) -> Verifier:
    """A verifier with the public halves of these keys."""
    return Verifier([key.public for key in keys], signing=signing, clock=lambda: NOW)


@pytest.mark.parametrize("signing", Signing)
def test_what_was_signed_is_genuine(signing: Signing) -> None:
    """By each way of signing, also while a key is replaced; nothing else is."""
    key = RSA if signing is Signing.RSA else NEW
    sent = headers(signing, key)
    verifier(OLD, key, signing=signing).check(sent, BODY)
    for wrong in (BODY + b" ", b""):
        with pytest.raises(NotGenuine):
            verifier(OLD, key, signing=signing).check(sent, wrong)
    with pytest.raises(NotGenuine):
        verifier(OLD, signing=signing).check(sent, BODY)
    with pytest.raises(NotGenuine):
        verifier(key, signing=signing).check({}, BODY)


def test_who_sends_does_not_choose() -> None:
    """A captured Standard Webhook, dressed up as a signature without a time, is not taken by who expects one."""
    old = NEW.signature(b"m.1." + BODY)
    with pytest.raises(NotGenuine):
        verifier(NEW).check({"x-webhook-signature": old}, b"m.1." + BODY)
    with pytest.raises(NotGenuine):
        verifier(NEW, signing=Signing.HMAC).check(headers(Signing.STANDARD, NEW), BODY)


def test_an_id_has_no_dot() -> None:
    """The same signed bytes cannot be passed off as those of another id, time and body."""
    signed = signed_headers(Signing.STANDARD, [NEW], "m", NOW, f"{NOW}.{BODY.decode()}".encode())
    split = {
        "webhook-id": f"m.{NOW}",
        "webhook-timestamp": str(NOW),
        "webhook-signature": signed["webhook-signature"],
    }
    with pytest.raises(NotGenuine, match="no id"):
        verifier(NEW).check(split, BODY)


@pytest.mark.parametrize("off", [-301, 301])
def test_an_old_delivery_may_be_a_replay(off: int) -> None:
    """A Standard Webhook whose time is more than five minutes off is refused, whoever signed it."""
    verifier(NEW).check(headers(Signing.STANDARD, NEW, at=NOW + off // 2), BODY)
    with pytest.raises(NotGenuine, match="300 s off"):
        verifier(NEW).check(headers(Signing.STANDARD, NEW, at=NOW + off), BODY)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
@pytest.mark.parametrize("value", [None, "", "x", "1" * 40, "١"])
def test_broken_headers(name: str, value: str | None) -> None:
    """What is missing or no time is not genuine, and no error of ours."""
    sent = headers(Signing.STANDARD, NEW)
    sent.pop(name)
    with pytest.raises(NotGenuine):
        verifier(NEW).check(sent if value is None else sent | {name: value}, BODY)


def test_theirs_is_genuine() -> None:
    """What the `standardwebhooks` package signs."""
    signature = standardwebhooks.Webhook(NEW.text).sign("m", datetime.fromtimestamp(NOW, UTC), BODY.decode())
    sent = {"webhook-id": "m", "webhook-timestamp": str(NOW), "webhook-signature": signature}
    verifier(NEW).check(sent, BODY)


async def test_a_dependency_of_fastapi() -> None:
    """An endpoint gets the bytes as they came; a forged one gets 401, a huge one 413."""
    app = FastAPI()

    @app.post("/hook")
    async def hook(body: Genuine) -> str:
        return body.decode()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as http:
        sent = headers(Signing.STANDARD, NEW)
        assert (await http.post("/hook", content=BODY, headers=sent)).json() == BODY.decode()
        assert (await http.post("/hook", content=b"{}", headers=sent)).status_code == 401
        assert (await http.post("/hook", content=BODY)).status_code == 401
        assert (await http.post("/hook", content=b"x" * 101, headers=sent)).status_code == 413
