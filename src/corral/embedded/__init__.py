"""A real Valkey server that needs no installation."""
