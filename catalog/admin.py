"""Brands and models in the admin: staff look, filter and edit; an edit makes the row theirs, not the data files'."""

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog import services
from catalog.models import Brand, ChargerModel, ChargerModelQuerySet
from catalog.vocabulary import ConnectorType, OcppVersion

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:  # unfold ships no types; its class is Django's with another look
    from unfold.admin import ModelAdmin


LABELS = {"power_levels_kw": "Power levels (kW)", "ocpp_versions": "OCPP versions", "source_url": "Source (URL)"}


class TraitFilter(admin.SimpleListFilter):
    """A sidebar filter over one of the traits that `offering` knows."""

    choices_of_trait: ClassVar[list[tuple[str, Any]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return self.choices_of_trait

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        word = self.value()
        return cast("ChargerModelQuerySet", queryset).offering(**{str(self.parameter_name): word}) if word else queryset


class ConnectorTypeFilter(TraitFilter):
    title = "connector type"
    parameter_name = "connector_type"
    choices_of_trait = ConnectorType.choices


class OcppVersionFilter(TraitFilter):
    title = "OCPP version"
    parameter_name = "ocpp_version"
    choices_of_trait = OcppVersion.choices


class CatalogAdmin(ModelAdmin):
    """What both tables share. Brand and slug are the row's identity in the data files, so they stay as created."""

    actions = ("hand_back",)
    identity_fields: ClassVar[tuple[str, ...]] = ("slug",)

    @admin.display(description="")
    def thumbnail(self, row: Brand | ChargerModel) -> SafeString | str:
        return picture(row.image_url, 44)

    @admin.display(description="origin", ordering="edited_by_staff")
    def origin(self, row: Brand | ChargerModel) -> str:
        return "staff" if row.edited_by_staff else "data files"

    @admin.display(description="picture")
    def large_picture(self, row: Brand | ChargerModel) -> SafeString | str:
        return picture(row.image_url, 240)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("large_picture", "edited_by_staff", "created_at", "updated_at")
        return (*self.identity_fields, *shown) if obj else shown

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.save_as_staff(obj, summary=", ".join(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete_as_staff(obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Says why a row in use stays, rather than listing every charger that stands on it."""
        row = self.get_object(request, object_id)
        if row is not None and services.is_in_use(row):
            self.message_user(request, f"{row} is in use and cannot be deleted.", messages.ERROR)
            return redirect(f"admin:catalog_{row._meta.model_name}_change", row.pk)
        return super().delete_view(request, object_id, extra_context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without the bulk deletion: one at a time, each with its own answer."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @admin.action(description="Hand back to the data files (the next seeding overwrites)", permissions=["change"])
    def hand_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        edited = list(queryset.filter(edited_by_staff=True))
        for row in edited:
            services.hand_back(row)
        self.message_user(request, f"{len(edited)} rows handed back.")


def picture(url: str, size: int) -> SafeString | str:
    if not url:
        return ""
    style = f"width:{size}px;min-width:{size}px;border-radius:8px"
    return format_html('<img src="{}" alt="" style="{}">', url, style)


@admin.register(Brand)
class BrandAdmin(CatalogAdmin):
    list_display = ("thumbnail", "name", "slug", "origin", "updated_at")
    list_display_links = ("thumbnail", "name")
    list_filter = ("edited_by_staff",)
    search_fields = ("name", "slug")
    fields = ("large_picture", "name", "slug", "image", "vendor_keys", "edited_by_staff", "created_at", "updated_at")


@admin.register(ChargerModel)
class ChargerModelAdmin(CatalogAdmin):
    identity_fields = ("brand", "slug")
    list_display = (
        "thumbnail",
        "name",
        "brand",
        "current_type",
        "max_power",
        "outlet_list",
        "version_list",
        "origin",
    )
    list_display_links = ("thumbnail", "name")
    list_filter = (
        "current_type",
        ConnectorTypeFilter,
        OcppVersionFilter,
        "mounting",
        "brand",
        "source_basis",
        "edited_by_staff",
    )
    list_select_related = ("brand",)
    search_fields = ("name", "slug", "brand__name")
    fieldsets = (
        (None, {"fields": ("large_picture", "brand", "name", "slug", "description", "image")}),
        ("Power and outlets", {"fields": ("current_type", "power_levels_kw", "connectors", "mounting")}),
        (
            "Protocol and equipment",
            {
                "fields": (
                    "ocpp_versions",
                    "firmware_version",
                    "serial_pattern",
                    "has_modem",
                    "has_meter",
                    "has_display",
                )
            },
        ),
        ("Source", {"fields": ("source_url", "source_date", "source_basis", "source_note")}),
        ("Row", {"fields": ("edited_by_staff", "created_at", "updated_at")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "source_url":
            kwargs["assume_scheme"] = "https"  # Django 6's default; without it 5.2 warns
        if db_field.name in LABELS:
            kwargs["label"] = LABELS[db_field.name]
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="power")
    def max_power(self, row: ChargerModel) -> str:
        return f"{row.max_power_w / 1000:g} kW"

    @admin.display(description="outlets")
    def outlet_list(self, row: ChargerModel) -> str:
        kinds = Counter(f"{connector['type']} {connector['format']}" for connector in row.connectors)
        return ", ".join(f"{count} × {kind}" if count > 1 else kind for kind, count in kinds.items())

    @admin.display(description="OCPP")
    def version_list(self, row: ChargerModel) -> str:
        return ", ".join(version.removeprefix("OCPP") for version in row.ocpp_versions)
