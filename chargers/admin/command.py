"""Commands: what was asked of chargers, what became of it, and the frames that prove it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from chargers.admin import frames
from chargers.models import ChargerCommand
from chargers.services import secrets
from tenants.admin import KeysetAdmin, RelatedFilter, TenantAdmin
from tenants.admin.display import badge, pretty

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
    list_display = ("created_at", "charger", "organization", "event_type", "outcome", "reason", "frame_count", "actor")
    list_display_links = ("created_at", "event_type")
    list_filter = (("charger", RelatedFilter), ("tenant", RelatedFilter), "state")
    list_select_related = ("charger", "tenant")
    search_fields = ("id__exact",)
    search_help_text = "A command's id."
    change_form_outer_after_template = "admin/chargers/command_panels.html"
    fieldsets = (
        (None, {"fields": (("event_type", "outcome"), "reason", ("charger", "organization"), ("actor", "id"))}),
        ("Content", {"fields": ("body", "answer")}),
        ("Times", {"fields": (("created_at", "claimed_at"), ("sent_at", "finished_at"), "deadline_at")}),
    )
    readonly_fields = (
        "event_type", "outcome", "reason", "charger", "organization", "actor", "id", "body", "answer", "created_at",
        "claimed_at", "sent_at", "finished_at", "deadline_at",
    )  # fmt: skip

    @badge("state", COLOURS)
    def outcome(self, command: ChargerCommand) -> str:
        return command.state

    @admin.display(description="frames")
    def frame_count(self, command: ChargerCommand) -> int:
        return len(command.frames)

    @admin.display(description="payload")
    def body(self, command: ChargerCommand) -> SafeString | str:
        return pretty(secrets.masked(command.payload))

    @admin.display(description="the station's answer")
    def answer(self, command: ChargerCommand) -> SafeString | str:
        return pretty(command.result)

    def around_form(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        command = ChargerCommand.objects.unscoped().filter(pk=object_id).first()
        return {"frames": frames.named(command.charger_id, command.frames)} if command else {}
