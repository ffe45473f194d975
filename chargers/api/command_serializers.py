"""The JSON shapes of commands and their answers (gateway contract, sections 3, 10, 11, 12, 19)."""

from base64 import b64decode
from typing import Any

from rest_framework import serializers

from chargers.models import ChargerCommand, CommandState
from chargers.services import secrets
from chargers.services.faults import problems
from chargers.services.proxying import ACTIONS
from ocpplab.api.fields import LARGEST_INTEGER, JsonObject, Moment, Number, Text, Whole

LONGEST_ID_TAG = 36
MOST_TARGETS = 10_000
MOST_LIST_ENTRIES = 1000


def number(**kwargs: Any) -> Whole:
    return Whole(min_value=1, required=False, allow_null=True, **kwargs)


class NothingSerializer(serializers.Serializer[Any]):
    """No fields; whatever is sent is ignored."""


class ConnectorSerializer(serializers.Serializer[Any]):
    """Absent means EVSE 1, connector 1. OCPP 1.6 goes by `connector_id`, OCPP 2.0.1 by `evse_id`."""

    evse_id = number()
    connector_id = number()


class IdTagSerializer(serializers.Serializer[Any]):
    id_tag = Text(max_length=LONGEST_ID_TAG, help_text="At most 20 characters for OCPP 1.6, 36 for OCPP 2.0.1.")


class StartTransactionSerializer(ConnectorSerializer):
    id_tag = Text(max_length=LONGEST_ID_TAG)


class StopTransactionSerializer(serializers.Serializer[Any]):
    transaction_id = Text(
        max_length=LONGEST_ID_TAG,
        required=False,
        allow_null=True,
        help_text="A string for OCPP 1.6 too. Absent: the active transaction that started last.",
    )


class StartSessionSerializer(ConnectorSerializer):
    """The session ends by itself after the duration or at the energy, whichever comes first."""

    id_tag = Text(max_length=LONGEST_ID_TAG)
    duration_seconds = number()
    target_energy_kwh = Number(min_value=0.001, max_value=100_000, required=False, allow_null=True)


class StopSessionSerializer(ConnectorSerializer):
    """Absent means the transaction that started last."""


class PowerUpdateSerializer(ConnectorSerializer):
    power_w = Whole(min_value=0, help_text="What the EV asks for, in watts; the station may offer less.")


class ChargingLimitSerializer(serializers.Serializer[Any]):
    limit = Number(min_value=0, max_value=10_000_000, help_text="In `unit`: A for each phase, or W in all.")
    unit = serializers.ChoiceField(choices=["A", "W"])
    charging_limit_source = serializers.ChoiceField(
        choices=["EMS", "SO", "Other"],
        required=False,
        allow_null=True,
        help_text="Who sets it, as OCPP 2.0.1 has it: energy management (default), system operator, somebody else.",
    )


class ResetSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["Soft", "Hard"], required=False, allow_null=True)


class FaultPlaceSerializer(serializers.Serializer[Any]):
    """Where a fault is: an outlet, or the whole station as `connector_id` or `evse_id` 0."""

    evse_id = Whole(min_value=0, required=False, allow_null=True)
    connector_id = Whole(min_value=0, required=False, allow_null=True, help_text="0 is the whole station.")


class ClearFaultSerializer(FaultPlaceSerializer):
    fault_type = Text(max_length=50, required=False, allow_null=True, help_text="Absent: every fault of that place.")


class InjectFaultSerializer(FaultPlaceSerializer):
    fault_type = Text(max_length=50, help_text="An OCPP 1.6 error code such as OverCurrentFailure, or any other word.")
    severity = serializers.ChoiceField(choices=["blocking", "warning"], required=False, allow_null=True)
    duration_seconds = number(help_text="The fault clears itself after so long.")
    seed = Whole(min_value=0, max_value=LARGEST_INTEGER, required=False, allow_null=True)
    parameters = JsonObject(required=False, allow_null=True, help_text="Of that fault, see `GET /faults`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if found := problems(attrs["fault_type"], attrs.get("parameters") or {}):
            raise serializers.ValidationError({"parameters": found}, code="value_error")
        return attrs


class PresentTagSerializer(ConnectorSerializer):
    id_tag = Text(max_length=LONGEST_ID_TAG)
    type = serializers.ChoiceField(
        choices=["Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress"],
        required=False,
        allow_null=True,
        help_text="The token's type in OCPP 2.0.1.",
    )


class EvStateSerializer(ConnectorSerializer):
    state = serializers.ChoiceField(choices=["ready", "paused", "full", "fault"])
    soc_percent = Number(min_value=0, max_value=100, required=False, allow_null=True)
    target_soc_percent = Number(min_value=1, max_value=100, required=False, allow_null=True)
    profile = Text(max_length=30, required=False, allow_null=True, help_text="A kind of car, such as `family`.")


class PowerCycleSerializer(serializers.Serializer[Any]):
    off_seconds = Number(min_value=0, max_value=86_400, required=False, allow_null=True, help_text="Absent: 5.")


class RawFrameSerializer(serializers.Serializer[Any]):
    """Exactly one of the two."""

    text = Text(max_length=100_000, required=False, allow_null=True, trim_whitespace=False, allow_blank=True)
    base64 = Text(max_length=140_000, required=False, allow_null=True, help_text="Goes out as a binary message.")

    def validate_base64(self, value: str | None) -> str | None:
        try:
            b64decode(value or "", validate=True)
        except ValueError:
            raise serializers.ValidationError("This is no base64.", code="value_error") from None
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("text") is None) == (attrs.get("base64") is None):
            raise serializers.ValidationError("Give either text or base64.", code="missing")
        return attrs


class FaultParameterSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=["number", "integer", "boolean", "string", "choice"])
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True, help_text="Of a string: its greatest length.")
    choices = serializers.ListField(child=serializers.CharField())
    default = serializers.JSONField(allow_null=True)


class FaultKindSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    layer = serializers.ChoiceField(choices=["hardware", "network"])
    severity = serializers.ChoiceField(choices=["blocking", "warning"], help_text="Where none is asked for.")
    parameters = FaultParameterSerializer(many=True)
    shows = serializers.DictField(child=serializers.CharField(), help_text="By OCPP version.")
    cleared_by = serializers.ListField(child=serializers.CharField())


class LocalAuthEntrySerializer(serializers.Serializer[Any]):
    id_tag = Text(max_length=LONGEST_ID_TAG)
    expiry_date = Moment(required=False, allow_null=True)
    parent_id_tag = Text(max_length=LONGEST_ID_TAG, required=False, allow_null=True, allow_blank=True)


class LocalAuthListSerializer(serializers.Serializer[Any]):
    list_version = Whole(help_text="Greater than that of the list before; an empty station has 0.")
    entries = serializers.ListField(child=LocalAuthEntrySerializer(), max_length=MOST_LIST_ENTRIES)


class ConfigurationEventSerializer(serializers.Serializer[Any]):
    configuration = serializers.DictField(child=Text(max_length=5000, allow_blank=True, trim_whitespace=False))


class ProxyMessageSerializer(serializers.Serializer[Any]):
    """Keys in snake_case become OCPP's camelCase; the message is not checked against the schema."""

    action = serializers.ChoiceField(choices=sorted(ACTIONS))
    ocpp_version = serializers.ChoiceField(choices=["ocpp1.6", "ocpp2.0.1"], help_text="The charger's own.")
    payload = JsonObject(help_text="Whatever is to be sent.")


class TargetsSerializer(serializers.Serializer[Any]):
    charger_ids = serializers.ListField(
        child=Text(max_length=64),
        required=False,
        allow_null=True,
        min_length=1,
        max_length=MOST_TARGETS,
        help_text="Chargers of the location; absent or null: all of them.",
    )


class QueuedCommandSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    event_type = serializers.CharField()
    ocpp_version = serializers.ChoiceField(choices=["ocpp1.6", "ocpp2.0.1"])
    payload = serializers.DictField()


class FanoutResultSerializer(serializers.Serializer[Any]):
    charger_id = serializers.CharField()
    identity = serializers.CharField()
    command = QueuedCommandSerializer()


class FanoutFailureSerializer(serializers.Serializer[Any]):
    identity = serializers.CharField(allow_null=True)
    error = serializers.CharField()


class CommandFanoutSerializer(serializers.Serializer[Any]):
    targeted_count = serializers.IntegerField()
    queued_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    results = FanoutResultSerializer(many=True)
    failed = FanoutFailureSerializer(many=True)


class FaultOperationSerializer(serializers.Serializer[Any]):
    msg = serializers.CharField()
    fault_type = serializers.CharField(required=False, allow_null=True)
    evse_id = serializers.IntegerField(required=False, allow_null=True)
    connector_id = serializers.IntegerField(required=False, allow_null=True)
    status = serializers.CharField(required=False, allow_null=True)


class ConfigurationChangeSerializer(serializers.Serializer[Any]):
    """`configured` names the keys applied; `results` tells every key's fate."""

    status = serializers.ChoiceField(choices=["Accepted", "Rejected", "RebootRequired"])
    configured = serializers.ListField(child=serializers.CharField())
    msg = serializers.CharField()
    results = serializers.DictField(child=serializers.CharField())


class CacheResetSerializer(serializers.Serializer[Any]):
    msg = serializers.CharField()
    cleared_entries = serializers.IntegerField()


class LocalListMutationSerializer(serializers.Serializer[Any]):
    status = serializers.CharField(required=False)
    list_version = serializers.IntegerField(required=False)
    entries_received = serializers.IntegerField(required=False)
    msg = serializers.CharField(required=False)
    entries_deleted = serializers.IntegerField(required=False)


class ConfigurationEntrySerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.CharField(required=False)
    readonly = serializers.BooleanField()


class ConfigurationSerializer(serializers.Serializer[Any]):
    configuration = ConfigurationEntrySerializer(many=True)


class LocalListPageSerializer(serializers.Serializer[Any]):
    data = LocalAuthEntrySerializer(many=True)  # type: ignore[assignment]  # a field, as REST framework has it
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    list_version = serializers.IntegerField()


class ShownPayload(serializers.DictField):
    """Without the secrets it may hold."""

    def to_representation(self, value: Any) -> dict[str, Any]:
        return super().to_representation(secrets.masked(value))


class CommandRowSerializer(serializers.ModelSerializer[ChargerCommand]):
    """What became of a command; `frames` are the ids of the log entries that prove it."""

    charger_id = serializers.UUIDField(read_only=True)
    state = serializers.ChoiceField(choices=CommandState.choices)
    payload = ShownPayload()
    result = serializers.JSONField(allow_null=True)
    frames = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ChargerCommand
        fields = (
            "id", "charger_id", "event_type", "ocpp_version", "payload", "state", "reason", "frames", "result", "actor",
            "created_at", "deadline_at", "claimed_at", "sent_at", "finished_at",
        )  # fmt: skip
