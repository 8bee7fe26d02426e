"""Settings: argument before variable before default; a password is never shown."""

from __future__ import annotations

import pytest

from corral.engine.server import Server
from corral.engine.settings import DEFAULT_TIMEOUT, ServerSettings, server_settings, without_password
from corral.errors import ServerRefused

PARTS = {
    "REDIS_HOST": "db.example",
    "REDIS_PORT": "6380",
    "REDIS_USERNAME": "ann",
    "REDIS_PASSWORD": "s3cret",
    "REDIS_DB": "3",
}


class TestPrecedence:
    """What decides where the server is."""

    def test_nothing_said(self) -> None:
        """This machine, BullMQ's prefix, five seconds."""
        settings = server_settings(environ={})
        assert settings == ServerSettings("redis://localhost:6379", "bull", DEFAULT_TIMEOUT)
        assert DEFAULT_TIMEOUT == 5.0

    def test_an_argument_wins(self) -> None:
        """Over every variable."""
        environ = {**PARTS, "REDIS_URL": "redis://b", "CORRAL_PREFIX": "b"}
        settings = server_settings("redis://a", prefix="a", timeout=1.5, environ=environ)
        assert (settings.url, settings.prefix, settings.timeout) == ("redis://a", "a", 1.5)

    def test_the_url_wins_over_its_parts(self) -> None:
        """REDIS_URL is the whole truth where it is set; empty, it is not set."""
        assert server_settings(environ={**PARTS, "REDIS_URL": "redis://b"}).url == "redis://b"
        assert server_settings(environ={**PARTS, "REDIS_URL": ""}).url.startswith("redis://ann")

    def test_the_parts(self) -> None:
        """Host, port, user, password and database make a URL."""
        assert server_settings(environ=PARTS).url == "redis://ann:s3cret@db.example:6380/3"

    def test_a_host_alone(self) -> None:
        """What is not said has Redis's own defaults."""
        assert server_settings(environ={"REDIS_HOST": "h"}).url == "redis://h:6379/0"

    def test_parts_without_a_host_are_nothing(self) -> None:
        """A port or password alone names no server."""
        assert (
            server_settings(environ={"REDIS_PORT": "1", "REDIS_PASSWORD": "x"}).url
            == "redis://localhost:6379"
        )

    @pytest.mark.parametrize(
        ("said", "scheme"), [("1", "rediss"), ("TRUE", "rediss"), ("on", "rediss"), ("no", "redis")]
    )
    def test_tls(self, said: str, scheme: str) -> None:
        """REDIS_TLS asks for it."""
        assert server_settings(environ={"REDIS_HOST": "h", "REDIS_TLS": said}).url == f"{scheme}://h:6379/0"

    @pytest.mark.parametrize(
        ("environ", "url"),
        [
            ({"REDIS_HOST": "a, b:7001", "REDIS_CLUSTER": "1"}, "redis+cluster://a:6379,b:7001/0"),
            ({"REDIS_SENTINELS": "a,b:1", "REDIS_DB": "2"}, "redis+sentinel://a:26379,b:1/mymaster/2"),
            (
                {
                    "REDIS_SENTINELS": "a",
                    "REDIS_MASTER": "m",
                    "REDIS_PASSWORD": "x",
                    "REDIS_SENTINEL_PASSWORD": "y",
                },
                "redis+sentinel://:x@a:26379/m/0?sentinel_password=y",
            ),
            (
                {"REDIS_HOST": "h", "REDIS_TLS": "1", "REDIS_TLS_CA": "/ca", "REDIS_TLS_CERT": "/c"},
                "rediss://h:6379/0?ssl_ca_certs=%2Fca&ssl_certfile=%2Fc",
            ),
            ({"REDIS_URL": "rediss://h", "REDIS_TLS_KEY": "/k"}, "rediss://h?ssl_keyfile=%2Fk"),
            ({"REDIS_URL": "rediss://h?ssl_ca_certs=/a", "REDIS_TLS_CA": "/b"}, "rediss://h?ssl_ca_certs=/a"),
            ({"REDIS_URL": "redis://h", "REDIS_TLS_CA": "/b"}, "redis://h"),
        ],
    )
    def test_several_servers_and_certificates(self, environ: dict[str, str], url: str) -> None:
        """Clusters, sentinels and certificates have variables too; what the URL says wins."""
        assert server_settings(environ=environ).url == url

    def test_an_ipv6_host(self) -> None:
        """An address with colons is put into brackets."""
        assert server_settings(environ={"REDIS_HOST": "::1"}).url == "redis://[::1]:6379/0"

    def test_an_empty_argument_is_none(self) -> None:
        """An empty URL or prefix falls through to the next."""
        settings = server_settings("", prefix="", environ={"REDIS_URL": "redis://b", "CORRAL_PREFIX": "p"})
        assert (settings.url, settings.prefix) == ("redis://b", "p")

    async def test_any_password_arrives(self) -> None:
        """Characters that mean something in a URL reach the server as they are."""
        odd = "p@ss/w?rd#%:é"
        server = Server(
            server_settings(environ={"REDIS_HOST": "h", "REDIS_USERNAME": "a:b", "REDIS_PASSWORD": odd})
        )
        found = await server.resolve()
        assert (found.options["username"], found.options["password"], found.nodes[0].host) == (
            "a:b",
            odd,
            "h",
        )


class TestPasswords:
    """No password in a repr, an address or an error."""

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://localhost:6379", "redis://localhost:6379"),
            ("redis://:s3cret@h:1/2", "redis://h:1/2"),
            ("rediss://ann:s3cret@h/2?ssl_cert_reqs=none&password=s3cret", "rediss://h/2"),
            ("redis://h/0?password=s3cret", "redis://h/0"),
            ("redis://ann:s3@cret@h/0", "redis://h/0"),
            ("redis://ann:s3/s3cret@h/0", "redis://h/0"),
            ("redis://ann:s3?s3cret@h/0", "redis://h/0"),
            ("redis://ann:s3#s3cret@h/0", "redis://h/0"),
            ("unix://ann:s3cret@/run/redis.sock?db=1", "unix:///run/redis.sock"),
            ("embedded:///data/a@b", "embedded:///data/a@b"),
            ("s3cret", "<a URL that cannot be read>"),
            ("redis://[::1", "redis://[::1"),
        ],
    )
    def test_addresses(self, url: str, shown: str) -> None:
        """What is shown of a URL, also of one whose password should have been encoded."""
        assert without_password(url) == shown
        assert ServerSettings(url).address == shown

    def test_repr(self) -> None:
        """Printing settings shows neither URL nor options."""
        settings = ServerSettings("redis://:s3cret@h", options={"password": "s3cret"})
        assert "s3cret" not in repr(settings)

    @pytest.mark.parametrize(
        "url", ["redis://ann:s3/cret@h", "http://:s3cret@h", "redis://:s3cret@h:port", "redis://:s3cret@[::1"]
    )
    async def test_urls_that_cannot_be_read(self, url: str) -> None:
        """The error names the remedy, and nothing of the password."""
        with pytest.raises(ServerRefused) as caught:
            await Server(ServerSettings(url)).resolve()
        assert "redis://" in caught.value.remedy
        assert "s3" not in str(caught.value).removesuffix(caught.value.remedy)
