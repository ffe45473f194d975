"""What may be asked of a log, and how its lines are shown (gateway contract, section 14)."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from chargers.models import ConnectionEvent, Direction, Message
from chargers.services.charger_log import Line
from chargers.services.traffic import Filters
from ocpplab.api.fields import Moment
from ocpplab.api.timestamps import iso

MOST_ENTRIES = 1000
MESSAGE_TYPES = ["CALL", "CALLRESULT", "CALLERROR"]
FORMATS = ["json", "ndjson", "csv"]
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
# Query parameters that are equalities of a column of the same name.
EXACT = ("direction", "message_id", "message_type", "transaction", "masked", "injected")


class LogFilterSerializer(serializers.Serializer[Any]):
    start_date = Moment(required=False, help_text="Inclusive; with a time zone.")
    end_date = Moment(required=False, help_text="Inclusive; with a time zone.")
    event = serializers.CharField(required=False, max_length=50, help_text="An OCPP action, in any case of letters.")
    direction = serializers.ChoiceField(choices=Direction.choices, required=False, help_text="Who sent it.")
    message_type = serializers.ChoiceField(choices=MESSAGE_TYPES, required=False, help_text="As OCPP-J has it.")
    message_id = serializers.CharField(required=False, max_length=64, help_text="A call and what answers it.")
    transaction = serializers.CharField(required=False, max_length=36, help_text="OCPP's transaction id.")
    text = serializers.CharField(
        required=False,
        max_length=200,
        trim_whitespace=False,
        help_text="A part of the raw frame, in any case of letters. Looks at every frame in the time asked for.",
    )
    masked = serializers.BooleanField(required=False, help_text="Frames with secrets that the log replaces.")
    injected = serializers.BooleanField(required=False, help_text="Frames that a user made by hand.")
    violation = serializers.BooleanField(required=False, help_text="Frames of the CSMS that break the protocol.")


class LogQuerySerializer(LogFilterSerializer):
    include = serializers.ChoiceField(choices=["connections"], required=False, help_text="Adds connects and closes.")
    order = serializers.ChoiceField(choices=["oldest", "newest"], default="oldest", help_text="Which come first.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ENTRIES, default=100, help_text="Entries in a page.")
    offset = serializers.IntegerField(min_value=0, default=0, help_text="For depth take `cursor`.")
    cursor = serializers.CharField(
        required=False, max_length=600, help_text="`next` or `previous` of another page with the same filters."
    )
    format = serializers.ChoiceField(
        choices=FORMATS,
        required=False,
        help_text="`ndjson` and `csv` stream every match, whatever `limit` says; so does `Accept`.",
    )


class ConnectionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField(help_text="connecting, connected, refused, closed, reconnecting or stopped")
    code = serializers.IntegerField(allow_null=True, help_text="The close code, or the HTTP status of a refusal.")
    reason = serializers.CharField()
    timestamp = serializers.DateTimeField()


class LogEntrySerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Unique for its charger.")
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
    violation_code = serializers.CharField(help_text="What kind of breach of the protocol, if any.")
    violation = serializers.CharField(help_text="The breach in words.")
    answer_ms = serializers.FloatField(allow_null=True, help_text="How long the CSMS took for this answer.")
    connection = ConnectionSerializer(required=False)


class LocationLogEntrySerializer(LogEntrySerializer):
    charger_id = serializers.CharField()


class LogPageSerializer(serializers.Serializer[Any]):
    """`total_is` tells whether `total` is all there are, or whether there are at least so many."""

    data = LogEntrySerializer(many=True)  # type: ignore[assignment]  # a field, as REST framework has it
    total = serializers.IntegerField()
    total_is = serializers.ChoiceField(choices=["exact", "at_least"])
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    next = serializers.CharField(allow_null=True, help_text="A `cursor`.")
    previous = serializers.CharField(allow_null=True, help_text="A `cursor`.")


class LocationLogPageSerializer(LogPageSerializer):
    data = LocationLogEntrySerializer(many=True)


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
        "violation_code": row.violation_code,
        "violation": row.violation,
        "answer_ms": row.answer_ms,
    }


def connection_entry(row: ConnectionEvent) -> dict[str, Any]:
    return {
        "id": row.entry_id,
        "kind": row.kind,
        "code": row.code,
        "reason": row.reason,
        "timestamp": iso(row.at),
    }


def entry(row: Line) -> dict[str, Any]:
    """A line of the log; a connection event fills a frame's fields with nothing and brings its own."""
    if isinstance(row, Message):
        return log_entry(row)
    blank = Message(epoch=row.epoch, sequence=row.sequence, at=row.at)
    return {**log_entry(blank), "message": None, "connection": connection_entry(row)}


def location_entry(row: Line) -> dict[str, Any]:
    return {"charger_id": str(row.charger_id), **entry(row)}


def within_reach(at: datetime | None) -> datetime | None:
    """Clamped: beyond these years there is no arithmetic on hours, and no frame."""
    return None if at is None else min(max(at, EARLIEST), LATEST)


def filters_of(query: dict[str, Any]) -> Filters:
    """From the validated query of a `LogFilterSerializer`."""
    return Filters(
        start=within_reach(query.get("start_date")),
        end=within_reach(query.get("end_date")),
        action=query.get("event"),
        exact=tuple((name, query[name]) for name in EXACT if name in query),
        text=query.get("text"),
        violation=query.get("violation"),
    )


SHOWN_ENTRY = {
    "id": "3-1",
    "direction": "cp_to_csms",
    "action": "BootNotification",
    "message": '[2,"1","BootNotification",{"chargePointVendor":"Wallbox","chargePointModel":"Pulsar Plus"}]',
    "timestamp": "2026-04-02T09:15:00.000000Z",
    "message_type": "CALL",
    "message_id": "1",
    "transaction": "",
    "encoding": "",
    "masked": False,
    "injected": False,
    "delivery": "",
    "note": "",
    "violation_code": "",
    "violation": "",
    "answer_ms": None,
}


def shown_page(first: dict[str, Any]) -> OpenApiExample:
    """The example of an answer with that entry first."""
    body = {
        "data": [first],
        "total": 1,
        "total_is": "exact",
        "limit": 100,
        "offset": 0,
        "next": None,
        "previous": None,
    }
    return OpenApiExample("BootNotification", body, response_only=True, status_codes=["200"])
