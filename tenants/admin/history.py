"""The audit: who wrote what, when. Nobody changes it here or anywhere."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tenants.admin.display import pretty
from tenants.admin.filters import RelatedFilter
from tenants.admin.keyset import KeysetAdmin
from tenants.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(KeysetAdmin):
    list_display = ("at", "actor", "verb", "object_type", "summary", "organization")
    list_display_links = ("at", "verb")
    list_filter = (("organization", RelatedFilter), ("user", RelatedFilter), ("token", RelatedFilter))
    list_select_related = ("organization",)
    fields = (
        "at", "actor", "user", "token", "verb", "object_type", "object_id", "organization", "summary", "particulars",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: AuditEntry | None = None) -> tuple[str, ...]:
        return self.fields

    @admin.display(description="details")
    def particulars(self, entry: AuditEntry) -> SafeString | str:
        return pretty(entry.details)
