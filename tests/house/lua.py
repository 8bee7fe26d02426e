"""The project's Lua files, as the tests about the house read them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.house.source import SRC

LUA = SRC / "engine" / "lua"
TAGS = ("key", "arg", "rest", "include", "event", "return")
KEYWORDS = {
    "and",
    "break",
    "do",
    "else",
    "elseif",
    "end",
    "false",
    "for",
    "function",
    "if",
    "in",
    "local",
    "nil",
    "not",
}
KEYWORDS |= {"or", "repeat", "return", "then", "true", "until", "while"}


@dataclass
class LuaFile:
    """One file: its header, line by line, and its body without comments and strings."""

    name: str
    flags: str | None = None
    summary: str = ""
    tags: dict[str, list[str]] = field(default_factory=dict)
    bullmq: bool = False
    code: str = ""
    text: str = ""

    @property
    def is_library(self) -> bool:
        """Whether it is included by others and never run by itself."""
        return self.name.startswith("lib/")

    def names(self, tag: str) -> list[str]:
        """The first word behind each tag of this kind."""
        return [rest.split()[0] for rest in self.tags.get(tag, [])]

    def words(self) -> set[str]:
        """All identifiers of the body that stand for themselves: not fields of a table."""
        return set(re.findall(r"(?<![\w.:])[A-Za-z_]\w*", self.code)) - KEYWORDS

    def functions(self) -> set[str]:
        """Functions that the file defines for those who include it."""
        return set(re.findall(r"^local function (\w+)", self.code, re.MULTILINE))

    def own_names(self) -> set[str]:
        """Names that the body itself introduces: locals, parameters, loop variables, fields of a table."""
        found: set[str] = set()
        for names in re.findall(r"\blocal (?!function)([\w, ]+)", self.code):
            found |= set(re.findall(r"\w+", names))
        for names in re.findall(r"\bfunction \w+\(([^)]*)\)", self.code):
            found |= set(re.findall(r"\w+", names))
        for names in re.findall(r"\bfor ([\w, ]+) in\b|\bfor (\w+) =", self.code):
            found |= set(re.findall(r"\w+", " ".join(names)))
        found |= set(re.findall(r"\blocal function (\w+)", self.code))
        return found | set(re.findall(r"(\w+) = ", self.code))

    def events_written(self) -> set[str]:
        """Events that the body itself writes."""
        return set(re.findall(r"'XADD', [^,]+, '\*', 'event',\s*'([\w-]+)'", self.text))


def read_lua(path: Path) -> LuaFile:
    """Read one file."""
    file = LuaFile(path.relative_to(LUA).as_posix().removesuffix(".lua"))
    body: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#!"):
            file.flags = line.removeprefix("#!lua").strip().removeprefix("flags=")
        elif match := re.match(rf"--- @({'|'.join(TAGS)})\s+(.*)", line):
            file.tags.setdefault(match[1], []).append(match[2])
        elif line.startswith("--- BullMQ: "):
            file.bullmq = True
        elif line.startswith("--- @"):
            file.tags.setdefault("unknown", []).append(line)
        elif line.startswith("---") and not body and not file.tags:
            file.summary += f" {line[3:].strip()}"
        elif not line.lstrip().startswith("--"):
            body.append(line)
    file.summary = file.summary.strip()
    file.text = "\n".join(body)
    file.code = re.sub(r"--.*", "", re.sub(r"'[^'\n]*'", "''", file.text))
    return file


FILES = {file.name: file for file in map(read_lua, sorted(LUA.rglob("*.lua")))}
SCRIPTS = {name: file for name, file in FILES.items() if not file.is_library}
LIBRARIES = {name: file for name, file in FILES.items() if file.is_library}


def with_includes(name: str) -> set[str]:
    """A file and all that it includes, at any depth."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += FILES[current].names("include")
    return found
