"""A script's header is its contract: it names what the script takes, writes and answers, and no more than that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from corral.engine.keys import OWN_SUFFIXES, SUFFIXES
from tests.house.lua import FILES, LIBRARIES, SCRIPTS, LuaFile, with_includes
from tests.house.source import SRC, modules, tree_of

PHASES = {
    "enqueue",
    "claim",
    "settle",
    "recover",
    "recur",
    "limit",
    "publish",
    "control",
    "browse",
    "report",
    "gather",
    "orders",
}
KEY_NAMES = SUFFIXES.keys() | OWN_SUFFIXES.keys()
GLOBALS = {"redis", "cjson", "cmsgpack", "struct", "bit", "math", "string", "table", "KEYS", "ARGV"}
GLOBALS |= {
    "tonumber",
    "tostring",
    "type",
    "ipairs",
    "pairs",
    "pcall",
    "error",
    "unpack",
    "select",
    "next",
    "assert",
}
SLOT_ONLY = "(names the slot of the queue)"
"""Said of a key that a script does not touch, named so that a cluster knows its slot."""

each_file = pytest.mark.parametrize("file", FILES.values(), ids=FILES.keys())
each_script = pytest.mark.parametrize("file", SCRIPTS.values(), ids=SCRIPTS.keys())
each_library = pytest.mark.parametrize("file", LIBRARIES.values(), ids=LIBRARIES.keys())


@each_file
def test_it_begins_with_what_it_does(file: LuaFile) -> None:
    """A file begins with a sentence that says what it does, and has no tag that nobody reads."""
    assert re.match(r"[A-Z`].*[.:)]", file.summary)
    assert "unknown" not in file.tags


@each_script
def test_names(file: LuaFile) -> None:
    """A script is a verb and a noun, in the folder of its phase."""
    phase, _, name = file.name.partition("/")
    assert phase in PHASES
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)


@each_script
def test_a_script_says_all(file: LuaFile) -> None:
    """A script has flags, a return value, and the BullMQ operation that it corresponds to."""
    assert file.flags is not None
    assert file.bullmq
    assert file.tags.get("return")


@each_script
def test_flags(file: LuaFile) -> None:
    """Only what adds is refused by a full server; only what reads runs on a replica."""
    wanted = {"enqueue": "", "publish": "", "recur/upsert_schedule": "", "browse": "no-writes"}
    assert file.flags == wanted.get(file.name, wanted.get(file.name.partition("/")[0], "allow-oom"))


@each_library
def test_a_library_is_no_script(file: LuaFile) -> None:
    """A library has neither flags nor arguments: it is given what it needs by whoever calls its functions."""
    assert file.flags is None
    assert not file.names("arg")
    assert not file.tags.get("rest")
    assert file.functions()


@each_file
def test_keys_are_the_queues(file: LuaFile) -> None:
    """Every key of a header is one that the layout knows, named once, with its type."""
    names = file.names("key")
    assert set(names) <= KEY_NAMES
    assert len(names) == len(set(names))
    for rest in file.tags.get("key", []):
        assert rest.split()[1] in {"string", "list", "hash", "set", "zset", "stream"}


@each_file
def test_types_of_a_key_agree(file: LuaFile) -> None:
    """A key has the same type in every header."""
    for rest in file.tags.get("key", []):
        name, kind = rest.split()[:2]
        others = {other.split()[1] for any_file in FILES.values() for other in any_file.tags.get("key", [])
                  if other.split()[0] == name}  # fmt: skip
        assert others == {kind}, name


@each_file
def test_what_is_declared_is_used(file: LuaFile) -> None:
    """No key, argument or include stands in a header without being used below it."""
    words = file.words()
    declared = {*file.names("key"), *file.names("arg"), *file.names("rest")}
    slot_only = {rest.split()[0] for rest in file.tags.get("key", []) if SLOT_ONLY in rest}
    assert declared - words - slot_only == set()
    useless = [name for name in file.names("include") if not FILES[name].functions() & words]
    assert useless == []


@each_file
def test_what_is_used_is_declared(file: LuaFile) -> None:
    """Keys, arguments and functions that a body uses stand in its own header, not only in somebody else's."""
    declared = {
        *file.names("key"),
        *file.names("arg"),
        *file.names("rest"),
        *file.functions(),
        *file.own_names(),
    }
    for name in file.names("include"):
        declared |= FILES[name].functions()
    shared = {name for include in file.names("include") for name in constants(FILES[include])}
    assert file.words() - declared - GLOBALS - shared == set()


def constants(file: LuaFile) -> set[str]:
    """Names in capitals that a library gives to those who include it."""
    return set(re.findall(r"^local ([A-Z_]+) =", file.code, re.MULTILINE))


@each_file
def test_names_and_not_numbers(file: LuaFile) -> None:
    """No body says KEYS[7]; ARGV is for the part of a call that has no fixed length."""
    assert "KEYS" not in file.words()
    assert re.findall(r"ARGV\[\d+\]", file.code) == []
    if not file.tags.get("rest"):
        assert "ARGV" not in file.words()


@each_script
def test_events(file: LuaFile) -> None:
    """The events of a header are those that the script and its libraries write, in whatever case."""
    written = {event for name in with_includes(file.name) for event in FILES[name].events_written()}
    declared = {event for rest in file.tags.get("event", []) for event in rest.split()}
    assert declared == written


def test_every_library_is_included() -> None:
    """No library stands there for nobody."""
    assert LIBRARIES.keys() == {name for script in SCRIPTS for name in with_includes(script)} - SCRIPTS.keys()


@each_file
def test_every_check_precedes_the_first_write(file: LuaFile) -> None:
    """A script that refuses a whole call does so before it has changed anything: Redis does not roll back."""
    if file.is_library:
        return
    body = file.text
    writes = [
        match.start()
        for match in re.finditer(r"redis\.p?call\('(SET|DEL|HSET|XADD|ZADD|RPUSH|LPUSH|INCR)", body)
    ]
    refusals = [match.start() for match in re.finditer(r"return (-\d|0\b|refused)", body)]
    early = [at for at in refusals if at != body.rfind("return")]
    assert not (writes and early) or max(early) < min(writes)


# --- the Python side ------------------------------------------------------------------------------------

SAID_OTHERWISE = {"base": "prefix", "clock": "now", "LIBRARY": "library", "wire_id": "job_id"}
"""What the engine calls things, where the script has another word for it."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call of a script in the engine: `run(load("claim/claim_jobs"), keys, …)`, or
    `run_each(load("browse/glance_at_queue"), queues, lambda keys: (…))`."""
    for path in modules(SRC / "engine"):
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("run", "run_each")
            ):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Call) and isinstance(first.func, ast.Name):
                    name = first.args[0] if first.args else None
                    if isinstance(name, ast.Constant):
                        yield str(name.value), node
                    elif first.func.id == "renew_script":
                        yield "recover/renew_locks", node


CALLS = list(calls())


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_a_header_equals_its_python_call(name: str, call: ast.Call) -> None:
    """The engine hands a script what its header names, in that order, and the rest where it has one."""
    file = SCRIPTS[name]
    given = call.args[2:]
    if given and isinstance(given[0], ast.Lambda) and isinstance(given[0].body, ast.Tuple):
        given = given[0].body.elts
    stars = [argument for argument in given if isinstance(argument, ast.Starred)]
    plain = [argument for argument in given if not isinstance(argument, ast.Starred)]
    assert [word(argument) for argument in plain] == file.names("arg")
    assert len(stars) == len(file.tags.get("rest", []))
    assert not stars or given[-1] is stars[0]


def word(argument: ast.expr) -> str:
    """The last name of what is handed over, in the words of the scripts."""
    name = (
        argument.attr if isinstance(argument, ast.Attribute) else getattr(argument, "id", ast.dump(argument))
    )
    return SAID_OTHERWISE.get(name, name)


def test_every_script_is_called() -> None:
    """Every script has its function in the engine, in a module of its phase: `control.py`, `control_queue.py`, …"""
    assert {name for name, _ in CALLS} == SCRIPTS.keys()
    for path in modules(SRC / "engine"):
        named = re.findall(r'load\("(\w+)/', path.read_text(encoding="utf-8"))
        assert set(named) <= {path.stem.partition("_")[0]}


def test_the_rest_comes_last() -> None:
    """Arguments of a fixed number come before the part that repeats."""
    for file in SCRIPTS.values():
        kinds = [kind for kind in file.tags if kind in ("arg", "rest")]
        assert all(before != "rest" for before, _ in pairwise(kinds)), file.name
