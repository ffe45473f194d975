"""Runs: looked at, marked as baseline, deleted, and compared on a page of their own."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from chargers.admin.frames import arrow
from chargers.models import Run, RunFrame
from chargers.services import runs
from chargers.services.lookup import as_id
from chargers.services.run_diff import ABSENT, ChargerDiff, FrameChange, Terms, diff, readable
from ocpplab.api.errors import GatewayError
from tenants.admin import RelatedFilter, TenantAdmin
from tenants.admin.base import CHANGE, DELETE
from tenants.admin.display import badge, link
from tenants.scoping import scope

MOST_SHOWN = 200  # frames of a charger and kind on one page


class TermsForm(forms.Form):
    """What is compared with what, as the page's address says it."""

    baseline = forms.ModelChoiceField(queryset=Run.objects.unscoped().none(), widget=UnfoldAdminSelectWidget)
    tolerance = forms.FloatField(
        min_value=0, max_value=100, label="Tolerance, %", widget=UnfoldAdminDecimalFieldWidget, initial=5
    )
    ignore = forms.CharField(
        required=False, max_length=1000, label="Ignore actions", widget=UnfoldAdminTextInputWidget,
        help_text="Comma-separated, such as Heartbeat, MeterValues.",
    )  # fmt: skip

    def __init__(self, run: Run, data: Any) -> None:
        # A link that names the baseline alone is enough.
        super().__init__({"tolerance": "5", **data.dict()} if data else None)
        field: Any = self.fields["baseline"]
        field.queryset = comparable(run)
        field.initial = field.queryset.first()

    @property
    def terms(self) -> Terms:
        return Terms.worded(self.cleaned_data["tolerance"], self.cleaned_data["ignore"])


def comparable(run: Run) -> QuerySet[Run]:
    """Finished runs of the same organization, baselines first."""
    others = Run.objects.unscoped().filter(tenant_id=run.tenant_id, finished_at__isnull=False).exclude(pk=run.pk)
    return others.order_by(F("baseline_at").desc(nulls_last=True), "-created_at")


@admin.register(Run)
class RunAdmin(TenantAdmin):
    audited_by_service = frozenset({CHANGE, DELETE})
    actions = ("finish", "mark", "unmark")
    list_display = ("name", "organization", "course", "standing", "charger_count", "frame_count", "started_at")
    list_filter = (("tenant", RelatedFilter), ("location", RelatedFilter))
    list_select_related = ("tenant",)
    search_fields = ("name",)
    ordering = ("-created_at", "-id")
    fields = (
        ("name", "organization"), ("course", "standing"), ("started_at", "finished_at"),
        ("charger_count", "frame_count"), "location", "members", "comparison", "id",
    )  # fmt: skip
    readonly_fields = (
        "name", "organization", "course", "standing", "started_at", "finished_at", "charger_count", "frame_count",
        "location", "members", "comparison", "id",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the actions of the list only: a run's page has nothing to fill in."""
        return obj is None and super().has_change_permission(request)

    @badge("state", {"running": "info", "finished": "success"})
    def course(self, run: Run) -> str:
        return "finished" if run.is_finished else "running"

    @badge("baseline", {"baseline": "primary"})
    def standing(self, run: Run) -> str:
        return "baseline" if run.is_baseline else "no"

    @admin.display(description="chargers")
    def members(self, run: Run) -> str:
        with scope(run.tenant):
            return ", ".join(run.chargers.values_list("identity", flat=True))

    @admin.display(description="see also")
    def comparison(self, run: Run) -> SafeString | str:
        return link(reverse("admin:chargers_run_diff", args=[run.pk]), "Compare") if run.is_finished else ""

    @admin.action(description="Finish now", permissions=["change"])
    def finish(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        for run in queryset.select_related("tenant"):
            try:
                with scope(run.tenant):
                    runs.finish_run(run)
            except GatewayError as error:
                self.message_user(request, f"{run.name}: {error.message}", messages.ERROR)

    @admin.action(description="Mark as baseline", permissions=["change"])
    def mark(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._set(queryset, is_baseline=True)

    @admin.action(description="No baseline any more", permissions=["change"])
    def unmark(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._set(queryset, is_baseline=False)

    def _set(self, rows: QuerySet[Run], *, is_baseline: bool) -> None:
        for run in rows:
            with scope(run.tenant):
                runs.update_run(run, is_baseline=is_baseline)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with scope(obj.tenant_id):
            runs.delete_run(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for run in queryset:
            self.delete_model(request, run)

    def get_urls(self) -> list[URLPattern]:
        compare = path("<path:object_id>/diff/", self.admin_site.admin_view(self.diff_view), name="chargers_run_diff")
        return [compare, *super().get_urls()]

    def diff_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET only reads; the address holds the terms, so that it can be passed on."""
        key = as_id(object_id)
        ended = Run.objects.unscoped().filter(finished_at__isnull=False).select_related("tenant")
        run = ended.filter(pk=key).first() if key else None
        if run is None or not self.has_view_permission(request, run):
            raise Http404
        form = TermsForm(run, request.GET)
        context = {**self.admin_site.each_context(request), "title": f"Compare {run.name}", "run": run, "form": form}
        if form.is_bound and form.is_valid():
            with scope(run.tenant):
                found = diff(run, form.cleaned_data["baseline"], form.terms)
            context |= {"found": found, "chargers": [panel_of(one) for one in found.chargers]}
        return TemplateResponse(request, "admin/chargers/run_diff.html", context)


def panel_of(found: ChargerDiff) -> dict[str, Any]:
    lines = [_line("missing", "danger", frame) for frame in found.missing[:MOST_SHOWN]]
    lines += [_line("added", "success", frame) for frame in found.added[:MOST_SHOWN]]
    lines += [_changed("reordered", "info", change) for change in found.reordered[:MOST_SHOWN]]
    lines += [_changed("changed", "warning", change) for change in found.changed[:MOST_SHOWN]]
    lines.sort(key=lambda line: line["offset"])
    number = len(found.missing) + len(found.added) + len(found.reordered) + len(found.changed)
    return {"diff": found, "lines": lines, "unshown": number - len(lines)}


def _line(word: str, colour: str, frame: RunFrame) -> dict[str, Any]:
    return {
        "word": word,
        "colour": colour,
        "offset": frame.offset_ms / 1000,
        "arrow": arrow(frame.direction),
        "action": frame.action,
        "kind": "" if frame.message_type == "CALL" else frame.message_type.lower(),
        "entries": frame.entry_id,
        "payload": json.dumps(readable(frame.payload), ensure_ascii=False),
        "fields": [],
    }


def _changed(word: str, colour: str, change: FrameChange) -> dict[str, Any]:
    fields = [{"path": one.path or "payload", "old": _shown(one.old), "new": _shown(one.new)} for one in change.fields]
    entries = f"{change.old.entry_id} → {change.new.entry_id}"
    return {**_line(word, colour, change.new), "entries": entries, "fields": fields}


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else json.dumps(value, ensure_ascii=False)
