"""Where a charger may connect to: names are resolved here, and every address is judged before a socket opens."""

import asyncio
import socket
import ssl
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from django.conf import settings
from websockets.uri import WebSocketURI

CACHE_SECONDS = 5.0  # a fleet that starts together asks the resolver once
NEVER = tuple(
    ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "168.63.129.16/32", "100.100.100.200/32")
)  # link-local, and the metadata services of clouds that stand elsewhere


class AddressRefused(OSError):
    """The CSMS's name leads to an address that chargers of this installation may not reach."""


class Address(NamedTuple):
    host: str
    port: int


class Resolver:
    """Names to vetted addresses, remembered for a few seconds."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[float, list[Address]]] = {}

    async def resolve(self, uri: WebSocketURI) -> list[Address]:
        """Addresses to try, in order. Raises OSError for an unknown name, AddressRefused for a forbidden address."""
        loop = asyncio.get_running_loop()
        key = (uri.host, uri.port)
        until, addresses = self._known.get(key, (0.0, []))
        if until < loop.time():
            found = await loop.getaddrinfo(uri.host, uri.port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(Address(str(entry[4][0]), uri.port) for entry in found))
            self._known[key] = (loop.time() + CACHE_SECONDS, addresses)
        for address in addresses:
            judge(address.host)
        return addresses


def judge(host: str) -> None:
    """Raises AddressRefused for link-local and metadata addresses, and for private ones where those are closed."""
    address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in NEVER) or address.is_multicast or address.is_unspecified:
        raise AddressRefused(f"The address {address} is not allowed: link-local, metadata or no host at all.")
    if not settings.ALLOW_PRIVATE_CSMS and not address.is_global:
        raise AddressRefused(f"The private address {address} is not allowed on this installation.")


@cache
def tls_context() -> ssl.SSLContext:
    """System trust, host names checked. OCPP security profiles 2 and 3 demand TLS 1.2 or later."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
