"""URLs are taken apart, and what is wrong with one is said without any of it."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import Connection, SSLConnection

from corral.engine.address import Node, Shape, UnreadableUrl, read_url, shape_of


def test_one_server() -> None:
    """The URLs that redis-py knows, with their defaults."""
    found = read_url("redis://ann:s3cret@h/3")
    assert (found.shape, found.nodes, found.tls) == (Shape.SERVER, (Node("h", 6379),), False)
    assert found.options == {"username": "ann", "password": "s3cret", "db": 3}
    assert read_url("unix:///run/redis.sock").options == {"path": "/run/redis.sock"}
    assert read_url("redis://[::1]:7000").nodes == (Node("::1", 7000),)


def test_a_cluster() -> None:
    """Several hosts, each with a port or 6379."""
    found = read_url("redis+cluster://:pw@a,b:7001/0")
    assert (found.shape, found.nodes) == (Shape.CLUSTER, (Node("a", 6379), Node("b", 7001)))
    assert found.options["password"] == "pw"


def test_sentinels() -> None:
    """The master's name, the database, and what the sentinels themselves want."""
    found = read_url("redis+sentinel://ann:pw@a,b:1/my%20name/2?sentinel_username=s&sentinel_password=t")
    assert (found.shape, found.nodes) == (Shape.SENTINEL, (Node("a", 26379), Node("b", 1)))
    assert (found.master, found.options["db"], found.options["username"]) == ("my name", 2, "ann")
    assert found.sentinel_options == {"username": "s", "password": "t"}


def test_tls() -> None:
    """Certificates go to servers and sentinels alike; the host name is checked unless the URL says otherwise."""
    found = read_url("rediss+sentinel://a/m?ssl_ca_certs=/ca.pem")
    assert (found.kind, found.sentinel_kind) == (SSLConnection, SSLConnection)
    assert found.options["ssl_ca_certs"] == found.sentinel_options["ssl_ca_certs"] == "/ca.pem"
    assert found.options["ssl_check_hostname"] is True
    assert read_url("rediss+sentinel://a/m?sentinel_tls=false").sentinel_kind is Connection
    assert read_url("rediss://a?ssl_check_hostname=false").options["ssl_check_hostname"] is False


def test_tls_of_the_sentinels_only() -> None:
    """`sentinel_tls` encrypts what goes to the sentinels where the servers are plain; the certificates are theirs."""
    found = read_url("redis+sentinel://a/m?sentinel_tls=true&ssl_ca_certs=/ca.pem")
    assert (found.kind, found.tls, found.sentinel_kind, found.sentinel_tls) == (
        Connection,
        False,
        SSLConnection,
        True,
    )
    assert found.options == {}
    assert found.sentinel_options == {"ssl_ca_certs": "/ca.pem", "ssl_check_hostname": True}


def test_other_clients_options() -> None:
    """What redis-py's client has for its own timeouts is left aside."""
    assert read_url("redis://h/0?socket_timeout=5&max_connections=10").options == {"db": 0}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://h", "malformed"),
        ("redis+http://h", "scheme"),
        ("redis+cluster://", "no host"),
        ("redis+sentinel://s3cret@h", "master"),
        ("redis+cluster://h/s3cret", "database"),
        ("redis://h/s3cret", "database"),
        ("redis:/s3cret", "scheme and ://"),
        ("s3cret:6379", "scheme and ://"),
        ("redis://h:s3cret", "malformed"),
        ("redis://h?s3cret=1", "options"),
        ("redis://h?ssl_ca_certs=/s3cret", "rediss"),
        ("redis://h?sentinel_password=s3cret", "sentinels"),
        ("rediss://h?ssl_cert_reqs=s3cret", "ssl_cert_reqs"),
        ("rediss://h?ssl_check_hostname=s3cret", "ssl_check_hostname"),
        ("rediss+sentinel://h/m?sentinel_tls=s3cret", "sentinel_tls"),
    ],
)
def test_what_cannot_be_read(url: str, reason: str) -> None:
    """Each is refused with the reason, and nothing of the URL in it."""
    with pytest.raises(UnreadableUrl, match=reason) as caught:
        read_url(url)
    assert "s3cret" not in str(caught.value)


def test_shapes() -> None:
    """The scheme says what stands behind it."""
    said = {
        url: shape_of(url)
        for url in ("rediss+cluster://h", "redis+sentinel://h/m", "redis://h", "embedded://")
    }
    assert list(said.values()) == [Shape.CLUSTER, Shape.SENTINEL, Shape.SERVER, Shape.SERVER]
