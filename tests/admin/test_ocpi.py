"""Bundles and templates in the admin: what staff see and do."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chargers.models import Charger
from ocpi import credentials
from ocpi.models import Cdr, Cpo, Evse, Exchange, Peer, PeerCommand, PeerState, Preset, Push, Session, Token
from tenants.models import AuditEntry, Organization, User
from tenants.scoping import scope
from tests.ocpi import builder
from tests.ocpi.builder import boot, built, order, work

pytestmark = pytest.mark.django_db
ADD = reverse("admin:ocpi_cpo_add")


@pytest.fixture(autouse=True)
def presets(db: None) -> None:
    builder.seed()


def filled(tenant: Organization, **changes: Any) -> dict[str, Any]:
    usual = {
        "organization": str(tenant.pk), "template": "smoke-single", "country_code": "NL", "party_id": "sup",
        "name_prefix": "Support", "versions": "", "lifetime": "3600", "seed": "", "locations": "",
        "chargers_per_location": "", "ws_url": "",
    }  # fmt: skip
    return {**usual, **changes}


def test_a_bundle_is_made_from_the_page_and_its_handshake_shown_once(staff: Client, tenant: Organization) -> None:
    answer = staff.post(ADD, filled(tenant))
    cpo = Cpo.objects.unscoped().get()
    assert (answer.status_code, cpo.party_id, cpo.tenant) == (200, "SUP", tenant)
    assert cpo.expires_at is not None
    token = answer.context["token_a"]
    assert credentials.find(cpo.pk, token) is not None
    assert f"/ocpi/peer/{cpo.pk}/2.2.1/credentials" in answer.content.decode()
    page = staff.get(reverse("admin:ocpi_cpo_change", args=[cpo.pk]))
    assert token not in page.content.decode()
    assert AuditEntry.objects.get(verb="create_cpo").actor == "sam"


def test_what_the_service_refuses_stands_in_the_form(staff: Client, tenant: Organization) -> None:
    answer = staff.post(ADD, filled(tenant, locations="9"))
    assert "smoke-single has at most 1 locations" in answer.content.decode()
    assert staff.post(ADD, filled(tenant, ws_url="http://x")).status_code == 200
    assert staff.post(ADD, filled(tenant, party_id="toolong")).status_code == 200
    assert not Cpo.objects.unscoped().exists()


def test_the_page_shows_how_far_the_build_is(staff: Client, tenant: Organization) -> None:
    cpo = order(tenant, "highway-dc")
    fragment = reverse("admin:ocpi_cpo_progress", args=[cpo.pk])
    assert "PENDING" in staff.get(fragment).content.decode()
    work()
    text = staff.get(fragment).content.decode()
    assert "3 of 3 locations" in text
    assert "0 of 6 chargers booted" in text
    assert "wait-for-chargers" in text
    assert "NL*LAB*E0001*1" in text
    boot(cpo)
    work()
    text = staff.get(reverse("admin:ocpi_cpo_change", args=[cpo.pk])).content.decode()
    assert "6 of 6 chargers booted" in text
    assert "AVAILABLE" in text


def test_another_token_is_minted_by_a_button(staff: Client, tenant: Organization) -> None:
    cpo = order(tenant)
    url = reverse("admin:ocpi_cpo_token", args=[cpo.pk])
    assert staff.get(url).status_code == 403
    token = staff.post(url).context["token_a"]
    assert credentials.find(cpo.pk, token) is not None


def test_destroying_it_from_the_page(staff: Client, tenant: Organization) -> None:
    cpo = built(tenant, "smoke-single")
    url = reverse("admin:ocpi_cpo_delete", args=[cpo.pk])
    assert "with its locations" in staff.get(url).content.decode()
    answer = staff.post(url, {"post": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("admin:ocpi_cpo_changelist"))
    assert not Charger.objects.unscoped().exists()
    assert staff.get(reverse("admin:ocpi_cpo_progress", args=[cpo.pk])).status_code == 404


def charged(cpo: Cpo) -> None:
    """One row of everything that passes between a CPO and a peer."""
    now, evse = timezone.now(), Evse.objects.get(cpo=cpo)
    peer = Peer.objects.create(
        cpo=cpo, state=PeerState.REGISTERED, version="2.2.1", versions_url=f"http://e/{'v' * 90}"
    )
    Token.objects.create(
        cpo=cpo, peer=peer, key_country="NL", key_party="EMS", key_uid="CARD-1", content={"uid": "card-1"},
        version="2.2.1", valid=True, whitelist="ALLOWED", contract_id="NL-EMS-1", last_updated=now,
    )  # fmt: skip
    session = Session.objects.create(
        cpo=cpo, peer=peer, evse=evse, session_id="S-1", id_tag="CARD-1", auth_method="COMMAND", started_at=now,
        currency="EUR", total_cost={"excl_vat": 1.5}, created_at=now, last_updated=now,
    )  # fmt: skip
    Cdr.objects.create(
        cpo=cpo, peer=peer, session=session, cdr_id="C-1", content={"currency": "EUR"}, created_at=now, last_updated=now
    )
    PeerCommand.objects.create(cpo=cpo, peer=peer, kind="START_SESSION", response_url="http://e/1", deadline=now)
    Exchange.objects.create(cpo=cpo, peer=peer, direction="incoming", at=now, method="GET", url="http://a/b?c=d")
    Push.objects.create(cpo=cpo, peer=peer, subject="cdr:1", method="POST", plan="result", due_at=now)


def test_someone_without_the_right_sees_no_bundle(tenant: Organization) -> None:
    cpo = order(tenant)
    client = Client()
    client.force_login(User.objects.create_user("nora", password="x", is_staff=True))
    for name in ("change", "progress", "token"):
        assert client.post(reverse(f"admin:ocpi_cpo_{name}", args=[cpo.pk])).status_code == 403


@pytest.mark.parametrize(
    "table", ["cpolocation", "evse", "tariff", "peer", "token", "session", "cdr", "peercommand", "exchange", "push"]
)
def test_its_rows_open(staff: Client, tenant: Organization, table: str) -> None:
    cpo = built(tenant, "smoke-single")
    with scope(tenant):
        charged(cpo)
    rows = staff.get(reverse(f"admin:ocpi_{table}_changelist"), {"cpo__id__exact": cpo.pk})
    assert rows.status_code == 200
    row = rows.context["cl"].result_list[0]
    assert staff.get(reverse(f"admin:ocpi_{table}_change", args=[row.pk])).status_code == 200


def test_cdrs_are_taken_back_from_their_list(staff: Client, tenant: Organization) -> None:
    cpo = built(tenant, "smoke-single")
    with scope(tenant):
        charged(cpo)
        Cdr.objects.update(content={"currency": "EUR", "total_cost": {"excl_vat": 1.5}})
    rows = reverse("admin:ocpi_cdr_changelist")

    def take_back(cdr: Cdr) -> str:
        chosen = {"action": "take_back", "_selected_action": [cdr.pk]}
        return staff.post(rows, chosen, follow=True).content.decode()

    take_back(Cdr.objects.unscoped().get())
    credit = Cdr.objects.unscoped().get(credit=True)
    assert (credit.cdr_id, credit.content["total_cost"]) == ("C-1-C", {"excl_vat": -1.5})
    assert AuditEntry.objects.get(verb="credit_cdr").actor == "sam"
    assert "It is a credit CDR itself." in take_back(credit)


# --- templates --------------------------------------------------------------------------------------------------------


def edit(staff: Client, content: Any) -> Any:
    preset = Preset.objects.get(slug="smoke-single", version=1)
    text = content if isinstance(content, str) else json.dumps(content)
    return staff.post(reverse("admin:ocpi_preset_change", args=[preset.pk]), {"content": text, "_save": "Save"})


def test_an_edit_is_published_as_the_next_version(staff: Client) -> None:
    before = Preset.objects.get(slug="smoke-single").content
    assert edit(staff, {**before, "description": "Ours", "version": 99}).status_code == 302
    first, second = Preset.objects.filter(slug="smoke-single").order_by("version")
    assert (first.content, first.edited) == (before, False)
    assert (second.version, second.description, second.edited) == (2, "Ours", True)
    assert AuditEntry.objects.filter(verb="edit_preset").count() == 1


def test_an_edit_that_breaks_the_rules_is_refused_with_the_reason(staff: Client) -> None:
    before = Preset.objects.get(slug="smoke-single").content
    for content, reason in (
        ("{", "Not JSON"),
        ([], "must be an object"),
        ({**before, "locations": 5}, "is beyond its own cap"),
        ({**before, "groups": [{**before["groups"][0], "model_slug": "none"}]}, "is not in the catalog"),
    ):
        assert reason in edit(staff, content).content.decode()
    assert Preset.objects.filter(slug="smoke-single").count() == 1
