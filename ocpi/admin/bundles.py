"""Bundles in the admin: made from a template as over the API, watched while they are built, destroyed."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from rest_framework.serializers import ValidationError
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chargers.addresses import AddressRefused, check_csms_url
from locations.admin import country_choices
from ocpi import bundles, cpo_settings, credentials, reconciling
from ocpi.building import dismantling
from ocpi.bundles import NewBundle
from ocpi.models import Cpo, CpoLocation
from ocpi.peer import links
from ocpi.presets.seeding import gallery
from ocpi.roam_helper import roam_helper
from tenants.admin import RelatedFilter, TenantAdmin, TenantForm
from tenants.admin.base import ADD, DELETE, adopt
from tenants.admin.display import badge, code, list_link, pretty
from tenants.models import Organization
from tenants.scoping import scope

AS_TEMPLATE = "Empty: as many as the template says."
VERSIONS = ("2.2.1", "2.1.1", "2.3.0", "2.1.1,2.2.1", "2.1.1,2.2.1,2.3.0")
LIVES = {"3600": "1 hour", "86400": "1 day", "604800": "1 week", "": "until it is destroyed"}
MOST_SITES, MOST_EVSES = 100, 300  # on the page of a bundle; the tables have all
COLOURS = {"READY": "success", "FAILED": "danger", "PROVISIONING": "info", "PENDING": "info"}
TABLES = {
    "ocpi_cpolocation": "Locations",
    "ocpi_evse": "EVSEs",
    "ocpi_tariff": "Tariffs",
    "ocpi_peer": "Peers",
    "ocpi_token": "Tokens",
    "ocpi_session": "Sessions",
    "ocpi_cdr": "CDRs",
    "ocpi_peercommand": "Commands",
    "ocpi_exchange": "Messages",
    "ocpi_push": "Pushes",
}


def template_choices() -> list[tuple[str, str]]:
    return [(one.slug, f"{one.slug}: {one.description}") for one in gallery()]


class NewCpoForm(TenantForm):
    organization = forms.ModelChoiceField(
        queryset=Organization.objects.all(), widget=AutocompleteSelect(Cpo._meta.get_field("tenant"), admin.site)
    )
    template = forms.ChoiceField(choices=template_choices, widget=UnfoldAdminSelectWidget)
    country_code = forms.ChoiceField(label="Country", choices=country_choices, widget=UnfoldAdminSelectWidget)
    party_id = forms.RegexField(
        r"\A[A-Za-z0-9]{3}\Z",
        widget=UnfoldAdminTextInputWidget,
        help_text="Three letters or digits; a near variant is taken if it is in use.",
    )
    versions = forms.ChoiceField(
        label="OCPI version",
        choices=[("", "as the template says"), *((one, one.replace(",", ", ")) for one in VERSIONS)],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    lifetime = forms.ChoiceField(choices=list(LIVES.items()), required=False, widget=UnfoldAdminSelectWidget)
    seed = forms.IntegerField(required=False, help_text="Empty: drawn.", widget=UnfoldAdminIntegerFieldWidget)
    locations = forms.IntegerField(
        required=False, min_value=1, help_text=AS_TEMPLATE, widget=UnfoldAdminIntegerFieldWidget
    )
    chargers_per_location = forms.IntegerField(
        required=False, min_value=1, help_text=AS_TEMPLATE, widget=UnfoldAdminIntegerFieldWidget
    )

    class Meta:
        model = Cpo
        fields: ClassVar = ("name_prefix", "ws_url")
        labels: ClassVar = {"ws_url": "WebSocket URL"}
        help_texts: ClassVar = {
            "name_prefix": "Begins the identity of every charger.",
            "ws_url": "Of a CSMS of your own; empty: the CPO gets one here.",
        }

    def clean_ws_url(self) -> str:
        url = str(self.cleaned_data["ws_url"])
        try:
            if url:
                check_csms_url(url)
        except (AddressRefused, ValidationError) as error:
            raise forms.ValidationError(str(error)) from None
        return url

    def wanted(self) -> NewBundle:
        fields = self.cleaned_data
        overrides = {name: fields[name] for name in bundles.OVERRIDES if fields[name] is not None}
        return NewBundle(
            template=fields["template"],
            country_code=fields["country_code"],
            party_id=fields["party_id"].upper(),
            name_prefix=fields["name_prefix"],
            versions=fields["versions"] or None,
            seed=fields["seed"],
            ttl_seconds=int(fields["lifetime"]) if fields["lifetime"] else None,
            overrides=overrides,
            ws_url=fields["ws_url"],
        )


@admin.register(Cpo)
class CpoAdmin(TenantAdmin):
    form = NewCpoForm
    audited_by_service = frozenset({ADD, DELETE})
    change_form_outer_before_template = "admin/ocpi/cpo_actions.html"
    change_form_outer_after_template = "admin/ocpi/cpo_panels.html"
    list_display = ("party", "organization", "name_prefix", "template", "versions", "state", "expires_at", "created_at")
    list_filter = (("tenant", RelatedFilter), "status", "template")
    list_select_related = ("tenant",)
    ordering = ("-id",)
    search_fields = ("party_id", "name_prefix", "tenant__name")
    add_fieldsets = (
        (None, {"fields": ("organization", "template", ("country_code", "party_id"), "name_prefix")}),
        ("Size and life", {"fields": (("locations", "chargers_per_location"), ("lifetime", "seed"))}),
        ("Protocols", {"fields": ("versions", "ws_url")}),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("party", "organization"),
                    ("name_prefix", "template_shown"),
                    "versions_url",
                    ("versions", "topology"),
                    ("token_state", "expires_at"),
                    "records",
                )
            },
        ),
        ("Bills and meters", {"classes": ("collapse",), "fields": ("reconciliation",)}),
        ("Row", {"classes": ("collapse",), "fields": ("id", "seed", "overrides", "behaviour", "ws_url", "created_at")}),
    )
    shown = (
        "party", "organization", "name_prefix", "template_shown", "versions", "versions_url", "topology", "token_state",
        "expires_at", "records", "reconciliation", "id", "seed", "overrides", "behaviour", "ws_url", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(destroyed_at=None)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.shown if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:cpo_id>/progress/", wrap(self.progress_view), name="ocpi_cpo_progress"),
            path("<int:cpo_id>/token/", wrap(self.token_view), name="ocpi_cpo_token"),
            *super().get_urls(),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return {"versions": "", "lifetime": "86400", **super().get_changeform_initial_data(request)}

    # --- one bundle -------------------------------------------------------------------------------------------------

    def around_form(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        is_number = object_id.isdecimal() and len(object_id) < 19
        cpo = self.get_queryset(request).filter(pk=object_id).first() if is_number else None
        return panels(cpo) if cpo else {}

    def found(self, request: HttpRequest, cpo_id: int) -> Cpo:
        cpo: Cpo | None = self.get_queryset(request).filter(pk=cpo_id).first()
        if cpo is None:
            raise Http404
        if not self.has_view_permission(request, cpo):
            raise PermissionDenied
        return cpo

    def progress_view(self, request: HttpRequest, cpo_id: int) -> HttpResponse:
        """The fragment that the page asks for again and again."""
        return TemplateResponse(request, "admin/ocpi/cpo_progress.html", panels(self.found(request, cpo_id)))

    def token_view(self, request: HttpRequest, cpo_id: int) -> HttpResponse:
        """Mints another Token A and shows it in this very answer."""
        cpo = self.found(request, cpo_id)
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        with scope(cpo.tenant_id):  # type: ignore[arg-type]
            token_a = bundles.renew_token_a(cpo)
        return self.shown_once(request, cpo, token_a)

    def shown_once(self, request: HttpRequest, cpo: Cpo, token_a: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Handshake with {cpo.country_code}*{cpo.party_id}",
            "cpo": cpo,
            "token_a": token_a,
            "versions_url": links.versions_url(cpo),
            "curl": roam_helper(cpo, token_a)["curl_snippet"],
        }
        return TemplateResponse(request, "admin/ocpi/cpo_handshake.html", context)

    # --- writing ----------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with scope(form.cleaned_data["organization"]):
            cpo, token_a = bundles.create(form.wanted())
        adopt(obj, cpo)
        obj.token_a = token_a

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.shown_once(request, obj, obj.token_a)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context.update(show_save_and_add_another=False, show_save_and_continue=False)
        return super().render_change_form(request, context, *args, **kwargs)

    def described(self, row: Any) -> str:
        return f"{row} of {row.tenant}, with its locations, chargers, peers, sessions and CDRs"

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with scope(obj.tenant_id):
            dismantling.destroy(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for cpo in queryset:
            self.delete_model(request, cpo)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """To the list: Django sends people who may not change rows away from it, and nobody changes these."""
        super().response_delete(request, obj_display, obj_id)
        return redirect("admin:ocpi_cpo_changelist")

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(ordering="party_id")
    def party(self, cpo: Cpo) -> str:
        return f"{cpo.country_code}*{cpo.party_id}"

    @badge("status", COLOURS)
    def state(self, cpo: Cpo) -> str:
        return cpo.status

    @admin.display(description="template")
    def template_shown(self, cpo: Cpo) -> str:
        return f"{cpo.template} v{cpo.template_version}"

    @admin.display(description="size")
    def topology(self, cpo: Cpo) -> str:
        with scope(cpo.tenant_id):  # type: ignore[arg-type]
            counted: Any = bundles.live().get(pk=cpo.pk)
        counts = {"location": counted.location_count, "charger": counted.charger_count, "EVSE": counted.evse_count}
        return ", ".join(f"{number} {name}{pluralize(number)}" for name, number in counts.items())

    @admin.display(description="versions URL")
    def versions_url(self, cpo: Cpo) -> str:
        return links.versions_url(cpo)

    @admin.display(description="Token A")
    def token_state(self, cpo: Cpo) -> str:
        with scope(cpo.tenant_id):  # type: ignore[arg-type]
            return credentials.token_a_state(cpo).state

    @admin.display(description="settings")
    def behaviour(self, cpo: Cpo) -> SafeString | str:
        return pretty(cpo_settings.settings_of(cpo))

    @admin.display(description="what the meters told, and what is billed")
    def reconciliation(self, cpo: Cpo) -> SafeString:
        with scope(cpo.tenant_id):  # type: ignore[arg-type]
            return code(reconciling.markdown(cpo))

    @admin.display(description="see also")
    def records(self, cpo: Cpo) -> SafeString:
        shown = [(list_link(name, title, cpo__id__exact=cpo.pk),) for name, title in TABLES.items()]
        return format_html_join(" · ", "{}", shown)


def panels(cpo: Cpo) -> dict[str, Any]:
    """What stands below the facts of a bundle: how far it is, and its sites with their chargers and EVSEs."""
    with scope(cpo.tenant_id):  # type: ignore[arg-type]
        rows = CpoLocation.objects.filter(cpo=cpo, removed_at=None).select_related("location")
        made = rows.count()
        sites = list(rows.prefetch_related("evses__charger").order_by("created_at", "id")[:MOST_SITES])
    evses = [(site, evse) for site in sites for evse in site.evses.all()]
    chargers = cpo.progress.get("chargers_total") or 0
    ready = cpo.progress.get("chargers_ready") or 0
    return {
        "cpo": cpo,
        "colour": COLOURS[cpo.status],
        "is_building": cpo.status in ("PENDING", "PROVISIONING"),
        "sites": made,
        "percent": round(100 * (made + ready) / max(1, cpo.sites_made + chargers)),
        "error": pretty(cpo.error),
        "evses": evses[:MOST_EVSES],
        "hidden": max(0, len(evses) - MOST_EVSES),
        "hidden_sites": made - len(sites),
        "progress_url": reverse("admin:ocpi_cpo_progress", args=[cpo.pk]),
        "token_url": reverse("admin:ocpi_cpo_token", args=[cpo.pk]),
    }
