"""`module:object` on the command line, as a worker."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from corral.cli.extras import extra_for
from corral.contracts.binding import TaskSource
from corral.contracts.queue import Queue
from corral.contracts.taskset import TaskSet
from corral.errors import TargetNotFound
from corral.worker.serve import Serve
from corral.worker.worker import Worker

__all__ = ["load_sources", "load_worker"]

SOURCES: Final = (Serve, Queue, TaskSet)
RUNNABLE: Final = (Worker, *SOURCES)
WANTED: Final = (
    "a Worker, a Queue, an instance of a TaskSet, a list of these, or a function that returns one of them"
)


def load_worker(target: str) -> Worker:
    """The worker that `module:object` names. The module is looked for in the current directory first.

    Raises:
        TargetNotFound: the module or the object is not there, or is nothing that a worker can run.
        DefinitionError: what it declares cannot work.
    """
    found = _found(target)
    if isinstance(found, Worker):
        return found
    sources: list[Any] = list(found) if isinstance(found, list | tuple) else [found]
    if sources and all(isinstance(each, SOURCES) for each in sources):
        return Worker(*sources)
    raise TargetNotFound(target, f"it is {_described(found)}; give {WANTED}")


def load_sources(target: str) -> list[TaskSource | type[TaskSet]]:
    """The tasks that `module:object` names: a task set, with handlers or as a class, a queue, or a list of these. A
    `Serve` stands for what is in it. Raises `TargetNotFound`."""
    found = _found(target)
    sources: list[Any] = [
        each.source if isinstance(each, Serve) else each
        for each in (found if isinstance(found, list | tuple) else [found])
    ]
    for each in sources:
        if not (isinstance(each, Queue | TaskSet) or (isinstance(each, type) and issubclass(each, TaskSet))):
            raise TargetNotFound(
                target, f"it is {_described(each)}; give a TaskSet, a Queue, or a list of these"
            )
    return sources


def _found(target: str) -> Any:
    """The object, or what a function makes."""
    found: Any = _find(target)
    if callable(found) and not isinstance(found, type) and not isinstance(found, RUNNABLE):
        return _call(target, found)
    return found


def _find(target: str) -> Any:
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise TargetNotFound(target, "write it as module:object, for example app.worker:worker")
    if "/" in module_name or module_name.endswith(".py"):
        dotted = module_name.removesuffix(".py").strip("./").replace("/", ".")
        raise TargetNotFound(target, f"give the module as Python imports it: {dotted}:{path}")
    found: Any = _import(target, module_name)
    for name in path.split("."):
        if not hasattr(found, name):
            raise TargetNotFound(target, _missing(found, name))
        found = getattr(found, name)
    return found


def _import(target: str, name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            reason = f"there is no module {error.name!r} in {here}, nor among the installed packages"
            raise TargetNotFound(target, reason) from None
        raise TargetNotFound(target, _why(name, error)) from error
    except SystemExit as error:
        reason = f"importing {name} ended the program (sys.exit): move that under if __name__ == '__main__'"
        raise TargetNotFound(target, reason) from error
    except Exception as error:
        raise TargetNotFound(target, _why(name, error)) from error


def _why(name: str, error: Exception) -> str:
    """Why a module, which is there, cannot be imported."""
    if isinstance(error, ImportError) and (extra := extra_for(error)):
        return f"{name} imports what is not installed: pip install 'corral[{extra}]'"
    if isinstance(error, ModuleNotFoundError):
        return f"{name} imports {error.name!r}, which is not installed"
    return f"importing {name} failed: {_first_line(error)}"


def _call(target: str, factory: Any) -> Any:
    if inspect.iscoroutinefunction(factory):
        raise TargetNotFound(
            target, f"it is async; give {WANTED} (open connections in the worker's lifespan=)"
        )
    try:
        return factory()
    except Exception as error:
        raise TargetNotFound(target, f"calling it failed: {_first_line(error)}") from error


def _missing(found: Any, name: str) -> str:
    usable = (
        [key for key, value in vars(found).items() if isinstance(value, RUNNABLE)]
        if hasattr(found, "__dict__")
        else []
    )
    owner = f"module {found.__name__!r}" if isinstance(found, ModuleType) else _described(found)
    close = get_close_matches(name, dir(found), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; it has: {', '.join(usable)}" if usable else ""
    return f"{owner} has no {name!r}{hint}"


def _described(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}, not an instance of it"
    if isinstance(value, Sequence) and not value:
        return "an empty list"
    return f"of type {type(value).__name__}"


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
