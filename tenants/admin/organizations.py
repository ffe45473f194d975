"""Organizations and who belongs to them."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from tenants.admin.base import ADD, StaffAdmin, adopt
from tenants.admin.display import list_link
from tenants.models import Membership, Organization
from tenants.organizations import create_organization

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Organization]
    TabularInline = admin.TabularInline[Any, Any]
else:  # unfold ships no types
    from django.forms import ModelForm
    from unfold.admin import TabularInline

# Tables of other rooms that have a column `tenant`, by the name of their admin.
TABLES = (
    ("locations_location", "Locations"),
    ("chargers_charger", "Chargers"),
    ("chargers_chargercommand", "Commands"),
    ("chargers_transaction", "Transactions"),
)


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "organization")
    fields = ("user", "organization", "role")


class OrganizationForm(ModelForm):
    slug = forms.SlugField(
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Made from the name when left empty.",
    )

    class Meta:
        model = Organization
        fields = ("name", "slug")

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if not slug and not self.instance._state.adding:
            raise forms.ValidationError("An organization needs a slug.")
        return slug


@admin.register(Organization)
class OrganizationAdmin(StaffAdmin):
    form = OrganizationForm
    audited_by_service = frozenset({ADD})
    inlines = (MembershipInline,)
    list_display = ("name", "slug", "id", "created_at")
    search_fields = ("name", "slug")
    readonly_fields = ("id", "created_at", "holdings")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "slug", "id", "created_at", "holdings") if obj else ("name", "slug")

    @admin.display(description="what it holds")
    def holdings(self, organization: Organization) -> SafeString:
        lookups = {"tenant__id__exact": organization.pk}
        links = [(list_link(table, title, **lookups),) for table, title in TABLES]
        links.append((list_link("tenants_accesstoken", "Tokens", organization__id__exact=organization.pk),))
        links.append((list_link("tenants_auditentry", "Audit", organization__id__exact=organization.pk),))
        return format_html_join(" · ", "{}", links)

    def described(self, row: Any) -> str:
        return f"{row} with its locations, chargers, tokens and everything else it holds"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            adopt(obj, create_organization(name=obj.name, slug=obj.slug))


@admin.register(Membership)
class MembershipAdmin(StaffAdmin):
    list_display = ("user", "organization", "role", "created_at")
    ordering = ("-id",)
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__username", "organization__name", "organization__slug")
    autocomplete_fields = ("user", "organization")
