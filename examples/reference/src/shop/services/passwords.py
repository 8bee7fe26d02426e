"""Passwords, as they are kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets

__all__ = ["hashed", "matches"]


async def hashed(password: str) -> str:
    """Salt and hash. In a thread: it takes some 50 ms on purpose, which no event loop should stand still for."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{(await asyncio.to_thread(_scrypt, password, salt)).hex()}"


async def matches(password: str, kept: str) -> bool:
    """Whether it is that password."""
    salt, _, digest = kept.partition(":")
    found = await asyncio.to_thread(_scrypt, password, bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
