"""Tokens: whoever has one is let in. Of each there is only a hash: who reads the tables can be nobody with it."""

from __future__ import annotations

import hashlib
import secrets

__all__ = ["digest", "new_token"]


def new_token() -> str:
    """A token that nobody can guess, and that a URL can hold."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """The SHA-256 of a token: what is kept. No salt and nothing slow, as passwords need: nobody guesses 256 bits."""
    return hashlib.sha256(token.encode()).hexdigest()
