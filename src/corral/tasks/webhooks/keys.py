"""Keys: what a sender signs with, and what a receiver checks with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final, Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from corral.errors import InvalidOption
from corral.tasks.errors import InvalidKey
from corral.tasks.webhooks.key_texts import (
    ED25519_PRIVATE,
    ED25519_PUBLIC,
    SYMMETRIC,
    PrivateKey,
    base64_of,
    private_key,
    public_key,
    public_pem,
    raw_of,
)

__all__ = ["KeyKind", "SigningKey", "VerifyingKey"]

KeyKind = Literal["whsec", "ed25519", "rsa"]
"""Of signing keys: a shared secret for HMAC, or a private key."""

RSA_BITS: Final = 3072


class SigningKey:
    """What a sender signs with, read from its text: a PEM file's (RSA), ``whsk_…`` (Ed25519), ``whsec_…``, or any text
    of 24 bytes (both HMAC). Not shown by `repr`."""

    def __init__(self, text: str) -> None:
        self._key: PrivateKey = private_key(text)
        self.text = text

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @classmethod
    def generate(cls, kind: KeyKind = "whsec") -> SigningKey:
        """A new key: ``whsec`` (HMAC), ``ed25519``, or ``rsa`` of 3,072 bits, which takes up to a second or two: beside
        an event loop make it in a thread."""
        if kind == "rsa":
            made = generate_private_key(public_exponent=65537, key_size=RSA_BITS)
            pem = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            return cls.kept(pem.decode())  # a check of it would hold all threads up
        if kind == "ed25519":
            return cls(ED25519_PRIVATE + base64_of(Ed25519PrivateKey.generate().private_bytes_raw()))
        if kind == "whsec":
            return cls(SYMMETRIC + base64_of(secrets.token_bytes(32)))
        raise InvalidOption("kind", kind, "give 'whsec' (HMAC), 'ed25519' or 'rsa'")

    @property
    def kind(self) -> KeyKind:
        """As `generate` takes it."""
        if isinstance(self._key, bytes):
            return "whsec"
        return "rsa" if isinstance(self._key, RSAPrivateKey) else "ed25519"

    def another(self) -> SigningKey:
        """A new key of the same kind."""
        return SigningKey.generate(self.kind)

    @classmethod
    def kept(cls, text: str) -> Self:
        """One that was read before, and kept: see `private_key`."""
        made = cls.__new__(cls)
        made._key, made.text = private_key(text, was_checked=True), text
        return made

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
            return VerifyingKey(ED25519_PUBLIC + base64_of(key.public_key().public_bytes_raw()))
        return VerifyingKey(public_pem(key.public_key()))

    def signature(self, content: bytes) -> str:
        """As it stands in `X-Webhook-Signature`."""
        if isinstance(self._key, bytes):
            return hmac.digest(self._key, content, hashlib.sha256).hex()
        return base64_of(self._raw(content))

    def standard_signature(self, message_id: str, timestamp: int, body: bytes) -> str:
        """As it stands in `webhook-signature`: ``v1,…`` of a secret, ``v1a,…`` of an Ed25519 key."""
        content = _standard_content(message_id, timestamp, body)
        if isinstance(self._key, bytes):
            return f"v1,{base64_of(hmac.digest(self._key, content, hashlib.sha256))}"
        if isinstance(self._key, Ed25519PrivateKey):
            return f"v1a,{base64_of(self._key.sign(content))}"
        raise InvalidKey("Standard Webhooks knows no RSA: take a whsec_ or whsk_ key")

    def _raw(self, content: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        assert isinstance(self._key, Ed25519PrivateKey)
        return self._key.sign(content)


class VerifyingKey:
    """What a receiver checks with: a public PEM (RSA), ``whpk_…`` (Ed25519), or the secret of an HMAC."""

    def __init__(self, text: str) -> None:
        self._key = public_key(text)
        self.text = text

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def id(self) -> str:
        """The same as that of the `SigningKey`, in whatever way the key was written down."""
        key = self._key
        if not isinstance(key, bytes):
            key = key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        return hashlib.sha256(b"corral-webhook-key:" + key).hexdigest()[:16]

    def verifies(self, signature: str, content: bytes) -> bool:
        """Whether this stood in `X-Webhook-Signature`, of this body. Takes the same time for every wrong one."""
        if isinstance(self._key, bytes):
            made = hmac.digest(self._key, content, hashlib.sha256).hex()
            return hmac.compare_digest(made.encode(), signature.strip().lower().encode())
        return self._verifies_raw(raw_of(signature), content)

    def verifies_standard(self, signatures: str, message_id: str, timestamp: int, body: bytes) -> bool:
        """Whether one of the signatures in `webhook-signature` was made with this key's other half."""
        content = _standard_content(message_id, timestamp, body)
        version = "v1" if isinstance(self._key, bytes) else "v1a"
        for signature in signatures.split(" "):
            found, _, text = signature.partition(",")
            if found == version and self._verifies_raw(raw_of(text), content):
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


def _standard_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
