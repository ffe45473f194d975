"""Taking a bundle down: what it had in the lab, then its rows. Everything may be repeated, by anybody, at any time."""

from django.db import transaction

from chargers.back_office import back_office
from chargers.services.provisioning import delete_chargers
from locations.services import delete_location
from ocpi.building.sites import chargers_of
from ocpi.models import Cpo, CpoLocation, Evse

AT_ONCE = 100  # chargers in one transaction


def dismantle(cpo: Cpo, most_locations: int | None = None) -> None:
    """Its chargers, CSMS endpoint and locations, or so many of these; the rest is for another call.

    What OCPI showed of them goes first: there is nobody left to tell.
    """
    _forget_evses(cpo)
    chargers = chargers_of(cpo)
    for start in range(0, len(chargers), AT_ONCE):
        delete_chargers(chargers[start : start + AT_ONCE])
    if cpo.csms_endpoint is not None:
        back_office().close_endpoint(cpo.csms_endpoint)
    sites = CpoLocation.objects.filter(cpo=cpo, location__isnull=False).order_by("pk")
    for location_id in list(sites.values_list("location", flat=True)[:most_locations]):
        delete_location(str(location_id))


@transaction.atomic
def _forget_evses(cpo: Cpo) -> None:
    """Whoever follows a charger may be writing a session of one: it waits until they are gone."""
    rows = Evse.objects.filter(cpo=cpo)
    list(rows.select_for_update().order_by("pk").values_list("pk"))
    rows.delete()
