"""The end of a bundle: marked first, with every token revoked, then what it had in the lab goes, then its rows.

Everything may be repeated, by anybody, at any time; whatever is left a worker clears away.
"""

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from chargers import bus
from chargers.back_office import back_office
from chargers.services.provisioning import delete_chargers
from locations.services import delete_location
from ocpi import credentials
from ocpi.building.sites import chargers_of
from ocpi.models import Cpo, CpoLocation, Evse
from tenants import audit
from tenants.scoping import scope

AT_ONCE = 100  # chargers in one transaction
LOCATIONS_AT_ONCE = 20  # deleted while the caller waits


def destroy(cpo: Cpo) -> None:
    """Gives a CPO up: no token works from this moment on. Repeating it changes nothing.

    Its chargers and, if there are few, its locations go before it returns; a worker does the rest and tells its peers.
    """
    if _mark_destroyed(cpo):
        dismantle(cpo, most_locations=LOCATIONS_AT_ONCE)


@transaction.atomic
def _mark_destroyed(cpo: Cpo) -> bool:
    ended = {"destroyed_at": timezone.now(), "claim": "", "claimed_until": None, "updated_at": timezone.now()}
    if not Cpo.objects.filter(pk=cpo.pk, destroyed_at=None).update(**ended):
        return False
    credentials.revoke_all(cpo)
    audit.record("destroy_cpo", object_type="cpo", object_id=cpo.pk, organization_id=cpo.tenant_id, summary=str(cpo))
    bus.wake_on_commit()
    return True


def destroy_expired() -> int:
    """For beat and workers: what has outlived its time, in every organization."""
    cpos = list(Cpo.objects.unscoped().filter(expires_at__lte=Now(), destroyed_at=None).order_by("expires_at"))
    for cpo in cpos:
        with scope(cpo.tenant_id):  # type: ignore[arg-type]
            destroy(cpo)
    return len(cpos)


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
