"""Server versions: which is it, is it new enough, and is it one with a known hole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from corral.admin.finding import Finding, Severity

__all__ = ["ServerVersion", "check_version", "server_version"]

Number = tuple[int, ...]

OLDEST: Final[Number] = (7, 0)
"""Our scripts declare flags (`#!lua flags=…`), so that they work on a full server: Redis 7.0 and Valkey have that."""


class Hole(NamedTuple):
    """A published flaw. `fixed` holds the first good release of each line; later lines are good."""

    kind: str
    name: str
    what: str
    fixed: tuple[Number, ...]


HOLES: Final = (
    Hole(
        "Redis",
        "CVE-2025-49844",
        "a script can run any code on the server",
        ((6, 2, 20), (7, 2, 11), (7, 4, 6), (8, 0, 4), (8, 2, 2)),
    ),
    Hole("Redis", "CVE-2026-23479", "a blocked client can crash the server, or worse", ((8, 6, 3),)),
    Hole(
        "Valkey",
        "CVE-2025-49844",
        "a script can run any code on the server",
        ((7, 2, 11), (8, 0, 6), (8, 1, 4)),
    ),
)


class ServerVersion(NamedTuple):
    """What answers."""

    kind: str
    text: str

    @property
    def number(self) -> Number:
        """As numbers, to compare."""
        return tuple(int(part) for part in re.findall(r"\d+", self.text)[:3])


def server_version(info: Mapping[str, str]) -> ServerVersion:
    """The kind of server and its version, from INFO."""
    for field, kind in (
        ("dragonfly_version", "Dragonfly"),
        ("valkey_version", "Valkey"),
        ("redis_version", "Redis"),
    ):
        if text := info.get(field):
            return ServerVersion(kind, text)
    return ServerVersion("a server", "of unknown version")


def check_version(info: Mapping[str, str]) -> Finding:
    """Whether this version can serve, and should."""
    version = server_version(info)
    said = f"{version.kind} {version.text}"
    if version.kind not in ("Redis", "Valkey"):
        remedy = "Corral is tested on Redis 7 and 8 and on Valkey 8 and 9: try it well before relying on it"
        return Finding("server", Severity.WARNING, said, remedy)
    if version.number < OLDEST:
        remedy = "Corral's scripts need Redis 7.0 or any Valkey: upgrade"
        return Finding("server", Severity.PROBLEM, said, remedy)
    if holes := [hole for hole in HOLES if hole.kind == version.kind and _has(version.number, hole)]:
        names = "; ".join(f"{hole.name}: {hole.what}" for hole in holes)
        remedy = f"upgrade to {' or '.join(_upgrades(version.number, holes))}, unless your distribution has patched it"
        return Finding("server", Severity.WARNING, f"{said} has known holes ({names})", remedy)
    return Finding("server", Severity.OK, said)


def _has(number: Number, hole: Hole) -> bool:
    same_line = [fix for fix in hole.fixed if fix[:2] == number[:2]]
    return number < (same_line[0] if same_line else max(hole.fixed))


def _upgrades(number: Number, holes: list[Hole]) -> list[str]:
    """The release of the same line that has all fixes, if there is one, and the newest that is needed."""
    same_line = [fix for hole in holes for fix in hole.fixed if fix[:2] == number[:2]]
    newest = max(max(hole.fixed) for hole in holes)
    complete = len(same_line) == len(holes) and max(same_line) != newest
    wanted = [max(same_line)] if complete else []
    return [".".join(map(str, each)) for each in (*wanted, newest)]
