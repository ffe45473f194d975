"""How a peer gets registered, by either side's initiative, renews its credentials, and leaves (OCPI contract, 3).

While our answer to a POST is open we call the peer, and it may call us back: nothing is locked and no transaction is
open meanwhile. What must not happen twice is decided by conditional updates afterwards, in one short transaction, so a
failure anywhere leaves everything as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from chargers.addresses import AddressRefused
from ocpi import credentials
from ocpi.models import Cdr, Cpo, Credential, Peer, PeerRole, PeerState, Push, PushState, Session, Token
from ocpi.peer import links
from ocpi.protocol import client
from ocpi.protocol.addresses import check_peer_url
from ocpi.protocol.client import Call, Reply
from ocpi.protocol.envelope import (
    NO_MATCHING_ENDPOINTS,
    PEER_UNUSABLE,
    UNSUPPORTED_VERSION,
    InvalidField,
    Refusal,
    ServerFault,
    Unauthorized,
)
from ocpi.protocol.v221 import RECEIVER, SENDER
from ocpi.protocol.versions import BINDINGS, SUPPORTED, Binding
from ocpplab.api.errors import GatewayError
from ocpplab.sealing import Unsealable, seal

MODULE = "credentials"
OPPOSITE = {SENDER: RECEIVER, RECEIVER: SENDER}
UNFINISHED = timedelta(minutes=5)  # far longer than a registration takes
Json = dict[str, Any]


class RegistrationFailed(GatewayError):
    """The peer could not be registered with; the message says where it failed."""

    status = 502
    code = "peer_unusable"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a peer says of itself in a credentials object: its Token B, where its versions are, its parties."""

    version: Binding
    token: str = field(repr=False)
    versions_url: str
    roles: Sequence[Json]
    correlation_id: str = ""


# --- the peer starts ------------------------------------------------------------------------------------------------


def accept(token_a: Credential, offer: Offer) -> str:
    """Registers the peer and spends Token A. Returns the new Token C. Raises Refusal, then nothing has changed."""
    cpo = token_a.cpo
    _check_roles(cpo, offer.roles, None)
    endpoints = _endpoints(cpo, offer, None)
    with _parties_are_unique(), transaction.atomic():
        if not credentials.consume(token_a):
            raise Unauthorized  # another handshake was first, or the bundle has ended meanwhile
        peer = Peer(tenant_id=cpo.tenant_id, cpo=cpo)
        _store(peer, offer, endpoints)
        _inherit(peer)
        return credentials.mint(cpo, Credential.C, peer)


def renew(token_c: Credential, offer: Offer) -> str:
    """Takes over what the peer says now. Returns its new Token C; the old one is dead. Raises Refusal as `accept`."""
    cpo, peer = token_c.cpo, token_c.peer
    assert peer is not None, "Token C belongs to a peer"
    _check_roles(cpo, offer.roles, peer)
    endpoints = _endpoints(cpo, offer, peer)
    with _parties_are_unique(), transaction.atomic():
        if not credentials.revoke(token_c):
            raise Unauthorized
        credentials.revoke_of(peer)
        _store(peer, offer, endpoints)
        return credentials.mint(cpo, Credential.C, peer)


def _check_roles(cpo: Cpo, roles: Sequence[Json], peer: Peer | None) -> None:
    """Raises InvalidField for a party that is named twice, or held by another peer of this CPO."""
    parties = [_party(role) for role in roles]
    for index, party in enumerate(parties):
        if party in parties[:index]:
            raise InvalidField(f"roles[{index}]: the same role, country and party is named twice")
    others = PeerRole.objects.filter(cpo=cpo).exclude(peer=peer) if peer else PeerRole.objects.filter(cpo=cpo)
    held = set(others.values_list("role", "country_code", "party_id"))
    for index, party in enumerate(parties):
        if party in held:
            raise InvalidField(f"roles[{index}]: {' '.join(party)} is registered here by another peer")


def _party(role: Mapping[str, Any]) -> tuple[str, str, str]:
    return role["role"], role["country_code"].upper(), role["party_id"].upper()


@contextmanager
def _parties_are_unique() -> Iterator[None]:
    """Turns the database's objection to a party that another handshake has just taken into a refusal."""
    try:
        yield
    except IntegrityError as error:
        raise InvalidField("roles: one of the parties has just been registered here by another peer") from error


def _store(peer: Peer, offer: Offer, endpoints: list[Json]) -> None:
    peer.state = PeerState.REGISTERED
    peer.version = offer.version.number
    peer.versions_url = offer.versions_url
    peer.sealed_token = seal(offer.token)
    peer.roles = list(offer.roles)
    peer.endpoints = endpoints
    peer.failures = peer.rejections = 0
    peer.probe_at = peer.tokens_pulled_at = None
    peer.registered_at = peer.registered_at or timezone.now()
    peer.save()
    PeerRole.objects.filter(peer=peer).delete()
    for role, country, party in map(_party, offer.roles):
        PeerRole.objects.create(
            tenant_id=peer.tenant_id, cpo=peer.cpo, peer=peer, role=role, country_code=country, party_id=party
        )


def _inherit(peer: Peer) -> None:
    """Sessions and CDRs of parties that left and come back stay theirs."""
    parties = {_party(role) for role in peer.roles}
    former = Peer.objects.filter(cpo=peer.cpo, state=PeerState.UNREGISTERED)
    ids = [one.pk for one in former if one.roles and {_party(role) for role in one.roles} <= parties]
    if ids:
        Session.objects.filter(peer__in=ids).update(peer=peer)
        Cdr.objects.filter(peer__in=ids).update(peer=peer)


# --- asking the peer ------------------------------------------------------------------------------------------------


def _endpoints(cpo: Cpo, offer: Offer, peer: Peer | None) -> list[Json]:
    """What the peer offers in the version that was called. Raises ServerFault with the contract's codes."""
    asking = _Asking(cpo, peer, offer.token, offer.version, offer.correlation_id)
    listed = asking.versions(offer.versions_url)
    if offer.version.number not in listed:
        raise ServerFault(f"You do not offer version {offer.version.number}.", status_code=UNSUPPORTED_VERSION)
    return asking.details(listed[offer.version.number])


@dataclass(frozen=True, slots=True)
class _Asking:
    """GETs of a peer's versions and details with a token, each of them on the record."""

    cpo: Cpo
    peer: Peer | None
    token: str
    version: Binding
    correlation_id: str = ""
    encodes: bool | None = None

    def call(self, method: str, url: str, body: Any = None) -> Reply:
        call = Call(
            method,
            url,
            self.token,
            self.version.number,
            body,
            MODULE if body is not None else "versions",
            self.peer,
            correlation_id=self.correlation_id,
            encodes=self.encodes,
        )
        reply = client.send_blocking(call)
        client.record(self.cpo, call, reply)
        return reply

    def versions(self, url: str) -> dict[str, str]:
        """Version numbers with the URLs of their details. Raises ServerFault."""
        return _versions_in(self.call("GET", url), url)

    def details(self, url: str) -> list[Json]:
        """The endpoints behind that URL. Raises ServerFault when they cannot be had, or none pairs with ours."""
        reply = self.call("GET", url)
        data = reply.data if isinstance(reply.data, dict) else {}
        endpoints = data.get("endpoints")
        if not reply.ok or not isinstance(endpoints, list):
            raise _unusable("Your version details", url, reply)
        kept = [_endpoint(one, self.version) for one in endpoints]
        if not any(_pairs(one, self.version) for one in kept):
            message = "None of your modules pairs with one of ours."
            raise ServerFault(message, status_code=NO_MATCHING_ENDPOINTS)
        return kept


def _versions_in(reply: Reply, url: str) -> dict[str, str]:
    if not reply.ok or not isinstance(reply.data, list):
        raise _unusable("Your versions", url, reply)
    listed = {}
    for one in reply.data:
        if isinstance(one, dict) and isinstance(one.get("version"), str) and isinstance(one.get("url"), str):
            listed[one["version"]] = one["url"]
    return listed


def _unusable(what: str, url: str, reply: Reply) -> ServerFault:
    reason = reply.problem or "the data is not what the standard asks for"
    return ServerFault(f"{what} at {url} cannot be used: {reason}", status_code=PEER_UNUSABLE)


def _endpoint(given: Any, version: Binding) -> Json:
    """One entry of version details, checked. Raises ServerFault for one that can never be called."""
    try:
        entry = {"identifier": str(given["identifier"])[:64], "url": str(given["url"])}
        check_peer_url(entry["url"])
    except (KeyError, TypeError, AddressRefused) as error:
        message = f"Your version details hold an endpoint that cannot be used: {error}"
        raise ServerFault(message, status_code=PEER_UNUSABLE) from None
    role = given.get("role")
    if version.routes and isinstance(role, str):  # 2.1.1 knows no roles
        entry["role"] = role
    return entry


def _pairs(endpoint: Json, version: Binding) -> bool:
    """Whether it is the other side of a module of ours: their receiver for our sender, and the reverse."""
    name = endpoint["identifier"]
    ours = version.modules.get(name)
    return ours is not None and name != MODULE and endpoint.get("role", OPPOSITE[ours]) == OPPOSITE[ours]


# --- we start -------------------------------------------------------------------------------------------------------


def register(cpo: Cpo, versions_url: str, token_a: str) -> Peer:
    """Registers this CPO at a platform with the Token A it gave us. Raises RegistrationFailed; nothing stays behind.

    Called without a transaction: while our POST is open the platform calls us with the token that it carries.
    """
    try:
        check_peer_url(versions_url)
        version, endpoints, asking = _agree(cpo, versions_url, token_a)
        peer = Peer.objects.create(cpo=cpo, version=version.number, versions_url=versions_url)
        try:
            return _post(cpo, peer, version, endpoints, asking)
        except BaseException:
            peer.delete()  # and the token that it was given, with it
            raise
    except (Refusal, AddressRefused) as error:
        raise RegistrationFailed(f"Registration failed: {error}".replace("Your ", "Their ")) from error


def drop_unfinished() -> None:
    """For beat: clears away what processes left that died in the middle of a registration, with its live token."""
    before = timezone.now() - UNFINISHED
    Peer.objects.unscoped().filter(state=PeerState.REGISTERING, created_at__lt=before).delete()


def _agree(cpo: Cpo, versions_url: str, token_a: str) -> tuple[Binding, list[Json], _Asking]:
    """The newest version that both sides offer, and what the platform offers in it. Raises Refusal."""
    ours = [BINDINGS[one] for one in reversed(SUPPORTED) if one in cpo.offered]
    reply = _first_versions(cpo, versions_url, token_a, ours)
    listed = _versions_in(reply, versions_url)
    version = next((one for one in ours if one.number in listed), None)
    if version is None:
        offered = ", ".join(listed) or "none"
        raise ServerFault(f"They offer {offered}, we {cpo.versions}.", status_code=UNSUPPORTED_VERSION)
    asking = _Asking(cpo, None, token_a, version)
    return version, asking.details(listed[version.number]), asking


def _first_versions(cpo: Cpo, url: str, token: str, ours: list[Binding]) -> Reply:
    """GET versions before any is agreed: in the form of our newest one, in the other where that is refused."""
    newest = ours[0]
    reply = _Asking(cpo, None, token, newest).call("GET", url)
    if reply.http == 401 and len({one.encodes_tokens for one in ours}) > 1:
        return _Asking(cpo, None, token, newest, encodes=not newest.encodes_tokens).call("GET", url)
    return reply


def _post(cpo: Cpo, peer: Peer, version: Binding, endpoints: list[Json], asking: _Asking) -> Peer:
    """POSTs our credentials with a token that works at once, and stores what comes back. Raises Refusal."""
    url = next((one["url"] for one in endpoints if one["identifier"] == MODULE), None)
    if url is None:
        raise ServerFault("They list no credentials endpoint.", status_code=NO_MATCHING_ENDPOINTS)
    ours = version.credentials(cpo, credentials.mint(cpo, Credential.C, peer), links.versions_url(cpo))
    reply = asking.call("POST", url, ours)
    if not reply.ok:
        raise _unusable("Your credentials", url, reply)
    problems = list(version.shapes.CREDENTIALS.check(reply.data, "data"))
    if problems:
        raise ServerFault(f"Your credentials are not valid: {'; '.join(problems[:3])}", status_code=PEER_UNUSABLE)
    offer = Offer(version, reply.data["token"], reply.data["url"], version.roles(reply.data))
    check_peer_url(offer.versions_url)
    _check_roles(cpo, offer.roles, peer)
    with _parties_are_unique(), transaction.atomic():
        _store(peer, offer, endpoints)
        _inherit(peer)
    return peer


# --- the end --------------------------------------------------------------------------------------------------------


def forget(peer: Peer) -> None:
    """Drops Token B, Token C, the peer's tokens and all that waits for it, at once. Sessions and CDRs stay."""
    with transaction.atomic():
        credentials.revoke_of(peer)
        PeerRole.objects.filter(peer=peer).delete()
        Token.objects.filter(peer=peer).delete()
        waiting = Push.objects.filter(peer=peer, state=PushState.WAITING)
        waiting.update(state=PushState.GIVEN_UP, finished_at=timezone.now(), problem="the peer has left")
        peer.state, peer.sealed_token, peer.endpoints = PeerState.UNREGISTERED, "", []
        peer.unregistered_at = timezone.now()
        peer.save()


def unregister(peer: Peer) -> Reply | None:
    """Forgets the peer, then tells it so as well as may be (10 s at most). None when there was no way to tell it."""
    farewell = _farewell(peer)
    forget(peer)
    if farewell is None:
        return None
    reply = client.send_blocking(farewell)
    client.record(peer.cpo, farewell, reply)
    return reply


def _farewell(peer: Peer) -> Call | None:
    url = next((one["url"] for one in peer.endpoints if one["identifier"] == MODULE), None)
    if url is None or not peer.sealed_token:
        return None
    try:
        return client.to_peer(peer, "DELETE", url, module=MODULE)
    except Unsealable:
        return None
