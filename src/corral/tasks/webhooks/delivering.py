"""The handlers: sign, post, and say what an answer means."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Final

from corral import Context, Unrecoverable
from corral.contracts.retry_after import answer_ms
from corral.tasks.errors import DeliveryFailed, InvalidKey, TargetRefused
from corral.tasks.webhooks.contract import Delivered, Delivery, WebhookTasks
from corral.tasks.webhooks.posting import Poster
from corral.tasks.webhooks.signing import SigningKey, signed_headers

__all__ = ["Webhooks"]

GONE: Final = 410
OURS: Final = re.compile(r"(?i)(host|content-.*|transfer-encoding|connection|webhook-.*|x-webhook-.*)")
HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]{0,1000}")


class Webhooks:
    """Delivers webhooks: `Worker(Webhooks(secrets={"shop": key}).tasks())`.

    Args:
        secrets: the keys by their names; the newest first where there are several.
        poster: how to reach receivers; else HTTPS to public addresses, within 5 s.
        clock: seconds since 1970, for signatures.
    """

    def __init__(
        self,
        *,
        secrets: Mapping[str, SigningKey | tuple[SigningKey, ...]],
        poster: Poster | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.poster = poster or Poster()
        self._secrets = {
            name: (keys,) if isinstance(keys, SigningKey) else keys for name, keys in secrets.items()
        }
        self._clock = clock

    def tasks(self) -> WebhookTasks:
        """The task set with its handlers, for a worker."""
        return WebhookTasks(deliver=self.deliver)

    async def deliver(self, delivery: Delivery, ctx: Context) -> Delivered:
        """Make one attempt. What can never work fails for good: a URL, a key, a header that is not good, and a 410."""
        body = json.dumps(delivery.payload, separators=(",", ":"), ensure_ascii=False).encode()
        try:
            target = self.poster.egress.target(delivery.url)
            keys = self._secrets.get(delivery.secret)
            if keys is None:
                raise InvalidKey(f"no key has the name {delivery.secret!r}")
            headers = _checked(delivery.headers)
            headers |= signed_headers(delivery.signing, keys, ctx.job_id, int(self._clock()), body)
            answer = await self.poster.post(target, body, headers)
        except (TargetRefused, InvalidKey) as error:
            raise Unrecoverable(str(error)) from error
        if answer.status == GONE:
            raise Unrecoverable(f"{target.url} answered 410: nobody wants deliveries there any more")
        if not answer.is_success:
            asked = answer_ms(answer.status, answer.headers, int(self._clock() * 1000))
            raise DeliveryFailed(
                target.url,
                f"it answered {answer.status}",
                status=answer.status,
                retry_after=asked and asked / 1000,
            )
        return Delivered(status=answer.status, seconds=answer.seconds)


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if OURS.fullmatch(name) or not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise Unrecoverable(
                f"header {name!r} cannot be sent: it is not valid, or it is one of the delivery's own"
            )
    return dict(headers)
