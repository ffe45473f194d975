"""`C/options` and `L/chargers/options` (gateway contract, section 19)."""

import json
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.command_serializers import FanoutFailureSerializer, TargetsSerializer
from chargers.services.lookup import find_charger, not_here, of_location
from chargers.services.options import EV_PROFILES, HEARTBEAT_MODES, ON_POWER_LOSS, change_options, options_of
from locations.services import find_location
from ocpplab.api.fields import Flag, Number, Text, Whole, is_storable
from ocpplab.api.validation import validated, without_nulls
from tenants.viewsets import TenantViewSet

STATE = ["Configuration and faults"]
LARGEST_SEED = 2**63 - 1
MOST_HANDLERS = 50
LONGEST_DATA = 4096
EXAMPLES = [
    OpenApiExample("fast physics", {"time_scale": 60, "on_power_loss": "resume"}, request_only=True),
    OpenApiExample("a car that comes by itself", {"auto_plug": True, "ev_profile": "van"}, request_only=True),
    OpenApiExample(
        "vendor data",
        {
            "vendor_data_handlers": [
                {"vendor_id": "com.example", "message_id": "GetMode", "data": "eco"},
                {"vendor_id": "com.example", "message_id": "SetMode", "status": "Rejected"},
            ]
        },
        request_only=True,
    ),
]


class AnyJsonField(serializers.JSONField):
    default_error_messages = {"unfit": "It cannot be stored: NUL, a lone surrogate, a huge number or depth."}

    def to_internal_value(self, data: Any) -> Any:
        if not is_storable(data):
            self.fail("unfit")
        if len(json.dumps(data)) > LONGEST_DATA:
            raise serializers.ValidationError(f"At most {LONGEST_DATA} characters of JSON.", code="max_length")
        return super().to_internal_value(data)


class DataHandlerSerializer(serializers.Serializer[Any]):
    """How one kind of DataTransfer is answered; `data` goes into the answer."""

    vendor_id = Text(max_length=255)
    message_id = Text(
        max_length=50,
        required=False,
        allow_null=True,
        help_text="Absent: whatever no other handler of the vendor names.",
    )
    status = serializers.ChoiceField(choices=["Accepted", "Rejected"], default="Accepted")
    data = AnyJsonField(  # type: ignore[assignment]  # DRF takes declared fields out of the class
        required=False, allow_null=True, help_text="OCPP 1.6 carries text: the JSON of anything else."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return without_nulls(super().to_internal_value(data))


class OptionsSerializer(serializers.Serializer[Any]):
    seed = Whole(
        min_value=0, max_value=LARGEST_SEED, required=False, allow_null=True,
        help_text="Same seed, same behaviour; also the nameplate's serial number.",
    )  # fmt: skip
    time_scale = Number(
        min_value=0.01, max_value=10_000, required=False, allow_null=True,
        help_text="How fast the physics run; protocol timers keep the wall's time.",
    )  # fmt: skip
    on_power_loss = serializers.ChoiceField(choices=ON_POWER_LOSS, required=False, allow_null=True)
    boot_on_reconnect = Flag(required=False, allow_null=True, help_text="A BootNotification after every reconnect.")
    heartbeat_mode = serializers.ChoiceField(
        choices=HEARTBEAT_MODES,
        required=False,
        allow_null=True,
        help_text="`idle`: a Heartbeat after an interval without another call; `periodic`: at every interval.",
    )
    strict_schema = Flag(required=False, allow_null=True, help_text="Refuse what breaks OCPP's schemas.")
    boot_seconds = Number(
        min_value=0, max_value=3600, required=False, allow_null=True, help_text="How long a restart takes."
    )
    auto_plug = Flag(
        required=False,
        allow_null=True,
        help_text="A car comes where a session is started remotely, and leaves after it.",
    )
    free_vend_id_tag = Text(
        max_length=20,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="OCPP 1.6: a cable is all it takes, and the transaction runs under this tag. Empty: off.",
    )
    min_current = Number(
        min_value=0, max_value=80, required=False, allow_null=True, help_text="A: below it the car draws nothing."
    )
    ev_profile = serializers.ChoiceField(
        choices=EV_PROFILES, required=False, allow_null=True, help_text="The kind of the next car that comes."
    )
    compression = Flag(required=False, allow_null=True, help_text="Offer permessage-deflate to the CSMS.")
    vendor_data_handlers = serializers.ListField(
        child=DataHandlerSerializer(),
        required=False,
        allow_null=True,
        max_length=MOST_HANDLERS,
        help_text="All of them, in place of those before; without one every vendor is unknown.",
    )

    def validate_vendor_data_handlers(self, value: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
        names = [(one["vendor_id"].casefold(), one.get("message_id", "").casefold()) for one in value or []]
        if len(set(names)) < len(names):
            raise serializers.ValidationError("Two handlers answer the same messages.", code="unique")
        return value


class LocationOptionsSerializer(OptionsSerializer, TargetsSerializer):
    pass


class ChargerOptionsSerializer(serializers.Serializer[Any]):
    charger_id = serializers.CharField()
    identity = serializers.CharField()
    options = OptionsSerializer()


class OptionsFanoutSerializer(serializers.Serializer[Any]):
    targeted_count = serializers.IntegerField()
    succeeded_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    results = ChargerOptionsSerializer(many=True)
    failed = FanoutFailureSerializer(many=True)


class OptionsViewSet(TenantViewSet):
    @extend_schema(
        operation_id="get_options", summary="Read the station options", tags=STATE, responses=OptionsSerializer
    )
    def retrieve(self, request: Request, charger_id: str) -> Response:
        return Response(options_of(find_charger(charger_id)))

    @extend_schema(
        operation_id="update_options",
        summary="Change station options",
        description="Only what is sent changes. The running machine is then rebuilt with them.",
        tags=STATE,
        request=OptionsSerializer,
        examples=EXAMPLES,
        responses=OptionsSerializer,
    )
    def update(self, request: Request, charger_id: str) -> Response:
        charger = find_charger(charger_id)
        changes = without_nulls(validated(OptionsSerializer, request.data))
        changed = change_options([charger], changes)
        return Response(options_of(changed[0] if changed else charger))

    @extend_schema(
        operation_id="update_location_options",
        summary="Change station options of several chargers",
        tags=STATE,
        request=LocationOptionsSerializer,
        examples=EXAMPLES,
        responses=OptionsFanoutSerializer,
    )
    def update_several(self, request: Request, location_id: str) -> Response:
        location = find_location(location_id)
        changes = without_nulls(validated(LocationOptionsSerializer, request.data))
        chargers, foreign = of_location(location, changes.pop("charger_ids", None))
        done = change_options(chargers, changes)
        results = [{"charger_id": str(one.pk), "identity": one.identity, "options": options_of(one)} for one in done]
        answer = {
            "targeted_count": len(done) + len(foreign),
            "succeeded_count": len(done),
            "failed_count": len(foreign),
            "results": results,
            "failed": [{"identity": None, "error": not_here(one)} for one in foreign],
        }
        return Response(answer)
