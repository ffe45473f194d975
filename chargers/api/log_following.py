"""The log as it comes: server-sent events, resumed where the last one was received.

A follower looks again every half second with a query or two in the threads that all streams share. Between two looks it
holds nothing but its socket.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from chargers.api.log_serializers import (
    SHOWN_ENTRY,
    LogFilterSerializer,
    filters_of,
    location_entry,
    log_entry,
    within_reach,
)
from chargers.api.serializers import ChargerIdsQuerySerializer
from chargers.models import Charger
from chargers.services import tailing
from chargers.services.lookup import as_id, find_charger
from chargers.services.tailing import ChargerTail, Event, LocationTail, Tail
from locations.services import find_location
from ocpplab.api.errors import Invalid, Unavailable
from ocpplab.api.streams import Streams, in_pool
from ocpplab.api.validation import validated
from tenants.authentication import caller_of
from tenants.models import AccessToken
from tenants.scoping import current_tenant_id, scope
from tenants.viewsets import TenantViewSet

LOGS = ["Logs"]
EVENT_STREAM = "text/event-stream"
LOOK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0  # also how long a follower outlives its token or its charger
RETRY_MS = 2000
LONGEST = 24 * 3600
RESUMED_FROM = "Last-Event-ID"
LAST_EVENT_ID = OpenApiParameter(
    RESUMED_FROM, str, OpenApiParameter.HEADER, description="The `id` of the last event received; goes before `after`."
)
EVENT: dict[str, Any] = {
    "type": "object",
    "description": "One event of the stream, as an EventSource shows it.",
    "properties": {
        "id": {"type": "string", "description": "Where to go on: `Last-Event-ID` of the next request."},
        "event": {"type": "string", "description": "`message`, or `end` with a reason in its data."},
        "data": {"type": "string", "description": "JSON: the log entry."},
    },
    "required": ["data"],
}
DESCRIPTION = (
    "Server-sent events, each a log entry as JSON. Begins with what comes next, after the event named by "
    "`Last-Event-ID` or `after` (of one charger also the id of a log entry), or at `start_date`. Every frame comes "
    "once, also across a reconnect. Lines that begin with a colon only show that the connection lives."
)


class LogFollowSerializer(LogFilterSerializer):
    end_date = None  # type: ignore[assignment]  # what follows has no end
    after = serializers.CharField(required=False, max_length=120, help_text="Go on behind this event.")
    seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=LONGEST, help_text="End after so long; 0 gives what is there already."
    )


class Places:
    """How many follow at once in this process; beyond that the answer is 503."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    def take(self) -> None:
        """Raises Unavailable."""
        with self._lock:
            if self._taken >= settings.LOG_FOLLOWERS:
                words = f"{self._taken} followers read logs already, as many as this server takes: repeat later."
                raise Unavailable(words, headers={"Retry-After": "5"})
            self._taken += 1

    def give_back(self) -> None:
        with self._lock:
            self._taken -= 1


PLACES = Places()


class Follower:
    """The body of one answer. Whoever iterates it or drops it calls `close` at the end; twice does no harm."""

    def __init__(self, tail: Tail, shown: Callable[[Any], dict[str, Any]], token_id: UUID, seconds: int | None) -> None:
        self.tail = tail
        self.shown = shown
        self.token_id = token_id
        self.tenant_id = current_tenant_id()
        self.seconds = seconds
        PLACES.take()
        self._holds_place = True

    def close(self) -> None:
        if self._holds_place:
            self._holds_place = False
            PLACES.give_back()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            async for piece in self._pieces():
                yield piece
        finally:
            self.close()

    async def _pieces(self) -> AsyncIterator[bytes]:
        end = None if self.seconds is None else time.monotonic() + self.seconds
        beat = time.monotonic()
        while True:
            events = await in_pool(self._read)
            now = time.monotonic()
            if events:
                yield self._written(events)
            if now - beat > HEARTBEAT_SECONDS:
                beat = now
                yield self._heartbeat()
                if reason := await in_pool(self._over):
                    yield f"event: end\ndata: {json.dumps({'reason': reason})}\n\n".encode()
                    return
            if not self.tail.has_more:
                if end is not None and now >= end:
                    return
                await asyncio.sleep(LOOK_SECONDS if end is None else max(0.0, min(LOOK_SECONDS, end - now)))

    def _read(self) -> list[Event]:
        with scope(self.tenant_id):
            return self.tail.read()

    def _written(self, events: list[Event]) -> bytes:
        parts = [
            f"id: {position}\ndata: {json.dumps(self.shown(row), ensure_ascii=False, separators=(',', ':'))}\n\n"
            for position, row in events
        ]
        return "".join(parts).encode("utf-8", "backslashreplace")

    def _heartbeat(self) -> bytes:
        """Frames that do not fit the filters move the position all the same; an id alone is no event."""
        return f": still here\nid: {self.tail.position}\n\n".encode()

    def _over(self) -> str:
        """Why nobody may follow any longer, or nothing."""
        token = AccessToken.objects.filter(pk=self.token_id).first()
        if token is None or not token.is_live:
            return "The token has expired or was revoked."
        with scope(self.tenant_id):
            return "" if self.tail.exists() else "What was followed is gone."


class LogFollowViewSet(Streams, TenantViewSet):
    pagination_class = None
    accepted_types = frozenset({EVENT_STREAM})

    @extend_schema(
        operation_id="follow_logs",
        summary="Follow a charger's log as it comes",
        description=DESCRIPTION,
        tags=LOGS,
        parameters=[LogFollowSerializer, LAST_EVENT_ID],
        responses={(200, EVENT_STREAM): EVENT},
        examples=[
            OpenApiExample(
                "a frame", f"id: 3-1\ndata: {json.dumps(SHOWN_ENTRY)}\n\n", response_only=True, media_type=EVENT_STREAM
            )
        ],
    )
    def follow(self, request: Request, charger_id: str) -> HttpResponseBase:
        charger = find_charger(charger_id)
        query = validated(LogFollowSerializer, request.query_params.dict(), where="query")
        seen = resumed(request, query, tailing.epochs_of)
        if seen is None:
            seen = tailing.charger_now(charger.pk, within_reach(query.get("start_date")))
        return followed(request, ChargerTail(charger.pk, filters_of(query), seen), log_entry, query)

    @extend_schema(
        operation_id="follow_location_logs",
        summary="Follow the logs of a location's chargers as they come",
        description=DESCRIPTION,
        tags=LOGS,
        parameters=[LogFollowSerializer, ChargerIdsQuerySerializer, LAST_EVENT_ID],
        responses={(200, EVENT_STREAM): EVENT},
    )
    def location_follow(self, request: Request, location_id: str) -> HttpResponseBase:
        location = find_location(location_id)
        query = validated(LogFollowSerializer, request.query_params.dict(), where="query")
        texts = validated(ChargerIdsQuerySerializer, request.query_params, where="query").get("charger_ids")
        asked = None if texts is None else [key for text in texts if (key := as_id(text))]
        seen = resumed(request, query, tailing.number)
        if seen is None:
            here = list(Charger.objects.filter(location=location).order_by().values_list("pk", flat=True))
            seen = tailing.location_now(here, within_reach(query.get("start_date")))
        return followed(request, LocationTail(location.pk, asked, filters_of(query), seen), location_entry, query)


def resumed(request: Request, query: dict[str, Any], parse: Callable[[str], Any]) -> Any:
    """The position to go on from, None without one. Raises Invalid (422)."""
    header = request.headers.get(RESUMED_FROM)
    text, loc = (header, ("header", RESUMED_FROM)) if header else (query.get("after"), ("query", "after"))
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError:
        raise Invalid((loc, "It is no id of an event of this log.", "value_error")) from None


def followed(
    request: Request, tail: Tail, shown: Callable[[Any], dict[str, Any]], query: dict[str, Any]
) -> HttpResponseBase:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the latter for nginx
    if request.method == "HEAD":
        return HttpResponse(content_type=EVENT_STREAM, headers=headers)
    body = Follower(tail, shown, caller_of(request).pk, query.get("seconds"))
    return StreamingHttpResponse(body, content_type=EVENT_STREAM, headers=headers)
