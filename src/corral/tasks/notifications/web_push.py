"""Web Push: notifications to browsers, through the push service of each browser's maker (RFC 8030, 8291, 8292).

::

    Notifier({"browser": WebPush(key, contact="mailto:ops@shop.example")}, on_invalid=forget)
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Annotated, Final, Self

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_ece import ECEException
from py_vapid import Vapid, VapidException
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pywebpush import WebPusher

from corral.contracts.duration import Duration, milliseconds
from corral.contracts.retry_after import answer_ms
from corral.errors import InvalidOption
from corral.tasks.errors import DeliveryFailed, DeliveryRefused, TargetRefused, TokenInvalid
from corral.tasks.notifications.contract import Push
from corral.tasks.webhooks.egress import Target
from corral.tasks.webhooks.posting import Answer, Poster

__all__ = ["WebPush"]

MOST_BYTES: Final = 4096
"""What push services have to take (RFC 8030)."""
LOGIN_SECONDS: Final = 12 * 3600
NO_SUBSCRIPTION: Final = frozenset({404, 410})
BAD_MESSAGES: Final = frozenset({400, 413})
NOT_PUBLIC: Final = "its push service has no public address here: where it should, look at the worker's DNS"


class Unshown(BaseModel):
    """Secrets of a device: an error about them does not show them, wherever its traceback is kept."""

    model_config = ConfigDict(hide_input_in_errors=True)


class Keys(Unshown):
    """What a browser gives for encryption: a point of P-256, and 16 random bytes, in base64url."""

    p256dh: Annotated[str, StringConstraints(pattern=r"^[\w-]{87}=?$")]
    auth: Annotated[str, StringConstraints(pattern=r"^[\w-]{22}(==)?$")]


class Subscription(Unshown):
    """`PushSubscription.toJSON()` of a browser."""

    endpoint: str
    keys: Keys


class WebPush:
    """Reaches browsers: the token of a `Device` is the JSON of its subscription. Close it at the end (`async with`).

    An endpoint comes from whoever says to be a browser, and so is posted to as webhooks are: only to addresses of the
    public internet.

    Args:
        key: the private key in PEM that `generate_key` made. Browsers subscribe with its `public_key`. Raises
            `InvalidOption`.
        contact: `mailto:…` or the `https://…` of a host: where push services write to when something is wrong. Raises
            `InvalidOption`.
        poster: how to reach them; else HTTPS to public addresses, within 10 s. An `Egress` of its own may narrow it.
        keep: how long a service keeps a message for a browser that is not running: seconds, or a `timedelta`.
        clock: seconds since 1970.
    """

    takes_tokens = True

    def __init__(
        self,
        key: str,
        *,
        contact: str,
        poster: Poster | None = None,
        keep: Duration = 86_400,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._vapid = Vapid.from_pem(key.encode())
        except (ValueError, TypeError):
            raise InvalidOption("key", "…", "give what WebPush.generate_key() made") from None
        self._contact = contact
        self._poster = poster or Poster(timeout=10)
        self._keep = milliseconds("keep", keep) // 1000
        self._clock = clock
        try:
            self._login("https://push.example")
        except VapidException:
            reason = "give mailto:ops@shop.example or https://shop.example, without a path"
            raise InvalidOption("contact", contact, reason) from None

    async def __aenter__(self) -> Self:
        await self._poster.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._poster.__aexit__(*error)

    @staticmethod
    def generate_key() -> str:
        """A new private key. Keep it: subscriptions hold for one key, and for no other."""
        made = Vapid()
        made.generate_keys()
        return str(made.private_pem().decode())

    @property
    def public_key(self) -> str:
        """What a page gives to `pushManager.subscribe` as `applicationServerKey`."""
        key = self._vapid.public_key
        assert key
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    async def send(self, push: Push, label: str, token: str | None) -> None:
        """Send `{"title": …, "body": …, "format": …}` as the data of a `push` event. See `Service.send`."""
        try:
            subscription = Subscription.model_validate_json(token or "")
            target = self._poster.egress.target(subscription.endpoint)
        except (ValidationError, TargetRefused) as error:
            raise TokenInvalid(label, "it is no subscription") from error
        body = _encrypted(push, label, subscription)
        try:
            answer = await self._poster.post(target, body, self._headers(target))
        except TargetRefused as error:
            # What a look-up says may be the fault of this machine's DNS: nobody is told to forget a browser.
            raise DeliveryRefused(label, NOT_PUBLIC) from error
        except VapidException as error:  # the contact is good: the constructor has signed with it
            raise TokenInvalid(label, "its push service has no name") from error
        except DeliveryFailed as error:  # it names the endpoint
            raise DeliveryFailed(label, error.reason) from None
        self._judge(label, answer)

    def _headers(self, target: Target) -> dict[str, str]:
        return {
            "User-Agent": "Corral-WebPush/1",
            "Authorization": self._login(f"{target.scheme}://{target.authority}"),
            "TTL": str(self._keep),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
        }

    def _login(self, audience: str) -> str:
        claims = {"sub": self._contact, "aud": audience, "exp": int(self._clock()) + LOGIN_SECONDS}
        login: str = self._vapid.sign(claims)["Authorization"]
        return login

    def _judge(self, label: str, answer: Answer) -> None:
        if answer.is_success:
            return
        reason = f"it answered {answer.status}"
        if answer.status in NO_SUBSCRIPTION:
            raise TokenInvalid(label, reason)
        if answer.status in BAD_MESSAGES:
            raise DeliveryRefused(label, reason)
        asked = answer_ms(answer.status, answer.headers, int(self._clock() * 1000))
        raise DeliveryFailed(label, reason, status=answer.status, retry_after=asked and asked / 1000)


def _encrypted(push: Push, label: str, subscription: Subscription) -> bytes:
    data = push.model_dump_json(include={"title", "body", "format"}).encode()
    try:
        body: bytes = WebPusher(subscription.model_dump()).encode(data)["body"]
    except (ValueError, ECEException) as error:
        raise TokenInvalid(label, "it has no valid key") from error
    if len(body) > MOST_BYTES:
        raise DeliveryRefused(label, f"it has {len(body):,} bytes, and browsers are sent {MOST_BYTES:,}")
    return body
