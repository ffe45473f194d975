"""Whose token it is that started a transaction, and by what right (OCPI contract, sections 7 and 9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chargers.models import Transaction
from ocpi.models import AuthMethod, Authorization, Cpo, Evse, Peer, PeerCommand, Session, SessionStatus, Token

NAMED = timedelta(minutes=15)  # so long a command opens its EVSE to the token that it named
START = "START_SESSION"
COMMAND_ONLY = ("APP_USER", "AD_HOC_USER")  # no card: only the peer's own app can have used it


@dataclass(frozen=True, slots=True)
class Holder:
    """`peer` is None for the CPO's own cards. `session` is one that waited for this transaction."""

    peer: Peer | None
    cdr_token: dict[str, Any]
    method: str
    reference: str = ""
    correlation_id: str = ""
    session: Session | None = None
    command: PeerCommand | None = None


def cdr_token(token: dict[str, Any]) -> dict[str, Any]:
    """The CdrToken of a whole token in the words of 2.2.1."""
    return {name: token[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}


def holder_of(cpo: Cpo, evse: Evse, transaction: Transaction, identity: str) -> Holder:
    found = (
        _waiting_session(evse, transaction, identity)
        or _by_command(evse, transaction)
        or _by_authorization(cpo, transaction, identity)
        or _by_token(cpo, transaction)
    )
    return found or Holder(None, own_card(cpo, transaction.id_tag), AuthMethod.WHITELIST)


def own_card(cpo: Cpo, id_tag: str) -> dict[str, Any]:
    """A card of the CPO itself, told as a token of its own party."""
    party = {"country_code": cpo.country_code, "party_id": cpo.party_id}
    return party | {"uid": id_tag, "type": "RFID", "contract_id": id_tag}


def _waiting_session(evse: Evse, transaction: Transaction, identity: str) -> Holder | None:
    """One that a command or a reservation has opened."""
    waiting = Session.objects.filter(evse=evse, transaction=None)
    waiting = waiting.filter(status__in=[SessionStatus.PENDING, SessionStatus.RESERVATION])
    for session in waiting.select_related("peer").order_by("-id").select_for_update(of=("self",), no_key=True):
        if session.id_tag.casefold() == transaction.id_tag.casefold():
            return Holder(
                session.peer,
                session.cdr_token,
                _method(session, evse, transaction, identity),
                session.authorization_reference,
                session.correlation_id,
                session,
            )
    return None


def _method(session: Session, evse: Evse, transaction: Transaction, identity: str) -> str:
    """Who comes to a reserved EVSE with a card of the white list charges by that (OCPI 2.2.1, 10.3.1: the last method
    counts); a start that was commanded stays one."""
    is_reserved = session.status == SessionStatus.RESERVATION
    if not is_reserved or named_by(evse.cpo, transaction.id_tag, transaction.started_at, [evse.pk]):
        return session.auth_method
    shown = _by_authorization(evse.cpo, transaction, identity) or _by_token(evse.cpo, transaction)
    return session.auth_method if shown is None or shown.peer != session.peer else shown.method


def _by_command(evse: Evse, transaction: Transaction) -> Holder | None:
    """A start that the charger was quicker to do than we to hear its answer, or a token named a while ago."""
    command = named_by(evse.cpo, transaction.id_tag, transaction.started_at, [evse.pk])
    if command is None:
        return None
    token = command.context["token"]
    reference = command.context.get("authorization_reference") or ""
    fresh = command.session_id is None and not command.context.get("over")
    return Holder(
        command.peer,
        cdr_token(token),
        AuthMethod.COMMAND,
        reference if fresh else "",
        command.correlation_id if fresh else "",
        command=command if fresh else None,
    )


def named_by(cpo: Cpo, id_tag: str, at: datetime, evse_ids: list[int] | None = None) -> PeerCommand | None:
    """The latest command that named this token within 15 minutes, at one of these EVSEs if given."""
    commands = PeerCommand.objects.filter(cpo=cpo, kind=START, created_at__range=(at - NAMED, at + NAMED))
    if evse_ids is not None:
        commands = commands.filter(evse__in=evse_ids)
    wanted = id_tag.casefold()
    for command in commands.select_related("peer", "evse").order_by("-id")[:100]:
        if str(command.context.get("id_tag", "")).casefold() == wanted:
            return command
    return None


def _by_authorization(cpo: Cpo, transaction: Transaction, identity: str) -> Holder | None:
    since = transaction.started_at - NAMED
    rows = Authorization.objects.filter(cpo=cpo, id_tag=transaction.id_tag.upper(), identity=identity, at__gte=since)
    found = rows.select_related("peer").order_by("-id").first()
    if found is None:
        return None
    return Holder(found.peer, found.cdr_token, found.method, found.reference)


def _by_token(cpo: Cpo, transaction: Transaction) -> Holder | None:
    rows = Token.objects.filter(cpo=cpo, key_uid=transaction.id_tag.upper(), valid=True).exclude(whitelist="NEVER")
    # A card in hand is an RFID where the same uid has several types.
    token = min(rows.select_related("peer").order_by("id"), key=lambda one: one.type != "RFID", default=None)
    if token is None:
        return None
    method = AuthMethod.COMMAND if token.type in COMMAND_ONLY else AuthMethod.WHITELIST
    return Holder(token.peer, cdr_token_of(token), method)


def cdr_token_of(token: Token) -> dict[str, Any]:
    """Of a stored token, in whichever version's words it came: the key columns say the same in all."""
    content = token.content
    return {
        "country_code": content.get("country_code") or token.key_country,
        "party_id": content.get("party_id") or token.key_party,
        "uid": content.get("uid") or token.key_uid,
        "type": token.type,
        "contract_id": token.contract_id,
    }
