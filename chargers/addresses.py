"""Which CSMS addresses a charger may be pointed at (gateway contract, 8.1)."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

LONGEST = 500
LONGEST_SIGNED = 4_000  # URLs of storage services carry their own permission
# Link-local, and the metadata services of clouds that stand elsewhere.
NEVER = tuple(
    ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "168.63.129.16/32", "100.100.100.200/32")
)
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052
COMPATIBLE = ip_network("::/96")  # RFC 4291, 2.5.5.1
UNFIT = re.compile(r"[\x00-\x20\x7f\ud800-\udfff\\]")

Address = IPv4Address | IPv6Address


class AddressRefused(ValueError):
    """The message says why, fit for the caller."""


def check_csms_url(url: str) -> None:
    """Raises AddressRefused unless chargers of this installation may connect there.

    A name is judged by its spelling only: what it resolves to is judged when a charger connects.
    """
    parts = split(url)
    if parts.scheme not in ("ws", "wss"):
        raise AddressRefused("The URL must begin with ws:// or wss://.")
    if "@" in parts.netloc:
        raise AddressRefused("No user name or password in the URL.")
    if "#" in url:
        raise AddressRefused("No fragment (#) in the URL.")
    if not parts.hostname:
        raise AddressRefused("The URL names no host.")
    _judge_host(parts.hostname.rstrip("."))


def check_transfer_url(url: str) -> SplitResult:
    """The parts of a file server's URL that a CSMS has given. Raises AddressRefused for one never to be called.

    As with a CSMS's URL a name is judged by its spelling only; user name and password may stand in it.
    """
    parts = split(url, LONGEST_SIGNED)
    if parts.scheme not in ("http", "https", "ftp"):
        raise AddressRefused("The URL must begin with http://, https:// or ftp://.")
    if not parts.hostname:
        raise AddressRefused("The URL names no host.")
    _judge_host(parts.hostname.rstrip("."))
    return parts


def split(url: str, longest: int = LONGEST) -> SplitResult:
    """The parts of a URL that is fit to be stored and sent. Raises AddressRefused."""
    if len(url) > longest or UNFIT.search(url):
        raise AddressRefused(f"The URL must have at most {longest} characters, without spaces or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"This is no URL: {error}.") from None
    if port == 0:
        raise AddressRefused("Port 0 cannot be connected to.")
    return parts


def _judge_host(host: str) -> None:
    if host in METADATA_NAMES:
        raise AddressRefused("Metadata services are no CSMS.")
    address = numeric(host)
    if address is not None:
        judge(address)
    elif not settings.ALLOW_PRIVATE_CSMS and (host == "localhost" or host.endswith((".localhost", ".local"))):
        raise AddressRefused("This installation allows public addresses only.")


def numeric(host: str) -> Address | None:
    """The address if the host is one, also in the short spellings (`2130706433`, `0x7f.1`) that resolvers take."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host)) if host[:1].isdigit() else None
    except OSError:
        return None


def judge(address: Address, *, allow_private: bool | None = None) -> None:
    """Raises AddressRefused for link-local and metadata addresses, and for private ones where those are closed.

    `allow_private` is the setting for CSMS addresses unless given.
    """
    if isinstance(address, IPv6Address):
        address = _embedded(address) or address
    if any(address in network for network in NEVER) or address.is_multicast or address.is_unspecified:
        raise AddressRefused(f"The address {address} is not allowed: link-local, metadata or no host at all.")
    if not (settings.ALLOW_PRIVATE_CSMS if allow_private is None else allow_private) and not address.is_global:
        raise AddressRefused(f"The private address {address} is not allowed on this installation.")


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a router or the system makes of this one; None where it is an IPv6 address of its own."""
    if address in NAT64 or (address in COMPATIBLE and int(address) > 1):  # :: and ::1 are themselves
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
