"""Deliveries through a proxy that was named: never one of the environment."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from corral.errors import InvalidOption
from corral.tasks.errors import DeliveryFailed, TargetRefused
from corral.tasks.webhooks import Egress, Poster
from tests.machines.test_tls import Certificates
from tests.tasks.webhooks.conftest import HERE
from tests.tasks.webhooks.proxy import Proxy, proxying
from tests.tasks.webhooks.receiver import Receiver, receiving


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy on this machine."""
    async with proxying() as made:
        yield made


async def test_tls_goes_through_a_tunnel(proxy: Proxy, tmp_path: Path) -> None:
    """CONNECT with the name, which the proxy resolves; TLS is with the receiver, and its certificate is checked."""
    made = Certificates(tmp_path)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    trusting = ssl.create_default_context(cafile=made.ca)
    async with receiving(served) as receiver:
        async with Poster(HERE, ssl_context=trusting, proxy=proxy.url()) as poster:
            assert (await poster.post(HERE.target(receiver.url()), b"{}", {})).status == 204
        async with Poster(HERE, proxy=proxy.url()) as wary:
            with pytest.raises(DeliveryFailed, match="certificate"):
                await wary.post(HERE.target(receiver.url()), b"{}", {})
    assert proxy.asked == [f"CONNECT localhost:{receiver.port} HTTP/1.1"] * 2
    assert "proxy-authorization" not in receiver.requests[0].headers


async def test_an_ipv6_address_is_told_in_brackets(proxy: Proxy, tmp_path: Path) -> None:
    """By CONNECT and in the target of a plain request, and in `Host`; the certificate is checked against the address as
    certificates have it."""
    trusting = ssl.create_default_context(cafile=Certificates(tmp_path, "IP:::1").ca)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    here = replace(HERE, networks=[ip_network("::1")])
    async with (
        receiving(served, address="::1") as behind_tls,
        receiving(address="::1") as plain,
        Poster(here, ssl_context=trusting, proxy=proxy.url()) as poster,
    ):
        for receiver in (behind_tls, plain):
            assert (await poster.post(here.target(receiver.url()), b"{}", {})).status == 204
            assert receiver.requests[0].headers["host"] == f"[::1]:{receiver.port}"
    assert proxy.asked == [
        f"CONNECT [::1]:{behind_tls.port} HTTP/1.1",
        f"POST http://[::1]:{plain.port}/hook HTTP/1.1",
    ]


async def test_a_certificate_of_another_address_is_none(proxy: Proxy, tmp_path: Path) -> None:
    """Brackets hide nothing from who checks it."""
    trusting = ssl.create_default_context(cafile=Certificates(tmp_path, "IP:::2,DNS:[::1]").ca)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    here = replace(HERE, networks=[ip_network("::1")])
    async with (
        receiving(served, address="::1") as receiver,
        Poster(here, ssl_context=trusting, proxy=proxy.url()) as poster,
    ):
        with pytest.raises(DeliveryFailed, match="certificate"):
            await poster.post(here.target(receiver.url()), b"{}", {})


async def test_what_has_no_tls_is_handed_on(proxy: Proxy, receiver: Receiver) -> None:
    """Plain HTTP, where it is allowed, goes through the proxy too."""
    async with Poster(HERE, proxy=proxy.url()) as poster:
        assert (await poster.post(HERE.target(receiver.url()), b"{}", {})).status == 204
    assert proxy.asked == [f"POST {receiver.url()} HTTP/1.1"]


async def test_a_proxy_may_say_no(proxy: Proxy) -> None:
    """What the proxy does not let through is a failed attempt; what the URL itself forbids never gets there."""
    proxy.refuses = True
    async with Poster(Egress(), proxy=proxy.url()) as poster:
        with pytest.raises(DeliveryFailed, match="407"):
            await poster.post(poster.egress.target("https://shop.example/"), b"{}", {})
        with pytest.raises(TargetRefused):
            poster.egress.target("https://127.0.0.1/")
    assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    "url", ["", "proxy:3128", "socks5://user:hunter2@proxy", "http://u:hunter2@proxy/path"]
)
def test_what_is_no_proxy_is_refused(url: str) -> None:
    """With a remedy, and without the password."""
    with pytest.raises(InvalidOption, match="proxy") as refused:
        Poster(proxy=url)
    assert "hunter2" not in str(refused.value)
