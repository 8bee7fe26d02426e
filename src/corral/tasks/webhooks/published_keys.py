"""Published keys: the public halves of all keys in force, as one document that receivers fetch (RFC 7517)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from corral.store.database import Database
from corral.store.webhook_keys import WebhookKeys
from corral.tasks.webhooks.keys import SigningKey

__all__ = ["KeyDocument", "PublishedKeys"]

KEPT: Final = 5.0
"""Seconds that a document is used, unless there is a new key."""


@dataclass(frozen=True, slots=True)
class KeyDocument:
    """The document, and a text that is another one for another document."""

    body: bytes
    etag: str


class PublishedKeys:
    """Keeps the document for some seconds, since anybody may ask: all keys are read once, and for each request no more
    than the newest. So a key is published before it signs, whichever process made it; one that is no longer in force
    stays for these seconds. So long waits also the first of two keys that were stored at the same moment, if it
    becomes visible behind the second.
    """

    def __init__(
        self,
        keys: Sequence[SigningKey],
        database: Database | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._named = tuple(keys)
        self._keys = None if database is None else WebhookKeys(database)
        self._clock = clock
        self._reading = asyncio.Lock()
        self._kept: tuple[tuple[int, str] | None, float, KeyDocument] | None = None
        """The newest key when the document was made, until when it is used, and the document."""

    async def document(self) -> KeyDocument:
        """The document. Raises `DatabaseUnavailable`."""
        newest = None if self._keys is None else await self._keys.newest()
        async with self._reading:
            if self._kept is None or self._kept[0] != newest or self._kept[1] <= self._clock():
                self._kept = (newest, self._clock() + KEPT, await self._read())
            return self._kept[2]

    async def _read(self) -> KeyDocument:
        kept = set[str]() if self._keys is None else {text async for text in self._keys.in_force()}
        return await asyncio.to_thread(_document_of, self._named, sorted(kept))


def _document_of(named: Sequence[SigningKey], kept: Iterable[str]) -> KeyDocument:
    every = [*named, *map(SigningKey.kept, kept)]
    keys = {jwk["kid"]: jwk for key in every if (jwk := key.public.jwk())}
    body = json.dumps({"keys": list(keys.values())}, separators=(",", ":")).encode()
    return KeyDocument(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
