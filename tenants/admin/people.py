"""The people who sign in, their groups, and their own passwords."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants import audit
from tenants.admin.base import StaffAdmin
from tenants.admin.organizations import MembershipInline
from tenants.models import User

if TYPE_CHECKING:
    PeopleAdmin = UserAdmin[User]
else:
    PeopleAdmin = UserAdmin

HTTP_FOUND = 302


@admin.register(User)
class PersonAdmin(PeopleAdmin, StaffAdmin):  # type: ignore[misc]  # Django's get_form is typed more narrowly
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [MembershipInline] if obj else []


admin.site.unregister(Group)


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, StaffAdmin):
    pass


def own_password(request: HttpRequest) -> HttpResponse:
    """Django's page for changing one's own password, which no table's admin hears of; leaves an audit row."""
    response = admin.site.password_change(request)
    if request.method == "POST" and response.status_code == HTTP_FOUND:  # else the form was not valid
        audit.record("change_own_password", object_type="user", object_id=request.user.pk, organization_id=None)
    return response
