# pyright: reportMissingImports=false
"""From the name of a job to the task that it stands for: by import, and never further than the project's own tasks."""

from __future__ import annotations

import os

from django.apps import apps
from django.conf import ENVIRONMENT_VARIABLE
from django.tasks import Task
from django.tasks.exceptions import InvalidTask
from django.utils.module_loading import import_string

__all__ = ["find_task"]


def find_task(path: str) -> Task:
    """The task with this import path (`shop.tasks.send_receipt`).

    A name in Redis is no program: only modules of installed applications, and of the package of the settings, are
    imported, and only what `@task` decorates is a task. Raises `InvalidTask` for anything else.
    """
    module = path.rpartition(".")[0]
    if not any(module == package or module.startswith(f"{package}.") for package in _packages()):
        raise InvalidTask(f"{path!r} is in no installed application: add its package to INSTALLED_APPS")
    try:
        found = import_string(path)
    except ImportError as error:
        raise InvalidTask(f"there is no task {path!r}: {error}") from error
    if not isinstance(found, Task):
        raise InvalidTask(f"{path!r} is no task: decorate it with @task, under its own name")
    return found


def _packages() -> set[str]:
    packages = {app.name for app in apps.get_app_configs()}
    project, dot, _ = os.environ.get(ENVIRONMENT_VARIABLE, "").partition(".")
    return packages | {project} if dot else packages
