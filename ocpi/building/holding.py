"""Statuses that a preset holds its EVSEs in, brought about by what really happens at a charger and its CSMS.

Each charger is acted on once, when all are up; its identity then stands in the progress as held. What a command needs
of the CSMS (a card, a call) goes the way any user's would.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chargers.back_office import Card, back_office
from chargers.models import Charger, Connector, OcppVersion
from chargers.services import commands, runtime
from chargers.services.claims import advance
from chargers.services.provisioning import delete_chargers
from ocpi.models import Cpo, Evse, EvseStatus
from ocpi.presets.plan import Plan, PlannedCharger

CARD = "HELD-STATUS"  # a card of the CPO's own: its session belongs to no peer
RESERVED_FOR = timedelta(days=7)
Holder = Callable[[Cpo, Charger, Connector], None]


def hold(cpo: Cpo, planned: Plan, progress: dict[str, Any]) -> bool:
    """Acts on chargers that were not yet, in one transaction; True once every held EVSE shows its status."""
    wanted = {one.identity: one for one in planned.chargers() if one.hold}
    if not wanted:
        return True
    waiting = [identity for identity in wanted if identity not in progress["held"]]
    if waiting:
        with transaction.atomic():
            _act(cpo, [wanted[identity] for identity in waiting])
            progress["held"] = [*progress["held"], *waiting]
            advance(cpo, progress={**cpo.progress, **progress})
        return False
    return _are_held(cpo, wanted)


def _act(cpo: Cpo, wanted: list[PlannedCharger]) -> None:
    rows = {row.identity: row for row in Charger.objects.filter(identity__in=[one.identity for one in wanted])}
    for one in wanted:
        charger = rows.get(one.identity)
        if charger is not None:
            outlet = Connector.objects.filter(charger=charger).order_by("evse_id", "connector_id").first()
            if outlet is not None:
                HOLDERS[one.hold](cpo, charger, outlet)


def _are_held(cpo: Cpo, wanted: dict[str, PlannedCharger]) -> bool:
    """The first EVSE of each charger counts: the others of a charger with several outlets are bystanders."""
    shown = dict(Evse.objects.filter(cpo=cpo).values_list("uid", "status"))
    return all(shown.get(one.evses[0].uid) == one.hold for one in wanted.values())


def _leave(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    """Available as it is."""


def _charge(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    if cpo.csms_endpoint is not None:
        back_office().put_card(cpo.csms_endpoint, Card(CARD))
    commands.issue_one(charger, "start_session", {"id_tag": CARD, **_place(outlet)})


def _reserve(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    if cpo.csms_endpoint is None:
        return  # another CSMS's reservations are its own affair
    office = back_office()
    number, until = office.next_number(cpo.csms_endpoint), timezone.now() + RESERVED_FOR
    expiry = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    payload: dict[str, Any] = {
        "connectorId": outlet.connector_id,
        "expiryDate": expiry,
        "idTag": CARD,
        "reservationId": number,
    }
    if charger.ocpp_version == OcppVersion.V201:
        token = {"idToken": CARD, "type": "Central"}
        payload = {"id": number, "expiryDateTime": expiry, "idToken": token, "evseId": outlet.evse_id}
    office.call(cpo.csms_endpoint, charger.identity, "ReserveNow", payload)


def _take_out(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    if cpo.csms_endpoint is None:
        return
    payload: dict[str, Any] = {"connectorId": outlet.connector_id, "type": "Inoperative"}
    if charger.ocpp_version == OcppVersion.V201:
        payload = {"operationalStatus": "Inoperative", "evse": {"id": outlet.evse_id}}
    back_office().call(cpo.csms_endpoint, charger.identity, "ChangeAvailability", payload)


def _break(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    commands.issue_one(charger, "inject_fault", {"fault_type": "GroundFailure", **_place(outlet)})


def _switch_off(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    runtime.switch([charger], runtime.STOP)


def _plug(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    """A cable and nobody who pays for it: Preparing, which this bundle shows as BLOCKED (`occupied_as`)."""
    commands.issue_one(charger, "plug_connector", _place(outlet))


def _remove(cpo: Cpo, charger: Charger, outlet: Connector) -> None:
    delete_chargers([charger])


def _place(outlet: Connector) -> dict[str, int]:
    return {"evse_id": outlet.evse_id, "connector_id": outlet.connector_id}


HOLDERS: dict[str, Holder] = {
    EvseStatus.AVAILABLE: _leave,
    EvseStatus.CHARGING: _charge,
    EvseStatus.RESERVED: _reserve,
    EvseStatus.INOPERATIVE: _take_out,
    EvseStatus.OUTOFORDER: _break,
    EvseStatus.UNKNOWN: _switch_off,
    EvseStatus.BLOCKED: _plug,
    EvseStatus.REMOVED: _remove,
}
