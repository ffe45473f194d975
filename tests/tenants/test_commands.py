"""`issue_token`, `revoke_token` and `create_organization`."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tenants.models import AccessToken, AuditEntry, Membership, MembershipRole, Organization, User
from tests.conftest import ApiClient
from tests.ops.processes import python


def run(*args: str) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue().strip()


def test_a_user_token_is_all_that_is_printed_and_works(tenant: Organization) -> None:
    token = run("issue_token", "--role", "user", "--organization", "acme", "--label", "ci")
    assert token.count(".") == 2
    assert " " not in token
    assert ApiClient(token).get("/locations").status_code == 200
    row = AccessToken.objects.get()
    assert (row.organization, row.label) == (tenant, "ci")
    assert token not in str(list(AuditEntry.objects.values()))


def test_an_admin_token_acts_for_the_organization_it_names(tenant: Organization) -> None:
    token = run("issue_token", "--role", "admin")
    assert ApiClient(token, tenant).get("/locations").status_code == 200
    assert ApiClient(token).get("/locations").status_code == 403


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("2m", 120), ("12h", 43200), ("1d", 86400)])
def test_expires_in_takes_units(tenant: Organization, text: str, seconds: int) -> None:
    run("issue_token", "--organization", "acme", "--expires-in", text)
    left = AccessToken.objects.get().expires_at - timezone.now()
    assert timedelta(seconds=seconds - 20) < left <= timedelta(seconds=seconds)


def test_a_viewers_token_may_only_read(tenant: Organization) -> None:
    person = User.objects.create_user("vera")
    Membership.objects.create(user=person, organization=tenant, role=MembershipRole.VIEWER)
    client = ApiClient(run("issue_token", "--organization", "acme", "--member", "vera"))
    assert client.get("/locations").status_code == 200
    assert client.post("/locations", {}).status_code == 403


@pytest.mark.parametrize(
    "args",
    [
        ["--role", "user"],
        ["--role", "admin", "--organization", "acme"],
        ["--organization", "nobody"],
        ["--organization", "acme", "--expires-in", "soon"],
        ["--organization", "acme", "--expires-in", "0"],
        ["--organization", "acme", "--member", "nobody"],
        ["--role", "admin", "--member", "vera"],
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(tenant: Organization, args: list[str]) -> None:
    with pytest.raises(CommandError, match=r"\w+ .*\."):
        run("issue_token", *args)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("by_id", [True, False])
def test_a_token_is_taken_back_by_itself_or_by_its_id(tenant: Organization, by_id: bool) -> None:
    token = run("issue_token", "--organization", "acme")
    run("revoke_token", str(AccessToken.objects.get().pk) if by_id else token)
    assert ApiClient(token).get("/locations").status_code == 401
    assert "before" in run("revoke_token", token)


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_token_cannot_be_taken_back(db: None, text: str) -> None:
    with pytest.raises(CommandError):
        run("revoke_token", text)


def test_an_organization_is_made_and_its_id_printed(db: None) -> None:
    made = run("create_organization", "Acme Charging Ltd")
    organization = Organization.objects.get()
    assert (made, organization.slug) == (str(organization.pk), "acme-charging-ltd")
    assert AuditEntry.objects.filter(verb="create_organization", object_id=made).exists()
    with pytest.raises(CommandError, match="taken"):
        run("create_organization", "Acme Charging Ltd")
    run("create_organization", "充电", "--slug", "cd")
    assert Organization.objects.filter(slug="cd").exists()


@pytest.mark.parametrize(
    ("args", "reason"),
    [(["", "--slug", "a"], "name: "), (["A", "--slug", "bad slug!"], "slug: "), (["x" * 121], "name: ")],
)
def test_an_organization_needs_a_name_and_a_slug_that_fits_an_address(db: None, args: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run("create_organization", *args)
    assert not Organization.objects.exists()


def test_without_a_database_a_command_says_how_to_get_one(tmp_path: Path) -> None:
    with python("manage.py", "issue_token", "--role", "admin", DATA_DIR=str(tmp_path)) as answer:
        assert answer.ended() == 1
    assert answer.lines == [
        "CommandError: no such table: tenants_accesstoken. `make run` prepares the database of its DATA_DIR."
    ]
