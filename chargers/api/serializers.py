"""The JSON shapes of chargers (gateway contract, sections 3, 7 and 8)."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.serializers import PictureUrlField
from chargers.addresses import LONGEST, AddressRefused, check_csms_url
from chargers.models import Charger, OcppVersion, ProvisioningStatus
from chargers.services.provisioning import LONGEST_IDENTITY, NewCharger
from chargers.services.readiness import STARTING_SIMULATOR
from ocpplab.api.fields import Text, Whole
from ocpplab.api.sparse import SparseSerializer

MOST_CHARGERS = 1000
MOST_SYNCHRONOUS, MOST_DURABLE = 100, 5000  # in one request
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def csms_url(value: str) -> None:
    try:
        check_csms_url(value)
    except AddressRefused as error:
        raise serializers.ValidationError(str(error), code="url") from None


def station_identity(value: str) -> None:
    """A path segment and a basic-auth user name at once (OCPP contract, T3)."""
    if ":" in value or CONTROL.search(value):
        raise serializers.ValidationError("An identity has no colon and no control characters.", code="pattern")


class ChargerSerializer(SparseSerializer):
    """`max_charging_power` is in watts."""

    always_shown = ("id", "identity")

    name = serializers.SerializerMethodField()
    vendor_name = serializers.CharField(source="model.brand.name", read_only=True)
    brand_slug = serializers.CharField(source="model.brand.slug", read_only=True)
    model = serializers.CharField(source="model.name", read_only=True)
    model_slug = serializers.CharField(source="model.slug", read_only=True)
    image_url = PictureUrlField(source="model.image_url")
    number_of_connectors = serializers.IntegerField(source="model.connector_count", read_only=True)
    max_charging_power = serializers.IntegerField(source="model.max_power_w", read_only=True)
    location_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = Charger
        fields = (
            "id", "identity", "name", "vendor_name", "model", "image_url", "ocpp_version", "number_of_connectors",
            "max_charging_power", "connector_type", "location_id", "location_name", "created_at", "updated_at",
            "ws_url", "brand_slug", "model_slug", "status", "runtime", "connection_status",
        )  # fmt: skip

    def get_name(self, charger: Charger) -> str | None:
        return charger.name or None


class ProvisioningErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    step = serializers.CharField(required=False, allow_null=True)
    param = serializers.CharField(required=False, allow_null=True)
    doc_url = serializers.CharField(required=False, allow_null=True)
    retryable = serializers.BooleanField(required=False)


class ProgressSerializer(serializers.Serializer[Any]):
    current_step = serializers.CharField(allow_null=True)


class ChargerStatusSerializer(serializers.Serializer[Any]):
    charger_id = serializers.UUIDField(source="id")
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    workflow_run_id = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField(help_text="Only while PROVISIONING.")
    provisioned_at = serializers.DateTimeField(allow_null=True)

    def get_workflow_run_id(self, charger: Charger) -> str | None:
        return None

    @extend_schema_field(ProvisioningErrorSerializer(allow_null=True))
    def get_error(self, charger: Charger) -> dict[str, Any] | None:
        error: dict[str, Any] | None = charger.error
        return error

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, charger: Charger) -> dict[str, Any] | None:
        is_under_way = charger.status == ProvisioningStatus.PROVISIONING
        return {"current_step": STARTING_SIMULATOR} if is_under_way else None


class ChargerAcceptedSerializer(serializers.Serializer[Any]):
    charger_id = serializers.CharField()
    identity = serializers.CharField()
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    status_url = serializers.CharField(help_text="To be polled until READY or FAILED.")
    workflow_run_id = serializers.CharField(allow_null=True)


class TemplateSerializer(serializers.Serializer[Any]):
    """What the chargers of a group share."""

    brand_slug = Text(max_length=80)
    model_slug = Text(max_length=80)
    connector_type = Text(max_length=20)
    ws_url = Text(max_length=LONGEST, validators=[csms_url])
    ocpp_version = serializers.ChoiceField(choices=OcppVersion.choices, required=False, allow_null=True)
    identity_prefix = Text(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_IDENTITY)
    template_name = Text(required=False, allow_null=True, allow_blank=True, max_length=80)


class FleetChargerSerializer(serializers.Serializer[Any]):
    """A charger of a location: the location is the path's, an explicit one must be the same."""

    identity = Text(max_length=LONGEST_IDENTITY, validators=[station_identity])
    brand_slug = Text(max_length=80)
    model_slug = Text(max_length=80)
    connector_type = Text(max_length=20)
    ws_url = Text(max_length=LONGEST, validators=[csms_url])
    ocpp_version = serializers.ChoiceField(choices=OcppVersion.choices, required=False, allow_null=True)
    charge_point_name = Text(max_length=120, required=False, allow_null=True, allow_blank=True)
    location_id = Text(max_length=64, required=False, allow_null=True)
    location_name = Text(max_length=120, required=False, allow_null=True, allow_blank=True)


class ChargerCreateSerializer(FleetChargerSerializer):
    location_id = Text(max_length=64)


def new_charger(data: dict[str, Any]) -> NewCharger:
    """The validated create body as the service takes it."""
    return NewCharger(
        identity=data["identity"],
        brand_slug=data["brand_slug"],
        model_slug=data["model_slug"],
        connector_type=data["connector_type"],
        ws_url=data["ws_url"],
        ocpp_version=data.get("ocpp_version"),
        name=data.get("charge_point_name") or "",
        location_name=data.get("location_name") or "",
        location_id=data.get("location_id"),
    )


class ChargerUpdateSerializer(serializers.Serializer[Any]):
    """Only what is sent changes; null clears a name. `charge_point_name` is another word for `name`, which wins."""

    name = Text(max_length=120, required=False, allow_null=True, allow_blank=True)
    charge_point_name = Text(max_length=120, required=False, allow_null=True, allow_blank=True)
    connector_type = Text(max_length=20, required=False)
    ocpp_version = serializers.ChoiceField(choices=OcppVersion.choices, required=False)
    ws_url = Text(max_length=LONGEST, required=False, validators=[csms_url])
    location_id = Text(max_length=64, required=False)
    location_name = Text(max_length=120, required=False, allow_null=True, allow_blank=True)


class ChargerPatchSerializer(ChargerUpdateSerializer):
    charger_id = Text(max_length=64)


def changes_of(data: dict[str, Any]) -> dict[str, Any]:
    """The validated update body by the model's fields."""
    changes = {name: value for name, value in data.items() if name not in ("charger_id", "charge_point_name")}
    if "charge_point_name" in data:
        changes.setdefault("name", data["charge_point_name"])
    for name in ("name", "location_name"):
        if name in changes:
            changes[name] = changes[name] or ""
    return changes


class ChargerIdsQuerySerializer(serializers.Serializer[Any]):
    charger_ids = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, help_text="Only these; repeat the key."
    )


class ChargerIdsSerializer(serializers.Serializer[Any]):
    charger_ids = serializers.ListField(child=Text(max_length=64), min_length=1, max_length=MOST_CHARGERS)


class ChargerGroupSerializer(serializers.Serializer[Any]):
    """Identities are prefix + suffix; suffixes are the given ids, padded with random ones up to the number."""

    template = TemplateSerializer()
    charger_ids = serializers.ListField(
        child=Text(max_length=LONGEST_IDENTITY), required=False, allow_null=True, max_length=MOST_CHARGERS
    )
    chargers_number = Whole(min_value=1, max_value=MOST_CHARGERS, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("charger_ids") and attrs.get("chargers_number") is None:
            raise serializers.ValidationError("Give charger_ids, chargers_number, or both.", code="missing")
        return attrs


class FleetCreateSerializer(serializers.Serializer[Any]):
    chargers = FleetChargerSerializer(many=True, allow_empty=False)


class FleetUpdateSerializer(serializers.Serializer[Any]):
    chargers = serializers.ListField(child=ChargerPatchSerializer(), min_length=1, max_length=MOST_CHARGERS)


class CreateFailureSerializer(serializers.Serializer[Any]):
    identity = serializers.CharField(allow_null=True)
    error = serializers.CharField()


class ChargerFailureSerializer(serializers.Serializer[Any]):
    charger_id = serializers.CharField(allow_null=True)
    error = serializers.CharField()


class BulkCreateResultSerializer(serializers.Serializer[Any]):
    created_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    created = ChargerSerializer(many=True)
    failed = CreateFailureSerializer(many=True)


class JobAcceptedSerializer(serializers.Serializer[Any]):
    job_id = serializers.CharField()
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    status_url = serializers.CharField(help_text="To be polled until READY or FAILED.")
    workflow_run_id = serializers.CharField(allow_null=True)


class JobProgressSerializer(ProgressSerializer):
    done = serializers.IntegerField(help_text="Chargers dealt with so far.")
    total = serializers.IntegerField()


class ChargerJobSerializer(serializers.Serializer[Any]):
    """`results` stands once the job has ended; `progress` only while PROVISIONING."""

    job_id = serializers.CharField()
    job_type = serializers.CharField()
    status = serializers.ChoiceField(choices=ProvisioningStatus.choices)
    workflow_run_id = serializers.CharField(allow_null=True)
    error = ProvisioningErrorSerializer(allow_null=True)
    progress = JobProgressSerializer(allow_null=True)
    results = BulkCreateResultSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    provisioned_at = serializers.DateTimeField(allow_null=True)


class BulkUpdateResultSerializer(serializers.Serializer[Any]):
    updated_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    updated = ChargerSerializer(many=True)
    failed = ChargerFailureSerializer(many=True)


class BulkDeleteResultSerializer(serializers.Serializer[Any]):
    deleted_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    deleted = serializers.ListField(child=serializers.UUIDField())
    failed = ChargerFailureSerializer(many=True)
