"""`corral top` in a real terminal, and without one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from corral import Admin, SyncClient
from corral.cli.keyboard import keys_of
from corral.cli.top_frame import Reader
from tests.cli.conftest import Command
from tests.cli.program import Program
from tests.cli.terminal import Terminal

ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
Open = Callable[..., Terminal]


@pytest.fixture
def terminal(redis_url: str, prefix: str) -> Iterator[Open]:
    """Run a command in a terminal."""
    made: list[Terminal] = []

    def start(*arguments: str, url: str = redis_url, **size: int) -> Terminal:
        made.append(Terminal(*arguments, environ={"REDIS_URL": url, "CORRAL_PREFIX": prefix}, **size))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_live(terminal: Open, client: SyncClient) -> None:
    """It takes the other screen, follows what happens, and leaves the terminal as it was when q is pressed."""
    client.queue("alpha").enqueue("greet", "Ada")
    top = terminal("top", "--every", "0.2")
    top.shows("alpha")
    top.shows("NO WORKERS")
    assert ENTER_SCREEN in top.raw
    client.queue("later").enqueue("greet", "Bob")
    top.shows("later")
    assert not top.is_as_before
    top.press("q")
    assert top.ended() == 0
    assert LEAVE_SCREEN in top.raw
    assert top.is_as_before


@pytest.mark.parametrize("key", ["\x03", "q"], ids=["ctrl-c", "q"])
def test_it_ends_well(terminal: Open, client: SyncClient, key: str) -> None:
    """Ctrl-C is as good as q."""
    client.queue("alpha").enqueue("greet", "Ada")
    top = terminal("top")
    top.shows("alpha")
    top.press(key)
    assert top.ended() == 0
    assert "Traceback" not in top.text
    assert top.is_as_before


def test_keys(terminal: Open, client: SyncClient, program: Callable[..., Program], queue_name: str) -> None:
    """p holds the picture and lets it go on; j and k choose the queue whose failures are below."""
    worker = program("worker", "shop:jobs")
    client.queue(queue_name).enqueue("refuse", "Ann").wait(30)
    assert worker.stop() == 0
    client.queue("alpha").enqueue("greet", "Ada")
    top = terminal("top", "--every", "0.2")
    top.shows("alpha")
    top.press("j")
    top.shows(f"failures of {queue_name}")
    top.shows("not for Ann")
    top.press("p")
    top.shows("paused: p goes on")
    client.queue("later").enqueue("greet", "Bob")
    top.press("k")
    top.shows("alpha")
    assert "later" not in top.text
    top.press("p")
    top.shows("later")


def test_another_size(terminal: Open, client: SyncClient) -> None:
    """It draws anew for a window of another size, however small, and no line is longer than it."""
    for number in range(30):
        client.queue(f"queue-{number:02}").enqueue("greet", "Ada")
    top = terminal("top", "--every", "60")
    top.shows("queue-10")
    top.resize(60, 12)
    top.shows("queue-00")
    drawn = len(top.text)
    top.press("j" * 25)
    top.shows("queue-25")
    lines = top.text[drawn:].splitlines()
    assert max(map(len, lines)) <= 60
    top.resize(5, 2)
    top.press("q")
    assert top.ended() == 0


def test_names_move_no_cursor(
    terminal: Open, client: SyncClient, program: Callable[..., Program], queue_name: str
) -> None:
    """What others have written reaches the terminal as text: here, why a job failed."""
    worker = program("worker", "shop:jobs")
    client.queue(queue_name).enqueue("refuse", "evil\x1b[2J\x1b]0;x\x07").wait(30)
    assert worker.stop() == 0
    top = terminal("top")
    top.shows("not for evil\\x1b[#J\\x1b]")
    assert "\x1b]0;" not in top.raw
    assert "evil\x1b" not in top.raw


def test_a_server_that_goes(
    terminal: Open, make_server: Callable[..., object], redis_url: str, prefix: str
) -> None:
    """The last picture stays, with the reason why it is old; q is heard all the same; then it goes on."""
    server: object = make_server()
    url = str(getattr(server, "url"))  # noqa: B009
    with SyncClient(url, prefix=prefix) as client:
        client.queue("alpha").enqueue("greet", "Ada")
    top = terminal("top", "--every", "0.2", url=url)
    top.shows("alpha")
    server.freeze()  # type: ignore[attr-defined]
    try:
        top.shows("no answer")
        top.press("q")
        assert top.ended() == 0
    finally:
        server.thaw()  # type: ignore[attr-defined]


def test_without_a_terminal(command: Command, client: SyncClient) -> None:
    """One look, as text or as JSON, and the end."""
    client.queue("alpha").enqueue("greet", "Ada")
    once = command("top")
    assert once.exit_code == 0
    assert "1 queue, 0 workers" in once.stdout
    assert "NO WORKERS" in once.stdout
    assert max(map(len, once.stdout.splitlines())) < 200  # no wider than what stands in it
    assert "\x1b" not in once.stdout
    [row] = json.loads(command("top", "--json").stdout)["queues"]
    assert (row["queue"], row["counts"]["waiting"], row["workers"]) == ("alpha", 1, 0)


async def test_damaged_keys(redis_url: str, prefix: str, client: SyncClient) -> None:
    """What cannot be read of one queue, because another program has written it, is left out, and the rest is shown."""
    client.queue("alpha").enqueue("greet", "Ada")
    async with Admin(redis_url, prefix=prefix) as admin:
        for what in ("failures", "samples", "worker_records", "worker_beats"):
            await admin.server.call("RPUSH", admin.server.keys("alpha").key(what), "no such thing")
        frame = await Reader(admin).read("alpha")
    assert [one.queue for one in frame.queues] == ["alpha"]
    assert (frame.groups, frame.samples) == (None, {})


def test_no_server(command: Command) -> None:
    """Nothing to look at is exit code 1 with the reason."""
    result = command("top", "--url", "redis://127.0.0.1:1")
    assert result.exit_code == 1
    assert "error:" in result.stderr


def test_what_terminals_send() -> None:
    """Arrows in both modes are keys, letters are themselves, and what else there is of sequences is nothing."""
    assert keys_of("\x1b[A\x1bOBq\x1b[5~\x1b[1;5Cjk") == ["up", "down", "q", "j", "k"]
