"""The URL `embedded:///path`, which works wherever a Redis URL does."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from corral.embedded.server import EmbeddedServer
from corral.errors import EmbeddedServerError

SCHEME = "embedded"


def is_embedded(url: str) -> bool:
    """Tell whether the URL names an embedded server."""
    return url.partition(":")[0].lower() == SCHEME


def default_directory() -> Path:
    """Return the directory of `embedded://`: `corral` under the user's data directory (XDG_DATA_HOME)."""
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "corral"


def directory_of(url: str) -> Path:
    """Return the data directory that an `embedded:` URL names.

    Raises:
        EmbeddedServerError: the URL is not `embedded://` or `embedded:///absolute/path`.
    """
    parts = urlsplit(url)
    if parts.scheme != SCHEME or parts.netloc or parts.query or parts.fragment:
        raise EmbeddedServerError("the URL must be embedded:///absolute/path, or embedded:// for the default")
    return Path(unquote(parts.path)) if parts.path.strip("/") else default_directory()


def resolve_url(url: str) -> tuple[str, EmbeddedServer | None]:
    """Turn an `embedded:` URL into the URL of a running server, and the share in it to `stop()` at the end.

    Any other URL comes back as it is, with None. Joining blocks: for a tenth of a second when the server
    has to be started, longer when it has much data to load.

    Raises:
        EmbeddedServerError: the URL is malformed, or the server cannot be started.
    """
    if not is_embedded(url):
        return url, None
    server = EmbeddedServer(directory_of(url))
    return server.start(), server
