"""`C/options` and `L/chargers/options` (gateway contract, section 19)."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.command_serializers import FanoutFailureSerializer, TargetsSerializer
from chargers.services.lookup import find_charger, of_location
from chargers.services.options import ON_POWER_LOSS, change_options, options_of
from locations.services import find_location
from ocpplab.api.fields import Flag, Number, Whole
from ocpplab.api.validation import validated, without_nulls
from tenants.viewsets import TenantViewSet

STATE = ["Configuration and faults"]
LARGEST_SEED = 2**63 - 1
EXAMPLE = OpenApiExample("fast physics", {"time_scale": 60, "on_power_loss": "resume"}, request_only=True)


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
    strict_schema = Flag(required=False, allow_null=True, help_text="Refuse what breaks OCPP's schemas.")
    boot_seconds = Number(
        min_value=0, max_value=3600, required=False, allow_null=True, help_text="How long a restart takes."
    )
    min_current = Number(
        min_value=0, max_value=80, required=False, allow_null=True, help_text="A: below it the car draws nothing."
    )


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
        examples=[EXAMPLE],
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
        examples=[EXAMPLE],
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
            "failed": [{"identity": None, "error": f"{one} is no charger of this location."} for one in foreign],
        }
        return Response(answer)
