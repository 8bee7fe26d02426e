"""The queue between what is logged and where it goes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from corral.logs import writer
from corral.logs.writer import LineWriter


def dropped(count: int) -> str:
    """The line that tells of missing ones."""
    return f"{count} dropped\n"


def test_lines_keep_their_order() -> None:
    """Every line arrives, in the order it was put."""
    out = io.StringIO()
    lines = LineWriter(out, dropped)
    for number in range(1000):
        lines.put(f"{number}\n")
    assert lines.flush()
    assert out.getvalue().splitlines() == [str(number) for number in range(1000)]


def test_lines_of_many_threads_stay_whole() -> None:
    """Threads log at the same time, and no line is lost, torn or doubled."""
    out = io.StringIO()
    lines = LineWriter(out, dropped)

    def put(name: str) -> None:
        for number in range(500):
            lines.put(f"{name}-{number}\n")

    threads = [threading.Thread(target=put, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lines.flush()
    assert sorted(out.getvalue().split()) == sorted(
        f"{name}-{number}" for name in "abcd" for number in range(500)
    )


def test_a_stuck_pipe_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nobody reads the pipe, lines are taken up to a limit and dropped beyond; then the count is told."""
    monkeypatch.setattr(writer, "MAX_QUEUED", 100_000)
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as out, os.fdopen(read_end) as reader:
        lines = LineWriter(out, dropped)
        count = 100_000
        for number in range(count):  # megabytes: far more than the pipe and the queue hold
            lines.put(f"line {number:020}\n")
        assert not lines.flush(timeout=0.05)
        numbers: list[int] = []
        missing = 0
        while len(numbers) + missing < count:
            first, last = reader.readline().split()
            if last == "dropped":
                missing += int(first)
            else:
                numbers.append(int(last))
        assert missing > 0
        assert numbers == sorted(set(numbers))
        lines.put("again\n")
        assert reader.readline() == "again\n"


def test_a_closed_pipe_hurts_nobody() -> None:
    """When the reader has gone, lines are dropped; the program goes on."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as out:
        os.close(read_end)
        lines = LineWriter(out, dropped)
        for _ in range(3):
            lines.put("lost\n")
            assert lines.flush()


def test_a_full_disk_is_told_of_later() -> None:
    """Lines that could not be written are counted, and the count is written once lines flow again."""

    class Disk(io.StringIO):
        full = True

        def write(self, text: str, /) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    out = Disk()
    lines = LineWriter(out, dropped)
    lines.put("a\n")
    lines.put("b\n")
    assert lines.flush()
    out.full = False
    lines.put("c\n")
    assert lines.flush()
    assert out.getvalue() == "c\n2 dropped\n"


def test_a_shared_non_blocking_descriptor_is_written() -> None:
    """A descriptor that some other program made non-blocking is waited for, not given up."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    text = "x" * 999 + "\n"
    with os.fdopen(write_end, "w") as out, os.fdopen(read_end) as reader:
        lines = LineWriter(out, dropped)
        for _ in range(1000):  # more than a pipe holds
            lines.put(text)
        assert all(reader.readline() == text for _ in range(1000))


def test_text_that_is_no_unicode_is_written() -> None:
    """A lone surrogate is written as an escape."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as out, os.fdopen(read_end) as reader:
        LineWriter(out, dropped).put("\ud800é\n")
        assert reader.readline() == "\\ud800é\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_writes_its_own_lines() -> None:
    """After a fork the child neither repeats its parent's lines nor waits for a thread that it does not have."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as out, os.fdopen(read_end) as reader:
        lines = LineWriter(out, dropped)
        lines.put("parent\n")
        child = os.fork()
        if not child:
            lines.put("child\n")
            os._exit(0 if lines.flush() else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert lines.flush()
        assert sorted([reader.readline(), reader.readline()]) == ["child\n", "parent\n"]


def test_a_stuck_pipe_does_not_hold_up_the_end() -> None:
    """A program whose log nobody reads ends all the same."""
    code = """
from corral.logs import configure, get_logger
configure()
for number in range(5000):
    get_logger("x").info("line", number=number)
"""
    read_end, write_end = os.pipe()
    try:
        program = subprocess.Popen([sys.executable, "-c", code], stdout=write_end, cwd=Path.cwd())
        assert program.wait(timeout=10) == 0
    finally:
        os.close(read_end)
        os.close(write_end)
