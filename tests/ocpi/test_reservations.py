"""RESERVE_NOW and CANCEL_RESERVATION of a peer (OCPI contract, 10): sessions of their own kind, used, expired, gone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chargers.models import Charger, ConnectionStatus
from ocpi.models import Reservation, Session
from ocpi.protocol import tokens
from ocpi.protocol.versions import binding
from simulator.csms.models import Station
from tenants.models import Organization
from tenants.scoping import scope
from tests.factories import new_charger
from tests.ocpi import bundle
from tests.ocpi.commands import RESPONSE_URL, TOKEN, awake, command, queued, reserve, result, start
from tests.ocpi.stage import Stage, build


@pytest.fixture
def stage(tenant: Organization, model: Any) -> Stage:
    return awake(build(tenant, model))


@pytest.fixture
def stage_201(tenant: Organization, dc_model: Any) -> Stage:
    return awake(build(tenant, dc_model, ocpp_version="OCPP2.0.1"))


def reserved(stage: Stage) -> Session:
    reserve(stage)
    stage.csms_answers({"status": "Accepted"})
    return Session.objects.unscoped().get()


def test_a_reservation_is_a_session_of_its_own_kind(stage: Stage) -> None:
    assert reserve(stage).data["result"] == "ACCEPTED"
    ((action, payload),) = queued()
    assert action == "ReserveNow"
    assert (payload["connectorId"], payload["idTag"]) == (1, "CARD-1")
    assert isinstance(payload["reservationId"], int)
    stage.csms_answers({"status": "Accepted"})
    told = stage.outbox()
    assert [one.body["result"] for one in told if one.url == RESPONSE_URL] == ["ACCEPTED"]
    assert [one.body["status"] for one in told if one.module == "sessions"] == ["RESERVATION"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("Occupied", "EVSE_OCCUPIED"),
        ("Faulted", "EVSE_INOPERATIVE"),
        ("Unavailable", "EVSE_INOPERATIVE"),
        ("Rejected", "REJECTED"),
    ],
)
def test_a_refused_reservation_says_why(stage: Stage, status: str, told: str) -> None:
    reserve(stage)
    stage.csms_answers({"status": status})
    assert result(stage) == told
    assert not Session.objects.unscoped().exists()


def test_a_used_reservation_goes_on_as_the_same_session_and_is_billed_with_it(stage: Stage) -> None:
    session = reserved(stage)
    stage.outbox()
    stage.begin = timezone.now().replace(microsecond=0)
    half_an_hour_ago = (stage.begin - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    Session.objects.unscoped().update(meter=session.meter | {"reserved_from": half_an_hour_ago})
    key = stage.start("CARD-1", 0)
    (active,) = stage.told("sessions")
    assert (active.body["id"], active.body["status"]) == (session.session_id, "ACTIVE")
    stage.stop(key, 10_000, 3600)
    (cdr,) = [one.body for one in stage.told("cdrs")]
    assert cdr["total_reservation_cost"]["excl_vat"] == 0.75  # half an hour at 1.50
    assert cdr["total_energy_cost"]["excl_vat"] == 3.9
    assert cdr["total_cost"]["excl_vat"] == 4.65
    assert cdr["total_time"] == 1.0
    stage.follower._swept = 0.0
    stage.look()
    assert Reservation.objects.unscoped().get().ended_at is not None


@pytest.mark.parametrize(("whitelist", "method"), [("ALWAYS", "WHITELIST"), ("NEVER", "COMMAND")])
def test_a_listed_card_charges_by_the_white_list_also_where_it_has_reserved(
    stage: Stage, whitelist: str, method: str
) -> None:
    card = TOKEN | {"type": "RFID", "whitelist": whitelist}
    with scope(stage.cpo.tenant_id):
        tokens.store(stage.peer, binding("2.2.1"), card, ("NL", "EMS"))
    reserve(stage, token=card)
    stage.csms_answers({"status": "Accepted"})
    assert stage.told("sessions")[0].body["auth_method"] == "COMMAND"
    stage.begin = timezone.now().replace(microsecond=0)
    stage.stop(stage.start("CARD-1", 0), 1000, 60)
    told = [call.body["auth_method"] for call in stage.outbox() if call.module in ("sessions", "cdrs")]
    assert told == [method, method]


def test_a_start_at_a_reserved_evse_uses_the_reservation(stage: Stage) -> None:
    session = reserved(stage)
    with scope(stage.cpo.tenant_id):
        tokens.store(stage.peer, binding("2.2.1"), TOKEN | {"type": "RFID", "whitelist": "ALWAYS"}, ("NL", "EMS"))
    start(stage, authorization_reference="REF-2")
    stage.csms_answers({"status": "Accepted"})
    assert Session.objects.unscoped().count() == 1
    stage.outbox()
    stage.begin = timezone.now().replace(microsecond=0)
    stage.start("CARD-1", 1)
    (active,) = stage.told("sessions")
    assert (active.body["id"], active.body["status"]) == (session.session_id, "ACTIVE")
    assert (active.body["authorization_reference"], active.body["auth_method"]) == ("REF-2", "COMMAND")


def test_a_start_that_names_no_evse_goes_to_the_reserved_one(stage_201: Stage) -> None:
    stage_201.status("Available", 0, connector=2)
    reserve(stage_201, evse_uid="E2")
    stage_201.csms_answers({"status": "Accepted"})
    stage_201.status("Reserved", 1, connector=2)
    start(stage_201, evse_uid=None)
    assert [payload["evseId"] for action, payload in queued() if action == "RequestStartTransaction"] == [2]


def test_an_expired_reservation_is_completed_and_billed_where_it_costs(stage: Stage) -> None:
    session = reserved(stage)
    stage.outbox()
    now = timezone.now().replace(microsecond=0)
    hour_ago = now - timedelta(hours=1)
    Session.objects.unscoped().update(
        started_at=hour_ago, meter=session.meter | {"reserved_from": hour_ago.strftime("%Y-%m-%dT%H:%M:%SZ")}
    )
    Reservation.objects.unscoped().update(expires_at=now)
    stage.follower._swept = 0.0
    stage.look()
    told = stage.outbox()
    assert [one.body["status"] for one in told if one.module == "sessions"] == ["COMPLETED"]
    (cdr,) = [one.body for one in told if one.module == "cdrs"]
    assert (cdr["total_cost"]["excl_vat"], cdr["total_energy"], cdr["total_time"]) == (1.5, 0, 0)


def test_cancelling(stage: Stage) -> None:
    reserved(stage)
    stage.outbox()
    assert command(stage, "CANCEL_RESERVATION", reservation_id="RES-1").data["result"] == "ACCEPTED"
    number = Reservation.objects.unscoped().get().number
    assert queued() == [("CancelReservation", {"reservationId": number})]
    stage.csms_answers({"status": "Accepted"})
    told = stage.outbox()
    assert [one.body["result"] for one in told if one.url == RESPONSE_URL] == ["ACCEPTED"]
    assert [one.body["status"] for one in told if one.module == "sessions"] == ["COMPLETED"]


def test_cancelling_what_was_never_reserved(stage: Stage) -> None:
    assert command(stage, "CANCEL_RESERVATION", reservation_id="NOPE").data["result"] == "ACCEPTED"
    stage.look()
    assert result(stage) == "UNKNOWN_RESERVATION"


def test_the_same_id_at_the_same_place_replaces(stage: Stage) -> None:
    reserved(stage)
    number = Reservation.objects.unscoped().get().number
    reserve(stage, minutes=60)
    ((_, payload),) = queued()
    assert payload["reservationId"] == number
    stage.csms_answers({"status": "Accepted"})
    assert Session.objects.unscoped().count() == Reservation.objects.unscoped().count() == 1


def test_the_same_id_may_move_to_another_evse_and_another_token(stage_201: Stage) -> None:
    session = reserved(stage_201)
    stage_201.status("Available", 0, connector=2)
    stage_201.outbox()
    reserve(stage_201, evse_uid="E2", token=TOKEN | {"uid": "CARD-2", "contract_id": "NL-EMS-2"})
    stage_201.csms_answers({"status": "Accepted"})
    (told,) = stage_201.told("sessions")
    assert (told.body["id"], told.body["status"]) == (session.session_id, "RESERVATION")
    assert (told.body["evse_uid"], told.body["cdr_token"]["contract_id"]) == ("E2", "NL-EMS-2")
    assert queued() == []  # the same charger has replaced it itself


def test_a_reservation_that_moves_to_another_charger_is_cancelled_at_the_first(stage: Stage) -> None:
    reserved(stage)
    with scope(stage.cpo.tenant_id):
        evse = stage.evse()
        other = new_charger(evse.location.location, "CP-2", stage.charger.model, ws_url=stage.charger.ws_url)
        Charger.objects.filter(pk=other.pk).update(connection_status=ConnectionStatus.CONNECTED)
        bundle.new_evse(evse.location, "F1", charger=other, attributes=evse.attributes)
        station = Station.objects.get(identity="CP-1")
        station.pk, station.identity, station.channel = None, "CP-2", "another"
        station.save()
    reserve(stage, evse_uid="F1")
    stage.csms_answers({"status": "Accepted"})
    number = Reservation.objects.unscoped().get().number
    assert queued() == [("CancelReservation", {"reservationId": number})]
    with scope(stage.cpo.tenant_id):
        assert Session.objects.get().cdr_location["evse_uid"] == "F1"


def test_a_charger_that_breaks_while_it_is_reserved_cancels(stage: Stage) -> None:
    reserved(stage)
    stage.outbox()
    stage.status("Faulted", 1)
    stage.follower._swept = 0.0
    stage.look()
    told = stage.outbox()
    assert [one.body["result"] for one in told if one.url == RESPONSE_URL] == ["CANCELED_RESERVATION"]


def test_an_expiry_that_has_passed_is_declined(stage: Stage) -> None:
    assert reserve(stage, minutes=-1).data["result"] == "REJECTED"
