"""A charger's transactions with their meter values (gateway contract, section 19)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.filters import TransactionFilter
from chargers.models import Charger, Transaction
from chargers.services import meter_values
from chargers.services.lookup import as_id, find_charger
from chargers.services.meter_values import Reading
from chargers.services.tailing import number
from ocpplab.api.errors import Invalid, NotFound
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

LOGS = ["Logs"]
MOST_READINGS = 10_000


class TransactionSerializer(serializers.ModelSerializer[Transaction]):
    """Energy in Wh: the register's states, and what went over between them."""

    id = serializers.CharField()
    charger_id = serializers.UUIDField()
    energy_wh = serializers.SerializerMethodField()

    class Meta:
        model = Transaction
        fields = (
            "id", "charger_id", "transaction_id", "evse_id", "connector_id", "id_tag", "started_at", "ended_at",
            "meter_start", "meter_stop", "energy_wh", "stop_reason",
        )  # fmt: skip

    def get_energy_wh(self, row: Transaction) -> int | None:
        return None if row.meter_stop is None else row.meter_stop - row.meter_start


class ReadingSerializer(serializers.Serializer[Any]):
    frame = serializers.CharField(help_text="The log entry that reported it.")
    timestamp = serializers.DateTimeField(help_text="The station's clock.")
    measurand = serializers.CharField()
    phase = serializers.CharField(help_text="Empty for all phases.")
    value = serializers.FloatField()
    unit = serializers.CharField()
    context = serializers.CharField()  # type: ignore[assignment]  # a field, as REST framework has it
    location = serializers.CharField()


class TransactionWithReadingsSerializer(TransactionSerializer):
    meter_values = ReadingSerializer(many=True)

    class Meta(TransactionSerializer.Meta):
        fields = (*TransactionSerializer.Meta.fields, "meter_values")  # type: ignore[assignment]


class ReadingsQuerySerializer(serializers.Serializer[Any]):
    since = serializers.CharField(
        required=False, max_length=40, help_text="Only meter values reported after this log entry (`frame`)."
    )
    measurand = serializers.CharField(required=False, max_length=60, help_text="Only of this measurand.")


class TransactionViewSet(TenantViewSet):
    serializer_class = TransactionSerializer
    filterset_class = TransactionFilter

    def charger(self) -> Charger:
        return find_charger(self.kwargs["charger_id"])

    def get_queryset(self) -> QuerySet[Transaction]:
        return Transaction.objects.filter(charger=self.charger()).order_by("started_at", "id")

    @extend_schema(
        operation_id="list_transactions",
        summary="Transactions of a charger",
        description="Oldest first. Their meter values stand at each of them.",
        tags=LOGS,
    )
    def list(self, request: Request, charger_id: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(TransactionSerializer(page, many=True).data)

    @extend_schema(
        operation_id="get_transaction",
        summary="A transaction with its meter values",
        description=f"By its own id, or by OCPP's (then the latest of that id). At most {MOST_READINGS} meter values, "
        "in the order in which they were reported; `since` leads on.",
        tags=LOGS,
        parameters=[ReadingsQuerySerializer],
        responses=TransactionWithReadingsSerializer,
    )
    def retrieve(self, request: Request, charger_id: str, transaction_id: str) -> Response:
        row = found(self.get_queryset(), transaction_id)
        query = validated(ReadingsQuerySerializer, request.query_params.dict(), where="query")
        since = key_of(query["since"]) if "since" in query else None
        readings = meter_values.readings(row.charger_id, row, since=since)
        if "measurand" in query:
            readings = [one for one in readings if one.measurand == query["measurand"]]
        return Response({**TransactionSerializer(row).data, "meter_values": shown(whole_frames(readings))})


def whole_frames(readings: Sequence[Reading]) -> Sequence[Reading]:
    """As many as an answer holds, without a frame that would be cut: `since` could not lead into it."""
    if len(readings) <= MOST_READINGS:
        return readings
    cut = readings[MOST_READINGS].frame
    return [one for one in readings[:MOST_READINGS] if one.frame != cut]


def found(transactions: QuerySet[Transaction], reference: str) -> Transaction:
    """Raises NotFound."""
    key = as_id(reference)
    row = transactions.filter(pk=key).first() if key else None
    if row is None and "\0" not in reference:
        row = transactions.filter(transaction_id=reference).last()
    if row is None:
        raise NotFound("Transaction")
    return row


def key_of(entry_id: str) -> tuple[int, int]:
    """Raises Invalid (422)."""
    epoch, _, sequence = entry_id.partition("-")
    try:
        return number(epoch), number(sequence)
    except ValueError:
        raise Invalid((("query", "since"), "It is no id of a log entry.", "value_error")) from None


def shown(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    return [
        {
            "frame": f"{one.frame[0]}-{one.frame[1]}",
            "timestamp": iso(one.at),
            "measurand": one.measurand,
            "phase": one.phase,
            "value": one.value,
            "unit": one.unit,
            "context": one.context,
            "location": one.location,
        }
        for one in readings
    ]
