"""Where a charger may connect to: names are resolved here, and every address is judged before a socket opens."""

import asyncio
import socket
from ipaddress import ip_address
from typing import NamedTuple

from websockets.uri import WebSocketURI

from chargers import addresses

CACHE_SECONDS = 5.0  # a fleet that starts together asks the resolver once


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
        until, vetted = self._known.get(key, (0.0, []))
        if until < loop.time():
            found = await loop.getaddrinfo(uri.host, uri.port, type=socket.SOCK_STREAM)
            vetted = list(dict.fromkeys(Address(str(entry[4][0]), uri.port) for entry in found))
            self._known[key] = (loop.time() + CACHE_SECONDS, vetted)
        for address in vetted:
            judge(address.host)
        return vetted


def judge(host: str) -> None:
    """The rule for URLs (`chargers.addresses`), applied to what a name has led to; raises AddressRefused."""
    try:
        addresses.judge(ip_address(host.partition("%")[0]))
    except addresses.AddressRefused as refusal:
        raise AddressRefused(str(refusal)) from None
