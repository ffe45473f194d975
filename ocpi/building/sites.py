"""One site of a CPO in one transaction: the plain location, its chargers, and what OCPI shows of both."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chargers.models import Charger, OcppVersion, Runtime
from chargers.services import commands
from chargers.services.provisioning import NewCharger, Outcome, create_chargers
from locations.services import create_location
from ocpi.building.abilities import honest
from ocpi.cpo_settings import setting
from ocpi.models import Cpo, CpoLocation, Evse, EvseStatus, Tariff
from ocpi.moments import now_ms
from ocpi.presets.plan import PlannedCharger, PlannedEvse, PlannedLocation
from ocpi.pushing import outbox

# How a station is told to report its meter, by version.
METER_INTERVAL = {
    OcppVersion.V16: "MeterValueSampleInterval",
    OcppVersion.V201: "SampledDataCtrlr.TxUpdatedInterval",
}


def create_site(cpo: Cpo, planned: PlannedLocation, ws_url: str) -> tuple[CpoLocation, Outcome]:
    """Needs a transaction, and the CPO's row locked. Chargers that cannot be created are in the outcome's `failed`."""
    place = create_location(
        name=planned.name[:120],
        address=planned.address,
        city=planned.city,
        country=planned.country,
        latitude=planned.latitude,
        longitude=planned.longitude,
        timezone=planned.timezone or None,
        owner_name=planned.owner_name or None,
        public=planned.public,
    )
    now = now_ms()
    site = CpoLocation.objects.create(
        cpo=cpo,
        ocpi_id=planned.ocpi_id,
        location=place,
        country=planned.country3,
        attributes=planned.attributes,
        created_at=now,
        last_updated=now,
    )
    outcome = create_chargers(place, [_new_charger(cpo, one, ws_url) for one in planned.chargers])
    _create_evses(site, planned.chargers, {charger.identity: charger.pk for charger in outcome.done}, now)
    outbox.location_changed(site)
    return site, outcome


def _new_charger(cpo: Cpo, planned: PlannedCharger, ws_url: str) -> NewCharger:
    interval = str(setting(cpo, "update_interval"))
    return NewCharger(
        identity=planned.identity,
        brand_slug=planned.brand_slug,
        model_slug=planned.model_slug,
        connector_type=planned.connector_type,
        ocpp_version=planned.ocpp_version,
        ws_url=planned.ws_url or ws_url,
        name=planned.name,
        runtime=Runtime.RUNNING if planned.online else Runtime.STOPPED,
        configuration={METER_INTERVAL[OcppVersion(planned.ocpp_version)]: interval},
    )


def _create_evses(site: CpoLocation, planned: Sequence[PlannedCharger], made: dict[str, UUID], now: datetime) -> None:
    rows = [
        (_evse(site, made[charger.identity], one, honest(one.attributes, charger.ocpp_version), now), one.tariff_ids)
        for charger in planned
        if charger.identity in made
        for one in charger.evses
    ]
    Evse.objects.bulk_create(row for row, _ in rows)
    _link_tariffs(site.cpo, rows)


def _evse(site: CpoLocation, charger_id: UUID, planned: PlannedEvse, attributes: dict[str, Any], now: datetime) -> Evse:
    return Evse(
        cpo_id=site.cpo_id,
        location=site,
        charger_id=charger_id,
        uid=planned.uid,
        evse_id=planned.evse_id,
        outlet_evse=planned.outlet_evse,
        outlet_connector=planned.outlet_connector,
        attributes=attributes,
        connector=planned.connector,
        status=EvseStatus.PLANNED if site.cpo.provisioned_at is None else EvseStatus.UNKNOWN,
        created_at=now,
        last_updated=now,
        connector_last_updated=now,
    )


def _link_tariffs(cpo: Cpo, rows: Sequence[tuple[Evse, Sequence[str]]]) -> None:
    tariffs = Tariff.objects.filter(cpo=cpo, removed_at=None).order_by("created_at", "id")
    known = dict(tariffs.values_list("tariff_id", "pk"))
    links = [
        Evse.tariffs.through(evse_id=evse.pk, tariff_id=known[name])
        for evse, names in rows
        for name in names or list(known)[:1]
        if name in known
    ]
    Evse.tariffs.through.objects.bulk_create(links)


def sample_every(cpo: Cpo, seconds: int) -> None:
    """Has its running chargers report their meters so often; one that is stopped keeps what it was built with."""
    for version, key in METER_INTERVAL.items():
        running = [one for one in chargers_of(cpo) if one.ocpp_version == version and one.runtime == Runtime.RUNNING]
        commands.issue(running, "update_configuration", {"configuration": {key: str(seconds)}})


def chargers_of(cpo: Cpo) -> list[Charger]:
    """Of all its sites, as they are now."""
    return list(Charger.objects.filter(location__cpo_location__cpo=cpo).order_by("created_at", "id"))
