"""Hash slots of a Redis Cluster: which part of a key decides, and which slot that is."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["SLOTS", "hash_tag", "same_slot", "slot_of", "slot_of_command"]

SLOTS: Final = 16384

KEYLESS: Final = frozenset(
    (  # noqa: SIM905 - a list of 27 lines says no more
        "ACL ASKING AUTH CLIENT CLUSTER CONFIG DBSIZE DEBUG ECHO FLUSHALL FLUSHDB HELLO INFO KEYS LATENCY MEMORY "
        "MODULE PING ROLE SCAN SCRIPT SELECT SLOWLOG TIME WAIT WAITAOF"
    ).split()
)
"""Commands that name no key, as far as the engine sends them: any node may have them."""

COUNTED: Final = frozenset({"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL"})
"""Commands that say how many keys follow."""


def hash_tag(key: str) -> str | None:
    """What stands between the first `{` and the next `}` of a key, when there is anything: it decides the slot."""
    opened = key.find("{")
    closed = key.find("}", opened + 1)
    return key[opened + 1 : closed] if opened >= 0 and closed > opened + 1 else None


def slot_of(key: str | bytes) -> int:
    """The slot of a key: CRC16 (XMODEM) of its hash tag, or of all of it."""
    text = key.decode("utf-8", "surrogateescape") if isinstance(key, bytes) else key
    tag = hash_tag(text)
    return binascii.crc_hqx((text if tag is None else tag).encode("utf-8", "surrogateescape"), 0) % SLOTS


def same_slot(keys: Iterable[str | bytes]) -> bool:
    """Whether one script may touch all of these keys on a cluster. No keys at all are in one slot."""
    return len({slot_of(key) for key in keys}) <= 1


def slot_of_command(words: Sequence[str | bytes | int | float]) -> int | None:
    """The slot of the first key that a command names; None when it names none."""
    name = _text(words[0]).upper()
    if name in KEYLESS or len(words) < 2:
        return None
    if name in COUNTED:
        return slot_of(_text(words[3])) if int(words[2]) else None
    if name in ("XREAD", "XREADGROUP"):
        upper = [_text(word).upper() for word in words]
        return slot_of(_text(words[upper.index("STREAMS") + 1]))
    return slot_of(_text(words[1]))


def _text(word: str | bytes | int | float) -> str:
    return word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else str(word)
