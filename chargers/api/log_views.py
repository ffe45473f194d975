"""What chargers' wires carried, and what a charger shows of itself (gateway contract, sections 14 and 19)."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.log_exports import ACCEPTED, CSV, NDJSON, export, wanted_format
from chargers.api.log_serializers import (
    SHOWN_ENTRY,
    ConnectionSerializer,
    LocationLogPageSerializer,
    LogPageSerializer,
    LogQuerySerializer,
    connection_entry,
    entry,
    filters_of,
    location_entry,
    shown_page,
)
from chargers.api.serializers import ChargerIdsQuerySerializer
from chargers.models import Charger, ConnectionEvent, Connector
from chargers.services import log_pages, traffic
from chargers.services.charger_log import ChargerLog
from chargers.services.configuration import picture_of
from chargers.services.location_log import LocationLog
from chargers.services.log_pages import BadCursor, Log
from chargers.services.lookup import as_id, find_charger
from locations.services import find_location
from ocpplab.api.errors import Invalid
from ocpplab.api.streams import Streams
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

LOGS = ["Logs"]
TEXT_OF_FORMAT = {(200, NDJSON): OpenApiTypes.STR, (200, CSV): OpenApiTypes.STR}
TOTALS = (
    "`total` comes from counters unless filtered by more than action and time; then it is counted up to "
    f"{log_pages.MOST_COUNTED} (`total_is` says so), and not at all where `text` is looked for. `next` and `previous` "
    "are cursors: they cost the same however deep they lead."
)


class ChargerStateSerializer(serializers.Serializer[Any]):
    """Beside these fields whatever the station's picture holds: outlets, sessions, queue, faults."""

    charger_id = serializers.CharField()
    identity = serializers.CharField()
    ocpp_version = serializers.CharField()
    runtime = serializers.CharField()
    status = serializers.CharField()
    connection_status = serializers.CharField()
    connectors = serializers.ListField(child=serializers.JSONField())


class LogViewSet(Streams, TenantViewSet):
    """`accepted_types` are what it can stream beside JSON."""

    pagination_class = None
    accepted_types = ACCEPTED

    @extend_schema(
        operation_id="get_logs",
        summary="Read every OCPP frame, in wire order",
        description=f"Oldest first, unless `order` says otherwise. {TOTALS}",
        tags=LOGS,
        parameters=[LogQuerySerializer],
        responses={(200, "application/json"): LogPageSerializer, **TEXT_OF_FORMAT},
        examples=[shown_page(SHOWN_ENTRY)],
    )
    def logs(self, request: Request, charger_id: str) -> Any:
        charger = find_charger(charger_id)
        query = validated(LogQuerySerializer, request.query_params.dict(), where="query")
        log = ChargerLog(charger.pk, filters_of(query), with_connections="include" in query)
        if form := wanted_format(request, query):
            return export(request, log, entry, form, newest=query["order"] == "newest", name=charger.identity)
        return Response(page_of(log, query, charger.pk, entry))

    @extend_schema(
        operation_id="get_location_logs",
        summary="Read every OCPP frame of a location's chargers, by time",
        description=f"Lines of the same moment stand in the order of their chargers. {TOTALS}",
        tags=LOGS,
        parameters=[LogQuerySerializer, ChargerIdsQuerySerializer],
        responses={(200, "application/json"): LocationLogPageSerializer, **TEXT_OF_FORMAT},
        examples=[shown_page({"charger_id": "5b0e7c1e-2d7f-4a53-a0f5-0b8b9d1a6c42", **SHOWN_ENTRY})],
    )
    def location_logs(self, request: Request, location_id: str) -> Any:
        location = find_location(location_id)
        query = validated(LogQuerySerializer, request.query_params.dict(), where="query")
        charger_ids = chargers_asked(location.pk, request)
        log = LocationLog(charger_ids, filters_of(query), with_connections="include" in query)
        if form := wanted_format(request, query):
            return export(request, log, location_entry, form, newest=query["order"] == "newest", name=location.slug)
        return Response(page_of(log, query, (location.pk, charger_ids), location_entry))

    @extend_schema(
        operation_id="get_state",
        summary="What the charger looks like right now",
        tags=LOGS,
        responses={200: ChargerStateSerializer},
    )
    def state(self, request: Request, charger_id: str) -> Response:
        charger = find_charger(charger_id)
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


def chargers_asked(location_id: UUID, request: Request) -> list[UUID]:
    """The location's chargers in a fixed order, or those of them that the query names."""
    asked = validated(ChargerIdsQuerySerializer, request.query_params, where="query").get("charger_ids")
    chargers = Charger.objects.filter(location=location_id)
    if asked is not None:
        chargers = chargers.filter(pk__in=[key for text in asked if (key := as_id(text))])
    return list(chargers.order_by("created_at", "id").values_list("pk", flat=True))


def page_of(log: Log, query: dict[str, Any], subject: Any, shown: Any) -> dict[str, Any]:
    """The answer's body. Raises Invalid (422) for a cursor that does not fit."""
    newest, limit = query["order"] == "newest", query["limit"]
    question = log_pages.question_of(subject, log.filters, newest, query.get("include"))
    if "cursor" in query:
        try:
            cursor = log_pages.decoded(query["cursor"], question)
            page = log_pages.page_at(log, question, cursor, newest=newest, limit=limit)
        except BadCursor as refusal:
            raise Invalid((("query", "cursor"), str(refusal), "value_error")) from None
    else:
        page = log_pages.first_page(log, question, newest=newest, offset=query["offset"], limit=limit)
    return {
        "data": [shown(line) for line in page.lines],
        "total": page.total,
        "total_is": "exact" if page.is_exact else "at_least",
        "limit": limit,
        "offset": page.offset,
        "next": page.next,
        "previous": page.previous,
    }


def outlets_of(charger: Charger) -> list[dict[str, Any]]:
    """Before its first start a charger has no picture: its outlets stand as they were built."""
    rows: QuerySet[Any, Any] = Connector.objects.filter(charger=charger).values(
        "evse_id", "connector_id", "connector_type", "max_power_w", "status", "error_code"
    )
    return list(rows.order_by("evse_id", "connector_id"))


class ConnectionViewSet(TenantViewSet):
    serializer_class = ConnectionSerializer

    def get_queryset(self) -> QuerySet[ConnectionEvent]:
        charger = find_charger(self.kwargs["charger_id"])
        return traffic.connections([charger.pk], traffic.Filters()).order_by("epoch", "sequence")

    @extend_schema(
        operation_id="list_connections",
        summary="Connects, refusals and closes",
        description="What the wire shows without a frame, oldest first.",
        tags=LOGS,
    )
    def list(self, request: Request, charger_id: str) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([connection_entry(row) for row in page])
