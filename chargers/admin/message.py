"""The traffic: read-only, newest first, filtered only where an index helps, and never counted."""

from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter

from chargers.admin.frames import arrow, owners_of, readable
from chargers.models import ConnectionEvent, Direction, Message, MessageCount
from chargers.services.lookup import as_id
from tenants.admin import KeysetAdmin, RelatedFilter, TenantAdmin
from tenants.admin.display import badge, code, list_link

CHARGER = "charger__id__exact"
NEWEST_OF_ALL = ("id",)
NEWEST_OF_CHARGER = ("epoch", "sequence")


class WithinChargerFilter(DropdownFilter, ABC):  # type: ignore[misc]  # unfold ships no types
    """Offered once a charger is chosen: the indexes begin with the charger."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        charger_id = as_id(request.GET.get(CHARGER, ""))
        return self.choices_of(charger_id) if charger_id else []

    @abstractmethod
    def choices_of(self, charger_id: UUID) -> list[tuple[str, str]]: ...

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value or not request.GET.get(CHARGER):
            return queryset
        return queryset.filter(**{str(self.parameter_name): value})


class DirectionFilter(WithinChargerFilter):
    title = "direction"
    parameter_name = "direction"

    def choices_of(self, charger_id: UUID) -> list[tuple[str, str]]:
        return list(Direction.choices)


class ActionFilter(WithinChargerFilter):
    title = "OCPP action"
    parameter_name = "action"

    def choices_of(self, charger_id: UUID) -> list[tuple[str, str]]:
        """From the hourly counters, which know what the log holds."""
        counted = MessageCount.objects.unscoped().filter(charger_id=charger_id).exclude(action="")
        return [(action, action) for action in counted.values_list("action", flat=True).order_by("action").distinct()]


class ViolationFilter(WithinChargerFilter):
    title = "breaks the protocol"
    parameter_name = "violation"

    def choices_of(self, charger_id: UUID) -> list[tuple[str, str]]:
        return [("yes", "Only frames that do")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value() == "yes" and request.GET.get(CHARGER)
        return queryset.exclude(violation_code="") if wanted else queryset


class TrafficAdmin(KeysetAdmin, TenantAdmin):
    """Frames and connection events. Their charger may be gone: no foreign key keeps it."""

    open_lookups = frozenset({CHARGER, "direction", "action", "violation"})

    def get_keyset(self, request: HttpRequest) -> tuple[str, ...]:
        return NEWEST_OF_CHARGER if request.GET.get(CHARGER) else NEWEST_OF_ALL

    def completed(self, rows: list[Any]) -> list[Any]:
        owners = owners_of(row.charger_id for row in rows)
        for row in rows:
            row.owner = owners.get(row.charger_id, (f"{row.charger_id} (deleted)", ""))
        return rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        return found if found is None else self.completed([found])[0]

    @admin.display(description="time (UTC)")
    def moment(self, row: Any) -> str:
        return f"{row.at:%Y-%m-%d %H:%M:%S}.{row.at.microsecond // 1000:03d}"

    @admin.display(description="charger")
    def charger_identity(self, row: Any) -> str:
        return str(row.owner[0])

    @admin.display(description="organization")
    def organization(self, row: Any) -> str:
        return str(row.owner[1])

    @admin.display(description="charger")
    def charger_log(self, row: Any) -> SafeString:
        name = f"{row._meta.app_label}_{row._meta.model_name}"
        return list_link(name, f"{row.owner[0]}: the whole log", **{CHARGER: row.charger_id})

    @admin.display(description="log entry")
    def entry(self, row: Any) -> str:
        return str(row.entry_id)


@admin.register(Message)
class MessageAdmin(TrafficAdmin):
    list_display = ("moment", "charger_identity", "organization", "way", "kind", "named_action", "entry", "remarks")
    list_display_links = ("moment", "named_action")
    list_filter = (("charger", RelatedFilter), DirectionFilter, ActionFilter, ViolationFilter)
    fields = (
        "moment", "charger_log", "organization", "entry", "way", "kind", "named_action", "identifier", "charging",
        "remarks", "verdict", "answered_in", "frame",
    )  # fmt: skip
    readonly_fields = fields

    @badge("direction", {"→ CSMS": "info", "← CSMS": "primary"})
    def way(self, message: Message) -> str:
        return arrow(message.direction)

    @admin.display(description="type")
    def kind(self, message: Message) -> str:
        return message.message_type

    @admin.display(description="action")
    def named_action(self, message: Message) -> str:
        return message.action

    @admin.display(description="message id")
    def identifier(self, message: Message) -> str:
        return message.message_id

    @admin.display(description="transaction")
    def charging(self, message: Message) -> str:
        return message.transaction

    @admin.display(description="remarks")
    def remarks(self, message: Message) -> str:
        marks = [
            "masked: secrets are replaced" if message.masked else "",
            "injected" if message.injected else "",
            message.delivery,
            f"breaks the protocol: {message.violation_code}" if message.violation_code else "",
            message.encoding,
            message.note,
        ]
        return ", ".join(mark for mark in marks if mark)

    @admin.display(description="what is wrong with it")
    def verdict(self, message: Message) -> str:
        return message.violation

    @admin.display(description="the CSMS took")
    def answered_in(self, message: Message) -> str:
        return "" if message.answer_ms is None else f"{message.answer_ms:.1f} ms"

    @admin.display(description="frame")
    def frame(self, message: Message) -> SafeString:
        return code(readable(message))


@admin.register(ConnectionEvent)
class ConnectionEventAdmin(TrafficAdmin):
    list_display = ("moment", "charger_identity", "organization", "what", "closing", "why", "entry")
    list_display_links = ("moment",)
    list_filter = (("charger", RelatedFilter),)
    open_lookups = frozenset({CHARGER})
    fields = ("moment", "charger_log", "organization", "entry", "what", "closing", "why")
    readonly_fields = fields

    @badge("event", {"connected": "success", "refused": "danger", "closed": "warning", "reconnecting": "info"})
    def what(self, event: ConnectionEvent) -> str:
        return event.kind

    @admin.display(description="code")
    def closing(self, event: ConnectionEvent) -> str:
        return "" if event.code is None else str(event.code)

    @admin.display(description="reason")
    def why(self, event: ConnectionEvent) -> str:
        return event.reason
