"""Where deliveries may go: which URLs, and which addresses behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from pydantic import ValidationError
from pydantic_core import Url

from corral.tasks.errors import TargetRefused

__all__ = ["Address", "Egress", "Network", "Target"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL: Final = 2048
DEFAULT_PORTS: Final = {"https": 443, "http": 80}

# A table of our own: `is_global` has changed with the patch releases of Python (CVE-2024-4032).
NOT_PUBLIC_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
PUBLIC_6: Final = IPv6Network("2000::/3")
NOT_PUBLIC_6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Teredo and 6to4 are among them: they lead to IPv4 addresses that are not the ones that were checked."""
NAT64: Final = IPv6Network("64:ff9b::/96")


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it is mapped (RFC 4291) or translated (RFC 6052)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address belongs to a host of the public internet, by the registries of RFC 6890."""
    address = unwrapped(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_4)
    return address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was found good, in its parts. ``host`` is in ASCII, an IPv6 address without its brackets."""

    url: str
    """As errors name it: without path and query, which may be a secret."""
    scheme: str
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """What goes into `Host`."""
        return self.written if self.port == DEFAULT_PORTS[self.scheme] else f"{self.written}:{self.port}"

    @property
    def written(self) -> str:
        """The host as URLs have it: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """What may be delivered to: by default HTTPS on its usual ports, at addresses of the public internet.

    A URL of a customer's is a way into the network that the worker stands in. So the name is resolved once, every
    address that it has must be good, and the connection is made to an address that was looked at
    (`corral.tasks.webhooks.dialling`).
    """

    schemes: frozenset[str] = frozenset({"https"})
    """``https``, and ``http`` where deliveries without TLS are wanted."""
    ports: frozenset[int] = frozenset({443, 8443})
    """Ports that may be dialled; empty for all of them."""
    networks: Sequence[Network] = ()
    """Networks that may be reached though they are not public: partners behind a VPN, a test on this machine."""

    def target(self, url: str) -> Target:
        """The parts of a URL. Raises `TargetRefused` for what is no URL, or one that may not be delivered to.

        Parsed by the rules that browsers keep (the WHATWG's), so that ``http://0x7f.1`` is what it is: 127.0.0.1.
        """
        if len(url) > LONGEST_URL:
            raise TargetRefused("a URL", f"it is longer than {LONGEST_URL} characters")
        try:
            parsed = Url(url)
        except ValidationError as error:
            raise TargetRefused("a URL", error.errors()[0]["msg"]) from None
        if parsed.username or parsed.password:
            raise TargetRefused(_shown(parsed), "it has a user or a password: sign deliveries instead")
        if parsed.scheme not in self.schemes:
            raise TargetRefused(_shown(parsed), f"its scheme is not {' or '.join(sorted(self.schemes))}")
        if not parsed.host or parsed.fragment is not None:
            raise TargetRefused(_shown(parsed), "it needs a host, and no fragment")
        if not all(0 < len(label) < 64 for label in parsed.host.removesuffix(".").split(".")):
            raise TargetRefused(_shown(parsed), "its host is no name")
        target = Target(
            url=_shown(parsed),
            scheme=parsed.scheme,
            host=parsed.host.strip("[]"),
            port=parsed.port or DEFAULT_PORTS[parsed.scheme],
            path=(parsed.path or "/") + (f"?{parsed.query}" if parsed.query else ""),
        )
        if self.ports and target.port not in self.ports:
            raise TargetRefused(_shown(parsed), f"port {target.port} is not one of {sorted(self.ports)}")
        if (address := _address(target.host)) and not self.allows(address):
            raise TargetRefused(_shown(parsed), "its address is not public")
        return target

    def allows(self, address: Address) -> bool:
        """Whether this address may be dialled."""
        return is_public(address) or any(unwrapped(address) in network for network in self.networks)

    def check(self, host: str, addresses: Iterable[Address]) -> list[Address]:
        """All of the addresses of a host. Raises `TargetRefused` where one of them may not be dialled.

        The message does not say which one: it is shown to who asked for the URL.
        """
        found = list(addresses)
        if not found:
            raise TargetRefused(host, "it has no address")
        if not all(map(self.allows, found)):
            raise TargetRefused(host, "its address is not public")
        return found


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _shown(url: Url) -> str:
    """Scheme, host and port: what stands behind them may be a secret."""
    port = "" if url.port in (None, DEFAULT_PORTS.get(url.scheme)) else f":{url.port}"
    return f"{url.scheme}://{url.host or ''}{port}/"
