"""Locations in the admin; every write goes through the services of the API."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget

from locations import services
from locations.models import Location
from locations.places import countries, timezones
from tenants.admin import RelatedFilter, TenantAdmin, TenantForm
from tenants.admin.base import ADD, CHANGE, DELETE, adopt
from tenants.admin.display import list_link
from tenants.models import Organization
from tenants.scoping import scope


def country_choices() -> list[tuple[str, str]]:
    return [("", "Select value"), *sorted(countries().items(), key=lambda one: one[1])]


def timezone_choices() -> list[tuple[str, str]]:
    return [("", "Not known"), *((name, name) for name in sorted(timezones()))]


class LocationForm(TenantForm):
    country = forms.ChoiceField(choices=country_choices, widget=UnfoldAdminSelectWidget)
    timezone = forms.ChoiceField(choices=timezone_choices, required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Location
        fields: ClassVar = (
            "name", "slug", "address", "city", "country", "latitude", "longitude", "timezone", "owner_name", "public",
            "status",
        )  # fmt: skip

    def clean_timezone(self) -> str | None:
        return self.cleaned_data["timezone"] or None


class NewLocationForm(LocationForm):
    organization = forms.ModelChoiceField(
        queryset=Organization.objects.all(),
        widget=AutocompleteSelect(Location._meta.get_field("tenant"), admin.site),
    )


@admin.register(Location)
class LocationAdmin(TenantAdmin):
    form = LocationForm
    audited_by_service = frozenset({ADD, CHANGE, DELETE})
    list_display = ("name", "organization", "city", "country", "status", "public", "charger_count", "created_at")
    list_filter = (("tenant", RelatedFilter), "status", "public")
    list_select_related = ("tenant",)
    ordering = ("-created_at", "-id")
    search_fields = ("name", "slug", "city", "tenant__name", "tenant__slug")
    readonly_fields = ("id", "organization", "created_at", "updated_at", "chargers")
    place = ("address", "city", "country", "timezone", ("latitude", "longitude"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (
                (None, {"fields": ("organization", "name", "owner_name", "public")}),
                ("Place", {"fields": self.place}),
            )
        return (
            (None, {"fields": ("organization", "name", "slug", "owner_name", ("public", "status"), "chargers")}),
            ("Place", {"fields": self.place}),
            ("Row", {"fields": ("id", "created_at", "updated_at")}),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs.setdefault("form", LocationForm if obj else NewLocationForm)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(number=Count("chargers"))
        return rows

    @admin.display(description="chargers")
    def charger_count(self, location: Any) -> SafeString:
        return list_link("chargers_charger", location.number, location__id__exact=location.pk)

    @admin.display(description="chargers")
    def chargers(self, location: Any) -> SafeString:
        return list_link("chargers_charger", f"{location.number} charger(s)", location__id__exact=location.pk)

    def described(self, row: Any) -> str:
        return f"{row} of {row.tenant}, with its {row.number} charger(s)"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            with scope(obj.tenant_id):
                adopt(obj, services.update_location(obj, changes))
        else:
            fields = dict(form.cleaned_data)
            with scope(fields.pop("organization")):
                adopt(obj, services.create_location(**fields))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with scope(obj.tenant_id):
            services.delete_location(str(obj.pk))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for location in queryset:
            self.delete_model(request, location)
