"""Every page of the admin opens for a superuser, for empty tables as for full ones."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from chargers.models import Charger, ChargerCommand, ConnectionEvent, Message, Run, Transaction
from chargers.services.commands import issue_one
from locations.models import Location
from ocpplab.sidebar import GROUPS
from simulator.models import Node, Shard
from tenants import tokens
from tenants.models import AuditEntry, Membership, Organization, User
from tenants.scoping import scope

TABLES = sorted(admin.site._registry, key=lambda model: model._meta.label)


def url_of(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def name_of(model: type[Model]) -> str:
    return model._meta.label


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_every_list_opens(staff: Client, table: type[Model]) -> None:
    assert staff.get(url_of(table, "changelist")).status_code == 200


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_every_add_page_opens_or_is_closed_on_purpose(staff: Client, superuser: User, table: type[Model]) -> None:
    request = RequestFactory().get("/")
    request.user = superuser
    may_add = admin.site._registry[table].has_add_permission(request)
    assert staff.get(url_of(table, "add")).status_code == (200 if may_add else 403)


@pytest.fixture
def filled(tenant: Organization, superuser: User, charger: Charger, log: Callable[..., list[Message]]) -> None:
    """A row in every table of these rooms."""
    log(charger, 3)
    with scope(tenant):
        issue_one(charger, "plug_connector", {"connector_id": 1})
        Transaction.objects.create(
            charger=charger, evse_id=1, connector_id=1, started_at=timezone.now(), meter_start=0, meter_stop=1500
        )
    ConnectionEvent.objects.unscoped().create(
        tenant=tenant, charger=charger, epoch=1, sequence=9, at=timezone.now(), kind="connected"
    )
    Membership.objects.create(user=superuser, organization=tenant)
    tokens.issue(role="user", organization=tenant, label="a token")
    Node.objects.create(id="n1", host="here", pid=1, started_at=timezone.now(), seen_at=timezone.now())
    Shard.objects.get_or_create(id=0)
    with scope(tenant):
        Run.objects.create(name="a run", started_at=timezone.now())


FILLED = (
    Organization, Membership, User, tokens.AccessToken, AuditEntry, Location, Charger, ChargerCommand, Message,
    ConnectionEvent, Transaction, Node, Shard, Run,
)  # fmt: skip


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("table", FILLED, ids=name_of)
def test_every_row_opens(staff: Client, table: type[Model]) -> None:
    manager: Any = table._default_manager
    row = (manager.unscoped() if hasattr(manager, "unscoped") else manager.all()).first()
    for page in ("change", "history"):
        assert staff.get(url_of(table, page, row.pk)).status_code == 200
    listed = staff.get(url_of(table, "changelist"))
    assert listed.status_code == 200
    assert len(listed.context["cl"].result_list) >= 1


@pytest.mark.usefixtures("filled")
def test_lists_can_be_searched_and_filtered(staff: Client, charger: Charger) -> None:
    tenant = charger.tenant_id
    for model, query in (
        (Organization, {"q": "acme"}),
        (Membership, {"q": "sam"}),
        (Location, {"q": "Depot", "tenant__id__exact": tenant}),
        (Charger, {"q": "CP-1", "tenant__id__exact": tenant, "location__id__exact": charger.location_id}),
        (Charger, {"model__id__exact": charger.model_id, "runtime__exact": "running"}),
        (ChargerCommand, {"charger__id__exact": charger.pk, "state__exact": "queued"}),
        (Transaction, {"charger__id__exact": charger.pk}),
        (Message, {"charger__id__exact": charger.pk, "action": "Heartbeat", "direction": "cp_to_csms"}),
        (ConnectionEvent, {"charger__id__exact": charger.pk}),
        (AuditEntry, {"organization__id__exact": tenant}),
        (tokens.AccessToken, {"organization__id__exact": tenant, "role__exact": "user"}),
    ):
        page = staff.get(url_of(model, "changelist"), query)
        assert page.status_code == 200, (model, query)
        assert len(page.context["cl"].result_list) >= 1, (model, query)


@pytest.mark.usefixtures("filled")
def test_selects_that_search_find_rows_of_every_organization(staff: Client) -> None:
    for app, model, field, term in (
        ("chargers", "charger", "location", "acme"),
        ("chargers", "charger", "model", "pulsar"),
        ("chargers", "message", "charger", "CP-1"),
        ("locations", "location", "tenant", "acme"),
        ("tenants", "accesstoken", "membership", "sam"),
    ):
        query = {"app_label": app, "model_name": model, "field_name": field, "term": term}
        answer = staff.get(reverse("admin:autocomplete"), query)
        assert answer.status_code == 200
        assert len(answer.json()["results"]) == 1, field


def test_the_start_page_lists_the_subjects(staff: Client) -> None:
    page = staff.get(reverse("admin:index")).content.decode()
    for title in ("Organizations", "Catalog", "Locations &amp; chargers", "Traffic", "Simulator", "House CSMS"):
        assert title in page


def test_the_sidebar_leads_to_every_table(staff: Client, superuser: User) -> None:
    listed = {table for _, entries in GROUPS for _, _, table in entries}
    assert listed == {model._meta.label_lower for model in TABLES}


def test_people_who_are_not_staff_stay_outside(tenant: Organization) -> None:
    client = Client()
    client.force_login(User.objects.create_user("vera", password="x"))
    answer = client.get(url_of(Charger, "changelist"))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


def test_staff_see_what_their_permissions_say(tenant: Organization) -> None:
    client = Client()
    client.force_login(User.objects.create_user("stan", password="x", is_staff=True))
    assert client.get(url_of(Charger, "changelist")).status_code == 403
    assert "Chargers" not in client.get(reverse("admin:index")).content.decode()


def test_the_address_without_a_slash_leads_in(client: Client) -> None:
    assert client.get("/admin")["Location"] == "/admin/"


@pytest.mark.django_db
def test_the_login_page_leads_to_the_admin_by_itself() -> None:
    User.objects.create_user("stan", password="long-enough-1", is_staff=True)
    answer = Client().post("/admin/login/", {"username": "stan", "password": "long-enough-1"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
