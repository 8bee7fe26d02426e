"""Which URLs and addresses deliveries may go to."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.tasks.errors import TargetRefused
from corral.tasks.webhooks import Egress
from corral.tasks.webhooks.egress import is_public

PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2002:7f00:1::", "2001:0:1::", "2001:db8::1",
    "3fff::1", "4000::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", PRIVATE)
def test_no_address_of_a_network_inside_is_public(text: str) -> None:
    """Private, local, shared, reserved, multicast, documentation; also where IPv6 wraps them."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_internet_are_public(text: str) -> None:
    """Addresses that anybody may reach."""
    assert is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_wrapping_changes_nothing(address: object) -> None:
    """An IPv4 address is as public in its mapped form as bare."""
    assert is_public(ip_address(f"::ffff:{address}")) == is_public(address)  # type: ignore[arg-type]


@given(st.ip_addresses())
def test_what_python_calls_private_is_not_public(address: object) -> None:
    """The table is never wider than Python's own, where Python looks at the address itself."""
    assert not is_public(address) or address.is_global  # type: ignore[attr-defined, arg-type]


REFUSED = [
    "", "hook", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org:70/",
    "http://example.org/", "https://", "https://example.org:22/", "https://example.org:6379/",
    "https://user@example.org/", "https://user:secret@example.org/", "https://example.org/#part",
    "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://0177.0.0.1/",
    "https://[::1]/", "https://[::]/", "https://[::ffff:7f00:1]/", "https://[fd00:ec2::254]/", "https://169.254.169.254/",
    "https://a..example/",
    "https://" + "a" * 64 + ".example/", "https://①②⑦.0.0.1/", "https://exa mple.org/",
    "https://example.org:99999/", "https://" + "a" * 3000 + ".org/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_urls_that_lead_elsewhere_are_refused(url: str) -> None:
    """The corpus of URLs that have fooled others: each is refused before anything is resolved."""
    with pytest.raises(TargetRefused):
        Egress().target(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@example.org/", "https://x:hunter2@127.0.0.1/", "https://x:hunter2@exa mple.org/",
        "https://x:hunter2@example.org:99999/", "https://x:hunter2@", "https://example.org:22/hunter2?t=hunter2",
        "https://x:hunter2@example.org/" + "a" * 3000,
    ],
)  # fmt: skip
def test_a_refusal_tells_no_password(url: str) -> None:
    """A password in a URL is not in the error."""
    with pytest.raises(TargetRefused) as refused:
        Egress().target(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "host", "authority", "path"),
    [
        ("https://example.org", "example.org", "example.org", "/"),
        ("HTTPS://EXAMPLE.org:443/a?b=c", "example.org", "example.org", "/a?b=c"),
        ("https://example.org:8443/a b", "example.org", "example.org:8443", "/a%20b"),
        ("https://bücher.example/ü", "xn--bcher-kva.example", "xn--bcher-kva.example", "/%C3%BC"),
        (r"https://a.example\@127.0.0.1/", "a.example", "a.example", "/@127.0.0.1/"),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111", "[2606:4700:4700::1111]", "/"),
    ],
)
def test_urls_are_read_as_browsers_do(url: str, host: str, authority: str, path: str) -> None:
    """The host that is checked is the host that is dialled, whatever way it was written."""
    target = Egress().target(url)
    assert (target.host, target.authority, target.path) == (host, authority, path)


def test_networks_may_be_opened() -> None:
    """A network that is named may be reached; nothing beside it."""
    inside = Egress(networks=[ip_network("10.1.0.0/16")])
    assert inside.target("https://10.1.2.3/").host == "10.1.2.3"
    assert inside.check("x", [ip_address("::ffff:10.1.2.3")])
    with pytest.raises(TargetRefused):
        inside.target("https://10.2.0.1/")


def test_one_bad_address_is_enough() -> None:
    """Of a name with several addresses, all have to be good, and there has to be one."""
    with pytest.raises(TargetRefused):
        Egress().check("mixed.example", [ip_address("1.1.1.1"), ip_address("127.0.0.1")])
    with pytest.raises(TargetRefused):
        Egress().check("empty.example", [])
