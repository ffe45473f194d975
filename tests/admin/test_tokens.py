"""Tokens in the admin: shown once, revocable, never edited."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants import tokens
from tenants.models import AccessToken, AuditEntry, Membership, Organization, User
from tests.conftest import ApiClient

ADD = reverse("admin:tenants_accesstoken_add")
LIST = reverse("admin:tenants_accesstoken_changelist")


def issue(staff: Client, **fields: Any) -> Any:
    return staff.post(ADD, {"label": "for CI", "role": "user", "lifetime": "12h", **fields})


def text_of(response: Any) -> str:
    return str(response.context["token"].text)


def test_the_text_is_shown_once_and_opens_the_api(staff: Client, tenant: Organization) -> None:
    response = issue(staff, organization=tenant.pk)
    assert response.status_code == 200
    text = text_of(response)
    assert response.content.decode().count(text) == 1
    assert "no-store" in response["Cache-Control"]
    assert ApiClient(text).get("/locations").status_code == 200

    row = AccessToken.objects.get()
    assert abs(row.expires_at - timezone.now() - timedelta(hours=12)) < timedelta(minutes=1)
    for page in (LIST, reverse("admin:tenants_accesstoken_change", args=[row.pk]), reverse("admin:index")):
        assert text not in staff.get(page).content.decode()
    assert all(text not in str(session.get_decoded()) for session in Session.objects.all())
    assert all(text not in cookie.value for cookie in staff.cookies.values())


def test_issuing_is_audited_once_without_the_text(staff: Client, tenant: Organization) -> None:
    text = text_of(issue(staff, organization=tenant.pk))
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor, entry.organization, entry.summary) == ("issue_token", "sam", tenant, "for CI")
    assert text not in str(entry.details)


def test_a_token_for_a_membership_carries_its_rights(staff: Client, tenant: Organization) -> None:
    vera = Membership.objects.create(user=User.objects.create_user("vera"), organization=tenant, role="viewer")
    client = ApiClient(text_of(issue(staff, organization=tenant.pk, membership=vera.pk)))
    assert client.get("/locations").status_code == 200
    assert client.post("/locations", {}).status_code == 403


def test_an_admin_token_names_no_organization(staff: Client, tenant: Organization) -> None:
    client = ApiClient(text_of(issue(staff, role="admin")), tenant)
    assert client.get("/locations").status_code == 200


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"organization": ""}, "organization"),
        ({"lifetime": "soon"}, "lifetime"),
        ({"role": "admin"}, "role"),
        ({"membership": "foreign"}, "membership"),
    ],
)
def test_what_makes_no_sense_is_refused(
    staff: Client, tenant: Organization, stranger: Organization, fields: dict[str, Any], wrong: str
) -> None:
    foreign = Membership.objects.create(user=User.objects.create_user("eve"), organization=stranger)
    if fields.get("membership"):
        fields = {"membership": foreign.pk}
    response = issue(staff, **{"organization": tenant.pk, **fields})
    assert set(response.context["adminform"].form.errors) == {wrong}
    assert not AccessToken.objects.exists()


def test_revoking_closes_the_api_and_is_audited(staff: Client, tenant: Organization, user_token: str) -> None:
    client = ApiClient(user_token)
    assert client.get("/locations").status_code == 200
    row = AccessToken.objects.get()
    staff.post(LIST, {"action": "revoke", "_selected_action": [str(row.pk)]})
    assert client.get("/locations").status_code == 401
    assert AuditEntry.objects.get(verb="revoke_token").actor == "sam"


def test_a_token_is_neither_edited_nor_deleted(staff: Client, tenant: Organization) -> None:
    row = tokens.issue(role="user", organization=tenant, label="as it was")[1]
    change = reverse("admin:tenants_accesstoken_change", args=[row.pk])
    assert staff.post(change, {"label": "another"}).status_code == 403
    assert staff.post(reverse("admin:tenants_accesstoken_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert AccessToken.objects.get().label == "as it was"


def test_only_a_superuser_issues_admin_tokens(db: None) -> None:
    clerk = User.objects.create_user("clerk", password="x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="add_accesstoken"))
    client = Client()
    client.force_login(clerk)
    response = issue(client, role="admin")
    assert set(response.context["adminform"].form.errors) == {"role"}
    assert not AccessToken.objects.exists()
