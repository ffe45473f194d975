"""A CPO's locations as its owner handles them: reading, changing, deleting (gateway contract, 15.4).

The plain location behind one is the same site: a change of either is a change of both.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from locations.services import delete_location, update_location
from ocpi.building.touching import touch_location
from ocpi.models import Cpo, CpoLocation, Evse
from ocpplab.api.errors import NotFound


def sites(cpo: Cpo) -> QuerySet[CpoLocation]:
    """Those that stand, in listing order, with all that an answer shows, in four queries."""
    evses = Evse.objects.filter(charger__isnull=False).select_related("charger").order_by("created_at", "id")
    rows = CpoLocation.objects.filter(cpo=cpo, removed_at=None).select_related("location", "cpo")
    return rows.prefetch_related(Prefetch("evses", queryset=evses)).order_by("created_at", "id")


def find_site(cpo: Cpo, ocpi_id: str) -> CpoLocation:
    """Raises NotFound, also for one that was deleted."""
    found = sites(cpo).filter(ocpi_id=ocpi_id).first() if "\0" not in ocpi_id else None
    if found is None:
        raise NotFound("Location")
    return found


def change_site(site: CpoLocation, changes: Mapping[str, Any]) -> CpoLocation:
    """`changes` by column of the plain location, and `parking_type`, which only OCPI knows (null takes it away)."""
    plain = {name: value for name, value in changes.items() if name != "parking_type"}
    with transaction.atomic():
        if "parking_type" in changes:
            attributes = {**site.attributes, "parking_type": changes["parking_type"]}
            touch_location(site, attributes={name: value for name, value in attributes.items() if value is not None})
        if plain and site.location is not None:
            update_location(site.location, plain)
    return find_site(site.cpo, site.ocpi_id)


def delete_site(cpo: Cpo, ocpi_id: str) -> None:
    """With its chargers; peers see its EVSEs as REMOVED. Deleting again is a success; raises NotFound."""
    site = CpoLocation.objects.filter(cpo=cpo, ocpi_id=ocpi_id).first() if "\0" not in ocpi_id else None
    if site is None:
        raise NotFound("Location")
    if site.location_id is not None:
        delete_location(str(site.location_id))
