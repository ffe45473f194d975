"""Charging preferences of a session (OCPI contract, section 7)."""

from typing import Any

from django.db import transaction

from ocpi.commanding.answers import INVALID, SUCCESS
from ocpi.commanding.targets import capabilities
from ocpi.models import Peer, Session
from ocpi.protocol.envelope import Missing

CAPABILITY = "CHARGING_PREFERENCES_CAPABLE"


def prefer(peer: Peer, session_id: str, body: dict[str, Any]) -> tuple[int, str]:
    """The status code and one of OCPI's ChargingPreferencesResponse. Raises Missing for what is unknown or unable."""
    rows = Session.objects.filter(cpo=peer.cpo, peer=peer, session_id__iexact=session_id)
    session = rows.select_related("evse").first()
    if session is None:
        raise Missing("There is no such session.")
    if session.evse is None or CAPABILITY not in capabilities(session.evse):
        raise Missing("This EVSE takes no charging preferences.", status_code=INVALID)
    if session.status != "ACTIVE":
        return SUCCESS, "NOT_POSSIBLE"
    if body["profile_type"] != "REGULAR":
        if body.get("departure_time") is None:
            return SUCCESS, "DEPARTURE_REQUIRED"
        if body.get("energy_need") is None:
            return SUCCESS, "ENERGY_NEED_REQUIRED"
    _remember(session, _plain(body))
    return SUCCESS, "ACCEPTED"


@transaction.atomic
def _remember(session: Session, preferences: dict[str, Any]) -> None:
    """The row is read again, locked: the follower writes the same column."""
    row = Session.objects.select_for_update(no_key=True).get(pk=session.pk)
    row.meter["preferences"] = preferences
    row.save(update_fields=["meter"])


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, (str, int, float, bool)) else str(value) for name, value in body.items()}
