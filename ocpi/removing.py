"""What OCPI keeps of a charger or a site that the lab has deleted: REMOVED, readable, in delta pulls (contract 5)."""

from collections.abc import Set
from typing import Any
from uuid import UUID

from locations.models import Location
from ocpi.building.touching import touch_evses, touch_location
from ocpi.models import CpoLocation, Evse, EvseStatus
from ocpi.moments import now_ms
from ocpi.places.gazetteer import alpha3
from ocpi.protocol import reading, rendering

# Of the rendered object: what the row itself still says.
LIVE = ("evses", "last_updated", "id", "country", "country_code", "party_id")


def remove_evses(charger_ids: Set[UUID]) -> None:
    """Within the transaction that deletes the chargers."""
    rows = Evse.objects.filter(charger__in=charger_ids).exclude(status=EvseStatus.REMOVED)
    touch_evses(rows, status=EvseStatus.REMOVED)


def remove_location(place: Location) -> None:
    """Within the transaction that deletes the site; keeps how it was shown last."""
    site = CpoLocation.objects.select_related("cpo").filter(location=place).first()
    if site is not None:
        touch_location(site, snapshot=_snapshot(site), removed_at=now_ms())


def _snapshot(site: CpoLocation) -> dict[str, Any]:
    shown = rendering.location(reading.locations(site.cpo).get(pk=site.pk))
    return {name: value for name, value in shown.items() if name not in LIVE}


def follow_location(location_id: UUID, fields: Set[str]) -> None:
    """Within the transaction that has changed the plain site behind an OCPI location."""
    site = CpoLocation.objects.select_related("cpo", "location").filter(location=location_id).first()
    if site is not None and site.location is not None:
        changes = {"country": alpha3(site.location.country)} if "country" in fields else {}
        touch_location(site, **changes)
