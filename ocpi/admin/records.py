"""What a bundle consists of and what passed between it and its peers: rows to look at."""

import json
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from ocpi.charging import cdrs
from ocpi.models import Cdr, CpoLocation, Evse, Exchange, Peer, PeerCommand, Push, Session, Tariff, Token
from ocpplab.api.errors import GatewayError
from tenants.admin import ReadOnlyAdmin, RelatedFilter, TenantAdmin
from tenants.admin.display import badge, code, pretty
from tenants.scoping import scope

EVSE_COLOURS = {
    "AVAILABLE": "success", "CHARGING": "info", "RESERVED": "info", "BLOCKED": "warning", "INOPERATIVE": "warning",
    "OUTOFORDER": "danger",
}  # fmt: skip


class CpoRecordAdmin(ReadOnlyAdmin, TenantAdmin):
    """Rows of a CPO, whose organization is the CPO's."""

    list_filter: ClassVar[Any] = (("cpo", RelatedFilter),)
    list_select_related: ClassVar[Any] = ("cpo",)
    ordering: ClassVar[Any] = ("-id",)


@admin.register(CpoLocation)
class CpoLocationAdmin(CpoRecordAdmin):
    list_display = ("ocpi_id", "cpo", "site", "country", "removed_at", "last_updated")
    list_select_related = ("cpo", "location")
    search_fields = ("ocpi_id", "location__name", "location__city")

    @admin.display(description="location")
    def site(self, row: CpoLocation) -> str:
        return f"{row.location.name}, {row.location.city}" if row.location else ""


@admin.register(Evse)
class EvseAdmin(CpoRecordAdmin):
    list_display = ("uid", "cpo", "charger", "shown_status", "last_updated")
    list_filter = (("cpo", RelatedFilter), "status")
    list_select_related = ("cpo", "charger")
    search_fields = ("uid", "evse_id", "charger__identity")
    fields = (
        "cpo", "location", "charger", "uid", "evse_id", "status", "outlet_evse", "outlet_connector", "tariff_ids",
        "shown_connector", "shown_attributes", "created_at", "last_updated",
    )  # fmt: skip
    readonly_fields = fields

    @badge("status", EVSE_COLOURS)
    def shown_status(self, row: Evse) -> str:
        return row.status

    @admin.display(description="tariffs")
    def tariff_ids(self, row: Evse) -> str:
        with scope(row.tenant_id):  # type: ignore[arg-type]
            return ", ".join(row.tariffs.values_list("tariff_id", flat=True))

    @admin.display(description="connector")
    def shown_connector(self, row: Evse) -> Any:
        return pretty(row.connector)

    @admin.display(description="attributes")
    def shown_attributes(self, row: Evse) -> Any:
        return pretty(row.attributes)


@admin.register(Tariff)
class TariffAdmin(CpoRecordAdmin):
    list_display = ("tariff_id", "cpo", "currency", "removed_at", "last_updated")
    search_fields = ("tariff_id",)
    fields = ("cpo", "tariff_id", "object", "removed_at", "last_updated")
    readonly_fields = fields

    @admin.display
    def currency(self, row: Tariff) -> str:
        return str(row.content.get("currency", ""))

    @admin.display(description="tariff")
    def object(self, row: Tariff) -> Any:
        return pretty(row.content)


@admin.register(Peer)
class PeerAdmin(CpoRecordAdmin):
    list_display = ("__str__", "cpo", "state_shown", "version", "failures", "registered_at")
    list_filter = (("cpo", RelatedFilter), "state")
    fields = ("cpo", "state", "version", "versions_url", "shown_roles", "shown_endpoints", "failures", "registered_at")
    readonly_fields = fields

    @badge("state", {"registered": "success", "offline": "warning", "credentials_rejected": "danger"})
    def state_shown(self, row: Peer) -> str:
        return row.state

    @admin.display(description="roles")
    def shown_roles(self, row: Peer) -> Any:
        return pretty(row.roles)

    @admin.display(description="endpoints")
    def shown_endpoints(self, row: Peer) -> Any:
        return pretty(row.endpoints)


@admin.register(Token)
class TokenAdmin(CpoRecordAdmin):
    list_display = ("key_uid", "cpo", "peer", "type", "valid", "whitelist", "contract_id", "last_updated")
    list_filter = (("cpo", RelatedFilter), "whitelist", "valid")
    list_select_related = ("cpo", "peer")
    search_fields = ("key_uid", "contract_id", "group_id")
    fields = ("cpo", "peer", "key_uid", "type", "version", "object", "created_at", "last_updated")
    readonly_fields = fields

    @admin.display(description="token")
    def object(self, row: Token) -> Any:
        return pretty(row.content)


@admin.register(Session)
class SessionAdmin(CpoRecordAdmin):
    list_display = ("session_id", "cpo", "peer", "evse", "shown_status", "kwh", "started_at", "ended_at")
    list_filter = (("cpo", RelatedFilter), "status")
    list_select_related = ("cpo", "peer", "evse")
    search_fields = ("session_id", "id_tag")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("session_id", "shown_status"),
                    ("cpo", "peer"),
                    ("evse", "transaction"),
                    ("id_tag", "auth_method"),
                    ("started_at", "ended_at"),
                    ("kwh", "cost"),
                    ("correlation_id", "last_updated"),
                )
            },
        ),
        ("Charging periods", {"fields": ("shown_periods",)}),
        ("As it began", {"classes": ("collapse",), "fields": ("shown_token", "place", "shown_tariff")}),
        ("What the meter told so far", {"classes": ("collapse",), "fields": ("shown_meter",)}),
    )
    readonly_fields = (
        "session_id", "shown_status", "cpo", "peer", "evse", "transaction", "id_tag", "auth_method", "started_at",
        "ended_at", "kwh", "cost", "correlation_id", "last_updated", "shown_periods", "shown_token", "place",
        "shown_tariff", "shown_meter",
    )  # fmt: skip

    @badge("status", {"ACTIVE": "info", "COMPLETED": "success", "INVALID": "danger"})
    def shown_status(self, row: Session) -> str:
        return row.status

    @admin.display(description="cost before VAT")
    def cost(self, row: Session) -> str:
        return f"{row.total_cost['excl_vat']} {row.currency}" if row.total_cost else ""

    @admin.display(description="charging periods")
    def shown_periods(self, row: Session) -> Any:
        return pretty(row.periods)

    @admin.display(description="token")
    def shown_token(self, row: Session) -> Any:
        return pretty(row.cdr_token)

    @admin.display(description="location")
    def place(self, row: Session) -> Any:
        return pretty(row.cdr_location)

    @admin.display(description="tariff")
    def shown_tariff(self, row: Session) -> Any:
        return pretty(row.tariff)

    @admin.display(description="meter")
    def shown_meter(self, row: Session) -> Any:
        return pretty(row.meter)


@admin.register(Cdr)
class CdrAdmin(CpoRecordAdmin):
    actions = ("take_back",)
    list_display = ("cdr_id", "cpo", "peer", "energy", "cost", "created_at")
    list_select_related = ("cpo", "peer")
    search_fields = ("cdr_id",)
    fields = ("cpo", "peer", "session", "object", "peer_url", "created_at")
    readonly_fields = fields

    @admin.display(description="kWh")
    def energy(self, row: Cdr) -> Any:
        return row.content.get("total_energy")

    @admin.display
    def cost(self, row: Cdr) -> str:
        return f"{row.content.get('total_cost', {}).get('excl_vat')} {row.content.get('currency')}"

    @admin.display(description="CDR")
    def object(self, row: Cdr) -> Any:
        return pretty(row.content)

    def has_credit_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("ocpi.add_cdr"))

    @admin.action(description="Take back by a credit CDR", permissions=["credit"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Cdr]) -> None:
        for row in queryset.select_related("cpo", "peer", "session"):
            try:
                with scope(row.tenant_id):  # type: ignore[arg-type]
                    cdrs.credit(row)
            except GatewayError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)


def body(text: str) -> SafeString | str:
    """Laid out where it is JSON, else as it came."""
    try:
        return pretty(json.loads(text))
    except ValueError:
        return code(text)


@admin.register(Exchange)
class ExchangeAdmin(CpoRecordAdmin):
    list_display = ("moment", "cpo", "peer", "direction", "call", "outcome")
    list_filter = (("cpo", RelatedFilter), "direction", "module")
    list_select_related = ("cpo", "peer")
    search_fields = ("url", "correlation_id", "request_id")
    show_full_result_count = False
    fields = (
        "cpo", "peer", "at", "direction", "method", "url", "asked", "http_status", "status_code", "answered",
        "problem", "attempt", "duration", "request_id", "correlation_id",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="at", ordering="id")
    def moment(self, row: Exchange) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', row.at.strftime("%m-%d %H:%M:%S"))

    @admin.display(ordering="url")
    def call(self, row: Exchange) -> str:
        """The host is on the message's page; here it would only widen the table."""
        parts = urlsplit(row.url)
        return f"{row.method} {parts.path}" + (f"?{parts.query}" if parts.query else "")

    @admin.display(description="HTTP, OCPI")
    def outcome(self, row: Exchange) -> str:
        codes = ", ".join(str(one) for one in (row.http_status, row.status_code) if one is not None)
        return codes or Truncator(row.problem).chars(80)

    # unfold keeps the HTTP request of the page as `self.request`: hence not that name.
    @admin.display(description="request")
    def asked(self, row: Exchange) -> Any:
        return body(row.request_body)

    @admin.display(description="response")
    def answered(self, row: Exchange) -> Any:
        return body(row.response_body)


@admin.register(Push)
class PushAdmin(CpoRecordAdmin):
    list_display = ("subject", "cpo", "peer", "method", "shown_state", "attempts", "due_at", "problem")
    list_filter = (("cpo", RelatedFilter), "state")
    list_select_related = ("cpo", "peer")
    search_fields = ("subject",)

    @badge("state", {"delivered": "success", "refused": "danger", "given_up": "warning"})
    def shown_state(self, row: Push) -> str:
        return row.state


@admin.register(PeerCommand)
class PeerCommandAdmin(CpoRecordAdmin):
    list_display = ("kind", "cpo", "peer", "evse", "result", "created_at", "finished_at")
    list_select_related = ("cpo", "peer", "evse")
