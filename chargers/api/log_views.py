"""What a charger's wire carried, and what it shows of itself (gateway contract, sections 14 and 19)."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.models import Charger, ConnectionEvent, Connector, Direction, Message
from chargers.services import traffic
from chargers.services.configuration import picture_of
from chargers.services.lookup import find_charger
from ocpplab.api.fields import Moment
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

LOGS = ["Logs"]
MOST_ENTRIES = 1000
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
EXACT = {
    "direction": "direction",
    "message_id": "message_id",
    "message_type": "message_type",
    "transaction": "transaction",
}


class LogQuerySerializer(serializers.Serializer[Any]):
    start_date = Moment(required=False, help_text="Inclusive; with a time zone.")
    end_date = Moment(required=False, help_text="Inclusive; with a time zone.")
    event = serializers.CharField(required=False, max_length=50, help_text="An OCPP action, in any case of letters.")
    direction = serializers.ChoiceField(choices=Direction.choices, required=False)
    message_type = serializers.ChoiceField(choices=["CALL", "CALLRESULT", "CALLERROR"], required=False)
    message_id = serializers.CharField(required=False, max_length=64)
    transaction = serializers.CharField(required=False, max_length=36)
    include = serializers.ChoiceField(choices=["connections"], required=False, help_text="Adds connects and closes.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ENTRIES, default=100)
    offset = serializers.IntegerField(min_value=0, default=0)


class ConnectionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField(help_text="connecting, connected, refused, closed, reconnecting or stopped")
    code = serializers.IntegerField(allow_null=True, help_text="The close code, or the HTTP status of a refusal.")
    reason = serializers.CharField()
    timestamp = serializers.DateTimeField()


class LogEntrySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    direction = serializers.CharField(help_text="cp_to_csms or csms_to_cp; empty for a connection event.")
    action = serializers.CharField(help_text="Of a result or error: the action of the call it answers.")
    message = serializers.CharField(allow_null=True, help_text="The raw frame as one string.")
    timestamp = serializers.DateTimeField()
    message_type = serializers.CharField()
    message_id = serializers.CharField()
    transaction = serializers.CharField()
    encoding = serializers.CharField()
    masked = serializers.BooleanField()
    injected = serializers.BooleanField()
    delivery = serializers.CharField()
    note = serializers.CharField()
    connection = ConnectionSerializer(required=False)


class LogPageSerializer(serializers.Serializer[Any]):
    data = LogEntrySerializer(many=True)  # type: ignore[assignment]  # a field, as REST framework has it
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()


class ChargerStateSerializer(serializers.Serializer[Any]):
    """Beside these fields whatever the station's picture holds: outlets, sessions, queue, faults."""

    charger_id = serializers.CharField()
    identity = serializers.CharField()
    ocpp_version = serializers.CharField()
    runtime = serializers.CharField()
    status = serializers.CharField()
    connection_status = serializers.CharField()
    connectors = serializers.ListField(child=serializers.JSONField())


def log_entry(row: Message) -> dict[str, Any]:
    return {
        "id": row.entry_id,
        "direction": row.direction,
        "action": row.action,
        "message": row.text,
        "timestamp": iso(row.at),
        "message_type": row.message_type,
        "message_id": row.message_id,
        "transaction": row.transaction,
        "encoding": row.encoding,
        "masked": row.masked,
        "injected": row.injected,
        "delivery": row.delivery,
        "note": row.note,
    }


def connection_entry(row: ConnectionEvent) -> dict[str, Any]:
    return {
        "id": row.entry_id,
        "kind": row.kind,
        "code": row.code,
        "reason": row.reason,
        "timestamp": iso(row.at),
    }


def entry(row: Message | ConnectionEvent) -> dict[str, Any]:
    """A line of the log; a connection event fills a frame's fields with nothing and brings its own."""
    if isinstance(row, Message):
        return log_entry(row)
    blank = Message(epoch=row.epoch, sequence=row.sequence, at=row.at)
    return {**log_entry(blank), "message": None, "connection": connection_entry(row)}


def within_reach(at: datetime | None) -> datetime | None:
    """Clamped: beyond these years there is no arithmetic on hours, and no frame."""
    return None if at is None else min(max(at, EARLIEST), LATEST)


def filters_of(query: dict[str, Any]) -> traffic.Filters:
    return traffic.Filters(
        start=within_reach(query.get("start_date")),
        end=within_reach(query.get("end_date")),
        action=query.get("event"),
        exact=tuple((column, query[name]) for name, column in EXACT.items() if name in query),
    )


class LogViewSet(TenantViewSet):
    pagination_class = None

    def charger(self) -> Charger:
        return find_charger(self.kwargs["charger_id"])

    @extend_schema(
        operation_id="get_logs",
        summary="Read every OCPP frame, in wire order",
        description="Oldest first. `total` comes from counters unless filtered by more than action and time.",
        tags=LOGS,
        parameters=[LogQuerySerializer],
        responses={200: LogPageSerializer},
        examples=[
            OpenApiExample(
                "BootNotification",
                {
                    "data": [
                        {
                            "id": "3-1",
                            "direction": "cp_to_csms",
                            "action": "BootNotification",
                            "message": '[2,"1","BootNotification",{"chargePointVendor":"Wallbox",'
                            '"chargePointModel":"Pulsar Plus"}]',
                            "timestamp": "2026-04-02T09:15:00.000000Z",
                            "message_type": "CALL",
                            "message_id": "1",
                            "transaction": "",
                            "encoding": "",
                            "masked": False,
                            "injected": False,
                            "delivery": "",
                            "note": "",
                        }
                    ],
                    "total": 1,
                    "limit": 100,
                    "offset": 0,
                },
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def logs(self, request: Request, charger_id: str) -> Response:
        charger = self.charger()
        query = validated(LogQuerySerializer, request.query_params.dict(), where="query")
        filters, offset, limit = filters_of(query), query["offset"], query["limit"]
        total = traffic.total(charger, filters)
        rows: Any
        if query.get("include"):
            total += traffic.connections(charger, filters).count()
            rows = traffic.interleaved(charger, filters, offset, limit) if offset < total else []
        else:
            rows = traffic.messages(charger, filters)[offset : offset + limit] if offset < total else []
        return Response({"data": [entry(row) for row in rows], "total": total, "limit": limit, "offset": offset})

    @extend_schema(
        operation_id="get_state",
        summary="What the charger looks like right now",
        tags=LOGS,
        responses={200: ChargerStateSerializer},
    )
    def state(self, request: Request, charger_id: str) -> Response:
        charger = self.charger()
        facts = {
            "charger_id": str(charger.pk),
            "identity": charger.identity,
            "ocpp_version": charger.ocpp_version,
            "runtime": charger.runtime,
            "status": charger.status,
            "connection_status": charger.connection_status,
        }
        picture = picture_of(charger)
        outlets = {} if "connectors" in picture else {"connectors": outlets_of(charger)}
        return Response({**outlets, **picture, **facts})


def outlets_of(charger: Charger) -> list[dict[str, Any]]:
    """Before its first start a charger has no picture: its outlets stand as they were built."""
    rows: QuerySet[Any, Any] = Connector.objects.filter(charger=charger).values(
        "evse_id", "connector_id", "connector_type", "max_power_w", "status", "error_code"
    )
    return list(rows.order_by("evse_id", "connector_id"))


class ConnectionViewSet(TenantViewSet):
    serializer_class = ConnectionSerializer

    def get_queryset(self) -> QuerySet[ConnectionEvent]:
        return traffic.connections(find_charger(self.kwargs["charger_id"]), traffic.Filters())

    @extend_schema(
        operation_id="list_connections",
        summary="Connects, refusals and closes",
        description="What the wire shows without a frame, oldest first.",
        tags=LOGS,
    )
    def list(self, request: Request, charger_id: str) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([connection_entry(row) for row in page])
