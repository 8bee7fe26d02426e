"""Corral inside web frameworks: a backend for Django's Tasks, a lifespan for FastAPI."""
