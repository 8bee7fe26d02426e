"""A real Valkey server that needs no installation: `embedded:///path` wherever a Redis URL is taken."""

from __future__ import annotations

from corral.embedded.address import default_directory, is_embedded, resolve_url
from corral.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer", "default_directory", "is_embedded", "resolve_url"]
