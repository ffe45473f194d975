"""Charging transactions as the stations ran them."""

from django.contrib import admin

from chargers.models import Transaction
from tenants.admin import KeysetAdmin, RelatedFilter, TenantAdmin
from tenants.admin.display import badge


@admin.register(Transaction)
class TransactionAdmin(KeysetAdmin, TenantAdmin):
    keyset = ("started_at", "id")
    list_display = ("started_at", "charger", "organization", "outlet", "transaction_id", "id_tag", "course", "energy")
    list_display_links = ("started_at", "transaction_id")
    list_filter = (("charger", RelatedFilter), ("tenant", RelatedFilter))
    list_select_related = ("charger", "tenant")
    search_fields = ("transaction_id__exact",)
    search_help_text = "OCPP's transaction id."
    fields = (
        ("charger", "organization"), ("outlet", "course"), ("transaction_id", "id"), "id_tag",
        ("started_at", "ended_at"), ("meter_start", "meter_stop", "energy"), "stop_reason",
    )  # fmt: skip
    readonly_fields = (
        "charger", "organization", "outlet", "course", "transaction_id", "id", "id_tag", "started_at", "ended_at",
        "meter_start", "meter_stop", "energy", "stop_reason",
    )  # fmt: skip

    @admin.display(description="EVSE/connector")
    def outlet(self, transaction: Transaction) -> str:
        return f"{transaction.evse_id}/{transaction.connector_id}"

    @badge("state", {"running": "info", "ended": "success"})
    def course(self, transaction: Transaction) -> str:
        return "running" if transaction.ended_at is None else "ended"

    @admin.display(description="energy")
    def energy(self, transaction: Transaction) -> str:
        if transaction.meter_stop is None:
            return ""
        return f"{(transaction.meter_stop - transaction.meter_start) / 1000:.3f} kWh"
