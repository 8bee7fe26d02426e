"""Lua scripts with a header that is their contract.

A script is one transition, `lua/<phase>/<verb>_<noun>.lua`. Its header names the keys and arguments, which become
Lua locals of these names, so no body says `KEYS[7]`. `@include lib/<name>` puts a function file before it; what a
library file declares as `@key` is added to the keys of every script that includes it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

_TAG = re.compile(r"^--- @(key|arg|rest|include|event|return)\s+(\S+)\s*(\S*)")


@dataclass(frozen=True, slots=True)
class Script:
    """One loaded script: what it wants, its text with all includes, and its SHA-1 on the server."""

    name: str
    keys: tuple[str, ...]
    arguments: tuple[str, ...]
    rest: str | None
    events: tuple[str, ...]
    text: str
    sha: str


@dataclass(slots=True)
class _Source:
    """One file: its header, and its body without it."""

    name: str
    flags: str = ""
    keys: list[str] = field(default_factory=list)
    arguments: list[tuple[str, str]] = field(default_factory=list)
    rest: str | None = None
    events: tuple[str, ...] = ()
    includes: list[str] = field(default_factory=list)
    body: str = ""


class ScriptError(Exception):
    """A script file contradicts itself: an include that is missing or circular, a header that names nothing."""


@cache
def load(name: str) -> Script:
    """Load `lua/<name>.lua` with everything it includes.

    Raises:
        ScriptError: an include is missing or includes itself.
    """
    source = _read(name)
    libraries = _libraries(source, ())
    keys = list(dict.fromkeys(key for part in (source, *libraries) for key in part.keys))
    lines = [source.flags] if source.flags else []
    if keys:
        lines.append(f"local {', '.join(keys)} = {', '.join(f'KEYS[{n}]' for n in range(1, len(keys) + 1))}")
    for position, (argument, kind) in enumerate(source.arguments, 1):
        value = f"ARGV[{position}]"
        lines.append(f"local {argument} = {f'tonumber({value})' if kind == 'integer' else value}")
    if source.rest:
        lines.append(f"local {source.rest} = {len(source.arguments) + 1}")
    text = "\n".join([*lines, *(library.body for library in libraries), source.body])
    return Script(
        name=name,
        keys=tuple(keys),
        arguments=tuple(argument for argument, _ in source.arguments),
        rest=source.rest,
        events=source.events,
        text=text,
        sha=hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    )


def script_names() -> list[str]:
    """Every script, as `<phase>/<verb>_<noun>`."""
    root = files("corral.engine") / "lua"
    return sorted(
        f"{phase.name}/{entry.name.removesuffix('.lua')}"
        for phase in root.iterdir()
        if phase.is_dir() and phase.name != "lib"
        for entry in phase.iterdir()
    )


def _libraries(source: _Source, path: tuple[str, ...]) -> list[_Source]:
    """All files that `source` includes, each once and after those it needs itself."""
    if source.name in path:
        raise ScriptError(f"{' → '.join((*path, source.name))}: a file includes itself")
    ordered: dict[str, _Source] = {}
    for name in source.includes:
        library = _read(name)
        for needed in _libraries(library, (*path, source.name)):
            ordered.setdefault(needed.name, needed)
        ordered.setdefault(name, library)
    return list(ordered.values())


@cache
def _read(name: str) -> _Source:
    entry = files("corral.engine") / "lua" / f"{name}.lua"
    if not entry.is_file():
        raise ScriptError(f"{name}: there is no such script")
    source = _Source(name)
    body: list[str] = []
    for line in entry.read_text().splitlines():
        if line.startswith("#!"):
            source.flags = line
        elif line.startswith("---"):
            _read_tag(source, line)
        else:
            body.append(line)
    source.body = "\n".join(body)
    return source


def _read_tag(source: _Source, line: str) -> None:
    tag = _TAG.match(line)
    if not tag:
        return
    kind, first, second = tag.groups()
    if kind == "key":
        source.keys.append(first)
    elif kind == "arg":
        source.arguments.append((first, second))
    elif kind == "rest":
        source.rest = first
    elif kind == "include":
        source.includes.append(first)
    elif kind == "event":
        source.events += tuple(line.split()[2:])
