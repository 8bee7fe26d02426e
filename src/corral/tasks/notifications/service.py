"""Services that take notifications: one message to one target, and what the answer means."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, Protocol
from urllib.parse import quote, unquote

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat
from apprise.exception import AppriseException
from apprise.result import AppriseResultStatus, NotifyAttempt

from corral.errors import InvalidOption
from corral.tasks.errors import DeliveryFailed, DeliveryRefused, TokenInvalid
from corral.tasks.notifications.contract import Push

__all__ = ["Service", "UrlService"]

PLACE: Final = "{token}"
PROBE: Final = "12025550123"
"""A token, a chat and a telephone number, so that every kind of service takes it for a target."""
SCHEME: Final = re.compile(r"([A-Za-z0-9.+-]+)://")
"""All that errors show of a URL: of one with a typo in it, whatever is no scheme may be a secret."""
PLAIN_TOKEN: Final = re.compile(r"[A-Za-z0-9+-][A-Za-z0-9_:.=+-]*")
"""Tokens of services. Nothing in one begins another part of a URL, or names a topic instead of a device."""
STATUS: Final = re.compile(r"\berror=(\d{3})\d*\b")
"""How Apprise's plugins tell the status of an answer; some add digits of their service's own."""
BAD_TOKENS: Final = frozenset({401, 403, 404, 410})
BAD_DEVICES: Final = frozenset({404, 410})
"""Of a device's service, 401 and 403 are about the operator's credentials: they may be mended."""
BAD_MESSAGES: Final = frozenset({400, 413, 422})

NO_SERVICE: Final = "no service has such a URL: appriseit.com/services lists how each is written"


class Service(Protocol):
    """Takes a message for one target. Write one for a service that no URL can name."""

    takes_tokens: bool
    """Whether it reaches devices by their tokens, or one place that it knows."""

    async def send(self, push: Push, label: str, token: str | None) -> None:
        """Send. ``label`` is for messages. Raises `TokenInvalid`, `DeliveryRefused` where the service would never take
        this message, and `DeliveryFailed` for all that may be tried again."""
        ...


class UrlService:
    """A service that Apprise knows by a URL: `slack://…`, `ntfy://…`, `fcm://project/{token}?keyfile=…`.

    Args:
        url: with ``{token}`` in the place of a device's token, behind the host; one place, and not several. It comes
            from whoever runs the worker, and may lead anywhere. Raises `InvalidOption`, which does not tell it.
        invalid: statuses that mean that the token is good for nothing; else 401, 403, 404 and 410, of devices only the
            last two.
        timeout: seconds for one message.
    """

    def __init__(self, url: str, *, invalid: Collection[int] | None = None, timeout: float = 30.0) -> None:
        self._url = url
        self._timeout = timeout
        self.takes_tokens = PLACE in url
        usual = BAD_DEVICES if self.takes_tokens else BAD_TOKENS
        self._invalid = usual if invalid is None else invalid
        shown = SCHEME.match(url)
        self._scheme = shown[1] if shown else ""
        scheme, _, rest = url.partition("://")
        host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
        if PLACE in host or PLACE in scheme:
            raise InvalidOption(
                "url", self._scheme, "a token is no host: put {token} behind it, as in scheme://host/{token}"
            )
        # The library follows no redirect: where messages go is what the URL says.
        self._asset = AppriseAsset(http_redirects=False, secure_logging=True)
        self._made(PROBE)

    async def send(self, push: Push, label: str, token: str | None) -> None:
        """See `Service.send`. The library works in a thread, which is left alone when the time is over."""
        if token is not None and PLAIN_TOKEN.fullmatch(token) is None:
            raise TokenInvalid(label, "it is no token")
        service = self._made(token or "")
        written = str(service.url())  # type: ignore[no-untyped-call]
        if token is not None and _plain(token) not in _plain(unquote(written)):
            raise TokenInvalid(
                label, "it is no token of this service"
            )  # which would send to a place of its own now
        apprise = Apprise(asset=self._asset)
        apprise.add(service)
        result = await apprise.async_notify(
            body=push.body, title=push.title, body_format=NotifyFormat(push.format), timeout=self._timeout
        )
        self._judge(label, result.results[0].attempts[-1])

    def _made(self, token: str) -> NotifyBase:
        url = self._url.replace(PLACE, quote(token, safe=""))
        try:
            made = Apprise.instantiate(url, asset=self._asset, suppress_exceptions=False)
        except (AppriseException, TypeError):
            made = None
        if not isinstance(made, NotifyBase):
            raise InvalidOption("url", self._scheme, NO_SERVICE)
        if len(made) != 1:
            raise InvalidOption("url", self._scheme, "give each place a URL of its own, without retry=")
        return made

    def _judge(self, label: str, attempt: NotifyAttempt) -> None:
        if attempt.status is AppriseResultStatus.SUCCESS:
            return
        if attempt.status is AppriseResultStatus.TIMEOUT:
            raise DeliveryFailed(label, f"no answer within {self._timeout:g} s")
        told = [int(found[1]) for entry in attempt.logs for found in STATUS.finditer(entry.message)]
        if not told:
            raise DeliveryFailed(label, "there was no answer")
        reason = f"it answered {told[-1]}"
        if told[-1] in self._invalid:
            raise TokenInvalid(label, reason)
        if told[-1] in BAD_MESSAGES:
            raise DeliveryRefused(label, reason)
        raise DeliveryFailed(label, reason, status=told[-1])


def _plain(text: str) -> str:
    """What of a text is the same however a service writes it: a telephone number without dashes."""
    return re.sub(r"[^A-Za-z0-9]", "", text)
