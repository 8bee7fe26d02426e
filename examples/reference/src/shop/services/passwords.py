"""Passwords, as they are kept. It takes some 50 ms on purpose: in a thread, for no event loop should stand still for
it, and outside of transactions, for others wait for those."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from typing import Final, NewType

__all__ = ["Hashed", "hashed", "matches"]

Hashed = NewType("Hashed", str)
"""Salt and hash of a password."""

NOBODY: Final = f"{'00' * 16}:{'00' * 64}"
"""No password has this hash."""


async def hashed(password: str) -> Hashed:
    """What to keep of it."""
    salt = secrets.token_bytes(16)
    return Hashed(f"{salt.hex()}:{(await asyncio.to_thread(_scrypt, password, salt)).hex()}")


async def matches(password: str, kept: str | None) -> bool:
    """Whether it is that password. None: nobody's; to find that out takes as long, so that it tells nobody who is
    there."""
    salt, _, digest = (kept or NOBODY).partition(":")
    found = await asyncio.to_thread(_scrypt, password, bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
