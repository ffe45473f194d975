"""Who may charge at a CPO's charger (OCPI contract, section 9): a station asks, the eMSP is asked or is not."""

from collections.abc import Iterator
from threading import Barrier
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, async_to_sync
from django.db import connection, connections
from django.utils import timezone

from chargers.back_office import Card, back_office
from ocpi.models import Cpo, Exchange, Token
from ocpi.peer import tokens
from ocpi.peer.versions import binding
from simulator.csms.database import THREAD
from simulator.csms.judging import THREADS
from simulator.csms.models import CsmsCall, Endpoint
from tenants.models import Organization
from tenants.scoping import scope
from tests.csms.station import WHEN, Station
from tests.ocpi.emsp import Answer, Emsp
from tests.ocpi.stage import Stage, build
from tests.ocpi.test_commands import TOKEN, start
from tests.ocpi.test_push import join


@pytest.fixture
def stage(transactional_db: None, tenant: Organization, model: Any, emsp: Emsp) -> Iterator[Stage]:
    stage = build(tenant, model)
    join(stage.peer, emsp, {"tokens": "SENDER"})
    yield stage
    for thread in (THREAD, SyncToAsync.single_thread_executor):
        thread.submit(lambda: connection.close()).result()
    together = Barrier(len(THREADS._threads))  # each of them gets one of these jobs
    for job in [THREADS.submit(lambda: (together.wait(10), connection.close())) for _ in THREADS._threads]:
        job.result()
    connections.close_all()


def give(stage: Stage, emsp: Emsp, whitelist: str, **changes: Any) -> None:
    with scope(stage.cpo.tenant_id):
        token = emsp.new_token("CARD-1", whitelist=whitelist, **changes)
        tokens.store(stage.peer, binding("2.2.1"), token, ("NL", "EMS"))


def says(emsp: Emsp, allowed: str, **info: Any) -> None:
    emsp.authorize = lambda uid, references: {"allowed": allowed, **info}


def authorize(stage: Stage, token: str = "CARD-1", version: str = "ocpp1.6", then_start: bool = False) -> Any:
    """The answer to an Authorize of a station; with `then_start` that to the StartTransaction after it."""
    endpoint = Endpoint.objects.unscoped().get(pk=stage.cpo.csms_endpoint)

    async def ask() -> Any:
        async with Station(endpoint, "CP-1", version) as station:
            await station.boot()
            if version != "ocpp1.6":
                answer = await station.call("Authorize", {"idToken": {"idToken": token, "type": "ISO14443"}})
                return answer["idTokenInfo"]
            answer = await station.call("Authorize", {"idTag": token})
            if then_start:
                begun = {"connectorId": 1, "idTag": token, "meterStart": 0, "timestamp": WHEN}
                answer = await station.call("StartTransaction", begun)
            return answer["idTagInfo"]

    return async_to_sync(ask)()


def asked(emsp: Emsp) -> int:
    return len(emsp.requests("tokens", "POST"))


@pytest.mark.parametrize("whitelist", ["ALWAYS", "ALLOWED"])
@pytest.mark.parametrize(("valid", "status"), [(True, "Accepted"), (False, "Blocked")])
def test_a_white_listed_token_is_judged_without_a_call(
    stage: Stage, emsp: Emsp, whitelist: str, valid: bool, status: str
) -> None:
    give(stage, emsp, whitelist, valid=valid)
    assert authorize(stage)["status"] == status
    assert asked(emsp) == 0


def test_a_cpo_may_prefer_to_ask_about_those_too(stage: Stage, emsp: Emsp) -> None:
    give(stage, emsp, "ALLOWED")
    Cpo.objects.unscoped().update(settings={"rta": "prefer"})
    says(emsp, "BLOCKED")
    assert authorize(stage)["status"] == "Blocked"
    emsp.script("tokens", Answer(500, code=3000))
    assert authorize(stage)["status"] == "Accepted"  # no answer: as cached


@pytest.mark.parametrize(("allowed", "status"), [("ALLOWED", "Accepted"), ("NO_CREDIT", "Invalid")])
def test_allowed_offline_is_asked_about(stage: Stage, emsp: Emsp, allowed: str, status: str) -> None:
    give(stage, emsp, "ALLOWED_OFFLINE")
    says(emsp, allowed)
    assert authorize(stage)["status"] == status
    assert asked(emsp) == 1


@pytest.mark.parametrize(("valid", "status"), [(True, "Accepted"), (False, "Blocked")])
def test_allowed_offline_counts_as_cached_when_nobody_answers(
    stage: Stage, emsp: Emsp, valid: bool, status: str
) -> None:
    give(stage, emsp, "ALLOWED_OFFLINE", valid=valid)
    emsp.script("tokens", Answer(503))
    assert authorize(stage)["status"] == status


@pytest.mark.parametrize("valid", [True, False])
def test_never_is_always_asked_about_whatever_valid_says(stage: Stage, emsp: Emsp, valid: bool) -> None:
    give(stage, emsp, "NEVER", valid=valid)
    assert authorize(stage)["status"] == "Accepted"
    assert authorize(stage)["status"] == "Accepted"
    assert asked(emsp) == 2
    emsp.script("tokens", Answer(503))
    assert authorize(stage)["status"] == "Invalid"  # unreachable: refused


WORDS = [
    ("BLOCKED", "Blocked", "Blocked"),
    ("EXPIRED", "Expired", "Expired"),
    ("NO_CREDIT", "Invalid", "NoCredit"),
    ("NOT_ALLOWED", "Invalid", "Invalid"),
]


@pytest.mark.parametrize(("allowed", "v16", "v201"), WORDS)
def test_refusals_in_the_words_of_each_version(stage: Stage, emsp: Emsp, allowed: str, v16: str, v201: str) -> None:
    give(stage, emsp, "NEVER")
    says(emsp, allowed)
    assert authorize(stage)["status"] == v16
    assert authorize(stage, version="ocpp2.0.1")["status"] == v201


@pytest.mark.parametrize("answer", [Answer(404, code=2004), Answer(200, code=2004)])
def test_a_token_that_the_peer_does_not_know_is_invalid(stage: Stage, emsp: Emsp, answer: Answer) -> None:
    give(stage, emsp, "NEVER")
    emsp.script("tokens", answer)
    assert authorize(stage)["status"] == "Invalid"


def test_the_peer_is_told_where_and_may_refuse_the_place(stage: Stage, emsp: Emsp) -> None:
    give(stage, emsp, "NEVER")
    assert authorize(stage)["status"] == "Accepted"
    (request,) = emsp.requests("tokens", "POST")
    assert request.path == "/2.2.1/tokens/CARD-1/authorize"
    assert (request.query, request.body) == ({"type": "RFID"}, {"location_id": "LOC1", "evse_uids": ["E1"]})
    says(emsp, "ALLOWED", location={"location_id": "LOC1", "evse_uids": ["ELSEWHERE"]})
    assert authorize(stage)["status"] == "Invalid"


def test_authorize_and_the_start_after_it_are_one_question(stage: Stage, emsp: Emsp) -> None:
    give(stage, emsp, "NEVER", group_id="FLEET")
    assert authorize(stage, then_start=True) == {"status": "Accepted", "parentIdTag": "FLEET"}
    assert asked(emsp) == 1


def test_an_unknown_token_is_asked_of_every_peer(stage: Stage, emsp: Emsp) -> None:
    assert authorize(stage, "STRANGER")["status"] == "Accepted"
    says(emsp, "NOT_ALLOWED")
    assert authorize(stage, "ANOTHER")["status"] == "Invalid"
    assert not Token.objects.unscoped().exists()


def test_the_cpos_own_cards_come_before_that(stage: Stage, emsp: Emsp) -> None:
    with scope(stage.cpo.tenant_id):
        back_office().put_card(stage.cpo.csms_endpoint or 0, Card("OWN-1"))
        back_office().put_card(stage.cpo.csms_endpoint or 0, Card("OWN-2", "Blocked"))
    assert authorize(stage, "own-1")["status"] == "Accepted"
    assert authorize(stage, "OWN-2")["status"] == "Blocked"
    assert asked(emsp) == 0


@pytest.mark.parametrize("kind", ["APP_USER", "AD_HOC_USER"])
def test_tokens_of_apps_are_accepted_without_a_call(stage: Stage, emsp: Emsp, kind: str) -> None:
    give(stage, emsp, "NEVER", type=kind)
    assert authorize(stage)["status"] == "Accepted"
    assert asked(emsp) == 0


def test_a_token_that_a_command_has_named_is_accepted_at_that_evse(stage: Stage, emsp: Emsp) -> None:
    give(stage, emsp, "NEVER")
    stage.comes_online()
    start(stage, token=TOKEN | {"type": "RFID"})
    CsmsCall.objects.unscoped().all().delete()  # the station of this test answers none
    says(emsp, "BLOCKED")
    assert authorize(stage)["status"] == "Accepted"
    assert asked(emsp) == 0


def test_the_exchange_is_on_record(stage: Stage, emsp: Emsp) -> None:
    give(stage, emsp, "NEVER")
    authorize(stage)
    (exchange,) = Exchange.objects.unscoped().filter(module="tokens")
    assert (exchange.method, exchange.http_status, exchange.direction) == ("POST", 200, "outgoing")
    assert exchange.at <= timezone.now()
