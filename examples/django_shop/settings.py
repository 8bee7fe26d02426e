"""DJANGO_SETTINGS_MODULE=examples.django_shop.settings"""

SECRET_KEY = "for an example"
ROOT_URLCONF = "examples.django_shop.views"
ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["corral.frameworks.django", "examples.django_shop"]
TASKS = {
    "default": {
        "BACKEND": "corral.frameworks.django.CorralBackend",
        "QUEUES": ["default", "email"],
        "OPTIONS": {"attempts": 5, "timeout": 30},  # without "url": REDIS_URL
    }
}
