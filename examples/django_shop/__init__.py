"""A Django project in small: settings, tasks and views of a shop."""
