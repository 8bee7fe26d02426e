"""Services that take notifications: one message to one target, and what the answer means."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from functools import partial
from typing import Final, Protocol
from urllib.parse import quote, unquote
from weakref import finalize

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat
from apprise.exception import AppriseException
from apprise.result import AppriseResultStatus, NotifyAttempt

from corral.errors import InvalidOption
from corral.tasks.errors import DeliveryFailed, DeliveryRefused, TokenInvalid
from corral.tasks.notifications.contract import Push
from corral.worker.isolation.threads import ThreadRunner

__all__ = ["Service", "UrlService"]

AT_ONCE: Final = 16
"""The messages that one service is sent at a time."""
MOST_UNANSWERED: Final = 8
"""The threads that may be left alone with a service, beside those."""
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

    Apprise blocks, and its own threads are one small pool for all of a program: a service that does not answer would
    hold up all others. So each has threads of its own, and a message's time begins when one takes it. A thread that
    waits for an answer cannot be stopped: when eight are left alone with that, messages fail at once.

    Args:
        url: with ``{token}`` in the place of a device's token, behind the host; one place, and not several. It comes
            from whoever runs the worker, and may lead anywhere. Raises `InvalidOption`, which does not tell it.
        invalid: statuses that mean that the token is good for nothing; else 401, 403, 404 and 410, of devices only the
            last two.
        timeout: seconds for one message, once its turn has come: sixteen are sent at a time.
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
        # The library follows no redirect: where messages go is what the URL says. Without a time of its own it calls
        # the service in the thread that it is called in.
        self._asset = AppriseAsset(http_redirects=False, secure_logging=True, service_timeout=0)
        self._made(PROBE)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadRunner()
        finalize(self, self._threads.close)

    async def send(self, push: Push, label: str, token: str | None) -> None:
        """See `Service.send`. A thread is left alone when the time is over."""
        if token is not None and PLAIN_TOKEN.fullmatch(token) is None:
            raise TokenInvalid(label, "it is no token")
        service = self._made(token or "")
        written = str(service.url())  # type: ignore[no-untyped-call]
        if token is not None and _plain(token) not in _plain(unquote(written)):
            # Apprise would send to a place of its own.
            raise TokenInvalid(label, "it is no token of this service")
        async with self._turn:
            self._judge(label, await self._notify(service, push, label))

    async def _notify(self, service: NotifyBase, push: Push, label: str) -> NotifyAttempt:
        apprise = Apprise(asset=self._asset)
        apprise.add(service)
        notify = partial(apprise.notify, push.body, push.title, body_format=NotifyFormat(push.format))
        if self._threads.stuck >= MOST_UNANSWERED:
            raise DeliveryFailed(label, f"{self._threads.stuck} earlier messages are still unanswered")
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._threads.run(notify)
        except TimeoutError:
            raise DeliveryFailed(label, f"no answer within {self._timeout:g} s") from None
        return result.results[0].attempts[-1]

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
