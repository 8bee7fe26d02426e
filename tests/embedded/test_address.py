"""The URL `embedded:///path` works wherever a Redis URL does."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from corral.embedded import default_directory, is_embedded, resolve_url
from corral.embedded.address import directory_of
from corral.errors import EmbeddedServerError


def test_an_embedded_url_becomes_the_url_of_a_running_server(directory: Path) -> None:
    """`resolve_url` gives a URL that answers, and the share to stop at the end."""
    url, lease = resolve_url(f"embedded://{directory}")
    assert lease is not None
    with lease, redis.Redis.from_url(url) as client:
        assert client.ping()


@pytest.mark.parametrize("url", ["redis://localhost:6379/0", "rediss://h", "unix:///run/s.sock"])
def test_other_urls_come_back_as_they_are(url: str) -> None:
    """A URL of a server that runs elsewhere is not touched."""
    assert resolve_url(url) == (url, None)


def test_without_a_path_it_is_the_users_data_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`embedded://` means XDG_DATA_HOME/corral, else ~/.local/share/corral."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert directory_of("embedded://") == directory_of("embedded:///") == tmp_path / "corral"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_directory() == Path.home() / ".local" / "share" / "corral"


def test_the_path_may_be_percent_encoded() -> None:
    """A path with odd characters is written percent-encoded."""
    assert directory_of("embedded:///a%20b") == Path("/a b")


@pytest.mark.parametrize(
    "url", ["embedded://relative/path", "embedded:///p?db=1", "embedded:///p#x", "redis://h"]
)
def test_a_malformed_url_is_refused(url: str) -> None:
    """A relative path, a query and a fragment are refused, with the right form in the message."""
    with pytest.raises(EmbeddedServerError, match="embedded:///absolute/path"):
        directory_of(url)


@pytest.mark.parametrize(
    ("url", "embedded"), [("embedded://", True), ("EMBEDDED:///x", True), ("redis://e", False)]
)
def test_is_embedded(url: str, embedded: bool) -> None:
    """The scheme alone decides."""
    assert is_embedded(url) is embedded
