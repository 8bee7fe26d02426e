"""Signatures: which there are, and the headers of a delivery that hold them.

`X-Webhook-Signature` holds one of the exact body: RSA (PKCS #1 v1.5, SHA-256, base64) or HMAC (SHA-256, hex).
Standard Webhooks (specification 1.0) signs the id, the time of this attempt and the body, once with every key that
is in force, so that a key is replaced without a moment at which a receiver knows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from corral.tasks.errors import InvalidKey
from corral.tasks.webhooks.keys import KeyKind, SigningKey

__all__ = ["SIGNATURE", "SIGNS_WITH", "Signing", "message_id", "signed_headers"]

SIGNATURE: Final = "X-Webhook-Signature"
KEY_ID: Final = "X-Webhook-Key-Id"


class Signing(StrEnum):
    """How deliveries are signed."""

    RSA = "rsa-sha256"
    HMAC = "hmac-sha256"
    STANDARD = "standard"


SIGNS_WITH: Final[Mapping[Signing, tuple[KeyKind, ...]]] = MappingProxyType(
    {Signing.RSA: ("rsa",), Signing.HMAC: ("whsec",), Signing.STANDARD: ("whsec", "ed25519")}
)


def message_id(job_id: str) -> str:
    """What a receiver knows a delivery by: the id of its job, written so that it can stand in a header. It has no dot,
    which divides what a Standard Webhook signs: nobody may read the same bytes as another id and another time."""
    return quote(job_id, safe=":").replace(".", "%2E")


def signed_headers(
    signing: Signing, keys: Sequence[SigningKey], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers of one attempt. The first key is the newest; only Standard Webhooks signs with the others too."""
    if not keys:
        raise InvalidKey("there is none")
    for key in keys:
        if key.kind not in SIGNS_WITH[signing]:
            kinds = " or ".join(SIGNS_WITH[signing])
            raise InvalidKey(f"{signing} signs with a key of the kind {kinds}, and this one is {key.kind}")
    if signing is not Signing.STANDARD:
        published = {KEY_ID: keys[0].id} if keys[0].public.jwk() else {}
        return {SIGNATURE: keys[0].signature(body)} | published
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(key.standard_signature(message_id, timestamp, body) for key in keys),
    }
