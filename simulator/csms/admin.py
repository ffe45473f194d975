"""The house CSMS in the admin: addresses to copy, cards to edit, stations to command, the rest to read."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from ocpplab.api.errors import GatewayError
from simulator.csms import orders, services
from simulator.csms.models import Card, CsmsCall, CsmsTransaction, Endpoint, Station
from tenants import audit
from tenants.scoping import scope

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:  # unfold ships no types; its class is Django's with another look
    from django.forms import ModelForm
    from unfold.admin import ModelAdmin


NOBODY = UUID(int=0)


class HouseForm(ModelForm):
    """Works without a scope: the organization is that of the row, or of the parent chosen for a new one."""

    parent = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("instance") is None:
            kwargs["instance"] = self._meta.model(tenant_id=None)
        super().__init__(*args, **kwargs)

    def _post_clean(self) -> None:
        # Django checks uniqueness through the default manager, which sees one organization only.
        parent = self.cleaned_data.get(self.parent)
        if self.instance.tenant_id is None and parent is not None:
            self.instance.tenant_id = parent.tenant_id
        if self.instance.tenant_id is not None:
            with scope(self.instance.tenant_id):
                super()._post_clean()  # type: ignore[misc]  # a hook of Django's that its stubs leave out


class CardForm(HouseForm):
    parent = "endpoint"

    def clean_id_token(self) -> str:
        return str(self.cleaned_data["id_token"]).upper()


class CallForm(HouseForm):
    parent = "station"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"station", "action", "payload"} <= cleaned.keys():
            try:
                services.check_call(cleaned["station"].subprotocol, cleaned["action"], cleaned["payload"])
            except GatewayError as error:
                raise ValidationError(error.message) from None
        return cleaned


class HouseAdmin(ModelAdmin):
    """Shows the rows of all organizations; every write leaves an audit row."""

    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.unscoped()
        return rows.order_by(*self.get_ordering(request) or self.model._meta.ordering)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        # Django asks the default manager for a queryset before it takes the one given here.
        with scope(NOBODY):
            kwargs["queryset"] = db_field.remote_field.model.objects.unscoped()
            return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record("change" if change else "add", obj, ", ".join(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        record("delete", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            record("delete", row)
        super().delete_queryset(request, queryset)


class ReadOnlyAdmin(HouseAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def record(verb: str, row: Any, summary: str = "") -> None:
    kind = f"csms_{row._meta.model_name}"
    audit.record(verb, object_type=kind, object_id=row.pk, organization_id=row.tenant_id, summary=summary or str(row))


@admin.register(Endpoint)
class EndpointAdmin(HouseAdmin):
    form = HouseForm
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
class CardAdmin(HouseAdmin):
    form = CardForm
    fields = ("endpoint", "id_token", "type", "status", "group", "expires_at")
    list_display = ("id_token", "endpoint", "type", "status", "group", "expires_at")
    list_filter = ("status",)
    list_select_related = ("endpoint",)
    search_fields = ("id_token", "group")


@admin.register(Station)
class StationAdmin(ReadOnlyAdmin):
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
        self, request: HttpRequest, stations: Iterable[Station], order: Callable[[Station], list[CsmsCall]]
    ) -> None:
        queued = 0
        for station in stations:
            try:
                with transaction.atomic():
                    calls = order(station)
                    for call in calls:
                        record("call", station, call.action)
            except GatewayError as error:
                self.message_user(request, f"{station}: {error.message}", messages.ERROR)
            else:
                queued += len(calls)
        self.message_user(request, f"{queued} call(s) queued; see Calls for what became of them.")


@admin.register(CsmsTransaction)
class CsmsTransactionAdmin(ReadOnlyAdmin):
    list_display = ("transaction_id", "station", "id_token", "started_at", "ended_at", "energy", "reason")
    list_select_related = ("station",)
    search_fields = ("transaction_id", "id_token", "station__identity")
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(CsmsCall)
class CsmsCallAdmin(HouseAdmin):
    form = CallForm
    fields = ("station", "action", "payload")
    list_display = ("action", "station", "state", "reason", "created_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("station",)
    search_fields = ("action", "station__identity")
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: CsmsCall, form: Any, change: bool) -> None:
        obj.pk = services.call(obj.station, obj.action, obj.payload).pk
        record("call", obj.station, obj.action)
