"""The CSMS on trial: where it breaks the protocol, and how fast it answers; of one charger or of a whole location."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.log_serializers import within_reach
from chargers.models import Charger, Message
from chargers.services import timings, violations
from chargers.services.lookup import find_charger
from chargers.services.timings import Timing
from chargers.services.traffic import Filters
from locations.services import find_location
from ocpplab.api.fields import Moment
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

TRIAL = ["CSMS on trial"]
MOST_ROWS = 1000
VIOLATIONS = {
    "data": [
        {
            "id": "3-2",
            "charger_id": "5d9e0f9c-0a36-4d0c-9f53-6a1f9e2b7a10",
            "timestamp": "2026-04-02T09:15:00.120000Z",
            "action": "BootNotification",
            "message_type": "CALLRESULT",
            "message_id": "8f14e45f-ceea-4b2a-9f4e-0a1b2c3d4e5f",
            "code": "unknown_value",
            "explanation": 'BootNotification answer: status is "accepted", but must be one of Accepted, Pending, '
            "Rejected.",
            "message": '[3,"8f14e45f-ceea-4b2a-9f4e-0a1b2c3d4e5f",{"status":"accepted","interval":300,'
            '"currentTime":"2026-04-02T09:15:00Z"}]',
        }
    ],
    "total": 1,
    "page": 1,
    "limit": 50,
    "by_action": [{"action": "BootNotification", "count": 1}],
}
TIMES = {"count": 12, "p50_ms": 8.2, "p95_ms": 31.4, "max_ms": 40.713, "timeouts": 1}
TIMINGS = {"data": [{"action": "BootNotification", **TIMES}], "overall": TIMES}


class TrialQuerySerializer(serializers.Serializer[Any]):
    start_date = Moment(required=False, help_text="Inclusive; with a time zone.")
    end_date = Moment(required=False, help_text="Inclusive; with a time zone.")
    event = serializers.CharField(required=False, max_length=50, help_text="An OCPP action, in any case of letters.")


class ViolationQuerySerializer(TrialQuerySerializer):
    code = serializers.CharField(required=False, max_length=24, help_text="Such as missing_property.")
    page = serializers.IntegerField(min_value=1, max_value=2**31, default=1, help_text="From 1.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=50, help_text="Rows per page.")


class ViolationSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Of the log entry; unique per charger.")
    charger_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    action = serializers.CharField(help_text="Of an answer: that of the call it answers. Empty where none can be read.")
    message_type = serializers.CharField()
    message_id = serializers.CharField()
    code = serializers.CharField(help_text="A stable word for this kind of violation.")
    explanation = serializers.CharField(help_text="Which field, what stands there, and what the specification wants.")
    message = serializers.CharField(help_text="The raw frame as one string.")


class ActionCountSerializer(serializers.Serializer[Any]):
    action = serializers.CharField()
    count = serializers.IntegerField()


class ViolationPageSerializer(serializers.Serializer[Any]):
    data = ViolationSerializer(many=True)  # type: ignore[assignment]  # a field, as REST framework has it
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    limit = serializers.IntegerField()
    by_action = ActionCountSerializer(many=True, help_text="All that the query finds, the most frequent action first.")


class AnswerTimesSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Answered calls, errors included.")
    p50_ms = serializers.FloatField(allow_null=True, help_text="The median, within 4.5 %.")
    p95_ms = serializers.FloatField(allow_null=True, help_text="Within 4.5 %.")
    max_ms = serializers.FloatField(allow_null=True, help_text="Exact.")
    timeouts = serializers.IntegerField(help_text="Calls that were not answered in time.")


class TimingSerializer(AnswerTimesSerializer):
    action = serializers.CharField()


class TimingsSerializer(serializers.Serializer[Any]):
    data = TimingSerializer(many=True)  # type: ignore[assignment]  # a field, as REST framework has it
    overall = AnswerTimesSerializer()


def violation_entry(row: Message) -> dict[str, Any]:
    return {
        "id": row.entry_id,
        "charger_id": str(row.charger_id),
        "timestamp": iso(row.at),
        "action": row.action,
        "message_type": row.message_type,
        "message_id": row.message_id,
        "code": row.violation_code,
        "explanation": row.violation,
        "message": row.text,
    }


def answer_times(timing: Timing) -> dict[str, Any]:
    return {
        "count": timing.count,
        "p50_ms": _rounded(timing.quantile(0.5)),
        "p95_ms": _rounded(timing.quantile(0.95)),
        "max_ms": _rounded(timing.max_ms),
        "timeouts": timing.timeouts,
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def filters_of(query: dict[str, Any]) -> Filters:
    return Filters(
        start=within_reach(query.get("start_date")),
        end=within_reach(query.get("end_date")),
        action=query.get("event"),
        exact=(("violation_code", query["code"]),) if "code" in query else (),
    )


class TrialViewSet(TenantViewSet):
    pagination_class = None
    operation_name = ""

    def charger_ids(self) -> Sequence[UUID]:
        """The charger of the path, or all of its location."""
        if "charger_id" in self.kwargs:
            return [find_charger(self.kwargs["charger_id"]).pk]
        location = find_location(self.kwargs["location_id"])
        return list(Charger.objects.filter(location=location).values_list("pk", flat=True))

    @extend_schema(
        operation_id="list_violations",
        summary="Where the CSMS breaks the protocol",
        description="Every frame of the CSMS is judged by OCPP-J and by the official schemas of its version, also "
        "where the charger is lenient. Oldest first; of one charger in wire order.",
        tags=TRIAL,
        parameters=[ViolationQuerySerializer],
        responses={200: ViolationPageSerializer},
        examples=[OpenApiExample("a misspelled status", VIOLATIONS, response_only=True, status_codes=["200"])],
    )
    def violations(self, request: Request, **ids: str) -> Response:
        query = validated(ViolationQuerySerializer, request.query_params.dict(), where="query")
        filters, page, limit = filters_of(query), query["page"], query["limit"]
        charger_ids = self.charger_ids()
        by_action = violations.counts(charger_ids, filters)
        total, start = sum(by_action.values()), (page - 1) * limit
        rows = violations.violations(charger_ids, filters)[start : start + limit] if start < total else []
        return Response(
            {
                "data": [violation_entry(row) for row in rows],
                "total": total,
                "page": page,
                "limit": limit,
                "by_action": [{"action": action, "count": number} for action, number in by_action.items()],
            }
        )

    @extend_schema(
        operation_id="get_timings",
        summary="How fast the CSMS answers",
        description="From a call's way out to its answer, by action, with the calls that timed out. Quantiles come "
        "from histograms and are within 4.5 %; counts and the maximum are exact.",
        tags=TRIAL,
        parameters=[TrialQuerySerializer],
        responses={200: TimingsSerializer},
        examples=[OpenApiExample("boots", TIMINGS, response_only=True, status_codes=["200"])],
    )
    def timings(self, request: Request, **ids: str) -> Response:
        filters = filters_of(validated(TrialQuerySerializer, request.query_params.dict(), where="query"))
        found = timings.timings(self.charger_ids(), filters)
        rows = [{"action": action, **answer_times(one)} for action, one in found.items()]
        return Response({"data": rows, "overall": answer_times(timings.overall(found.values()))})
