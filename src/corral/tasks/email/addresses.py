"""Addresses as servers know them: a domain of another script has an ASCII form (IDNA 2008)."""

from __future__ import annotations

import idna

__all__ = ["encoded", "encoded_domain"]


def encoded_domain(domain: str) -> str:
    """``münchen.de`` as ``xn--mnchen-3ya.de``, in small letters. Raises `ValueError` for what is no domain."""
    return domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()


def encoded(address: str) -> str:
    """An address with its domain encoded. The part before it stays, whatever script it has: some servers take it."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{encoded_domain(domain)}"
