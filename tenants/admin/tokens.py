"""Bearer tokens: issued here, shown once, revoked; never edited."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from tenants import tokens
from tenants.admin.base import ADD, StaffAdmin, adopt
from tenants.admin.display import badge
from tenants.admin.filters import RelatedFilter
from tenants.lifetimes import lifetime
from tenants.models import AccessToken, TokenRole

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[AccessToken]
else:
    from django.forms import ModelForm


class TokenForm(ModelForm):
    lifetime = forms.CharField(
        initial="90d", widget=UnfoldAdminTextInputWidget, help_text="A number with s, m, h or d, such as 12h or 30d."
    )

    class Meta:
        model = AccessToken
        fields = ("label", "role", "organization", "membership")

    def clean_lifetime(self) -> Any:
        try:
            return lifetime(self.cleaned_data["lifetime"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        role, organization, membership = (cleaned.get(name) for name in ("role", "organization", "membership"))
        if role == TokenRole.ADMIN:
            if organization or membership:
                self.add_error("role", "An admin token names its organization in each request: leave those empty.")
        elif role == TokenRole.USER and organization is None:
            self.add_error("organization", "A user token is bound to an organization.")
        elif organization and membership and membership.organization_id != organization.pk:
            self.add_error("membership", "This membership is in another organization.")
        return cleaned


@admin.register(AccessToken)
class AccessTokenAdmin(StaffAdmin):
    form = TokenForm
    audited_by_service = frozenset({ADD})
    actions = ("revoke",)
    list_display = ("__str__", "role", "organization", "membership", "state", "created_at", "expires_at")
    list_filter = ("role", ("organization", RelatedFilter))
    list_select_related = ("organization", "membership__user", "membership__organization")
    search_fields = ("label",)
    autocomplete_fields = ("organization", "membership")
    fields = ("label", "role", "organization", "membership", "lifetime")
    issued_fields = ("label", "role", "organization", "membership", "state", "created_at", "expires_at", "revoked_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.issued_fields if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.issued_fields if obj else ()

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role" and not request.user.is_superuser:
            kwargs["choices"] = [(TokenRole.USER.value, TokenRole.USER.label)]  # an admin token can do anything
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked row still says who had a token

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("tenants.change_accesstoken"))

    @badge("state", {"live": "success", "expired": "warning", "revoked": "danger"})
    def state(self, token: AccessToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        return "live" if token.expires_at > timezone.now() else "expired"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        wanted = {name: form.cleaned_data[name] for name in ("role", "organization", "membership", "lifetime", "label")}
        text, row = tokens.issue(**wanted)
        adopt(obj, row)
        obj.text = text

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context.update(show_save_and_add_another=False, show_save_and_continue=False)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the token in this very answer, so that it rests in no session, cookie or address."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Token issued", "token": obj}
        return TemplateResponse(request, "admin/tenants/accesstoken/issued.html", context)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        revoked = sum(tokens.revoke(row) for row in queryset)
        self.message_user(request, f"{revoked} token(s) revoked.", messages.SUCCESS)
