"""The virtual car that comes for a remote start, and leaves when its session is over."""

import logging
from datetime import timedelta

from django.utils import timezone

from chargers.services import commands
from ocpi.cpo_settings import setting
from ocpi.models import Evse, PeerCommand, Session
from ocpplab.api.errors import GatewayError

log = logging.getLogger(__name__)
LINGERS = timedelta(seconds=5)


def plug_for(command: PeerCommand) -> bool:
    """Plugs a car in after an accepted start, unless the CPO wants none. Whether it is ours to take away again."""
    if command.evse is None or not setting(command.cpo, "auto_plug"):
        return False
    return _act(command.evse, "plug_connector") and not command.context["had_car"]


def unplug_after(session: Session) -> None:
    """Takes out the cable of a session that has been over for a while."""
    if session.meter.get("plugged") and session.last_updated <= timezone.now() - LINGERS:
        if session.evse is not None:
            _act(session.evse, "unplug_connector")
        Session.objects.filter(pk=session.pk).update(meter={**session.meter, "plugged": False})


def _act(evse: Evse, event_type: str) -> bool:
    if evse.charger is None:
        return False
    try:
        commands.issue_one(evse.charger, event_type, {"connector_id": evse.outlet_evse})
    except GatewayError as error:
        log.info("the virtual car could not act", extra={"act": event_type, "problem": error.message})
        return False
    return True
