"""Deduplication: of several jobs that mean the same thing, only one is stored."""

from __future__ import annotations

from dataclasses import dataclass

from corral.contracts.duration import Duration, milliseconds
from corral.errors import InvalidOption

__all__ = ["Deduplication"]


@dataclass(frozen=True, slots=True)
class Deduplication:
    """While one job owns ``id``, others with the same id are not added; the caller is given the owner.

    Unlike ``job_id`` this ends with the owner's end, or after ``ttl``, however long jobs are kept.

    id:
        Any text of 1 to 200 bytes.
    ttl:
        Seconds or a `timedelta` for which the id stays taken, whatever becomes of the owner. None: until its end.
    extend:
        Every further call starts the ``ttl`` anew.
    replace:
        A further call replaces an owner that is still delayed.
    keep_last_if_active:
        A call while the owner is running is kept (the last one of them) and added when the owner ends.
    supersedes:
        The newest job is always added, and takes the place of the owner, which fails: at once if it waits, and if it
        runs as soon as its handler leaves. Not together with the others.
    """

    id: str
    ttl: Duration | None = None
    extend: bool = False
    replace: bool = False
    keep_last_if_active: bool = False
    supersedes: bool = False

    def __post_init__(self) -> None:
        """Refuse ids and combinations that could never work."""
        if not _is_text(self.id):
            raise InvalidOption("deduplication", self.id, "the id is text, and not empty")
        if len(self.id.encode(errors="replace")) > 200 or not self.id.isprintable():
            raise InvalidOption(
                "deduplication", self.id, "the id has at most 200 bytes and no control characters"
            )
        if self.ttl is not None and milliseconds("ttl", self.ttl) == 0:
            raise InvalidOption("ttl", self.ttl, "it is longer than 0; None means: until the owner ends")
        if self.extend and self.ttl is None:
            raise InvalidOption("extend", True, "there is no ttl= to extend")
        if self.supersedes and (self.ttl is not None or self.replace or self.keep_last_if_active):
            raise InvalidOption(
                "supersedes",
                True,
                "not together with ttl, replace or keep_last_if_active: the newest job wins",
            )

    @property
    def ttl_ms(self) -> int | None:
        """The ``ttl`` in milliseconds."""
        return None if self.ttl is None else milliseconds("ttl", self.ttl)

    @classmethod
    def simple(cls, id: str) -> Deduplication:
        """One job until it ends."""
        return cls(id)

    @classmethod
    def throttle(cls, id: str, ttl: Duration) -> Deduplication:
        """The first of all calls within ``ttl``."""
        return cls(id, ttl=ttl)

    @classmethod
    def debounce(cls, id: str, ttl: Duration) -> Deduplication:
        """The last call of a burst: each replaces the one before. Needs a ``delay`` of the job itself."""
        return cls(id, ttl=ttl, extend=True, replace=True)

    @classmethod
    def superseding(cls, id: str) -> Deduplication:
        """The newest of all calls, which ends the one before it, whether that waits or runs."""
        return cls(id, supersedes=True)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
