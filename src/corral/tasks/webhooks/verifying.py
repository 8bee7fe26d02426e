"""The receiver's side: whether a delivery is genuine. In FastAPI a dependency."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from corral.tasks.errors import NotGenuine
from corral.tasks.webhooks.keys import VerifyingKey
from corral.tasks.webhooks.signing import SIGNATURE, Signing

__all__ = ["Verifier"]

TOLERANCE: Final = 300.0
LARGEST: Final = 1024 * 1024


class Verifier:
    """Checks deliveries: ``body: Annotated[bytes, Depends(Verifier([VerifyingKey(text)]))]`` gives an endpoint the body
    once it is known to be genuine, and answers 401 otherwise.

    Args:
        signing: the one way of signing that is taken. Who sends does not choose it: the time of a Standard Webhook,
            which tells a replay, could be left out else.
        keys: any of them may have signed: give the old and the new one while a key is replaced.
        tolerance: seconds that the time of a Standard Webhook may be off; an older one may be a replay.
        largest: bytes of a body.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        keys: Sequence[VerifyingKey],
        *,
        signing: Signing = Signing.STANDARD,
        tolerance: float = TOLERANCE,
        largest: int = LARGEST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = tuple(keys)
        self._signing = signing
        self._tolerance = tolerance
        self._largest = largest
        self._clock = clock

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise `NotGenuine` unless one of the keys has signed these bytes. ``headers`` with small letters, or any
        mapping that does not mind."""
        if self._signing is Signing.STANDARD:
            self._check_standard(headers, body)
            return
        signature = headers.get(SIGNATURE.lower())
        if not signature:
            raise NotGenuine("it has no signature")
        if not any(key.verifies(signature, body) for key in self._keys):
            raise NotGenuine("no key has made its signature")

    async def __call__(self, request: Request) -> bytes:
        """The body of a request, once it is checked."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._largest:
                raise HTTPException(413, f"a delivery has at most {self._largest} bytes")
        try:
            self.check(request.headers, body)
        except NotGenuine as error:
            raise HTTPException(401, str(error)) from error
        return body

    def _check_standard(self, headers: Mapping[str, str], body: bytes) -> None:
        message_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not message_id or "." in message_id or not (at.isascii() and at.isdecimal() and len(at) < 15):
            raise NotGenuine("it has no id or no time")
        if abs(int(at) - self._clock()) > self._tolerance:
            raise NotGenuine(f"its time is more than {self._tolerance:g} s off")
        signatures = headers.get("webhook-signature", "")
        if not any(key.verifies_standard(signatures, message_id, int(at), body) for key in self._keys):
            raise NotGenuine("no key has made its signature")
