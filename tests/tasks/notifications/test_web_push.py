"""Messages to browsers: encrypted for one of them, signed, and to nobody inside."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid

from corral import InvalidOption
from corral.contracts.stack import stack_text
from corral.tasks.errors import DeliveryError, DeliveryFailed, DeliveryRefused, TokenInvalid
from corral.tasks.notifications import Push
from corral.tasks.notifications.web_push import WebPush
from corral.tasks.webhooks import Poster
from corral.tasks.webhooks.egress import Address
from tests.tasks.notifications.test_service import answer
from tests.tasks.webhooks.conftest import HERE
from tests.tasks.webhooks.receiver import Receiver

PAID = Push(to=["x"], title="Paid", body="Ünï")
KEY = WebPush.generate_key()
NOW = 1_800_000_000


def text(value: bytes) -> str:
    """In base64url."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Browser:
    """Somebody's browser, which has subscribed."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = secrets.token_bytes(16)

    def token(self, **changes: Any) -> str:
        """What it gives to the page."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": text(point), "auth": text(self.auth)} | changes.pop("keys", {})
        return json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys} | changes)

    def read(self, body: bytes) -> Any:
        """The data of a `push` event."""
        return json.loads(
            http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        )


@pytest.fixture
def browser(receiver: Receiver) -> Browser:
    """A browser whose push service is on this machine."""
    return Browser(receiver.url("/push/abc"))


@pytest.fixture
async def push() -> AsyncIterator[WebPush]:
    """Web Push that may reach this machine."""
    poster = Poster(HERE, timeout=2)
    async with WebPush(KEY, contact="mailto:ops@shop.example", poster=poster, clock=lambda: NOW) as made:
        yield made


async def test_a_browser_can_read_it(push: WebPush, browser: Browser, receiver: Receiver) -> None:
    """Encrypted for it alone, and signed for its push service by the key that it subscribed with."""
    await push.send(PAID, "ada", browser.token())
    (request,) = receiver.requests
    assert request.headers["user-agent"] == "Corral-WebPush/1"
    assert request.path == "/push/abc"
    assert browser.read(request.body) == {"title": "Paid", "body": "Ünï", "format": "text"}
    assert (request.headers["content-encoding"], request.headers["ttl"]) == ("aes128gcm", "86400")
    login = request.headers["authorization"]
    assert Vapid.verify(login)
    assert login.endswith(f",k={push.public_key}")
    claims = login.removeprefix("vapid t=").split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {
        "sub": "mailto:ops@shop.example",
        "aud": f"http://127.0.0.1:{receiver.port}",
        "exp": NOW + 12 * 3600,
    }


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (404, TokenInvalid),
        (410, TokenInvalid),
        (400, DeliveryRefused),
        (413, DeliveryRefused),
        (401, DeliveryFailed),
        (403, DeliveryFailed),
        (429, DeliveryFailed),
        (500, DeliveryFailed),
        (301, DeliveryFailed),
    ],
)
async def test_answers(
    push: WebPush, browser: Browser, receiver: Receiver, status: int, wanted: type[DeliveryError]
) -> None:
    """A subscription that has ended is told from an outage; no error shows the endpoint, which is a secret."""
    receiver.answers.append(answer(status, "Retry-After: 30"))
    with pytest.raises(wanted, match=f"answered {status}") as told:
        await push.send(PAID, "ada", browser.token())
    assert "abc" not in str(told.value)
    if status == 429:
        assert isinstance(told.value, DeliveryFailed)
        assert told.value.retry_after == 30


@pytest.mark.parametrize("path", ["/reset", "/silence"])
async def test_no_answer(push: WebPush, receiver: Receiver, path: str) -> None:
    """May be tried again."""
    with pytest.raises(DeliveryFailed) as told:
        await push.send(PAID, "ada", Browser(receiver.url(path)).token())
    assert str(receiver.port) not in str(told.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": ""},
        {"endpoint": "file:///etc/passwd"},
        {"keys": {"auth": "x"}},
        {"keys": {"p256dh": ""}},
        {"keys": {"p256dh": text(b"\x04" + bytes(64))}},
        {"keys": None},
    ],
)
async def test_what_is_no_subscription(
    push: WebPush, browser: Browser, receiver: Receiver, changes: dict[str, Any]
) -> None:
    """No endpoint, no key, a key that is no point of the curve: invalid, and nothing is sent."""
    token = (
        json.dumps({"endpoint": browser.endpoint}) if changes == {"keys": None} else browser.token(**changes)
    )
    for wrong in (token, "", "null", token[:-1]):
        with pytest.raises(TokenInvalid):
            await push.send(PAID, "ada", wrong)
    assert receiver.requests == []


async def test_no_traceback_shows_a_secret(push: WebPush, browser: Browser) -> None:
    """What a job keeps of an error has the errors behind it as well: neither endpoint nor key is in one of them."""
    token = browser.token(endpoint="https://push.example/hunter2", keys={"auth": "hunter2!"})
    for wrong in (token, token[:-1], browser.token(endpoint=["hunter2"])):
        with pytest.raises(TokenInvalid) as told:
            await push.send(PAID, "ada", wrong)
        assert "hunter2" not in stack_text(told.value)


@pytest.mark.parametrize(
    "host", ["https://127.0.0.1", "https://10.0.0.8", "https://localhost", "http://8.8.8.8"]
)
async def test_nobody_inside_is_reached(host: str) -> None:
    """Whoever subscribes gives a URL: it may not lead to what only the worker can reach."""
    async with WebPush(KEY, contact="https://shop.example") as push:
        with pytest.raises(DeliveryRefused if host == "https://localhost" else TokenInvalid):
            await push.send(PAID, "ada", Browser(f"{host}/push").token())


@pytest.mark.parametrize("found", [[], ["10.9.9.9"]], ids=["none", "private"])
async def test_what_a_look_up_says_is_no_fault_of_the_browser(browser: Browser, found: list[str]) -> None:
    """The worker's own DNS may be wrong, of which no browser is to be forgotten: the message is refused, and the next
    one is tried."""
    browser.endpoint = "https://push.example/abc"

    async def resolve(_host: str, _port: int) -> list[Address]:
        return [ip_address(text) for text in found]

    poster = Poster(timeout=5, resolve=resolve)
    async with WebPush(KEY, contact="mailto:ops@shop.example", poster=poster) as push:
        with pytest.raises(DeliveryRefused, match="worker's DNS"):
            await push.send(PAID, "ada", browser.token())


async def test_a_push_service_without_a_name() -> None:
    """Browsers' makers have names. What cannot be signed for is no subscription, and not a failure to be repeated."""
    async with WebPush(KEY, contact="https://shop.example") as push:
        with pytest.raises(TokenInvalid, match="no name"):
            await push.send(PAID, "ada", Browser("https://[2606:4700::1111]/push").token())


async def test_a_message_that_is_too_long(push: WebPush, browser: Browser, receiver: Receiver) -> None:
    """Is refused before it is sent."""
    with pytest.raises(DeliveryRefused, match="4,096"):
        await push.send(Push(to=["x"], body="x" * 4000), "ada", browser.token())
    await push.send(Push(to=["x"], body="x" * 3900), "ada", browser.token())
    assert len(receiver.requests) == 1


def test_a_bad_key() -> None:
    """Is told when it is made, without the key."""
    with pytest.raises(InvalidOption) as refused:
        WebPush("-----BEGIN PRIVATE KEY-----\nhunter2", contact="mailto:a@shop.example")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("contact", ["ops", "mailto:ops", "https://shop.example/page", "http://shop.example"])
def test_a_bad_contact(contact: str) -> None:
    """Is told when it is made, with the remedy, and not by each message that cannot be signed."""
    with pytest.raises(InvalidOption, match="give mailto:ops@"):
        WebPush(KEY, contact=contact)
