"""Who calls: the Authorization header, in the forms that the versions ask for (OCPI contract, 4.1)."""

import binascii
import re
import time
from base64 import b64decode
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from ocpi import credentials
from ocpi.cpo_settings import setting
from ocpi.models import Cpo, Credential, Peer
from ocpi.protocol.envelope import TooMany, Unauthorized
from ocpi.protocol.versions import BINDINGS
from tenants.throttling import Rate

LONGEST_HEADER = 400
HEADER = re.compile(r"Token +(\S+) *", re.IGNORECASE)
UNKNOWN = "The token is missing, unknown or not valid here."
MUST_BE_BASE64 = "In this version the token must be Base64 encoded: Authorization: Token <Base64 of the token>."
MUST_BE_RAW = "In this version the token must be sent as it is, without Base64: Authorization: Token <the token>."


@dataclass(frozen=True, slots=True)
class Caller:
    """The peer, or whoever holds Token A. `token` is what was presented: for GET credentials, never for keeping."""

    cpo: Cpo
    credential: Credential
    peer: Peer | None
    token: str

    @property
    def is_registered(self) -> bool:
        return self.credential.kind == Credential.C


def authenticate(request: HttpRequest, cpo_id: int, version: str | None) -> Caller:
    """The caller of an URL of that CPO; `version` None on the versions endpoint, where either form is fine.

    Raises Unauthorized, whatever is wrong, and TooMany when its address fails too often.
    """
    try:
        return _caller(request.headers.get("Authorization", ""), cpo_id, version)
    except Unauthorized:
        _count_failure(request.META.get("REMOTE_ADDR", ""))
        raise


def _caller(header: str, cpo_id: int, version: str | None) -> Caller:
    match = HEADER.fullmatch(header) if len(header) <= LONGEST_HEADER else None
    if match is None:
        raise Unauthorized(UNKNOWN)
    for token, in_base64 in ((decoded(match[1]), True), (match[1], False)):
        found = None if token is None else credentials.find(cpo_id, token)
        if token is not None and found is not None:
            _check_form(found.cpo, version, in_base64)
            return Caller(found.cpo, found, found.peer, token)
    raise Unauthorized(UNKNOWN)


def _check_form(cpo: Cpo, version: str | None, in_base64: bool) -> None:
    """Either form will do before a version is known, for one that is not offered, and where the CPO is lenient."""
    if version not in cpo.offered or BINDINGS[version].encodes_tokens == in_base64 or setting(cpo, "lenient_auth"):
        return
    raise Unauthorized(MUST_BE_RAW if in_base64 else MUST_BE_BASE64)


def decoded(text: str) -> str | None:
    """The token behind Base64 (RFC 4648, 4), without a trailing newline; None where it is no Base64 of a text."""
    try:
        return b64decode(text, validate=True).decode("utf-8").rstrip("\r\n")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _count_failure(address: str) -> None:
    """Counts in fixed windows, per source address; valid tokens are never held up. Raises TooMany."""
    if not settings.OCPI_FAILED_AUTH_LIMIT:
        return
    rate = Rate.parse(settings.OCPI_FAILED_AUTH_LIMIT)
    window, passed = divmod(time.time(), rate.seconds)
    key = f"ocpi-auth:{_network(address)}:{int(window)}"
    cache.add(key, 0, timeout=rate.seconds + 1)
    try:
        failures = cache.incr(key)
    except ValueError:  # it expired between the two
        return
    if failures > rate.requests:
        raise TooMany(int(rate.seconds - passed) + 1)


def _network(address: str) -> str:
    """The address as a word that fits any cache."""
    try:
        return ip_address(address.partition("%")[0]).exploded
    except ValueError:
        return "unknown"
