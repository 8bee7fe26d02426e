"""The texts of keys, and the keys of `cryptography` that they stand for.

A PEM is RSA, ``whsk_…`` and ``whpk_…`` are the halves of an Ed25519 key, ``whsec_…`` and any other text are a secret.
"""

from __future__ import annotations

import base64
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from corral.tasks.errors import InvalidKey

__all__ = [
    "ED25519_PRIVATE",
    "ED25519_PUBLIC",
    "SYMMETRIC",
    "PrivateKey",
    "PublicKey",
    "base64_of",
    "private_key",
    "public_key",
    "public_pem",
    "raw_of",
]

SYMMETRIC: Final = "whsec_"
ED25519_PRIVATE: Final = "whsk_"
ED25519_PUBLIC: Final = "whpk_"
LEAST_SECRET: Final = 24
"""Bytes of a secret, at least (Standard Webhooks: 24 to 64)."""
LEAST_RSA: Final = 2048

PrivateKey = bytes | RSAPrivateKey | Ed25519PrivateKey
PublicKey = bytes | RSAPublicKey | Ed25519PublicKey
"""Bytes: a secret, which is both."""


def private_key(text: str, *, was_checked: bool = False) -> PrivateKey:
    """What signs. Raises `InvalidKey`.

    Args:
        was_checked: an RSA key that this has read before: its primes are not tested again, which takes 0.1 s.
    """
    if text.startswith(ED25519_PRIVATE):
        raw = _decoded(text, ED25519_PRIVATE)
        if len(raw) not in (32, 64):  # some write the public half behind the private one
            raise InvalidKey("a whsk_ key has 32 bytes, in base64")
        return Ed25519PrivateKey.from_private_bytes(raw[:32])
    if "-----BEGIN" not in text:
        return _secret(text)
    try:
        found = serialization.load_pem_private_key(
            text.encode(), None, unsafe_skip_rsa_key_validation=was_checked
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidKey(
            f"it is no PEM of a private key without a password ({type(error).__name__})"
        ) from None
    if not isinstance(found, RSAPrivateKey) or found.key_size < LEAST_RSA:
        raise InvalidKey(f"a PEM holds an RSA key of {LEAST_RSA} bits or more")
    return found


def public_key(text: str) -> PublicKey:
    """What checks signatures. Raises `InvalidKey`."""
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
    if not isinstance(found, RSAPublicKey) or found.key_size < LEAST_RSA:
        raise InvalidKey(f"a PEM holds an RSA key of {LEAST_RSA} bits or more")
    return found


def public_pem(key: RSAPublicKey) -> str:
    """The text of the public half of an RSA key."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def raw_of(text: str) -> bytes | None:
    """What a text in base64 stands for; None where it is none."""
    try:
        return base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True)
    except ValueError:
        return None


def base64_of(raw: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(raw).decode()


def _secret(text: str) -> bytes:
    if text.startswith((ED25519_PUBLIC, ED25519_PRIVATE)):
        raise InvalidKey("its other half is wanted: whsk_ signs, whpk_ checks")
    raw = _decoded(text, SYMMETRIC) if text.startswith(SYMMETRIC) else text.encode()
    if len(raw) < LEAST_SECRET:
        raise InvalidKey(f"a secret has at least {LEAST_SECRET} bytes")
    return raw


def _decoded(text: str, prefix: str) -> bytes:
    raw = raw_of(text.removeprefix(prefix))
    if raw is None:
        raise InvalidKey(f"what follows {prefix} is not base64")
    return raw
