"""Message ids and routing headers of 2.2 and later, which 2.1.1 does not know (OCPI contract, 4.3)."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ocpi.cpo_settings import setting
from ocpi.models import Cpo, Peer, PeerRole
from ocpi.protocol.envelope import InvalidField

logger = logging.getLogger(__name__)

REQUEST_ID, CORRELATION_ID = "X-Request-ID", "X-Correlation-ID"
FROM_COUNTRY, FROM_PARTY = "OCPI-from-country-code", "OCPI-from-party-id"
TO_COUNTRY, TO_PARTY = "OCPI-to-country-code", "OCPI-to-party-id"
UNROUTED = frozenset({"", "versions", "credentials", "hubclientinfo"})
LONGEST_ID = 64
NO_ROUTING = "2.1.1"


@dataclass(frozen=True, slots=True)
class MessageIds:
    """As the caller sent them (they are echoed), made up where it sent none."""

    request_id: str
    correlation_id: str

    @classmethod
    def of(cls, request: HttpRequest) -> "MessageIds":
        return cls(_id(request, REQUEST_ID), _id(request, CORRELATION_ID))

    def headers(self) -> dict[str, str]:
        return {REQUEST_ID: self.request_id, CORRELATION_ID: self.correlation_id}


def _id(request: HttpRequest, name: str) -> str:
    return request.headers.get(name, "")[:LONGEST_ID] or str(uuid.uuid4())


def echoed(request: HttpRequest, version: str | None) -> dict[str, str]:
    """The ids that the caller sent, for answers that make up none; 2.1.1 does not know them."""
    if version == NO_ROUTING:
        return {}
    return {
        name: request.headers[name][:LONGEST_ID] for name in (REQUEST_ID, CORRELATION_ID) if name in request.headers
    }


Party = tuple[str, str]


def emsp_parties(peer: Peer) -> list[Party]:
    """Its eMSP roles, upper-cased, in the order it gave them: the parties that may own tokens."""
    return [_named(role) for role in peer.roles if role["role"] == "EMSP"]


def _named(role: Mapping[str, Any]) -> Party:
    return role["country_code"].upper(), role["party_id"].upper()


def speakers(peer: Peer) -> list[Party]:
    """Whom the peer may speak for: its eMSP roles, or all its roles where none is an eMSP."""
    return emsp_parties(peer) or [_named(role) for role in peer.roles]


def from_party(request: HttpRequest, peer: Peer) -> Party:
    """Which of the peer's parties speaks: the from-headers say, else it is the first.

    While we register at a platform it may call us before it has named any: then the headers are believed.
    """
    named = _party(request, FROM_COUNTRY, FROM_PARTY)
    parties = speakers(peer)
    return named if named in parties or not parties else parties[0]


def _party(request: HttpRequest, country: str, party: str) -> Party:
    return request.headers.get(country, "").upper(), request.headers.get(party, "").upper()


def check_to(request: HttpRequest, cpo: Cpo) -> None:
    """Some clients put their own party into the to-headers: refused in strict routing only."""
    named = _party(request, TO_COUNTRY, TO_PARTY)
    if named in (("", ""), (cpo.country_code, cpo.party_id)):
        return
    if PeerRole.objects.filter(cpo=cpo, country_code=named[0][:3], party_id=named[1][:4]).exists():
        return
    if setting(cpo, "strict_routing"):
        raise InvalidField(f"{TO_COUNTRY}, {TO_PARTY}: {named[0]}*{named[1]} is not known here")
    logger.info("ocpi request to a party nobody knows", extra={"cpo": cpo.pk, "to": "*".join(named)[:20]})


def answer_headers(cpo: Cpo, party: Party) -> dict[str, str]:
    return _routed((cpo.country_code, cpo.party_id), party)


def call_headers(cpo: Cpo, peer: Peer, party: Party | None = None) -> dict[str, str]:
    """Of a request of ours to that peer: to the party that it concerns, to its first one otherwise."""
    parties = speakers(peer)
    wanted = (party[0].upper(), party[1].upper()) if party else None
    return _routed((cpo.country_code, cpo.party_id), wanted if wanted in parties else parties[0])


def _routed(sender: Party, receiver: Party) -> dict[str, str]:
    return {FROM_COUNTRY: sender[0], FROM_PARTY: sender[1], TO_COUNTRY: receiver[0], TO_PARTY: receiver[1]}
