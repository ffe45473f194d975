"""What every table of the admin shares: an audit row for each write, and rows of all organizations.

A write with a rule behind it goes through the service that the API calls; such a service audits itself, and
`audited_by_service` names its verbs. Services refuse by GatewayError: the form then shows the reason.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from ocpplab.api.errors import GatewayError
from tenants import audit
from tenants.models import Organization
from tenants.scoping import TenantManager, scope

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:  # unfold ships no types; its class is Django's with another look
    from django.forms import ModelForm
    from unfold.admin import ModelAdmin

NOBODY = UUID(int=0)  # a scope for code that must have one and may find nothing in it
ADD, CHANGE, DELETE = "add", "change", "delete"


class StaffAdmin(ModelAdmin):
    """Audits what staff write. Deleting a row takes along what hangs on it, whatever the rights on each of those."""

    audited_by_service: ClassVar[frozenset[str]] = frozenset()
    list_per_page = 50
    list_filter_submit = True

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(ADD, obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(CHANGE, obj, message)
        return super().log_change(request, obj, message)

    def record(self, verb: str, row: Any, changes: Any = None) -> None:
        """`changes` as Django words them for its history: field names, never values."""
        if verb in self.audited_by_service:
            return
        kind = row._meta.model_name
        audit.record(
            f"{verb}_{kind}",
            object_type=kind,
            object_id=row.pk,
            organization_id=organization_of(row),
            summary=str(row),
            details={"changes": changes} if isinstance(changes, list) and changes else None,
        )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.record(DELETE, obj)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for row in queryset:
            self.record(DELETE, row)
        super().delete_queryset(request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Names the rows themselves only: with a charger go thousands of rows that nobody wants to read through."""
        rows = [self.described(row) for row in objs]
        return rows, {str(self.opts.verbose_name_plural): len(rows)}, set(), []

    def described(self, row: Any) -> str:
        return str(row)

    def around_form(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        """What the templates before and after a row's form show; the id comes from the address and may be nobody's."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = (extra_context or {}) | (self.around_form(request, object_id) if object_id else {})
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except GatewayError as error:
            # The first pass was rolled back; the second shows the form again, filled in and with the reason.
            request.refusal = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal: GatewayError | None = getattr(request, "refusal", None)
        return form if refusal is None else with_error(form, refusal.message)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except GatewayError as error:
            self.message_user(request, error.message, messages.ERROR)
            return redirect(request.path.replace("/delete/", "/change/"))


class ReadOnlyAdmin(StaffAdmin):
    """Rows to look at; they come into being elsewhere."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TenantForm(ModelForm):
    """A form that works without a scope. A new row's organization is for the admin's `save_model` to say."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("instance") is None:
            kwargs["instance"] = self._meta.model(tenant_id=None)  # the default would ask for the scope
        super().__init__(*args, **kwargs)

    def _post_clean(self) -> None:
        # Uniqueness is checked through the default manager, which wants a scope.
        with scope(self.instance.tenant_id or NOBODY):
            super()._post_clean()  # type: ignore[misc]  # a hook of Django's that its stubs leave out


class TenantAdmin(StaffAdmin):
    """A table of tenant rows: those of all organizations, here and in the choices of its forms."""

    form = TenantForm

    @admin.display(description="organization", ordering="tenant__name")
    def organization(self, row: Any) -> Any:
        return row.tenant

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = unscoped(self.model)
        ordering: Sequence[Any] = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", unscoped(db_field.remote_field.model))
        with scope(NOBODY):  # Django asks for the default queryset before it takes ours instead
            return super().formfield_for_foreignkey(db_field, request, **kwargs)


def unscoped(model: type[models.Model]) -> models.QuerySet[Any]:
    """All rows, whether or not the table belongs to organizations."""
    manager = model._default_manager
    return manager.unscoped() if isinstance(manager, TenantManager) else manager.all()


def organization_of(row: Any) -> UUID | None:
    if isinstance(row, Organization):
        return row.pk
    organization_id: UUID | None = getattr(row, "tenant_id", None) or getattr(row, "organization_id", None)
    return organization_id


def with_error(form: type[ModelForm], message: str) -> type[ModelForm]:
    """The form, never valid: it says why the service refused."""

    class Refused(form):  # type: ignore[valid-type, misc]
        def clean(self) -> dict[str, Any]:
            cleaned: dict[str, Any] = super().clean() or self.cleaned_data
            self.add_error(None, message)
            return cleaned

    return Refused


def adopt(row: Any, stored: Any) -> None:
    """Makes the form's unsaved row the one that a service has written."""
    row.__dict__.update(stored.__dict__)
