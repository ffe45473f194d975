"""Whether a driver's token may charge at a CPO's charger (OCPI contract, section 9).

Called by the house CSMS in a thread that may take its time. No database transaction is open while a peer is asked.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from chargers.back_office import TokenPresented, Verdict, back_office
from ocpi.cpo_settings import setting
from ocpi.following.holders import COMMAND_ONLY, NAMED, cdr_token_of, named_by
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
from ocpi.peer import client
from ocpi.peer.versions import binding
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
    "NOT_ALLOWED": "Invalid",
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
    known = list(Token.objects.filter(cpo=cpo, key_uid=question.id_tag).select_related("peer__cpo").order_by("id"))
    if known:
        return _by_token(question, _fitting(known))
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


def _fitting(known: list[Token]) -> Token:
    """A card in hand is an RFID where the same uid has several types."""
    return min(known, key=lambda token: (token.type != "RFID", token.pk))


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
    asks = token.whitelist == "NEVER" or token.whitelist == "ALLOWED_OFFLINE"
    asks = asks or (token.whitelist == "ALLOWED" and setting(question.cpo, "rta") == "prefer")
    if asks:
        verdict = _remembered(question) or _ask(question, token.peer, token.type, cdr_token_of(token), group)
        if verdict is not None or token.whitelist == "NEVER":
            return verdict or Verdict("Invalid")
    return Verdict("Accepted", group) if token.valid else Verdict("Blocked")


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
    """A token that nobody has told us of: every peer that answers such questions is asked, the first yes counts."""
    verdict = _remembered(question)
    if verdict is not None:
        return verdict
    refused: Verdict | None = None
    party = {"country_code": "", "party_id": "", "uid": question.presented.id_token, "type": "RFID", "contract_id": ""}
    for peer in Peer.objects.filter(cpo=question.cpo, state=PeerState.REGISTERED).select_related("cpo").order_by("id"):
        verdict = _ask(question, peer, "RFID", party, "")
        if verdict is not None and verdict.status == "Accepted":
            return verdict
        refused = refused or verdict
    return refused


def _ask(question: Question, peer: Peer, token_type: str, token: dict[str, Any], group: str) -> Verdict | None:
    """The peer's answer; None when it gave none (within 5 s), which is no refusal."""
    base = peer.endpoint("tokens", "SENDER")
    if base is None or peer.state not in (PeerState.REGISTERED, PeerState.OFFLINE):
        return None
    uid = token["uid"]
    body = _references(question)
    try:
        call = client.to_peer(
            peer,
            "POST",
            f"{base}/{uid}/authorize?type={token_type}",
            body,
            module="tokens",
            seconds=ASK_SECONDS,
        )
    except Unsealable:
        return None
    reply = client.send_blocking(call)
    client.record(question.cpo, call, reply)
    if reply.http == 404 or reply.status_code == binding(peer.version).unknown_token:
        return Verdict("Invalid")
    # A widespread implementation wraps the one object into a list.
    info = reply.data[0] if isinstance(reply.data, list) and len(reply.data) == 1 else reply.data
    if not reply.ok or not isinstance(info, dict):
        return None
    return _verdict(question, peer, binding(peer.version).authorization(info), token, group)


def _references(question: Question) -> dict[str, Any] | None:
    if not question.evses:
        return None
    location = question.evses[0].location
    return {"location_id": location.ocpi_id, "evse_uids": [evse.uid for evse in question.evses]}


def _verdict(question: Question, peer: Peer, info: dict[str, Any], token: dict[str, Any], group: str) -> Verdict:
    status = STATUS.get(str(info.get("allowed")), "Invalid")
    if status == "Accepted" and not _covers(question, info):
        status = "NotAtThisLocation"
    if status != "Accepted":
        return Verdict(status)
    told = info.get("token") if isinstance(info.get("token"), dict) else {}
    group = str((told or {}).get("group_id") or group)[:LONGEST_GROUP]
    _remember(question, peer, info, _holder(peer, token, told or {}), group)
    return Verdict("Accepted", group)


def _covers(question: Question, info: dict[str, Any]) -> bool:
    """An answer that lists EVSEs without the one in use is a refusal (OCPI contract, section 9)."""
    listed = (info.get("location") or {}).get("evse_uids") or []
    wanted = {str(uid).casefold() for uid in listed}
    return not wanted or any(evse.uid.casefold() in wanted for evse in question.evses)


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
