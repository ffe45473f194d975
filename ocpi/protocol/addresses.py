"""Which addresses a peer may make this installation call (OCPI contract, 14)."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from django.conf import settings

from chargers.addresses import METADATA_NAMES, AddressRefused, judge, numeric, split

LONGEST = 255  # OCPI's URL is a string(255)
# Of its own, since an event loop waits at its end for the threads of its default one: a resolver may hang for long.
_resolvers = ThreadPoolExecutor(max_workers=64, thread_name_prefix="ocpi-resolve")


def check_peer_url(url: str) -> None:
    """Raises AddressRefused unless peers of this installation may name it.

    A name is judged by its spelling only: what it resolves to is judged when it is called.
    """
    parts = split(url)
    if not url.isascii():
        raise AddressRefused("A URL is ASCII: write other characters in percent escapes, host names in IDNA.")
    if parts.scheme not in ("http", "https"):
        raise AddressRefused("The URL must begin with http:// or https://.")
    if settings.OCPI_REQUIRE_HTTPS and parts.scheme != "https":
        raise AddressRefused("This installation calls https:// only.")
    if "@" in parts.netloc:
        raise AddressRefused("No user name or password in the URL.")
    if "#" in url:
        raise AddressRefused("No fragment (#) in the URL.")
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise AddressRefused("The URL names no host.")
    if host in METADATA_NAMES:
        raise AddressRefused("Metadata services are no peer.")
    address = numeric(host)
    if address is not None:
        judge(address, allow_private=settings.OCPI_ALLOW_PRIVATE_PEERS)
    elif not settings.OCPI_ALLOW_PRIVATE_PEERS and (host == "localhost" or host.endswith((".localhost", ".local"))):
        raise AddressRefused("This installation allows public addresses only.")


async def resolved(host: str, port: int) -> list[str]:
    """The addresses behind a name, each of them judged: whoever connects takes one of these, never the name again.

    Raises AddressRefused when any is not allowed, OSError when the name has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_resolvers, _addresses, host, port)
    for address in found:
        judge(ip_address(address.partition("%")[0]), allow_private=settings.OCPI_ALLOW_PRIVATE_PEERS)
    return found


def _addresses(host: str, port: int) -> list[str]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
