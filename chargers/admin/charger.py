"""Chargers: created, changed and deleted as over the API, driven by actions, and looked into."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from rest_framework.serializers import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget

from catalog.vocabulary import ConnectorType
from chargers.addresses import AddressRefused, check_csms_url
from chargers.admin import frames
from chargers.admin.actions import ACTIONS, ORDERS, OrderForm
from chargers.api.serializers import station_identity
from chargers.models import Charger, Connector, OcppVersion
from chargers.services.configuration import picture_of
from chargers.services.lookup import as_id
from chargers.services.provisioning import NewCharger, create_charger, delete_chargers, update_charger
from tenants.admin import RelatedFilter, TenantAdmin, TenantForm
from tenants.admin.base import ADD, CHANGE, DELETE, adopt
from tenants.admin.display import badge, list_link, pretty
from tenants.scoping import scope

CONNECTION_COLOURS = {"connected": "success", "connecting": "info", "offline": "warning"}


class ChargerForm(TenantForm):
    connector_type = forms.ChoiceField(choices=ConnectorType.choices, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Charger
        fields: ClassVar = ("identity", "name", "connector_type", "ocpp_version", "ws_url", "location_name")
        labels: ClassVar = {"ws_url": "WebSocket URL", "ocpp_version": "OCPP version"}
        help_texts: ClassVar = {"ws_url": "Where its CSMS is; the addresses of the house CSMS stand under Endpoints."}

    def clean_identity(self) -> str:
        identity = str(self.cleaned_data["identity"])
        try:
            station_identity(identity)
        except ValidationError as error:
            raise forms.ValidationError([str(detail) for detail in error.detail]) from None
        return identity

    def clean_ws_url(self) -> str:
        url = str(self.cleaned_data["ws_url"])
        try:
            check_csms_url(url)
        except AddressRefused as error:
            raise forms.ValidationError(str(error)) from None
        return url


class NewChargerForm(ChargerForm):
    ocpp_version = forms.ChoiceField(
        label="OCPP version",
        choices=[("", "OCPP 1.6J where the model speaks it"), *OcppVersion.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(Charger)
class ChargerAdmin(TenantAdmin):
    form = ChargerForm
    audited_by_service = frozenset({ADD, CHANGE, DELETE})
    actions = ACTIONS
    action_form = OrderForm
    change_form_outer_before_template = "admin/chargers/drive.html"
    change_form_outer_after_template = "admin/chargers/charger_panels.html"
    autocomplete_fields = ("location", "model")
    list_display = (
        "identity", "organization", "location", "model", "version", "machine", "connection", "provisioning",
        "updated_at",
    )  # fmt: skip
    list_filter = (
        ("tenant", RelatedFilter),
        ("location", RelatedFilter),
        ("model", RelatedFilter),
        "connection_status",
        "runtime",
        "ocpp_version",
        "status",
    )
    list_select_related = ("tenant", "location", "model__brand")
    ordering = ("-created_at", "-id")
    search_fields = ("identity", "name")
    add_fieldsets = (
        (None, {"fields": ("location", "model", "identity", "name", "connector_type", "ocpp_version", "ws_url")}),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("identity", "organization"),
                    ("model", "connector_type"),
                    ("ocpp_version", "name"),
                    "ws_url",
                    ("location", "location_name"),
                    "records",
                )
            },
        ),
        (
            "State",
            {
                "fields": (
                    ("machine", "connection", "provisioning"),
                    ("provisioned_at", "created_at", "updated_at"),
                    "provisioning_error",
                )
            },
        ),
        ("Row", {"classes": ("collapse",), "fields": ("id", ("shard", "revision"), "seed", "options")}),
    )
    shown = (
        "id", "identity", "organization", "model", "machine", "connection", "provisioning", "provisioned_at",
        "created_at", "updated_at", "provisioning_error", "records", "shard", "revision", "seed", "options",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.shown if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs.setdefault("form", ChargerForm if obj else NewChargerForm)
        return super().get_form(request, obj, change=change, **kwargs)

    def around_form(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        key = as_id(object_id)
        charger = Charger.objects.unscoped().filter(pk=key).first() if key else None
        return panels(charger) if charger else {}

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return {
            "ocpp_version": "",
            "connector_type": ConnectorType.TYPE2,
            **super().get_changeform_initial_data(request),
        }

    @admin.display(description="OCPP", ordering="ocpp_version")
    def version(self, charger: Charger) -> str:
        return charger.get_ocpp_version_display().removeprefix("OCPP ")

    @badge("machine", {"running": "success"})
    def machine(self, charger: Charger) -> str:
        return charger.runtime

    @badge("connection", CONNECTION_COLOURS)
    def connection(self, charger: Charger) -> str:
        return charger.connection_status

    @badge("status", {"READY": "success", "FAILED": "danger"})
    def provisioning(self, charger: Charger) -> str:
        return charger.status

    @admin.display(description="error")
    def provisioning_error(self, charger: Charger) -> SafeString | str:
        return pretty(charger.error)

    @admin.display(description="see also")
    def records(self, charger: Charger) -> SafeString:
        tables = {
            "chargers_chargercommand": "Commands",
            "chargers_transaction": "Transactions",
            "chargers_message": "Messages",
            "chargers_connectionevent": "Connections",
        }
        links = [(list_link(name, title, charger__id__exact=charger.pk),) for name, title in tables.items()]
        wrong = {"charger__id__exact": charger.pk, "violation": "yes"}
        links.append((list_link("chargers_message", "Violations of the CSMS", **wrong),))
        return format_html_join(" · ", "{}", links)

    def described(self, row: Any) -> str:
        return f"{row} of {row.tenant}, with its commands, transactions and log"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        fields = form.cleaned_data
        if not change:
            with scope(fields["location"].tenant_id):
                adopt(obj, create_charger(fields["location"], wanted(fields)))
            return
        changes = {name: fields[name] for name in form.changed_data}
        if "location" in changes:
            changes["location_id"] = str(changes.pop("location").pk)
        with scope(obj.tenant_id):
            update_charger(obj, changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with scope(obj.tenant_id):
            delete_chargers([obj])

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        by_tenant: dict[Any, list[Charger]] = {}
        for charger in queryset:
            by_tenant.setdefault(charger.tenant_id, []).append(charger)
        for tenant_id, chargers in by_tenant.items():
            with scope(tenant_id):
                delete_chargers(chargers)


def panels(charger: Charger) -> dict[str, Any]:
    """What stands around the form of a charger: its orders, outlets, last frames and picture."""
    return {
        "orders": ORDERS,
        "connectors": Connector.objects.unscoped().filter(charger=charger),
        "frames": frames.latest(charger.pk),
        "picture": pretty(picture_of(charger)),
    }


def wanted(fields: dict[str, Any]) -> NewCharger:
    return NewCharger(
        identity=fields["identity"],
        brand_slug=fields["model"].brand.slug,
        model_slug=fields["model"].slug,
        connector_type=fields["connector_type"],
        ws_url=fields["ws_url"],
        ocpp_version=fields["ocpp_version"] or None,
        name=fields["name"],
    )
