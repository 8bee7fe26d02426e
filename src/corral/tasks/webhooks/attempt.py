"""One attempt: sign, post, and say what the answer means."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from corral import Snooze, Unrecoverable
from corral.contracts.retry_after import answer_ms
from corral.tasks.errors import DeliveryFailed, LookUpsBusy, TargetRefused
from corral.tasks.webhooks.keys import SigningKey
from corral.tasks.webhooks.posting import Answer, Poster
from corral.tasks.webhooks.signing import Signing, signed_headers

__all__ = ["Gone", "Sender", "check_headers"]

GONE: Final = 410
BUSY: Final = 15.0
"""Seconds until a delivery is tried again for which there was no look-up to be had."""
OURS: Final = re.compile(r"(?i)(host|content-.*|transfer-encoding|connection|webhook-.*|x-webhook-.*)")
HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]{0,4000}")


class Gone(Unrecoverable):
    """The receiver said that it wants no more: 410."""


class Sender:
    """Makes attempts.

    Args:
        poster: how to reach receivers.
        clock: seconds since 1970, for signatures and dates.
    """

    def __init__(self, poster: Poster, clock: Callable[[], float] = time.time) -> None:
        self.poster = poster
        self._clock = clock

    async def attempt(
        self,
        url: str,
        payload: Any,
        message_id: str,
        *,
        signing: Signing,
        keys: Sequence[SigningKey | str],
        headers: Mapping[str, str],
    ) -> Answer:
        """Send a payload; the answer of success. Raises `DeliveryFailed` for what may be tried again, `Gone` for a 410,
        `Unrecoverable` for what can never work: a URL, a key, a header; and `Snooze` where it was not made at all."""
        try:
            body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
            target = self.poster.egress.target(url)
            check_headers(target.url, headers)
            read = [SigningKey.kept(key) if isinstance(key, str) else key for key in keys]
            signed = signed_headers(signing, read, message_id, int(self._clock()), body)
            check_headers(target.url, signed, ours=True)
            answer = await self.poster.post(target, body, {**headers, **signed})
        except ValueError as error:  # a refused target, a bad key, a payload that is no JSON
            raise Unrecoverable(str(error)) from error
        except LookUpsBusy as error:
            raise Snooze(BUSY * (1 + random.random() / 10)) from error
        if answer.status == GONE:
            raise Gone(f"{target.url} answered 410: nobody wants deliveries there any more")
        if not answer.is_success:
            asked = answer_ms(answer.status, answer.headers, int(self._clock() * 1000))
            raise DeliveryFailed(
                target.url,
                f"it answered {answer.status}",
                status=answer.status,
                retry_after=asked and asked / 1000,
                response=answer.head.decode(errors="replace"),
            )
        return answer


def check_headers(url: str, headers: Mapping[str, str], *, ours: bool = False) -> None:
    """Raise `TargetRefused` for a header that cannot be sent, and for one that only we send unless it is ours."""
    for name, value in headers.items():
        if (
            (OURS.fullmatch(name) and not ours)
            or not HEADER_NAME.fullmatch(name)
            or not HEADER_VALUE.fullmatch(value)
        ):
            reason = f"header {name!r} cannot be sent: it is not valid, or it is one of the delivery's own"
            raise TargetRefused(url, reason)
