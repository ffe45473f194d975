"""The house CSMS in the admin: addresses to copy, cards to edit, stations to command, the rest to read."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from ocpplab.api.errors import GatewayError
from simulator.csms import orders, services
from simulator.csms.models import Card, CsmsCall, CsmsTransaction, Endpoint, Station
from tenants.admin import ReadOnlyAdmin, TenantAdmin, TenantForm
from tenants.admin.base import adopt


class CardForm(TenantForm):
    """A card belongs to the organization of its endpoint, and is unique in it whatever its case."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "id_token" in cleaned:
            cleaned["id_token"] = cleaned["id_token"].upper()
        if "endpoint" in cleaned:
            self.instance.tenant_id = cleaned["endpoint"].tenant_id
        return cleaned


@admin.register(Endpoint)
class EndpointAdmin(TenantAdmin):
    list_display = ("label", "tenant", "url", "accept_unknown_cards", "heartbeat_interval")
    list_select_related = ("tenant",)
    readonly_fields = ("tenant", "url", "created_at")
    fields = ("label", "tenant", "url", "accept_unknown_cards", "heartbeat_interval", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # an endpoint comes into being with the organization or CPO that needs it

    @admin.display(description="WebSocket URL")
    def url(self, endpoint: Endpoint) -> str:
        return services.url_of(endpoint)


@admin.register(Card)
class CardAdmin(TenantAdmin):
    form = CardForm
    fields = ("endpoint", "id_token", "type", "status", "group", "expires_at")
    list_display = ("id_token", "endpoint", "type", "status", "group", "expires_at")
    list_filter = ("status",)
    list_select_related = ("endpoint",)
    search_fields = ("id_token", "group")


@admin.register(Station)
class StationAdmin(ReadOnlyAdmin, TenantAdmin):
    list_display = ("identity", "endpoint", "subprotocol", "vendor", "model", "online", "last_seen_at")
    list_filter = ("subprotocol", "connected")
    list_select_related = ("endpoint",)
    search_fields = ("identity", "vendor", "model")
    actions = ("remote_start", "remote_stop", "trigger_status", "reset")

    @admin.display(boolean=True)
    def online(self, station: Station) -> bool:
        return station.is_online

    @admin.action(description="Remote start on connector 1", permissions=["view"])
    def remote_start(self, request: HttpRequest, stations: QuerySet[Station]) -> None:
        self._order(request, stations, lambda row: [orders.remote_start(row, id_token=orders.usual_card(row))])

    @admin.action(description="Remote stop", permissions=["view"])
    def remote_stop(self, request: HttpRequest, stations: QuerySet[Station]) -> None:
        self._order(request, stations, lambda row: [orders.remote_stop(one) for one in orders.open_transactions(row)])

    @admin.action(description="Trigger status", permissions=["view"])
    def trigger_status(self, request: HttpRequest, stations: QuerySet[Station]) -> None:
        self._order(request, stations, lambda row: [orders.trigger_status(row)])

    @admin.action(description="Reset", permissions=["view"])
    def reset(self, request: HttpRequest, stations: QuerySet[Station]) -> None:
        self._order(request, stations, lambda row: [orders.reset(row)])

    def _order(
        self, request: HttpRequest, stations: QuerySet[Station], order: Callable[[Station], list[CsmsCall]]
    ) -> None:
        queued = 0
        for station in stations:
            try:
                with transaction.atomic():
                    calls = order(station)
                    for call in calls:
                        self.record("call", station, [call.action])
            except GatewayError as error:
                self.message_user(request, f"{station}: {error.message}", messages.ERROR)
            else:
                queued += len(calls)
        self.message_user(request, f"{queued} call(s) queued; see Calls for what became of them.")


@admin.register(CsmsTransaction)
class CsmsTransactionAdmin(ReadOnlyAdmin, TenantAdmin):
    list_display = ("transaction_id", "station", "id_token", "started_at", "ended_at", "energy", "reason")
    list_select_related = ("station",)
    search_fields = ("transaction_id", "id_token", "station__identity")
    show_full_result_count = False


@admin.register(CsmsCall)
class CsmsCallAdmin(TenantAdmin):
    list_display = ("action", "station", "state", "reason", "created_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("station",)
    search_fields = ("action", "station__identity")
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: CsmsCall | None = None) -> tuple[str, ...]:
        outcome = ("state", "reason", "response", "created_at", "sent_at", "finished_at")
        return ("station", "action", "payload", *(outcome if obj else ()))

    def has_change_permission(self, request: HttpRequest, obj: CsmsCall | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: CsmsCall, form: Any, change: bool) -> None:
        adopt(obj, services.call(obj.station, obj.action, obj.payload))
