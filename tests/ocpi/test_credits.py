"""CDRs over the tenant's API, and taken back by credit CDRs, which the eMSP gets like any other (OCPI contract, 8)."""

from typing import Any

import pytest

from ocpi.models import Cdr, Push
from ocpi.protocol import tokens
from ocpi.protocol.client import Reply
from ocpi.protocol.versions import binding
from ocpi.pushing import delivering
from tenants.models import AuditEntry, Organization
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.ocpi import bundle, schemas
from tests.ocpi.commands import visitor_of
from tests.ocpi.conftest import Visitor
from tests.ocpi.stage import DELIVERED, Stage, build
from tests.ocpi.test_sessions import CARD
from tests.ocpi.test_versions import OLD_CARD

pytestmark = pytest.mark.django_db
BUSY = Reply(503, headers={"retry-after": "3600"}, problem="HTTP 503")


def billed(tenant: Organization, model: Any, version: str = "2.2.1") -> Stage:
    """A stage at which one session has been charged and billed; the peer has not been told yet."""
    stage = build(tenant, model, version)
    with scope(tenant):
        tokens.store(stage.peer, binding(version), OLD_CARD if version == "2.1.1" else CARD, ("NL", "EMS"))
    stage.comes_online()
    stage.stop(stage.start("CARD-1", 0), 10_000, 3600)
    return stage


@pytest.fixture
def stage(tenant: Organization, model: Any) -> Stage:
    return billed(tenant, model)


def cdrs_of(stage: Stage) -> str:
    return f"/ocpi/cpos/{stage.cpo.pk}/cdrs"


def credit(client: ApiClient, stage: Stage) -> Any:
    original = Cdr.objects.unscoped().get(credit=False)
    return client.post(f"{cdrs_of(stage)}/{original.cdr_id}/credit")


def test_a_credit_cdr_reaches_the_emsp_as_every_cdr_does(user_client: ApiClient, stage: Stage) -> None:
    (told,) = stage.told("cdrs")
    original = told.body
    answer = credit(user_client, stage)
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["id"], shown["credit"], shown["credit_reference_id"]) == (f"{original['id']}-C", True, original["id"])
    (call,) = stage.told("cdrs")
    assert (call.method, call.correlation_id) == ("POST", told.correlation_id)
    assert schemas.problems("2.2.1", "CDR", call.body) == []
    assert call.body == original | {
        "id": f"{original['id']}-C",
        "credit": True,
        "credit_reference_id": original["id"],
        "total_cost": {"excl_vat": -3.9, "incl_vat": -4.719},
        "last_updated": call.body["last_updated"],
    }
    assert [one["id"] for one in visitor_of(stage).get("/cdrs").data] == [original["id"], f"{original['id']}-C"]
    assert AuditEntry.objects.filter(verb="credit_cdr").count() == 1


def test_it_is_issued_once(user_client: ApiClient, stage: Stage) -> None:
    first, again = credit(user_client, stage).json(), credit(user_client, stage).json()
    assert first == again
    assert len(stage.told("cdrs")) == Cdr.objects.unscoped().count() == 2
    refused = user_client.post(f"{cdrs_of(stage)}/{first['id']}/credit")
    assert (refused.status_code, refused.json()["detail"]) == (409, "It is a credit CDR itself.")


def test_a_credit_cdr_waits_for_the_cdr_that_it_is_about(user_client: ApiClient, stage: Stage) -> None:
    credit(user_client, stage)
    told = []
    while attempts := delivering.claim(stage.peer.pk, 50):
        for attempt in attempts:
            told.append(attempt.call)
            is_cdr = attempt.call.module == "cdrs"
            delivering.settle(attempt, BUSY if is_cdr else DELIVERED)
    assert [call.body.get("credit", False) for call in told if call.module == "cdrs"] == [False]
    Push.objects.unscoped().update(due_at=stage.begin)
    assert [call.body.get("credit", False) for call in stage.told("cdrs")] == [False, True]


def test_taxes_are_taken_back_too_in_230(user_client: ApiClient, tenant: Organization, model: Any) -> None:
    stage = billed(tenant, model, "2.3.0")
    credit(user_client, stage)
    call = stage.told("cdrs")[-1]
    assert schemas.problems("2.3.0", "CDR", call.body) == []
    assert call.body["total_cost"] == {"before_taxes": -3.9, "taxes": [{"name": "VAT", "amount": -0.819}]}


def test_211_has_no_credit_cdrs(user_client: ApiClient, tenant: Organization, model: Any) -> None:
    stage = billed(tenant, model, "2.1.1")
    answer = credit(user_client, stage)
    assert answer.status_code == 409
    assert "OCPI 2.1.1" in answer.json()["detail"]
    assert len(stage.told("cdrs")) == 1


def test_a_credit_of_better_times_is_left_out_in_211(tenant: Organization, register: Any) -> None:
    """As after a step back to 2.1.1, where its id would not fit and nothing would say what it is."""
    with scope(tenant):
        cpo = bundle.new_cpo("OLD", versions="2.1.1,2.2.1")
    visitor: Visitor = register(cpo, "2.1.1")
    with scope(tenant):
        bundle.new_cdr(cpo, visitor.peer)
        Cdr.objects.filter(pk=bundle.new_cdr(cpo, visitor.peer, "C1-C").pk).update(credit=True)
    listed = visitor.get("/cdrs")
    assert [one["id"] for one in listed.data] == ["C1"]
    assert listed.header("X-Total-Count") == "1"


def test_the_tenant_lists_and_reads_cdrs(user_client: ApiClient, stranger_client: ApiClient, stage: Stage) -> None:
    credit(user_client, stage)
    listed = user_client.get(cdrs_of(stage)).json()
    original, taken_back = listed["data"]
    assert (listed["total"], original["credit"], taken_back["credit"]) == (2, False, True)
    assert original["cdr"]["total_cost"] == {"excl_vat": 3.9, "incl_vat": 4.719}
    assert original["peer_id"] == str(stage.peer.pk)
    assert user_client.get(f"{cdrs_of(stage)}/{original['id']}").json() == original
    for query, number in (
        (f"session_id={original['session_id']}", 2),
        ("credit=true", 1),
        (f"peer_id={stage.peer.pk}", 2),
        ("session_id=none", 0),
    ):
        assert user_client.get(f"{cdrs_of(stage)}?{query}").json()["total"] == number
    assert user_client.get(f"{cdrs_of(stage)}/none").status_code == 404
    assert stranger_client.get(f"{cdrs_of(stage)}/{original['id']}").status_code == 404
