"""The loader: headers become locals, includes come once and in order, and mistakes are said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corral.engine import script
from corral.engine.script import ScriptError, load, script_names
from tests.engine.driver import Driver

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write scripts into a folder that stands for the engine's."""
    monkeypatch.setattr(script, "files", lambda _package: tmp_path)

    def forget() -> None:
        load.cache_clear()
        script._read.cache_clear()

    def write(name: str, text: str) -> None:
        path = tmp_path / "lua" / f"{name}.lua"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    forget()
    yield write
    forget()


@pytest.mark.parametrize("name", script_names())
async def test_every_script_compiles(driver: Driver, name: str) -> None:
    """The server takes the text, and gives it the hash by which it is called."""
    loaded = load(name)
    assert await driver.call("SCRIPT", "LOAD", loaded.text) == loaded.sha


async def test_keys_and_arguments_are_locals(write: Write, driver: Driver) -> None:
    """Keys, arguments and the place where the rest begins have names; integers are numbers."""
    write(
        "x/do_it",
        "#!lua flags=allow-oom\n"
        "--- Do it.\n--- @key wait list\n--- @key meta hash\n--- @arg count integer how many\n"
        "--- @arg word string\n--- @rest more strings\n"
        "return { wait, meta, count + 1, word, more, ARGV[more] }",
    )
    loaded = load("x/do_it")
    assert (loaded.keys, loaded.arguments, loaded.rest) == (("wait", "meta"), ("count", "word"), "more")
    keys = driver.keys
    reply = await driver.link.run(loaded, keys, 41, "w", "first", "second")
    assert reply == [keys.key("wait").encode(), keys.key("meta").encode(), 42, b"w", 3, b"first"]


def test_flags_come_first(write: Write) -> None:
    """The line that begins with #! is the first of the text, whatever is included; without one there is none."""
    write("lib/a", "--- A.\nlocal function a() end")
    write("x/do_it", "#!lua flags=no-writes\n--- Do it.\n--- @include lib/a\nreturn 1")
    write("x/no_flags", "--- Do it.\nreturn 1")
    assert load("x/do_it").text.startswith("#!lua flags=no-writes\n")
    assert load("x/no_flags").text == "return 1"


def test_includes_come_once_and_before_who_needs_them(write: Write) -> None:
    """What a library includes comes before it, however many include it."""
    write("lib/a", "local a = 1")
    write("lib/b", "--- @include lib/a\nlocal b = a")
    write("lib/c", "--- @include lib/a\n--- @include lib/b\nlocal c = a + b")
    write("x/do_it", "--- @include lib/c\n--- @include lib/b\nreturn c")
    assert load("x/do_it").text == "local a = 1\nlocal b = a\nlocal c = a + b\nreturn c"


def test_keys_of_libraries_are_added(write: Write) -> None:
    """A script is given the keys of all that it includes, each once, its own first."""
    write("lib/a", "--- @key events stream\n--- @key wait list\nlocal a = 1")
    write("x/do_it", "--- @key wait list\n--- @include lib/a\nreturn a")
    assert load("x/do_it").keys == ("wait", "events")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"lib/a": "--- @include lib/a"}, "lib/a: a file includes itself"),
        ({"lib/a": "--- @include lib/b", "lib/b": "--- @include lib/a"}, "lib/a: a file includes itself"),
        ({}, "lib/a: there is no such script"),
    ],
)
def test_circles_and_gaps(write: Write, files: dict[str, str], says: str) -> None:
    """A file that includes itself, directly or not, and one that is missing, are errors that name it."""
    write("x/do_it", "--- @include lib/a\nreturn 1")
    for name, text in files.items():
        write(name, text)
    with pytest.raises(ScriptError, match=says):
        load("x/do_it")


def test_events(write: Write) -> None:
    """The header's events are known to the program."""
    write("x/do_it", "--- @event added waiting\nreturn 1")
    assert load("x/do_it").events == ("added", "waiting")


def test_names_are_those_of_the_files() -> None:
    """All scripts are found, no library among them."""
    names = script_names()
    assert "settle/commit_jobs" in names
    assert not [name for name in names if name.startswith("lib/")]


def test_a_script_is_loaded_once() -> None:
    """Loading again gives the same script: nothing is read on the hot path."""
    assert load("claim/claim_jobs") is load("claim/claim_jobs")
