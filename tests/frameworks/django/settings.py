"""A small Django project: its tests and its processes differ in the environment only."""

import os

SECRET_KEY = "a test"
INSTALLED_APPS = ["corral.frameworks.django", "tests.frameworks.django.shop"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("SHOP_DATABASE", ":memory:")}
}
TASKS = {
    "default": {
        "BACKEND": "corral.frameworks.django.CorralBackend",
        "QUEUES": ["default", "email"],
        "OPTIONS": {
            "url": os.environ.get("SHOP_REDIS_URL"),
            "prefix": os.environ.get("SHOP_PREFIX"),
            "attempts": 2,
            "backoff": 0,
        },
    }
}
USE_TZ = True
