"""CPO templates in the admin. A published version stays as it is: an edit becomes the next one."""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from ocpi.models import Preset
from ocpi.presets import seeding
from ocpi.presets.content import PRESET
from tenants.admin.base import ADD, CHANGE, StaffAdmin
from tenants.admin.display import badge, list_link


class PresetForm(forms.ModelForm):  # type: ignore[type-arg]
    content = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 40, "style": "font-family: ui-monospace, monospace; width: 100%"}),
        help_text="As in ocpi/presets/data. Saving publishes it as the next version; bundles keep the one they have.",
    )

    class Meta:
        model = Preset
        fields: ClassVar = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["content"] = json.dumps(self.instance.content, indent=2, ensure_ascii=False)

    def clean_content(self) -> dict[str, Any]:
        """Of the same slug; its version is ours to give."""
        try:
            content = json.loads(self.cleaned_data["content"])
        except ValueError as error:
            raise forms.ValidationError(f"Not JSON: {error}") from None
        if isinstance(content, dict):
            content["slug"], content["version"] = self.instance.slug, seeding.next_version(self.instance.slug)
        if problems := [str(problem) for problem in PRESET(content, "")] or seeding.model_problems([content]):
            raise forms.ValidationError(problems)
        return content  # type: ignore[no-any-return]


@admin.register(Preset)
class PresetAdmin(StaffAdmin):
    form = PresetForm
    audited_by_service = frozenset({ADD, CHANGE})
    list_display = ("slug", "version", "description", "size", "origin", "bundles", "created_at")
    list_filter = ("edited",)
    search_fields = ("slug", "description")
    ordering = ("slug", "-version")
    fields = ("slug", "version", "description", "created_at", "content")
    readonly_fields = ("slug", "version", "description", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a template begins as a reviewed file

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # bundles are rebuilt from it

    @admin.display(description="locations, chargers")
    def size(self, preset: Preset) -> str:
        locations, chargers = seeding.size_of(preset)
        return f"{locations}, {chargers}"

    @badge("origin", {"edited": "info"})
    def origin(self, preset: Preset) -> str:
        return "edited" if preset.edited else "product"

    @admin.display(description="CPOs")
    def bundles(self, preset: Preset) -> Any:
        return list_link("ocpi_cpo", "CPOs", template=preset.slug)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        edited = seeding.publish_edited(form.cleaned_data["content"])
        obj.__dict__.update(edited.__dict__)
