"""What a request to add sites asks for, item by item, as the sites it will become (gateway contract, 15.4).

An item describes its site and chargers itself, or names a location template. All are resolved before the request is
answered, with numbers that no other site or charger of the CPO ever has.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from catalog.models import ChargerModel
from catalog.services import find_models
from chargers import bus
from chargers.services.provisioning import LONGEST_IDENTITY, check_connector_type, version_for
from chargers.services.setups import outlets_of
from locations.templates import templates
from ocpi import bundles
from ocpi.models import Cpo, LocationJob
from ocpi.places.gazetteer import gazetteer
from ocpi.presets.outlets import evse_rows
from ocpi.presets.plan import PlannedCharger, PlannedEvse, PlannedLocation, location_id, slug_of
from ocpplab.api.errors import InvalidRequest, NotFound, Unavailable
from tenants import audit

TASK = "ocpi.tasks.run_location_job"
CAPABILITIES = [
    "REMOTE_START_STOP_CAPABLE", "RFID_READER", "UNLOCK_CAPABLE", "RESERVABLE", "CHARGING_PROFILE_CAPABLE",
]  # fmt: skip
MOST_CHARGERS = 1000  # of one request
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WantedCharger:
    """`identity` None: it is made of the prefix and the charger's number in its CPO."""

    brand_slug: str
    model_slug: str
    connector_type: str
    ocpp_version: str
    ws_url: str
    name: str
    prefix: str
    identity: str | None = None


def accept(cpo: Cpo, items: Sequence[Item]) -> LocationJob:
    """The job's row, in PENDING. Raises InvalidRequest (400), and Unavailable with no row left."""
    prefixes = _prefixes(cpo, items)
    wanted = [list(_chargers(item, prefix)) for item, prefix in zip(items, prefixes, strict=True)]
    number = sum(map(len, wanted))
    if number > MOST_CHARGERS:
        raise InvalidRequest(f"At most {MOST_CHARGERS} chargers in one request; these are {number}.")
    models = find_models({(one.brand_slug, one.model_slug) for chargers in wanted for one in chargers})
    with transaction.atomic():
        site, charger = bundles.number_more(cpo, sites=len(items), chargers=number)
        sites = []
        for item, chargers in zip(items, wanted, strict=True):
            maker = _Maker(cpo, models, charger)
            sites.append(_site(cpo, _described(item), site, tuple(maker.made(chargers))))
            site, charger = site + 1, charger + len(chargers)
        return _store(cpo, sites)


def _store(cpo: Cpo, sites: Sequence[PlannedLocation]) -> LocationJob:
    job = LocationJob.objects.create(
        cpo=cpo,
        wanted=[asdict(site) for site in sites],
        total=len(sites),
        actor=audit.as_json(audit.current_actor()),
    )
    audit.record(
        "add_cpo_locations",
        object_type="cpo",
        object_id=cpo.pk,
        organization_id=cpo.tenant_id,
        summary=f"{len(sites)} locations",
        details={"job_id": str(job.pk)},
    )
    try:
        current_app.send_task(TASK, args=[str(job.pk)], retry=False)
    except (OperationalError, OSError) as error:
        raise Unavailable("The provisioning backend does not answer: repeat in a moment.") from error
    bus.wake_on_commit()
    return job


# --- the site ---------------------------------------------------------------------------------------------------------


def _template(slug: str) -> Item:
    for one in templates():
        if one["slug"] == slug:
            return one
    raise InvalidRequest(f"There is no location template {slug}; see /ocpp/templates/locations.")


def _described(item: Item) -> Item:
    """The site's own fields: the item's, or its template's with what it overrides."""
    if "template" not in item:
        return item
    site = _template(item["template"])["site"]
    # A template describes a site that is open to everybody, unless the caller says otherwise.
    return {"public": True, **site, **{name: value for name, value in item["overrides"].items() if value is not None}}


def _site(cpo: Cpo, site: Item, number: int, chargers: tuple[PlannedCharger, ...]) -> PlannedLocation:
    country = gazetteer()[site["country"]]
    return PlannedLocation(
        ocpi_id=location_id(cpo.country_code, cpo.party_id, number),
        name=site["name"],
        address=site["address"],
        city=site["city"],
        country=country.code,
        country3=country.alpha3,
        latitude=site["coordinates"]["latitude"],
        longitude=site["coordinates"]["longitude"],
        timezone=site.get("timezone") or country.towns[0].timezone,
        owner_name=site.get("owner_name") or "",
        public=bool(site.get("public")),
        attributes={"parking_type": site["parking_type"]} if site.get("parking_type") else {},
        chargers=chargers,
    )


# --- its chargers -----------------------------------------------------------------------------------------------------


def _prefixes(cpo: Cpo, items: Sequence[Item]) -> list[str]:
    """What the identities of template items begin with: theirs, or the CPO's, told apart where a template repeats."""
    unnamed = [
        item["template"] for item in items if "template" in item and not item["overrides"].get("identity_prefix")
    ]
    repeated = {slug for slug, count in Counter(unnamed).items() if count > 1}
    own = f"{slug_of(cpo.name_prefix)}-{cpo.country_code}{cpo.party_id}-"
    prefixes, position = [], Counter[str]()
    for item in items:
        slug = item.get("template", "")
        given = item.get("overrides", {}).get("identity_prefix") or ""
        if slug in repeated and not given:
            position[slug] += 1
            prefixes.append(f"{own}L{position[slug]:02d}_")
        else:
            prefixes.append(given or own)
    return prefixes


def _chargers(item: Item, prefix: str) -> Iterator[WantedCharger]:
    if "template" in item:
        yield from _of_template(item, prefix)
        return
    for group in item.get("charges", ()):
        template = group["template"]
        for suffix in group["charger_ids"]:
            yield WantedCharger(
                **{
                    name: template[name]
                    for name in ("brand_slug", "model_slug", "connector_type", "ocpp_version", "ws_url")
                },
                name=f"{template['template_name']} {suffix}" if template.get("template_name") else "",
                prefix="",
                identity=f"{template['identity_prefix']}{suffix}",
            )


def _of_template(item: Item, prefix: str) -> Iterator[WantedCharger]:
    overrides = item["overrides"]
    for group in _template(item["template"])["charger_groups"]:
        for _ in range(group["count"]):
            yield WantedCharger(
                brand_slug=group["brand_slug"],
                model_slug=group["model_slug"],
                connector_type=group["connector_type"],
                ocpp_version=overrides.get("ocpp_version") or group["ocpp_version"],
                ws_url=overrides.get("ws_url") or "",
                name="",
                prefix=prefix,
            )


class _Maker:
    """Numbers the chargers of one site, from `number` on; bays begin at 1."""

    def __init__(self, cpo: Cpo, models: Mapping[tuple[str, str], ChargerModel], number: int) -> None:
        self.cpo, self.models, self.number, self.bay = cpo, models, number, 1

    def made(self, chargers: Sequence[WantedCharger]) -> Iterator[PlannedCharger]:
        for one in chargers:
            yield self._made(one)
            self.number += 1

    def _made(self, wanted: WantedCharger) -> PlannedCharger:
        model = self.models.get((wanted.brand_slug, wanted.model_slug))
        if model is None:
            raise InvalidRequest(f"The catalog has no model {wanted.model_slug} of a brand {wanted.brand_slug}.")
        check_connector_type(wanted.connector_type)
        outlets = outlets_of(model, version_for(model, wanted.ocpp_version))
        cpo, number = self.cpo, self.number
        rows = list(
            evse_rows(
                outlets,
                country=cpo.country_code,
                party=cpo.party_id,
                number=number,
                bay=self.bay,
                attributes={"capabilities": CAPABILITIES},
            )
        )
        self.bay += len(rows)
        return PlannedCharger(
            identity=checked(wanted.identity or f"{wanted.prefix}{number:03d}"),
            name=wanted.name or model.name,
            brand_slug=wanted.brand_slug,
            model_slug=wanted.model_slug,
            connector_type=wanted.connector_type,
            ocpp_version=wanted.ocpp_version,
            online=True,
            hold="",
            evses=tuple(PlannedEvse(**row, tariff_ids=()) for row in rows),
            ws_url=wanted.ws_url,
        )


def checked(identity: str) -> str:
    """Raises InvalidRequest for what is no identity (OCPP contract, T3)."""
    if not 0 < len(identity) <= LONGEST_IDENTITY or ":" in identity or not identity.isprintable():
        raise InvalidRequest(f"{identity}: an identity has at most {LONGEST_IDENTITY} characters and no colon.")
    return identity


def find_job(cpo: Cpo, key: Any) -> LocationJob:
    """Raises NotFound. Without `wanted`, which may be long."""
    job = LocationJob.objects.filter(cpo=cpo, pk=key).defer("wanted").first() if key else None
    if job is None:
        raise NotFound("Job")
    return job
