"""Which charger a command means, and the two ways to it: a call of the house CSMS, or a local act at the machine."""

import logging
from typing import Any

from django.db.models import QuerySet

from chargers.back_office import back_office
from chargers.models import Charger, ConnectionStatus
from chargers.services import commands
from ocpi.commanding.answers import NOT_ENOUGH, UNKNOWN_LOCATION, Asked, Declined
from ocpi.models import Cpo, CpoLocation, Evse, EvseStatus, PeerCommand, Session, SessionStatus
from ocpi.protocol.rendering import CONNECTOR_ID
from ocpi.protocol.routing import emsp_parties
from ocpplab.api.errors import GatewayError

log = logging.getLogger(__name__)
CONNECTOR_REQUIRED = "START_SESSION_CONNECTOR_REQUIRED"
PROMISES = ("START_SESSION", "RESERVE_NOW")
GONE = "The charger of this EVSE is not connected."


def evse_of(asked: Asked, capability: str) -> Evse:
    """The EVSE that the body names, or a free one of its location. Raises Declined."""
    location = CpoLocation.objects.filter(
        cpo=asked.peer.cpo, ocpi_id__iexact=asked.body["location_id"], removed_at=None
    ).first()
    if location is None:
        raise _unknown("location_id")
    uid, connector = asked.body.get("evse_uid"), asked.body.get("connector_id")
    evses = Evse.objects.filter(location=location).exclude(status=EvseStatus.REMOVED)
    evses = evses.select_related("cpo", "charger", "location__cpo", "location__location").order_by("created_at", "id")
    if uid is None:
        return _reserved_one(asked, evses) or _free_one(evses, capability)
    evse = evses.filter(uid__iexact=uid).first()
    if evse is None:
        raise _unknown("evse_uid")
    if connector is not None and connector != CONNECTOR_ID:
        raise _unknown("connector_id")
    if connector is None and asked.kind == "START_SESSION" and CONNECTOR_REQUIRED in capabilities(evse):
        raise Declined("REJECTED", "connector_id: this EVSE needs it", NOT_ENOUGH)
    require(evse, capability)
    return evse


def _unknown(field: str) -> Declined:
    return Declined("REJECTED", f"{field}: unknown here", UNKNOWN_LOCATION)


def _reserved_one(asked: Asked, evses: QuerySet[Evse]) -> Evse | None:
    """The EVSE of the location that a start's token has reserved."""
    if asked.kind != "START_SESSION":
        return None
    held = Session.objects.filter(peer=asked.peer, evse__in=evses, status=SessionStatus.RESERVATION)
    ids = held.filter(cdr_token__uid__iexact=asked.body["token"]["uid"]).values_list("evse", flat=True)
    return evses.filter(pk__in=list(ids)).first()


def _free_one(evses: QuerySet[Evse], capability: str) -> Evse:
    """One that nobody else has been promised a moment ago; locked, so that of two who ask each gets another."""
    promised = PeerCommand.objects.filter(evse__in=evses, kind__in=PROMISES, finished_at=None)
    expected = Session.objects.filter(evse__in=evses, status__in=(SessionStatus.PENDING, SessionStatus.RESERVATION))
    locked = list(evses.order_by("pk").select_for_update(of=("self",), no_key=True))
    taken: set[Any] = {*promised.values_list("evse", flat=True), *expected.values_list("evse", flat=True)}
    for evse in locked:
        is_free = evse.status == EvseStatus.AVAILABLE and evse.pk not in taken
        if is_free and capability in capabilities(evse) and is_online(evse):
            return evse
    raise Declined("REJECTED", "No EVSE of this location is free.")


def capabilities(evse: Evse) -> list[str]:
    return list(evse.attributes.get("capabilities", []))


def require(evse: Evse, capability: str) -> None:
    """Raises Declined where the model cannot do it, or the charger is away."""
    if capability not in capabilities(evse):
        raise Declined("NOT_SUPPORTED", f"This EVSE is not {capability}.")
    if not is_online(evse):
        raise Declined("REJECTED", GONE)


def is_external(cpo: Cpo) -> bool:
    """Its chargers talk to a CSMS that is not ours: commands are local acts at the machine."""
    return bool(cpo.ws_url) or cpo.csms_endpoint is None


def is_online(evse: Evse) -> bool:
    charger = evse.charger
    if charger is None or charger.connection_status != ConnectionStatus.CONNECTED:
        return False
    return is_external(evse.cpo) or back_office().is_online(evse.cpo.csms_endpoint or 0, charger.identity)


def check_token(asked: Asked) -> None:
    """A token of a party that is not the caller's is refused."""
    token = asked.body["token"]
    party = (token["country_code"].upper(), token["party_id"].upper())
    if party not in emsp_parties(asked.peer):
        raise Declined("REJECTED", "token: of a party that is not yours")


def call(evse: Evse, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Queues an OCPP call; what `accepted` needs to find its outcome. Raises Declined."""
    charger = charger_of(evse)
    try:
        number = back_office().call(evse.cpo.csms_endpoint or 0, charger.identity, action, payload)
    except GatewayError as error:
        log.warning("a call to a charger could not be made", extra={"action": action, "problem": error.message})
        raise Declined("REJECTED", f"{action} cannot be said to this charger.") from error
    if number is None:
        raise Declined("REJECTED", GONE)
    return {"call": number}


def act(evse: Evse, event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Queues a local act at the machine, in the same way. Raises Declined."""
    try:
        return {"command": commands.issue_one(charger_of(evse), event_type, payload).pk}
    except GatewayError as error:
        raise Declined("REJECTED", error.message) from error


def charger_of(evse: Evse) -> Charger:
    """Raises Declined when the charger is gone."""
    if evse.charger is None:
        raise Declined("REJECTED", GONE)
    return evse.charger


def session_of(asked: Asked) -> Session:
    """The peer's own session that runs. Raises Declined; one of another peer is as unknown as one that never was."""
    rows = Session.objects.filter(cpo=asked.peer.cpo, peer=asked.peer, session_id__iexact=asked.body["session_id"])
    session = rows.select_related("cpo", "evse__cpo", "evse__charger", "transaction", "peer").first()
    if session is None:
        raise Declined("UNKNOWN_SESSION", "There is no such session.")
    if session.status != "ACTIVE" or session.transaction is None or session.evse is None:
        raise Declined("REJECTED", f"The session is {session.status}.")
    if not is_online(session.evse):
        raise Declined("REJECTED", GONE)
    return session
