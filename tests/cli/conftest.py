"""The commands in this process and in others, and an application for them to run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from corral import SyncClient
from corral.cli.main import app
from tests.cli.program import Program

# Commands that run in this process set up logging for all of it: it is put back after each test.
from tests.logs.conftest import logging_as_before as logging_as_before

Command = Callable[..., Any]

APPLICATION = '''
"""An application."""
import os

from corral import Context, Queue, Unrecoverable, Worker

jobs = Queue("{queue}")


@jobs.task
async def greet(name: str, ctx: Context) -> str:
    await ctx.log(f"greeting {{name}}")
    return f"hello {{name}}"


@jobs.task
async def process_id(nothing: dict[str, str]) -> int:
    return os.getpid()


@jobs.task
async def refuse(name: str) -> None:
    raise Unrecoverable(f"not for {{name}}")


worker = Worker(jobs)
'''


@pytest.fixture
def command(redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in this process, on this test's corner of the server: `command("queues", "--json")`."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("CORRAL_PREFIX", prefix)
    runner = CliRunner()

    def run(*arguments: str, **options: Any) -> Any:
        return runner.invoke(app, list(arguments), **options)

    return run


@pytest.fixture
def client(redis_url: str, prefix: str) -> Iterator[SyncClient]:
    """A client of the same corner."""
    with SyncClient(redis_url, prefix=prefix) as made:
        yield made


@pytest.fixture
def application(tmp_path: Path, queue_name: str) -> Path:
    """A folder with a module `shop`, whose `jobs` and `worker` can be run."""
    (tmp_path / "shop.py").write_text(APPLICATION.format(queue=queue_name))
    return tmp_path


@pytest.fixture
def program(application: Path, redis_url: str, prefix: str) -> Iterator[Callable[..., Program]]:
    """Start `corral …` in a process of its own, in the application's folder."""
    made: list[Program] = []

    def start(*arguments: str, **environ: str) -> Program:
        surroundings = {"REDIS_URL": redis_url, "CORRAL_PREFIX": prefix, **environ}
        made.append(Program(*arguments, folder=application, environ=surroundings))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Write a module of its own name into the current directory, for this process to import."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    names: list[str] = []

    def write(text: str) -> str:
        names.append(f"module_{tmp_path.name.replace('-', '_')}_{len(names)}")
        (tmp_path / f"{names[-1]}.py").write_text(text)
        return names[-1]

    yield write
    for name in names:
        sys.modules.pop(name, None)
