"""`module:object` becomes a worker, or an error that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from corral.cli.target import load_worker
from corral.errors import DuplicateTask, TargetNotFound

Module = Callable[[str], str]

SHOP = """
from corral import Queue, Serve, Task, TaskSet, Worker, task

jobs, mail = Queue("jobs"), Queue("mail")

class Tasks(TaskSet, queue="set"):
    one: Task[int, int] = task("one")

async def one(number: int) -> int:
    return number

tasks = Tasks(one=one)
worker = Worker(jobs)
several = [jobs, mail]
settled = (Serve(jobs, concurrency=3), tasks)

def make():
    return Worker(mail)

def make_list():
    return [tasks]

class holder:
    worker = Worker(mail)

async def make_later():
    return worker

def broken():
    raise RuntimeError("no database")

number = 3
nothing = []
"""


@pytest.mark.parametrize(
    ("name", "queues"),
    [
        ("worker", ["jobs"]),
        ("jobs", ["jobs"]),
        ("tasks", ["set"]),
        ("several", ["jobs", "mail"]),
        ("settled", ["jobs", "set"]),
        ("make", ["mail"]),
        ("make_list", ["set"]),
        ("holder.worker", ["mail"]),
    ],
)
def test_what_can_be_run(module: Module, name: str, queues: list[str]) -> None:
    """A worker, a queue, a task set, several of them, or a function that returns any: all become a worker."""
    assert load_worker(f"{module(SHOP)}:{name}").queues == queues


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("number", "of type int; give a Worker, a Queue"),
        ("Tasks", "the class Tasks, not an instance"),
        ("nothing", "an empty list"),
        ("make_later", "it is async"),
        ("broken", "calling it failed: RuntimeError: no database"),
        ("wroker", "did you mean 'worker'?"),
        ("zzz", "it has: jobs, mail, tasks, worker"),
        ("holder.zzz", "has no 'zzz'"),
    ],
)
def test_what_cannot(module: Module, name: str, words: str) -> None:
    """Anything else is refused with what it is, and what would do."""
    with pytest.raises(TargetNotFound) as caught:
        load_worker(f"{module(SHOP)}:{name}")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("shop", "write it as module:object"),
        ("shop:", "write it as module:object"),
        (":worker", "write it as module:object"),
        ("no_such_module_here:worker", "there is no module 'no_such_module_here' in"),
        ("corral.no_such_module:worker", "there is no module 'corral.no_such_module'"),
        ("src/shop.py:worker", "src.shop:worker"),
        ("./shop.py:worker", "shop:worker"),
    ],
)
def test_wrong_targets(target: str, words: str) -> None:
    """A target that is written wrongly, or leads nowhere, is met with how it should be."""
    with pytest.raises(TargetNotFound) as caught:
        load_worker(target)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_package", "imports 'no_such_package', which is not installed"),
        ("def f(:", "SyntaxError"),
        ("import sys; sys.exit(3)", "ended the program (sys.exit)"),
    ],
)
def test_modules_that_do_not_import(module: Module, text: str, words: str) -> None:
    """A module that fails is an error with its own as the cause, also when it would end the program."""
    with pytest.raises(TargetNotFound) as caught:
        load_worker(f"{module(text)}:worker")
    assert words in str(caught.value)
    assert caught.value.__cause__ is not None


def test_definitions_speak_for_themselves(module: Module) -> None:
    """What a declaration gets wrong is said by its own error."""
    text = SHOP + "twice = [tasks, tasks]\n"
    with pytest.raises(DuplicateTask):
        load_worker(f"{module(text)}:twice")


def test_at_the_shell(module: Module, command: Any) -> None:
    """At the shell, the user's own frames are shown and one line says what is wrong; the exit code is 2."""
    name = module("def start():\n    return 1 / 0\n\nvalue = start()\n")
    result = command("worker", f"{name}:value")
    assert result.exit_code == 2
    assert "in start\n    return 1 / 0" in result.stderr
    assert "importlib" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ")
