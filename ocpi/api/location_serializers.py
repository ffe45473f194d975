"""The JSON shapes of a CPO's locations (gateway contract, 15.4)."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from chargers.api.serializers import ProvisioningErrorSerializer, csms_url
from chargers.models import OcppVersion, ProvisioningStatus
from locations.api.serializers import CoordinatesSerializer, columns, known_country, known_timezone
from ocpi.models import CpoLocation, Evse, LocationJob
from ocpi.vocabulary import PARKING_TYPES
from ocpplab.api.errors import Invalid
from ocpplab.api.fields import Flag, Text
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated

MOST_ITEMS, MOST_IDS = 300, 1000
LONGEST_CITY, LONGEST_OWNER = 45, 100  # OCPI 2.2.1, 8.3.1 and 16.2: peers take no more


class SiteSerializer(serializers.Serializer[Any]):
    """What describes a site; all of it optional, as overrides of a template and in a PATCH."""

    name = Text(max_length=120, required=False)
    address = Text(max_length=200, required=False)
    city = Text(max_length=LONGEST_CITY, required=False)
    country = Text(max_length=2, required=False, validators=[known_country])
    coordinates = CoordinatesSerializer(required=False)
    timezone = Text(max_length=64, required=False, allow_null=True, validators=[known_timezone])
    owner_name = Text(max_length=LONGEST_OWNER, required=False, allow_null=True, allow_blank=True)
    public = Flag(required=False)
    parking_type = serializers.ChoiceField(choices=PARKING_TYPES, required=False, allow_null=True)


class ChargeTemplateSerializer(serializers.Serializer[Any]):
    brand_slug = Text(max_length=60)
    model_slug = Text(max_length=80)
    connector_type = Text(max_length=20)
    ocpp_version = serializers.ChoiceField(choices=OcppVersion.choices)
    ws_url = Text(max_length=500, validators=[csms_url])
    identity_prefix = Text(max_length=48, allow_blank=True)
    template_name = Text(max_length=80, required=False, allow_null=True, allow_blank=True)


class ChargeSerializer(serializers.Serializer[Any]):
    template = ChargeTemplateSerializer()
    charger_ids = serializers.ListField(child=Text(max_length=48), max_length=MOST_IDS)


class ExplicitSiteSerializer(SiteSerializer):
    name = Text(max_length=120)
    address = Text(max_length=200)
    city = Text(max_length=LONGEST_CITY)
    country = Text(max_length=2, validators=[known_country])
    coordinates = CoordinatesSerializer()
    charges = ChargeSerializer(many=True, required=False, allow_null=True)


class SiteOverridesSerializer(SiteSerializer):
    """Null is as good as absent. Unknown keys are ignored."""

    name = Text(max_length=120, required=False, allow_null=True)
    address = Text(max_length=200, required=False, allow_null=True)
    city = Text(max_length=LONGEST_CITY, required=False, allow_null=True)
    country = Text(max_length=2, required=False, allow_null=True, validators=[known_country])
    coordinates = CoordinatesSerializer(required=False, allow_null=True)
    public = Flag(required=False, allow_null=True)
    ocpp_version = serializers.ChoiceField(choices=OcppVersion.choices, required=False, allow_null=True)
    identity_prefix = Text(max_length=40, required=False, allow_null=True, allow_blank=True)
    ws_url = Text(max_length=500, required=False, allow_null=True, allow_blank=True)

    def validate_ws_url(self, url: str | None) -> str | None:
        if url:
            csms_url(url)
        return url


class TemplateSiteSerializer(serializers.Serializer[Any]):
    template = Text(max_length=60, help_text="A slug of the location templates.")
    overrides = SiteOverridesSerializer(required=False, allow_null=True)


class CpoLocationsCreateSerializer(serializers.Serializer[Any]):
    """For the document; each item is read by `items_of`."""

    locations = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=MOST_ITEMS)


def items_of(body: Any) -> list[dict[str, Any]]:
    """The items of a create request; one with a `template` text is a template's. Raises Invalid (422)."""
    found = validated(CpoLocationsCreateSerializer, body)["locations"]
    return [_item(one, index) for index, one in enumerate(found)]


def _item(item: Any, index: int) -> dict[str, Any]:
    is_template = isinstance(item, dict) and isinstance(item.get("template"), str)
    shape = TemplateSiteSerializer if is_template else ExplicitSiteSerializer
    try:
        data: dict[str, Any] = validated(shape, item)
    except Invalid as error:
        raise Invalid(
            *((("body", "locations", index, *loc[1:]), msg, kind) for loc, msg, kind in error.items)
        ) from None
    if is_template:
        return {"template": data["template"], "overrides": data.get("overrides") or {}}
    return {**data, "charges": data.get("charges") or []}


def changes_of(body: Any) -> dict[str, Any]:
    """Of a PATCH, by column of the plain location and `parking_type`."""
    return columns(validated(SiteSerializer, body))


# --- answers ----------------------------------------------------------------------------------------------------------


class ShownEvseSerializer(serializers.Serializer[Any]):
    evse_uid = serializers.CharField()
    ocpi_evse_id = serializers.CharField()
    ocpi_connector_id = serializers.CharField()
    topology_id = serializers.CharField()
    status = serializers.CharField()


class ShownChargerSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    identity = serializers.CharField()
    connector_type = serializers.CharField()
    ocpp_version = serializers.CharField()
    charge_point_id = serializers.CharField(help_text="As the CSMS knows it: the identity.")
    evses = ShownEvseSerializer(many=True)
    topology_default_id = serializers.CharField(required=False, help_text="On the first charger only.")


class CpoLocationSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="OCPI's.")
    ocpp_location_id = serializers.CharField(help_text="The plain location's.")
    organization_id = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    coordinates = CoordinatesSerializer()
    timezone = serializers.CharField(allow_null=True)
    owner_name = serializers.CharField(allow_null=True)
    public = serializers.BooleanField()
    parking_type = serializers.CharField(allow_null=True)
    chargers = ShownChargerSerializer(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class LocationJobAcceptedSerializer(serializers.Serializer[Any]):
    job_id = serializers.CharField()
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    status_url = serializers.CharField()
    workflow_run_id = serializers.CharField()


class FailedSiteSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    name = serializers.CharField()
    error = serializers.CharField()


class LocationJobResultsSerializer(serializers.Serializer[Any]):
    location_ids = serializers.ListField(child=serializers.CharField())
    created_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    created = CpoLocationSerializer(many=True)
    failed = FailedSiteSerializer(many=True)


class LocationJobProgressSerializer(serializers.Serializer[Any]):
    current_step = serializers.CharField(allow_null=True)
    done = serializers.IntegerField()
    total = serializers.IntegerField()


class LocationJobSerializer(serializers.Serializer[Any]):
    job_id = serializers.CharField()
    job_type = serializers.CharField()
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    workflow_run_id = serializers.CharField()
    error = ProvisioningErrorSerializer(allow_null=True)
    progress = LocationJobProgressSerializer(allow_null=True)
    results = LocationJobResultsSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    provisioned_at = serializers.DateTimeField(allow_null=True)


def shown(site: CpoLocation) -> dict[str, Any]:
    """Of a row of `ocpi.sites.sites`, whose plain location stands."""
    place = site.location
    assert place is not None
    return {
        "id": site.ocpi_id,
        "ocpp_location_id": str(place.pk),
        "organization_id": str(site.tenant_id),
        "slug": place.slug,
        "name": place.name,
        "address": place.address,
        "city": place.city,
        "country": place.country,
        "coordinates": {"latitude": place.latitude, "longitude": place.longitude},
        "timezone": place.timezone,
        "owner_name": place.owner_name,
        "public": place.public,
        "parking_type": site.attributes.get("parking_type"),
        "chargers": _chargers(site),
        "created_at": iso(site.created_at),
        "updated_at": iso(max(site.last_updated, place.updated_at)),
    }


def _chargers(site: CpoLocation) -> list[dict[str, Any]]:
    """In the order of their EVSEs."""
    outlets: dict[Any, list[Evse]] = {}
    for evse in site.evses.all():
        outlets.setdefault(evse.charger_id, []).append(evse)
    shown_ones = [_charger(evses) for evses in outlets.values()]
    if shown_ones:
        shown_ones[0]["topology_default_id"] = site.ocpi_id
    return shown_ones


def _charger(evses: Sequence[Evse]) -> dict[str, Any]:
    charger = evses[0].charger
    assert charger is not None
    return {
        "id": str(charger.pk),
        "identity": charger.identity,
        "connector_type": charger.connector_type,
        "ocpp_version": charger.ocpp_version,
        "charge_point_id": charger.identity,
        "evses": [
            {
                "evse_uid": one.uid,
                "ocpi_evse_id": one.evse_id,
                "ocpi_connector_id": "1",
                "topology_id": f"{one.outlet_evse}.{one.outlet_connector}",
                "status": one.status,
            }
            for one in evses
        ],
    }


def job_answer(job: LocationJob, created: Sequence[CpoLocation]) -> dict[str, Any]:
    has_ended = job.status in (ProvisioningStatus.READY, ProvisioningStatus.FAILED)
    progress = {"current_step": job.current_step or None, "done": job.done, "total": job.total}
    results = {
        "location_ids": job.created,
        "created_count": len(job.created),
        "failed_count": len(job.failed),
        "created": [shown(site) for site in created],
        "failed": job.failed,
    }
    return {
        "job_id": str(job.pk),
        "job_type": "create_locations",
        "status": job.status,
        "workflow_run_id": str(job.pk),
        "error": job.error,
        "progress": progress if job.status == ProvisioningStatus.PROVISIONING else None,
        "results": results if has_ended else None,
        "created_at": iso(job.created_at),
        "provisioned_at": iso(job.provisioned_at),
    }
