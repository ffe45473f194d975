"""Whether a driver's token may charge at a CPO's charger (OCPI contract, section 9).

Called by the house CSMS in a thread that may take its time. No database transaction is open while a peer is asked.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.utils import timezone

from chargers.back_office import TokenPresented, Verdict, back_office
from ocpi.charging.holders import COMMAND_ONLY, NAMED, cdr_token_of, named_by
from ocpi.cpo_settings import setting
from ocpi.models import (
    AuthMethod,
    Authorization,
    Cpo,
    Evse,
    Peer,
    PeerState,
    Session,
    SessionStatus,
    Token,
)
from ocpi.protocol import client
from ocpi.protocol.client import Call, Reply
from ocpi.protocol.versions import binding
from ocpplab.sealing import Unsealable

log = logging.getLogger(__name__)
ASK_SECONDS = 5.0
REMEMBER_SECONDS = 5.0
LONGEST_GROUP = 36
LONGEST_REFERENCE = 36

# AuthorizationInfo.allowed in the words of OCPP 2.0.1; 1.6 knows fewer and makes Invalid of the others.
STATUS = {
    "ALLOWED": "Accepted",
    "BLOCKED": "Blocked",
    "EXPIRED": "Expired",
    "NO_CREDIT": "NoCredit",
    "NOT_ALLOWED": "NotAtThisLocation",
}

_endpoints: dict[int, tuple[float, int | None]] = {}


@dataclass(frozen=True, slots=True)
class Question:
    """A token at one of a CPO's chargers; `evses` are those it may be about."""

    cpo: Cpo
    presented: TokenPresented
    evses: Sequence[Evse]

    @property
    def id_tag(self) -> str:
        return self.presented.id_token.upper()

    @property
    def evse_ids(self) -> list[int]:
        return [evse.pk for evse in self.evses]


def judge(presented: TokenPresented) -> Verdict | None:
    """None where the endpoint is no CPO's, or where the CPO's own card list is to decide."""
    cpo = _cpo_of(presented.endpoint, presented.tenant)
    if cpo is None:
        return None
    question = Question(cpo, presented, _evses(cpo, presented))
    if _named_by_command(question):
        return Verdict("Accepted", _group_of_command(question))
    token = _known(question)
    if presented.ends:
        return _at_the_end(question, token)
    if token is not None:
        return _by_token(question, token)
    if any(card.id_token.upper() == question.id_tag for card in back_office().cards(presented.endpoint)):
        return None
    return _ask_everybody(question)


def _cpo_of(endpoint: int, tenant: UUID) -> Cpo | None:
    """The CPO of an endpoint; that there is none is remembered for a few seconds."""
    until, _ = _endpoints.get(endpoint, (0.0, None))
    if until > time.monotonic():
        return None
    cpo: Cpo | None = Cpo.objects.filter(csms_endpoint=endpoint, destroyed_at=None).first()
    if cpo is None:
        _endpoints[endpoint] = (time.monotonic() + REMEMBER_SECONDS, None)
    return cpo


def _evses(cpo: Cpo, presented: TokenPresented) -> list[Evse]:
    rows = Evse.objects.filter(cpo=cpo, charger__identity=presented.identity)
    if presented.place is not None:
        evse_id, connector_id = presented.place
        here = rows.filter(outlet_evse=evse_id, outlet_connector=connector_id)
        rows = here if here.exists() else rows
    return list(rows.select_related("location"))


def _known(question: Question) -> Token | None:
    """What a peer has told of it. A card in hand is an RFID where the same uid has several types."""
    rows = Token.objects.filter(cpo=question.cpo, key_uid=question.id_tag).select_related("peer__cpo")
    return min(rows.order_by("id"), key=lambda token: token.type != "RFID", default=None)


# --- without asking ---------------------------------------------------------------------------------------------------


def _named_by_command(question: Question) -> bool:
    """A command or a reservation has authorized it already, or the charger asks a second time about the same start."""
    if _expected(question).exists():
        return True
    return named_by(question.cpo, question.id_tag, timezone.now(), question.evse_ids) is not None


def _expected(question: Question) -> Any:
    waiting = (SessionStatus.PENDING, SessionStatus.RESERVATION)
    return Session.objects.filter(evse__in=question.evse_ids, status__in=waiting, id_tag__iexact=question.id_tag)


def _group_of_command(question: Question) -> str:
    command = named_by(question.cpo, question.id_tag, timezone.now(), question.evse_ids)
    group = command.context["token"].get("group_id") if command is not None else ""
    return str(group or "")[:LONGEST_GROUP]


def _by_token(question: Question, token: Token) -> Verdict:
    group = token.group_id
    if token.type in COMMAND_ONLY:
        return Verdict("Accepted", group)
    if _is_asked_about(question, token):
        verdict = _remembered(question) or _ask(question, token.peer, token.type, cdr_token_of(token), group)
        if verdict is not None or token.whitelist == "NEVER":
            return verdict or Verdict("Invalid")
    return _as_cached(token)


def _is_asked_about(question: Question, token: Token) -> bool:
    if token.whitelist == "ALLOWED":
        return bool(setting(question.cpo, "rta") == "prefer")
    return token.whitelist in ("NEVER", "ALLOWED_OFFLINE")


def _as_cached(token: Token) -> Verdict:
    return Verdict("Accepted", token.group_id) if token.valid else Verdict("Blocked")


def _at_the_end(question: Question, token: Token | None) -> Verdict | None:
    """Who ends a session is let in nowhere, so no peer is asked: that the token was let in is enough."""
    if token is not None and not _is_asked_about(question, token):
        return _as_cached(token)
    if _was_let_in(question):
        return Verdict("Accepted", "" if token is None else token.group_id)
    return None if token is None else _as_cached(token)


def _was_let_in(question: Question) -> bool:
    running = Session.objects.filter(evse__in=question.evse_ids, status=SessionStatus.ACTIVE)
    asked = Authorization.objects.filter(cpo=question.cpo, identity=question.presented.identity)
    return running.filter(id_tag__iexact=question.id_tag).exists() or asked.filter(id_tag=question.id_tag).exists()


# --- asking -----------------------------------------------------------------------------------------------------------


def _remembered(question: Question) -> Verdict | None:
    """What was just allowed at this charger: Authorize and the start that follows it are one authorization."""
    since = timezone.now() - NAMED
    rows = Authorization.objects.filter(cpo=question.cpo, id_tag=question.id_tag, at__gte=since)
    row = rows.filter(identity=question.presented.identity).order_by("-id").first()
    if row is None or question.presented.place is None:
        return None  # an Authorize of its own is always asked about
    return Verdict("Accepted", row.group_id)


def _ask_everybody(question: Question) -> Verdict | None:
    """A token that nobody has told us of: all peers that answer such questions are asked at once, so that a slow one
    costs no more than its 5 s; the first yes counts."""
    verdict = _remembered(question)
    if verdict is not None:
        return verdict
    token = {"country_code": "", "party_id": "", "uid": question.presented.id_token, "type": "RFID", "contract_id": ""}
    peers = Peer.objects.filter(cpo=question.cpo, state=PeerState.REGISTERED).select_related("cpo").order_by("id")
    asked = [(peer, call) for peer in peers if (call := _call(question, peer, "RFID", token)) is not None]
    replies = client.send_all_blocking(
        [call for _, call in asked], enough=lambda call, reply: _status(question, call.version, reply) == "Accepted"
    )
    found: Verdict | None = None
    for (peer, call), reply in zip(asked, replies, strict=True):
        client.record(question.cpo, call, reply)
        if found is None or found.status != "Accepted":
            verdict = _verdict(question, peer, reply, token, "")
            found = verdict if verdict is not None and verdict.status == "Accepted" else found or verdict
    return found


def _ask(question: Question, peer: Peer, token_type: str, token: dict[str, Any], group: str) -> Verdict | None:
    """The peer's answer; None when it gave none (within 5 s), which is no refusal."""
    call = _call(question, peer, token_type, token)
    if call is None:
        return None
    reply = client.send_blocking(call)
    client.record(question.cpo, call, reply)
    return _verdict(question, peer, reply, token, group)


def _call(question: Question, peer: Peer, token_type: str, token: dict[str, Any]) -> Call | None:
    """The question to that peer; None where it answers none."""
    base = peer.endpoint("tokens", "SENDER")
    if base is None or peer.state not in (PeerState.REGISTERED, PeerState.OFFLINE):
        return None
    url = f"{base}/{quote(token['uid'], safe='')}/authorize?type={quote(token_type)}"  # a card may hold anything
    try:
        return client.to_peer(
            peer,
            "POST",
            url,
            _references(question),
            module="tokens",
            seconds=ASK_SECONDS,
            party=(token["country_code"], token["party_id"]),
        )
    except Unsealable:
        return None


def _references(question: Question) -> dict[str, Any] | None:
    if not question.evses:
        return None
    location = question.evses[0].location
    return {"location_id": location.ocpi_id, "evse_uids": [evse.uid for evse in question.evses]}


def _info(version: str, reply: Reply) -> dict[str, Any] | None:
    """The AuthorizationInfo in 2.2.1's words; None where the answer holds none."""
    # A widespread implementation wraps the one object into a list.
    info = reply.data[0] if isinstance(reply.data, list) and len(reply.data) == 1 else reply.data
    return binding(version).authorization(info) if reply.ok and isinstance(info, dict) else None


def _status(question: Question, version: str, reply: Reply) -> str | None:
    """What the reply comes to, in the words of OCPP 2.0.1; None where it is no answer."""
    if reply.http == 404 or reply.status_code == binding(version).unknown_token:
        return "Invalid"
    info = _info(version, reply)
    if info is None:
        return None
    status = STATUS.get(str(info.get("allowed")), "Invalid")
    listed = _listed(info)
    covered = not listed or any(evse.uid.casefold() in listed for evse in question.evses)
    return status if status != "Accepted" or covered else "NotAtThisLocation"


def _listed(info: dict[str, Any]) -> set[str]:
    """The EVSEs that an answer is about, none if about all: any other is refused (OCPI contract, section 9)."""
    location = info.get("location")
    uids = location.get("evse_uids") if isinstance(location, dict) else None
    return {str(uid).casefold() for uid in uids} if isinstance(uids, list) else set()


def _verdict(question: Question, peer: Peer, reply: Reply, token: dict[str, Any], group: str) -> Verdict | None:
    status, info = _status(question, peer.version, reply), _info(peer.version, reply)
    if status != "Accepted" or info is None:
        return None if status is None else Verdict(status)
    told = info.get("token")
    told = told if isinstance(told, dict) else {}
    group = str(told.get("group_id") or group)[:LONGEST_GROUP]
    listed = _listed(info)
    if not listed or all(evse.uid.casefold() in listed for evse in question.evses):
        # Else it is asked again once it is known which EVSE it is.
        _remember(question, peer, info, _holder(peer, token, told), group)
    return Verdict("Accepted", group)


def _holder(peer: Peer, token: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The CdrToken: of what the peer says, else of what is stored, else of its first eMSP role."""
    role = next((one for one in peer.roles if one.get("role") == "EMSP"), peer.roles[0] if peer.roles else {})
    return {
        "country_code": told.get("country_code") or token["country_code"] or role.get("country_code", ""),
        "party_id": told.get("party_id") or token["party_id"] or role.get("party_id", ""),
        "uid": told.get("uid") or token["uid"],
        "type": told.get("type") or token["type"],
        "contract_id": told.get("contract_id") or token["contract_id"] or token["uid"],
    }


def _remember(question: Question, peer: Peer, info: dict[str, Any], holder: dict[str, Any], group: str) -> None:
    Authorization.objects.create(
        cpo=question.cpo,
        peer=peer,
        identity=question.presented.identity,
        id_tag=question.id_tag,
        cdr_token=holder,
        method=AuthMethod.AUTH_REQUEST,
        reference=str(info.get("authorization_reference") or "")[:LONGEST_REFERENCE],
        group_id=group,
        at=timezone.now(),
    )
