"""Signatures: which there are, how a body is signed, and how a receiver checks it.

`X-Webhook-Signature` holds one of the exact body: RSA (PKCS #1 v1.5, SHA-256, base64) or HMAC (SHA-256, hex).
Standard Webhooks (specification 1.0) signs the id, the time of this attempt and the body, once with every key that
is in force, so that a key is replaced without a moment at which a receiver knows none of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)

from corral.tasks.errors import InvalidKey

__all__ = ["SIGNATURE", "Signing", "SigningKey", "VerifyingKey", "signed_headers"]

SIGNATURE: Final = "X-Webhook-Signature"
KEY_ID: Final = "X-Webhook-Key-Id"
SYMMETRIC: Final = "whsec_"
ED25519_PRIVATE: Final = "whsk_"
ED25519_PUBLIC: Final = "whpk_"
LEAST_SECRET: Final = 24
"""Bytes of a secret, at least (Standard Webhooks: 24 to 64)."""
LEAST_RSA: Final = 2048
RSA_BITS: Final = 3072


class Signing(StrEnum):
    """How deliveries are signed."""

    RSA = "rsa-sha256"
    HMAC = "hmac-sha256"
    STANDARD = "standard"


class SigningKey:
    """What a sender signs with, read from its text: a PEM file's (RSA), ``whsk_…`` (Ed25519), ``whsec_…``, or any text
    of 24 bytes (both HMAC). Not shown by `repr`."""

    def __init__(self, text: str) -> None:
        self._key = _private_key(text)
        self.text = text

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @classmethod
    def generate(cls, kind: str = "whsec") -> SigningKey:
        """A new key: ``whsec`` (HMAC), ``ed25519``, or ``rsa`` of 3,072 bits."""
        if kind == "rsa":
            made = generate_private_key(public_exponent=65537, key_size=RSA_BITS)
            pem = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            return cls(pem.decode())
        if kind == "ed25519":
            return cls(ED25519_PRIVATE + _base64(Ed25519PrivateKey.generate().private_bytes_raw()))
        return cls(SYMMETRIC + _base64(secrets.token_bytes(32)))

    @property
    def id(self) -> str:
        """Names the key without telling it: the beginning of a hash of its public half, or of the secret."""
        return self.public.id

    @property
    def public(self) -> VerifyingKey:
        """What a receiver needs: the public half, or the secret itself where there is no other."""
        key = self._key
        if isinstance(key, bytes):
            return VerifyingKey(self.text)
        if isinstance(key, Ed25519PrivateKey):
            return VerifyingKey(ED25519_PUBLIC + _base64(key.public_key().public_bytes_raw()))
        return VerifyingKey(_pem(key.public_key()))

    def signature(self, content: bytes) -> str:
        """As it stands in `X-Webhook-Signature`."""
        if isinstance(self._key, bytes):
            return hmac.digest(self._key, content, hashlib.sha256).hex()
        return _base64(self._raw(content))

    def standard_signature(self, message_id: str, timestamp: int, body: bytes) -> str:
        """As it stands in `webhook-signature`: ``v1,…`` of a secret, ``v1a,…`` of an Ed25519 key."""
        content = _standard_content(message_id, timestamp, body)
        if isinstance(self._key, bytes):
            return f"v1,{_base64(hmac.digest(self._key, content, hashlib.sha256))}"
        if isinstance(self._key, Ed25519PrivateKey):
            return f"v1a,{_base64(self._key.sign(content))}"
        raise InvalidKey("Standard Webhooks knows no RSA: take a whsec_ or whsk_ key")

    def _raw(self, content: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        assert isinstance(self._key, Ed25519PrivateKey)
        return self._key.sign(content)


class VerifyingKey:
    """What a receiver checks with: a public PEM (RSA), ``whpk_…`` (Ed25519), or the secret of an HMAC."""

    def __init__(self, text: str) -> None:
        self._key = _public_key(text)
        self.text = text

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def id(self) -> str:
        """The same as that of the `SigningKey`."""
        return hashlib.sha256(b"corral-webhook-key:" + self.text.strip().encode()).hexdigest()[:16]

    def verifies(self, signature: str, content: bytes) -> bool:
        """Whether this stood in `X-Webhook-Signature`, of this body. Takes the same time for every wrong one."""
        if isinstance(self._key, bytes):
            made = hmac.digest(self._key, content, hashlib.sha256).hex()
            return hmac.compare_digest(made.encode(), signature.strip().lower().encode())
        return self._verifies_raw(_raw_of(signature), content)

    def verifies_standard(self, signatures: str, message_id: str, timestamp: int, body: bytes) -> bool:
        """Whether one of the signatures in `webhook-signature` was made with this key's other half."""
        content = _standard_content(message_id, timestamp, body)
        version = "v1" if isinstance(self._key, bytes) else "v1a"
        for signature in signatures.split(" "):
            found, _, text = signature.partition(",")
            if found == version and self._verifies_raw(_raw_of(text), content):
                return True
        return False

    def jwk(self) -> dict[str, str] | None:
        """The key as RFC 7517 and RFC 8037 write it; None for a secret, which is not published."""
        key = self._key
        if isinstance(key, bytes):
            return None
        if isinstance(key, Ed25519PublicKey):
            value = _base64url(key.public_bytes_raw())
            return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": value}
        numbers = key.public_numbers()
        n, e = (_base64url(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e))
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id, "n": n, "e": e}

    def _verifies_raw(self, signature: bytes | None, content: bytes) -> bool:
        if signature is None:
            return False
        if isinstance(self._key, bytes):
            return hmac.compare_digest(hmac.digest(self._key, content, hashlib.sha256), signature)
        try:
            if isinstance(self._key, Ed25519PublicKey):
                self._key.verify(signature, content)
            else:
                self._key.verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def signed_headers(
    signing: Signing, keys: Sequence[SigningKey], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers of one attempt. The first key is the newest; only Standard Webhooks signs with the others too."""
    if not keys:
        raise InvalidKey("there is none")
    if signing is not Signing.STANDARD:
        published = {KEY_ID: keys[0].id} if keys[0].public.jwk() else {}
        return {SIGNATURE: keys[0].signature(body)} | published
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(key.standard_signature(message_id, timestamp, body) for key in keys),
    }


def _standard_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _private_key(text: str) -> bytes | RSAPrivateKey | Ed25519PrivateKey:
    if text.startswith(ED25519_PRIVATE):
        raw = _decoded(text, ED25519_PRIVATE)
        if len(raw) not in (32, 64):  # some write the public half behind the private one
            raise InvalidKey("a whsk_ key has 32 bytes, in base64")
        return Ed25519PrivateKey.from_private_bytes(raw[:32])
    if "-----BEGIN" not in text:
        return _secret(text)
    try:
        found = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidKey(
            f"it is no PEM of a private key without a password ({type(error).__name__})"
        ) from None
    if not isinstance(found, RSAPrivateKey) or found.key_size < LEAST_RSA:
        raise InvalidKey(f"a PEM holds an RSA key of {LEAST_RSA} bits or more")
    return found


def _public_key(text: str) -> bytes | RSAPublicKey | Ed25519PublicKey:
    if text.startswith(ED25519_PUBLIC):
        raw = _decoded(text, ED25519_PUBLIC)
        if len(raw) != 32:
            raise InvalidKey("a whpk_ key has 32 bytes, in base64")
        return Ed25519PublicKey.from_public_bytes(raw)
    if "-----BEGIN" not in text:
        return _secret(text)
    try:
        found = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidKey(f"it is no PEM of a public key ({type(error).__name__})") from None
    if not isinstance(found, RSAPublicKey):
        raise InvalidKey("a PEM holds an RSA key")
    return found


def _secret(text: str) -> bytes:
    if text.startswith((ED25519_PUBLIC, ED25519_PRIVATE)):
        raise InvalidKey("its other half is wanted: whsk_ signs, whpk_ checks")
    raw = _decoded(text, SYMMETRIC) if text.startswith(SYMMETRIC) else text.encode()
    if len(raw) < LEAST_SECRET:
        raise InvalidKey(f"a secret has at least {LEAST_SECRET} bytes")
    return raw


def _decoded(text: str, prefix: str) -> bytes:
    raw = _raw_of(text.removeprefix(prefix))
    if raw is None:
        raise InvalidKey(f"what follows {prefix} is not base64")
    return raw


def _raw_of(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True)
    except ValueError:
        return None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _pem(key: RSAPublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
