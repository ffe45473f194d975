"""Sessions and CDRs as a peer sees them while a charger charges (OCPI contract, sections 7 and 8)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from ocpi import reconciling
from ocpi.charging import cdrs
from ocpi.models import AuthMethod, Authorization, Cdr, PeerState, Push, Session, SessionStatus, Tariff, Token
from ocpi.protocol import tokens
from ocpi.protocol.client import Reply
from ocpi.protocol.versions import binding
from ocpi.pushing import delivering
from simulator.core.facts import TransactionEnded, TransactionStarted
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle, schemas
from tests.ocpi.stage import Stage, build, iso, new_key

CARD = {
    "country_code": "NL",
    "party_id": "EMS",
    "uid": "CARD-1",
    "type": "RFID",
    "contract_id": "NL-EMS-1",
    "issuer": "eMSP",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": "2026-01-01T00:00:00Z",
}

DEAR = [{"price_components": [{"type": "ENERGY", "price": 9.0, "vat": 21.0, "step_size": 1}]}]


@pytest.fixture
def stage(tenant: Organization, model: Any) -> Stage:
    stage = build(tenant, model)
    give(stage)
    stage.comes_online()
    stage.outbox()
    return stage


def give(stage: Stage, **changes: Any) -> None:
    with scope(stage.cpo.tenant_id):
        tokens.store(stage.peer, binding("2.2.1"), CARD | changes, ("NL", "EMS"))


def the_session() -> Session:
    return Session.objects.unscoped().get()


def the_cdr(stage: Stage) -> Any:
    (call,) = stage.told("cdrs")
    assert call.method == "POST"
    return call.body


def volumes(periods: list[Any], kind: str) -> list[float]:
    return [one["volume"] for period in periods for one in period["dimensions"] if one["type"] == kind]


def test_a_card_that_the_peer_has_listed_makes_an_active_session(stage: Stage) -> None:
    stage.start("card-1", 0, meter=500)
    (call,) = stage.told("sessions")
    session = call.body
    assert (call.method, session["status"], session["auth_method"]) == ("PUT", "ACTIVE", "WHITELIST")
    assert session["cdr_token"] == {
        name: CARD[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")
    }
    assert session["start_date_time"] == iso(stage.at(0))
    assert (session["location_id"], session["evse_uid"], session["connector_id"]) == ("LOC1", "E1", "1")
    assert session["kwh"] == 0
    assert "charging_periods" not in session
    assert schemas.problems("2.2.1", "Session", session) == []


def test_progress_is_told_in_patches_that_carry_only_what_is_new(stage: Stage) -> None:
    key = stage.start("CARD-1", 0, meter=500)
    stage.told("sessions")
    stage.meter(2500, 600, Current_Import=16)
    (first,) = stage.told("sessions")
    assert (first.method, first.body["kwh"]) == ("PATCH", 2.0)
    assert volumes(first.body["charging_periods"], "ENERGY") == [2.0]
    assert volumes(first.body["charging_periods"], "MAX_CURRENT") == [16]
    stage.meter(4500, 1200)
    later()
    (second,) = stage.told("sessions")
    assert (second.method, second.body["kwh"]) == ("PATCH", 4.0)
    (period,) = second.body["charging_periods"]
    assert period["start_date_time"] == iso(stage.at(600))
    assert volumes([period], "ENERGY") == [2.0]
    stage.stop(key, 4500, 1200)
    (last,) = stage.told("sessions")
    assert (last.method, last.body["status"]) == ("PUT", "COMPLETED")
    # What the peer has put together is what the whole object says.
    assert last.body["charging_periods"] == first.body["charging_periods"] + [period]


def later() -> None:
    """Lets the interval between two updates pass."""
    Push.objects.unscoped().update(due_at=timezone.now() - timedelta(seconds=1))


def test_progress_is_told_no_more_often_than_the_interval_says(stage: Stage) -> None:
    stage.start("CARD-1", 0)
    stage.told("sessions")
    stage.meter(1000, 60)
    assert len(stage.told("sessions")) == 1
    stage.meter(2000, 90)
    stage.meter(3000, 120)
    assert stage.told("sessions") == []
    later()
    (call,) = stage.told("sessions")
    assert call.body["kwh"] == 3.0
    assert volumes(call.body["charging_periods"], "ENERGY") == [2.0]


def test_a_car_that_stops_drawing_parks(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.status("Charging", 0)
    stage.meter(5000, 900)
    stage.status("SuspendedEV", 1800)
    stage.meter(8000, 2700)
    stage.status("Charging", 3600)
    stage.meter(10000, 4500)
    stage.stop(key, 10000, 4500)
    cdr = the_cdr(stage)
    kinds = [
        [one["type"] for one in period["dimensions"] if "TIME" in one["type"]] for period in cdr["charging_periods"]
    ]
    assert kinds == [["TIME"], ["PARKING_TIME"], ["TIME"]]
    assert [period["start_date_time"] for period in cdr["charging_periods"]] == [
        iso(stage.at(s)) for s in (0, 1800, 3600)
    ]
    assert volumes(cdr["charging_periods"], "ENERGY") == [8.0, 0, 2.0]
    assert (cdr["total_energy"], cdr["total_time"], cdr["total_parking_time"]) == (10.0, 1.25, 0.5)


def test_time_without_energy_is_parking_even_where_no_status_says_so(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.meter(5000, 1800)
    stage.stop(key, 5000, 3600)
    cdr = the_cdr(stage)
    assert (cdr["total_time"], cdr["total_parking_time"]) == (1.0, 0.5)


def old_cdr_connector(stage: Stage) -> Any:
    """The connector of the only CDR, as 2.1.1 shows it."""
    with scope(stage.cpo.tenant_id):
        return binding("2.1.1").cdr(Cdr.objects.get())["location"]["evses"][0]["connectors"][0]


def test_the_cdr_is_the_sessions_with_its_tariff_and_place(stage: Stage) -> None:
    key = stage.start("CARD-1", 0, meter=1000)
    stage.meter(11000, 3600)
    stage.stop(key, 11000, 3600)
    told = stage.outbox()
    (session,) = [one.body for one in told if one.module == "sessions"]
    (cdr,) = [one.body for one in told if one.module == "cdrs"]
    assert schemas.problems("2.2.1", "CDR", cdr) == []
    assert cdr["session_id"] == session["id"]
    for name in ("start_date_time", "end_date_time", "cdr_token", "auth_method", "currency", "total_cost"):
        assert cdr[name] == session[name]
    assert cdr["total_cost"] == {"excl_vat": 3.9, "incl_vat": 4.719}
    assert cdr["total_energy_cost"] == cdr["total_cost"]
    assert cdr["remark"] == "Remote"
    assert cdr["cdr_location"]["evse_id"] == "NL*LAB*E1"
    assert old_cdr_connector(stage)["tariff_id"] == "T1"
    assert [one["id"] for one in cdr["tariffs"]] == ["T1"]
    with scope(stage.cpo.tenant_id):
        (found,) = reconciling.of_cpo(stage.cpo)
    assert found.problems == ()
    assert found.ocpp_wh == found.ocpi_wh == 10000


def test_reconciliation_names_what_does_not_agree(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.stop(key, 5000, 3600)
    (cdr,) = Cdr.objects.unscoped().all()
    Cdr.objects.unscoped().update(content=cdr.content | {"total_energy": 6.0})
    with scope(stage.cpo.tenant_id):
        (found,) = reconciling.of_cpo(stage.cpo)
        assert "| 5000 | 6000 |" in reconciling.markdown(stage.cpo)
    assert "the meter values say 5000 Wh" in found.problems


def test_the_tariff_is_that_of_the_start(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    for tariff in Tariff.objects.unscoped().all():
        Tariff.objects.unscoped().filter(pk=tariff.pk).update(content=tariff.content | {"elements": DEAR})
    stage.stop(key, 10000, 3600)
    assert the_cdr(stage)["total_cost"]["excl_vat"] == 3.9


def test_a_tariff_for_other_ways_of_paying_is_not_the_drivers(stage: Stage) -> None:
    """OCPI 2.2.1, TariffType: a card is charged by a tariff that is REGULAR, or of no type."""
    with scope(stage.cpo.tenant_id):
        ad_hoc = bundle.new_tariff(stage.cpo, "AD-HOC", type="AD_HOC_PAYMENT", elements=DEAR)
        stage.evse().tariffs.add(ad_hoc)
        Tariff.objects.filter(pk=ad_hoc.pk).update(created_at=stage.begin - timedelta(days=9))
    key = stage.start("CARD-1", 0)
    stage.stop(key, 10000, 3600)
    assert the_cdr(stage)["tariffs"][0]["id"] == "T1"


def test_a_session_without_energy_has_a_cdr_too(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.stop(key, 0, 0)
    cdr = the_cdr(stage)
    assert (cdr["total_energy"], cdr["total_time"]) == (0, 0)
    assert cdr["total_cost"] == {"excl_vat": 0.5, "incl_vat": 0.605}  # the tariff's minimum
    assert len(cdr["charging_periods"]) == 1
    assert schemas.problems("2.2.1", "CDR", cdr) == []


def test_a_cdr_is_made_once_however_often_one_looks(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.stop(key, 1000, 60)
    stage.tells_end(1000, 60)  # the station repeats itself
    for _ in range(3):
        stage.look()
    assert Cdr.objects.unscoped().count() == 1
    assert len(stage.told("cdrs")) == 1


def test_a_cdr_is_told_after_the_end_of_its_session(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.stop(key, 1000, 60)
    first = delivering.claim(stage.peer.pk, 50)
    assert [one.call.body["status"] for one in first if one.call.module == "sessions"] == ["COMPLETED"]
    assert delivering.claim(stage.peer.pk, 50) == []
    for one in first:
        delivering.settle(one, Reply(503, problem="HTTP 503"))
    assert [one.call.module for one in delivering.claim(stage.peer.pk, 50)] == ["cdrs"]  # it waits no longer than that


def test_an_end_that_the_charger_could_not_tell_yet_ends_no_session(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.connection("closed")
    stage.ends(key, 1000, 60)
    assert the_session().status == SessionStatus.ACTIVE
    stage.connection("connected")
    stage.tells_end(1000, 60)
    session = the_session()
    assert (session.status, session.ended_at) == (SessionStatus.COMPLETED, stage.at(60))


def test_a_card_in_hand_is_an_rfid(stage: Stage) -> None:
    """Where the peer has an app's token of the same uid as well."""
    Token.objects.unscoped().all().delete()
    give(stage, type="APP_USER", contract_id="NL-EMS-APP")
    give(stage)
    stage.start("CARD-1", 0)
    assert the_session().cdr_token == {name: CARD[name] for name in the_session().cdr_token}
    assert the_session().auth_method == AuthMethod.WHITELIST


def test_a_session_of_the_cpos_own_card_is_nobodys(stage: Stage, register: Any) -> None:
    key = stage.start("OWN-CARD", 0)
    stage.stop(key, 1000, 60)
    assert the_session().peer is None
    assert [one for one in stage.outbox() if one.module in ("sessions", "cdrs")] == []
    visitor = register(stage.cpo, party="EM2")
    assert visitor.get("/sessions").data == visitor.get("/cdrs").data == []


def test_a_card_that_the_peer_has_blocked_is_not_its_session(stage: Stage) -> None:
    give(stage, valid=False)
    stage.start("CARD-1", 0)
    assert the_session().peer is None


def test_a_session_after_a_real_time_authorization_keeps_its_reference(stage: Stage) -> None:
    Token.objects.unscoped().all().delete()
    with scope(stage.cpo.tenant_id):
        token = {name: CARD[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}
        Authorization.objects.create(
            cpo=stage.cpo,
            peer=stage.peer,
            identity="CP-1",
            id_tag="CARD-1",
            cdr_token=token,
            method=AuthMethod.AUTH_REQUEST,
            reference="RTA-7",
            at=stage.at(-5),
        )
    key = stage.start("CARD-1", 0)
    (call,) = stage.told("sessions")
    assert (call.body["auth_method"], call.body["authorization_reference"]) == ("AUTH_REQUEST", "RTA-7")
    stage.stop(key, 1000, 60)
    assert the_cdr(stage)["authorization_reference"] == "RTA-7"


def test_a_transaction_that_the_csms_has_not_numbered_yet_is_no_session(stage: Stage) -> None:
    started = TransactionStarted(str(new_key()), 1, 1, "CARD-1", 0, stage.at(0).timestamp())
    stage.says(started)
    assert not Session.objects.unscoped().exists()


def test_a_charger_that_is_deleted_ends_its_session_with_what_was_known(stage: Stage) -> None:
    stage.start("CARD-1", 0)
    stage.meter(3000, 600)
    stage.outbox()
    Session.objects.unscoped().update(transaction=None)
    stage.follower._swept = 0.0
    stage.look()
    cdr = the_cdr(stage)
    assert (cdr["total_energy"], cdr["end_date_time"]) == (3.0, iso(stage.at(600)))


def test_a_credit_cdr_repeats_the_cdr_with_its_cost_negated(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.stop(key, 10000, 3600)
    original = the_cdr(stage)
    with scope(stage.cpo.tenant_id):
        cdrs.credit(Cdr.objects.get())
        cdrs.credit(Cdr.objects.get(credit=False))
    credit = the_cdr(stage)
    assert (credit["id"], credit["credit_reference_id"]) == (f"{original['id']}-C", original["id"])
    assert credit["total_cost"] == {"excl_vat": -3.9, "incl_vat": -4.719}


def test_2_0_1_sessions_follow_the_charging_state(tenant: Organization, dc_model: Any) -> None:
    stage = build(tenant, dc_model, ocpp_version="OCPP2.0.1")
    give(stage)
    stage.comes_online()
    stage.outbox()
    key = str(new_key())

    def event(kind: str, state: str, wh: int, seconds: float, why: str = "ChargingStateChanged") -> Any:
        values = [
            {"value": wh, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}},
            {"value": 40 + wh / 1000, "measurand": "SoC"},
        ]
        payload = {
            "eventType": kind,
            "triggerReason": why,
            "timestamp": iso(stage.at(seconds)),
            "transactionInfo": {"transactionId": key, "chargingState": state},
            "meterValue": [{"timestamp": iso(stage.at(seconds)), "sampledValue": values}],
        }
        return stage.frame("TransactionEvent", payload, seconds, transaction=key)

    begun = TransactionStarted(key, 2, 1, "CARD-1", 100, stage.at(0).timestamp(), key)
    stage.says(begun, event("Started", "Idle", 100, 0, "RemoteStart"))
    stage.says(event("Updated", "EVConnected", 100, 5, "CablePluggedIn"))  # about to charge is not parking
    stage.says(event("Updated", "Charging", 100, 10))
    stage.says(event("Updated", "EVConnected", 10100, 1800, "StopAuthorized"))
    (call,) = stage.told("sessions")
    assert call.body["evse_uid"] == "E2"
    assert volumes(call.body["charging_periods"], "STATE_OF_CHARGE") == [50.1]
    ended = TransactionEnded(key, 10100, "EVDisconnected", stage.at(3600).timestamp())
    stage.says(ended, event("Ended", "Idle", 10100, 3600))
    cdr = the_cdr(stage)
    assert (cdr["total_energy"], cdr["total_time"], cdr["total_parking_time"]) == (10.0, 1.0, 0.5)
    assert volumes(cdr["charging_periods"], "STATE_OF_CHARGE") == []


def test_a_retried_patch_is_the_whole_object_so_that_no_period_is_appended_twice(stage: Stage) -> None:
    stage.start("CARD-1", 0)
    stage.outbox()
    stage.meter(1000, 60)
    (attempt,) = delivering.claim(stage.peer.pk, 5)
    assert attempt.call.method == "PATCH"
    delivering.settle(attempt, Reply(problem="no answer within 10 s"))  # it may have arrived all the same
    later()
    (call,) = stage.told("sessions")
    assert call.method == "PUT"
    assert volumes(call.body["charging_periods"], "ENERGY") == [1.0]


def test_a_change_during_a_push_is_told_after_it(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    (attempt,) = delivering.claim(stage.peer.pk, 5)
    assert attempt.call.body["status"] == "ACTIVE"
    stage.stop(key, 1000, 60)
    delivering.settle(attempt, Reply(200, 1000, text="{}"))
    told = [call.body["status"] for call in stage.told("sessions")]
    assert told == ["COMPLETED"]


def test_a_process_killed_while_it_pushed_loses_and_doubles_nothing(stage: Stage) -> None:
    key = stage.start("CARD-1", 0)
    stage.outbox()
    stage.meter(1000, 60)
    stage.stop(key, 1000, 60)
    for _ in ("session", "cdr"):
        assert len(delivering.claim(stage.peer.pk, 5)) == 1  # and here it dies, with this in its hands
        assert delivering.claim(stage.peer.pk, 5) == []
        now = timezone.now()
        held = Push.objects.unscoped().filter(claimed_until__gt=now)
        held.update(claimed_until=now - timedelta(seconds=1), due_at=now + timedelta(days=1))
    Push.objects.unscoped().update(due_at=timezone.now())
    told = stage.outbox()
    assert sorted((call.module, call.method) for call in told) == [("cdrs", "POST"), ("sessions", "PUT")]
    assert stage.outbox() == []


def test_a_peer_that_is_away_gets_no_states_but_its_cdr(stage: Stage) -> None:
    stage.peer.state = PeerState.OFFLINE
    stage.peer.save()
    key = stage.start("CARD-1", 0)
    stage.stop(key, 1000, 60)
    assert [subject.split(":")[0] for subject in stage.waiting()] == ["cdr"]


def test_many_small_pieces_add_up(stage: Stage) -> None:
    """Volumes of four decimals, durations of thirds of hours: the sums must hold all the same."""
    key = stage.start("CARD-1", 0)
    for number in range(1, 30):
        stage.status("SuspendedEV" if number % 2 else "Charging", number * 37)
        stage.meter(number // 2 * 111, number * 37 + 5)
    stage.stop(key, 1777, 1200)
    cdr = the_cdr(stage)
    periods = cdr["charging_periods"]
    energy = sum(Decimal(str(one)) for one in volumes(periods, "ENERGY"))
    hours = sum(Decimal(str(one)) for one in volumes(periods, "TIME") + volumes(periods, "PARKING_TIME"))
    assert energy == Decimal(str(cdr["total_energy"])) == Decimal("1.777")
    assert hours == Decimal(str(cdr["total_time"]))
    assert abs(hours - Decimal(1) / 3) < Decimal("0.0001")
