"""What a station proves itself by and what it trusts (behaviour contract, 1.2), as data; and who keeps its secrets."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

SECTION = "security"
BASIC, TLS_BASIC, TLS_CERTIFICATE = 1, 2, 3  # security profiles; 0 is none
BAD_CERTIFICATE = 1015  # RFC 6455, 7.4.1: the TLS handshake failed; here: the CSMS's certificate was not accepted

# Why a TLS session did not come about, in the words that a refused connection is told with.
NO_TLS_VERSION = "The CSMS speaks no TLS version that the charger accepts: 1.2 or later."
NO_CIPHER_SUITE = "The CSMS and the charger have no TLS cipher suite in common, or it wants a client certificate."


class Security(msgspec.Struct, frozen=True):
    """A charger's security as it stands. `password` and `key` are sealed; certificates are PEM, "" for none.

    `revision` is the installer's: a higher one replaces what the CSMS has changed since. `ca_certificate` may hold
    several certificates, `certificate` the chain behind it.
    """

    revision: int = 0
    profile: int = 0
    password: str = ""
    ca_certificate: str = ""
    certificate: str = ""
    key: str = ""
    insecure: bool = False


class Credentials(msgspec.Struct, frozen=True):
    """What the next connection is made with, in clear: never stored, never logged.

    `url` is another endpoint than the charger's own, "" for that. `authorization` is the header's value. Without
    `roots` the system's trust counts. `expired`: an expired copy of the certificate is to be presented.
    """

    profile: int = 0
    url: str = ""
    authorization: str = ""
    roots: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    insecure: bool = False
    expired: bool = False


class SigningRequest(msgspec.Struct, frozen=True):
    """A fresh key pair and the PKCS #10 request for it, all PEM."""

    key: str
    public_key: str
    csr: str


class Vault(Protocol):
    """What a pure station cannot do itself: it takes a key from outside, or randomness."""

    def seal(self, text: str) -> str:
        """The secret as it may be stored."""

    def unseal(self, sealed: str) -> str:
        """Raises ValueError, with a sentence for people, when the text cannot be read any more."""

    def request(self, common_name: str, organization: str) -> SigningRequest: ...


class NoVault:
    """The vault of a station that was given none: it keeps no secrets rather than keep them in clear."""

    def seal(self, text: str) -> str:
        raise RuntimeError("This station was built without a vault for its secrets.")

    unseal = seal

    def request(self, common_name: str, organization: str) -> SigningRequest:
        raise RuntimeError("This station was built without a vault for its secrets.")


def effective(installed: Security, memory: Mapping[str, Any]) -> Security:
    """What counts: the CSMS's changes since, kept in the station's memory, unless the installer came back later."""
    saved = memory.get(SECTION)
    if saved is None or saved["set"].get("revision", 0) < installed.revision:
        return installed
    return msgspec.convert(saved["set"], Security)
