"""What an EVSE shows of its outlet (OCPI contract, section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chargers.models import Charger, ConnectionStatus, Connector, Message, Runtime
from chargers.services.setups import outlets_of
from ocpi.cpo_settings import setting
from ocpi.models import CpoLocation, Evse, EvseStatus
from ocpi.moments import now_ms
from ocpi.pushing import outbox

GRACE = timedelta(seconds=10)

PLAIN = {
    "Available": EvseStatus.AVAILABLE,
    "Charging": EvseStatus.CHARGING,
    "SuspendedEV": EvseStatus.CHARGING,
    "SuspendedEVSE": EvseStatus.CHARGING,
    "Reserved": EvseStatus.RESERVED,
    "Unavailable": EvseStatus.INOPERATIVE,
    "Faulted": EvseStatus.OUTOFORDER,
}
TAKEN = frozenset({"Preparing", "Finishing", "Occupied"})  # perhaps without energy: the CPO chooses how that shows


UNUSED = frozenset({"Available", "Reserved", "Unavailable", "Faulted"})
Place = tuple[int, int]  # OCPP's numbers of an outlet: EVSE, connector


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet as the lab knows it; `busy`: a transaction runs there. `blocked`: its power unit serves another."""

    status: str
    busy: bool
    blocked: bool


def follow(charger: Charger, evses: Sequence[Evse], busy: set[Place]) -> None:
    """Brings the EVSEs' rows up to date and tells the peers. The EVSEs are locked by the caller."""
    told = {(row.evse_id, row.connector_id): row.status for row in Connector.objects.filter(charger=charger)}
    used = {place for place, status in told.items() if place in busy or status not in UNUSED}
    siblings = _siblings(charger) if used and len(evses) > 1 else {}
    outlets = {
        place: Outlet(status, place in busy, not used.isdisjoint(siblings.get(place, set()) - {place}))
        for place, status in told.items()
    }
    for evse in evses:
        outlet = outlets.get((evse.outlet_evse, evse.outlet_connector))
        if evse.status != EvseStatus.REMOVED and outlet is not None:
            _follow_one(charger, evse, outlet)


def _siblings(charger: Charger) -> dict[Place, set[Place]]:
    """The outlets that one power unit serves, by each of them: the catalog gives these one EVSE number."""
    units: dict[int, set[Place]] = {}
    wired = outlets_of(charger.model, charger.ocpp_version)
    for outlet, known in zip(wired, charger.model.outlets(), strict=True):
        units.setdefault(known.evse_id, set()).add((outlet.evse_id, outlet.connector_id))
    return {place: unit for unit in units.values() for place in unit}


def _follow_one(charger: Charger, evse: Evse, outlet: Outlet) -> None:
    now = now_ms()
    connected = charger.connection_status == ConnectionStatus.CONNECTED
    changed = _note_connection(charger, evse, connected, now)
    status = _status(evse, outlet, connected, now)
    if status != evse.status:
        evse.status, evse.last_updated = status, now
        evse.save(update_fields=["status", "last_updated", *changed])
        CpoLocation.objects.filter(pk=evse.location_id).update(last_updated=now)
        outbox.evse_status_changed(evse)
    elif changed:
        evse.save(update_fields=changed)


def _note_connection(charger: Charger, evse: Evse, connected: bool, now: datetime) -> list[str]:
    """Since when the charger is away, and whether it has ever told a status; the names of the columns that changed."""
    changed = []
    if connected == (evse.offline_since is not None):
        evse.offline_since = None if connected else now
        changed.append("offline_since")
    if connected and not evse.reported:
        told = Message.objects.filter(charger=charger, action="StatusNotification", message_type="CALL")
        if told.exists():
            evse.reported = True
            changed.append("reported")
    return changed


def _status(evse: Evse, outlet: Outlet, connected: bool, now: datetime) -> str:
    if not connected:
        away = evse.offline_since is not None and now - evse.offline_since >= GRACE
        return EvseStatus.UNKNOWN if away and evse.status != EvseStatus.PLANNED else evse.status
    if not evse.reported:
        return evse.status
    if outlet.status in TAKEN:
        return EvseStatus.CHARGING if outlet.busy else setting(evse.cpo, "occupied_as")
    if outlet.status == "Available" and outlet.blocked:
        return EvseStatus.BLOCKED
    return PLAIN.get(outlet.status, EvseStatus.UNKNOWN)


def overdue(now: datetime) -> set[UUID]:
    """Ids of chargers whose grace has passed unnoticed, or whose rows say what no mark told."""
    gone = Evse.objects.unscoped().filter(
        offline_since__lte=now - GRACE, charger__isnull=False, cpo__destroyed_at__isnull=True
    )
    gone = gone.exclude(status__in=[EvseStatus.UNKNOWN, EvseStatus.PLANNED, EvseStatus.REMOVED])
    live = Evse.objects.unscoped().filter(charger__isnull=False, cpo__destroyed_at__isnull=True)
    live = live.exclude(status=EvseStatus.REMOVED)
    online = {"charger__connection_status": ConnectionStatus.CONNECTED}
    back = live.filter(offline_since__isnull=False, **online)
    new = live.filter(reported=False, charger__runtime=Runtime.RUNNING, **online)
    lost = live.filter(offline_since__isnull=True).exclude(**online)
    found: set[UUID] = set()
    for rows in (gone, back, new, lost):
        found.update(one for one in rows.values_list("charger_id", flat=True) if one is not None)
    return found
