"""Corral behind Django's own Tasks (`django.tasks`, Django 6): jobs are tasks' import paths with arguments.

::

    INSTALLED_APPS = [..., "corral.frameworks.django"]
    TASKS = {"default": {"BACKEND": "corral.frameworks.django.CorralBackend", "QUEUES": ["default", "email"]}}

`manage.py corral_worker` runs them, or `corral worker corral.frameworks.django:django_worker` with more settings.
"""

from corral.frameworks.django.backend import CorralBackend
from corral.frameworks.django.worker import django_worker

__all__ = ["CorralBackend", "django_worker"]
