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
from ocpi.protocol import tokens
from ocpi.protocol.versions import binding
from simulator.csms.database import THREAD
from simulator.csms.judging import THREADS
from simulator.csms.models import CsmsCall, Endpoint
from tenants.models import Organization
from tenants.scoping import scope
from tests.csms.station import WHEN, Station
from tests.ocpi import bundle
from tests.ocpi.commands import TOKEN, start
from tests.ocpi.emsp import Answer, Emsp
from tests.ocpi.stage import Stage, build
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


def charges(stage: Stage, token: str, version: str) -> str:
    """A whole transaction: the status that is told at its end."""
    endpoint = Endpoint.objects.unscoped().get(pk=stage.cpo.csms_endpoint)

    async def in_v16(station: Station) -> str:
        await station.call("Authorize", {"idTag": token})
        begun = await station.call(
            "StartTransaction", {"connectorId": 1, "idTag": token, "meterStart": 0, "timestamp": WHEN}
        )
        ended = {"transactionId": begun["transactionId"], "idTag": token, "meterStop": 9, "timestamp": WHEN}
        return str((await station.call("StopTransaction", ended))["idTagInfo"]["status"])

    async def in_v201(station: Station) -> str:
        said = {"idToken": {"idToken": token, "type": "ISO14443"}, "evse": {"id": 1, "connectorId": 1}}
        said |= {"timestamp": WHEN, "transactionInfo": {"transactionId": "T-1"}}
        begun = {"eventType": "Started", "triggerReason": "Authorized", "seqNo": 0, **said}
        await station.call("TransactionEvent", begun)
        ended = {"eventType": "Ended", "triggerReason": "StopAuthorized", "seqNo": 1, **said}
        return str((await station.call("TransactionEvent", ended))["idTokenInfo"]["status"])

    async def whole() -> str:
        async with Station(endpoint, "CP-1", version) as station:
            await station.boot()
            return await (in_v16 if version == "ocpp1.6" else in_v201)(station)

    return async_to_sync(whole)()


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
    ("NOT_ALLOWED", "Invalid", "NotAtThisLocation"),
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


def test_a_slow_peer_does_not_keep_another_from_saying_yes(stage: Stage, emsp: Emsp) -> None:
    emsp.script("tokens", Answer(hang=True))
    with scope(stage.cpo.tenant_id):
        other = bundle.new_peer(stage.cpo, country="DE", party="TWO")
    with Emsp() as second:
        join(other, second, {"tokens": "SENDER"})
        assert authorize(stage, "STRANGER")["status"] == "Accepted"
    first, answered = Exchange.objects.unscoped().filter(module="tokens").order_by("id")
    assert "not waited for" in first.problem
    assert (answered.peer, answered.problem) == (other, "")


def test_what_a_card_holds_is_no_part_of_the_url(stage: Stage, emsp: Emsp) -> None:
    authorize(stage, "A/../B ?c=1#2")
    (request,) = emsp.requests("tokens", "POST")
    assert request.path == "/2.2.1/tokens/A%2F..%2FB%20%3Fc%3D1%232/authorize"
    assert request.query == {"type": "RFID"}


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize("token", ["CARD-1", "STRANGER"])
def test_nobody_is_asked_about_a_token_that_ends_its_session(
    stage: Stage, emsp: Emsp, token: str, version: str
) -> None:
    give(stage, emsp, "NEVER")
    assert charges(stage, token, version) == "Accepted"
    assert asked(emsp) == 1


def test_an_answer_for_one_outlet_is_none_for_another(stage: Stage, emsp: Emsp) -> None:
    """Authorize says not where; the start does, and is asked about where the answer was for some EVSEs only."""
    with scope(stage.cpo.tenant_id):
        bundle.new_evse(stage.evse().location, "E2", charger=stage.charger, outlet_evse=2, outlet_connector=2)
    give(stage, emsp, "NEVER")
    says(emsp, "ALLOWED", location={"location_id": "LOC1", "evse_uids": ["E2"]})
    assert authorize(stage)["status"] == "Accepted"
    assert authorize(stage, then_start=True)["status"] == "Invalid"  # at E1
    assert emsp.requests("tokens", "POST")[-1].body == {"location_id": "LOC1", "evse_uids": ["E1"]}


@pytest.mark.parametrize("location", ["LOC1", ["LOC1"], {"location_id": "LOC1", "evse_uids": None}])
def test_an_odd_place_in_the_answer_is_none(stage: Stage, emsp: Emsp, location: Any) -> None:
    give(stage, emsp, "NEVER")
    says(emsp, "ALLOWED", location=location)
    assert authorize(stage)["status"] == "Accepted"


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
