"""All Python code in the documentation runs: examples as shown, fragments after a prelude."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documents import FOLLOWED, Block, blocks, program_of
from tests.house.source import ROOT

PYTHON = blocks("python")
EXAMPLES = [block for block in PYTHON if block.file]
FRAGMENTS = [block for block in PYTHON if not block.file and block.document != FOLLOWED]

PRELUDE = "from tests.docs.prelude import *"
MAIN = """
async def main() -> None:
    async with client, Worker(emails, client=client):
        await fragment()


asyncio.run(main())
"""


def run(program: Path, folder: Path, **environment: str) -> str:
    """Run a program in a folder and return what it prints."""
    result = subprocess.run(
        [sys.executable, program.name],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_an_example_is_shown_as_it_is(block: Block) -> None:
    """A block that names an example is that example, so what is shown is what the tests run."""
    assert block.file is not None
    assert block.shown == block.file.read_text(encoding="utf-8")


def test_the_first_program_runs_as_printed(tmp_path: Path) -> None:
    """README's first program, copied into an empty directory, runs with no server and no variable set."""
    first = PYTHON[0]
    (tmp_path / "hello.py").write_text(first.text, encoding="utf-8")
    printed = run(tmp_path / "hello.py", tmp_path, XDG_DATA_HOME=str(tmp_path / "data"))
    assert "Welcome, Ada!" in printed.splitlines()
    assert sum(1 for line in first.shown.splitlines() if line) <= 20


@pytest.mark.parametrize("block", FRAGMENTS, ids=str)
def test_a_fragment_runs(block: Block, tmp_path: Path, redis_url: str, prefix: str) -> None:
    """A block that names no file runs as the body of an `async def`, with a client and a worker at hand."""
    program = tmp_path / "fragment.py"
    program.write_text(program_of(block, PRELUDE) + MAIN, encoding="utf-8")
    run(program, tmp_path, PYTHONPATH=str(ROOT), REDIS_URL=redis_url, CORRAL_PREFIX=prefix)
