"""Commands: what was asked of chargers, what became of it, and the frames that prove it."""

from django.contrib import admin
from django.utils.safestring import SafeString

from chargers.admin import frames
from chargers.models import ChargerCommand
from tenants.admin import KeysetAdmin, RelatedFilter, TenantAdmin
from tenants.admin.display import badge, once_per_row, pretty

COLOURS = {
    "claimed": "info",
    "sent": "info",
    "accepted": "success",
    "rejected": "warning",
    "failed": "danger",
    "timed_out": "danger",
}


@admin.register(ChargerCommand)
class ChargerCommandAdmin(KeysetAdmin, TenantAdmin):
    keyset = ("created_at", "id")
    list_display = ("created_at", "charger", "tenant", "event_type", "outcome", "reason", "frame_count", "actor")
    list_display_links = ("created_at", "event_type")
    list_filter = (("charger", RelatedFilter), ("tenant", RelatedFilter), "state")
    list_select_related = ("charger", "tenant")
    search_fields = ("id__exact",)
    search_help_text = "A command's id."
    fieldsets = (
        (None, {"fields": (("id", "event_type", "outcome"), "reason", ("charger", "tenant", "ocpp_version"), "body")}),
        ("Times", {"fields": (("created_at", "claimed_at"), ("sent_at", "finished_at", "deadline_at"), "actor")}),
        ("Proof", {"fields": ("answer", "proof")}),
    )
    readonly_fields = (
        "id", "event_type", "outcome", "reason", "charger", "tenant", "ocpp_version", "body", "created_at",
        "claimed_at", "sent_at", "finished_at", "deadline_at", "actor", "answer", "proof",
    )  # fmt: skip

    @badge("state", COLOURS)
    def outcome(self, command: ChargerCommand) -> str:
        return command.state

    @admin.display(description="frames")
    def frame_count(self, command: ChargerCommand) -> int:
        return len(command.frames)

    @admin.display(description="payload")
    def body(self, command: ChargerCommand) -> SafeString | str:
        return pretty(command.payload)

    @admin.display(description="the station's answer")
    def answer(self, command: ChargerCommand) -> SafeString | str:
        return pretty(command.result)

    @admin.display(description="frames")
    @once_per_row
    def proof(self, command: ChargerCommand) -> SafeString:
        return frames.table(frames.named(command.charger_id, command.frames))
