"""Commands and charging profiles of a peer (OCPI contract, 10 and 11): the answer, the OCPP call, and the result."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chargers.models import ChargerCommand, CommandState
from ocpi.models import (
    Cpo,
    CpoLocation,
    Evse,
    Peer,
    PeerCommand,
    Session,
    SessionStatus,
    Tariff,
    Token,
)
from ocpi.pushing import outbox
from simulator.csms.models import Station
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi.commands import RESPONSE_URL, TOKEN, awake, command, queued, reserve, result, start, visitor_of
from tests.ocpi.stage import Stage, build, endpoints_at


@pytest.fixture
def stage(tenant: Organization, model: Any) -> Stage:
    return awake(build(tenant, model))


@pytest.fixture
def stage_201(tenant: Organization, dc_model: Any) -> Stage:
    return awake(build(tenant, dc_model, ocpp_version="OCPP2.0.1"))


# --- START_SESSION ----------------------------------------------------------------------------------------------------


def test_a_start_becomes_a_remote_start_and_its_result_comes_before_the_session_is_active(stage: Stage) -> None:
    answer = start(stage, connector_id="1", authorization_reference="REF-1")
    assert (answer.code, answer.data["result"]) == (1000, "ACCEPTED")
    announced = timedelta(seconds=answer.data["timeout"])
    row = PeerCommand.objects.unscoped().get()
    assert row.deadline - row.created_at < announced  # the result has a way to go as well
    assert queued() == [("RemoteStartTransaction", {"connectorId": 1, "idTag": "CARD-1"})]
    stage.csms_answers({"status": "Accepted"})
    told = stage.outbox()
    assert [one.body["result"] for one in told if one.url == RESPONSE_URL] == ["ACCEPTED"]
    (pending,) = [one.body for one in told if one.module == "sessions"]
    assert (pending["status"], pending["auth_method"], pending["kwh"]) == ("PENDING", "COMMAND", 0)
    stage.start("CARD-1", 10_000)
    (active,) = [one.body for one in stage.told("sessions")]
    assert (active["id"], active["status"]) == (pending["id"], "ACTIVE")
    assert active["authorization_reference"] == "REF-1"
    assert active["cdr_token"] == {
        name: TOKEN[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")
    }


def test_a_platform_of_several_parties_is_told_which_of_them_is_meant(stage: Stage) -> None:
    """OCPI 2.2.1, "Message Routing": the headers name the party, not the platform."""
    second = {**stage.peer.roles[0], "country_code": "DE", "party_id": "TWO"}
    Peer.objects.unscoped().update(roles=[*stage.peer.roles, second])
    stage.peer.refresh_from_db()
    body = {"response_url": RESPONSE_URL, "location_id": "LOC1", "evse_uid": "E1"}
    visitor = visitor_of(stage)
    headers = {"OCPI_from_country_code": "DE", "OCPI_from_party_id": "TWO"}
    theirs = {"token": TOKEN | {"country_code": "de", "party_id": "TWO"}}
    assert visitor.call("POST", "/commands/START_SESSION", body | theirs, **headers).data["result"] == "ACCEPTED"
    stage.csms_answers({"status": "Accepted"})
    stage.begin = timezone.now().replace(microsecond=0)
    key = stage.start("CARD-1", 1)
    stage.stop(key, 1_000, 60)
    with scope(stage.cpo.tenant_id):
        outbox.tariff_changed(Tariff.objects.get())
    to = {(one.module, one.routing["OCPI-to-country-code"], one.routing["OCPI-to-party-id"]) for one in stage.outbox()}
    assert to == {
        ("commands", "DE", "TWO"),
        ("sessions", "DE", "TWO"),
        ("cdrs", "DE", "TWO"),
        ("tariffs", "NL", "EMS"),
    }


def test_a_charger_that_is_quicker_than_its_answer_makes_one_session(stage: Stage) -> None:
    start(stage, authorization_reference="REF-1")
    stage.begin = timezone.now()
    stage.start("CARD-1", 0)
    (active,) = stage.told("sessions")
    assert (active.body["status"], active.body["auth_method"]) == ("ACTIVE", "COMMAND")
    assert active.body["authorization_reference"] == "REF-1"
    stage.csms_answers({"status": "Accepted"})
    assert result(stage) == "ACCEPTED"
    assert Session.objects.unscoped().count() == 1


def test_2_0_1_is_asked_by_a_request_start(stage_201: Stage) -> None:
    start(stage_201, evse_uid="E2", token=TOKEN | {"type": "RFID", "group_id": "FLEET"})
    ((action, payload),) = queued()
    assert action == "RequestStartTransaction"
    assert payload["evseId"] == 2
    assert payload["idToken"] == {"idToken": "CARD-1", "type": "ISO14443"}
    assert payload["groupIdToken"] == {"idToken": "FLEET", "type": "Central"}
    stage_201.csms_answers({"status": "Accepted"})
    assert result(stage_201) == "ACCEPTED"


def test_a_long_uid_travels_under_an_alias_and_comes_back_whole(stage: Stage) -> None:
    uid = "APP-0123456789-0123456789-0123456789"
    start(stage, token=TOKEN | {"uid": uid})
    ((_, payload),) = queued()
    alias = payload["idTag"]
    assert (len(alias), alias == uid[:20]) == (20, False)
    stage.csms_answers({"status": "Accepted"})
    stage.start(alias, 10_000)
    session = stage.told("sessions")[-1].body
    assert (session["status"], session["cdr_token"]["uid"]) == ("ACTIVE", uid)


def test_the_token_of_a_command_need_not_be_known_nor_is_it_asked_about(stage: Stage) -> None:
    start(stage)
    stage.csms_answers({"status": "Accepted"})
    assert not Token.objects.unscoped().exists()
    assert all("authorize" not in call.url for call in stage.outbox())


def test_without_an_evse_the_first_free_one_is_taken(stage_201: Stage) -> None:
    stage_201.status("Available", 0, connector=2)
    stage_201.status("Faulted", 1)
    start(stage_201, evse_uid=None)
    assert queued()[0][1]["evseId"] == 2
    assert start(stage_201, evse_uid=None).data["result"] == "REJECTED"  # it has been promised to the first
    stage_201.csms_answers({"status": "Rejected"})
    stage_201.status("Unavailable", 2, connector=2)
    answer = start(stage_201, evse_uid=None)
    assert answer.data["result"] == "REJECTED"


@pytest.mark.parametrize(
    ("answered", "status", "told"),
    [
        ({"status": "Rejected"}, "Available", "REJECTED"),
        ({"status": "Rejected"}, "Charging", "EVSE_OCCUPIED"),
        ({"status": "Rejected"}, "Faulted", "EVSE_INOPERATIVE"),
        ({"status": "Rejected"}, "Unavailable", "EVSE_INOPERATIVE"),
    ],
)
def test_a_refused_start_says_why(stage: Stage, answered: Any, status: str, told: str) -> None:
    start(stage)
    stage.status(status, 1)
    stage.csms_answers(answered)
    assert result(stage) == told
    assert not Session.objects.unscoped().exists()


@pytest.mark.parametrize(
    ("response", "reason", "told"),
    [
        ({"errorCode": "NotImplemented", "errorDescription": ""}, "NotImplemented: ", "NOT_SUPPORTED"),
        ({"errorCode": "NotSupported", "errorDescription": ""}, "NotSupported: ", "NOT_SUPPORTED"),
        ({"errorCode": "InternalError", "errorDescription": ""}, "InternalError: ", "FAILED"),
        (None, "The connection was lost before the answer came.", "FAILED"),
        (None, "The station did not answer within 30 s.", "TIMEOUT"),
    ],
)
def test_a_call_that_fails_says_how(stage: Stage, response: Any, reason: str, told: str) -> None:
    start(stage)
    stage.csms_answers(response, reason=reason, failed=True)
    assert result(stage) == told


def test_no_answer_in_time_is_a_timeout_and_the_call_is_taken_back(stage: Stage) -> None:
    start(stage)
    PeerCommand.objects.unscoped().update(deadline=timezone.now())
    stage.look()
    assert result(stage) == "TIMEOUT"
    assert queued() == []
    stage.look()
    assert stage.outbox() == []  # once


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"location_id": "NOPE"}, 2003, "REJECTED"),
        ({"evse_uid": "NOPE"}, 2003, "REJECTED"),
        ({"connector_id": "2"}, 2003, "REJECTED"),
        ({"token": TOKEN | {"party_id": "ZZZ"}}, 1000, "REJECTED"),
    ],
)
def test_a_start_that_means_nothing_here_is_declined(stage: Stage, body: Any, code: int, word: str) -> None:
    answer = start(stage, **body)
    assert (answer.code, answer.data["result"]) == (code, word)
    assert queued() == []


@pytest.mark.parametrize("body", [{"evse_uid": None, "connector_id": "1"}, {"response_url": "ftp://x/"}])
def test_a_start_with_an_impossible_body_is_2001(stage: Stage, body: Any) -> None:
    assert start(stage, **body).code == 2001


def test_a_connector_that_is_required_and_missing_is_2002(stage: Stage) -> None:
    needs = {"capabilities": ["REMOTE_START_STOP_CAPABLE", "START_SESSION_CONNECTOR_REQUIRED"]}
    Evse.objects.unscoped().update(attributes=needs)
    assert start(stage).code == 2002
    assert start(stage, connector_id="1").code == 1000


def test_a_charger_that_is_away_is_not_asked(stage: Stage) -> None:
    Station.objects.unscoped().update(connected=False)
    answer = start(stage)
    assert (answer.code, answer.data["result"]) == (1000, "REJECTED")
    assert "not connected" in answer.data["message"][0]["text"]


def test_a_model_without_the_feature_says_so(stage: Stage) -> None:
    Evse.objects.unscoped().update(attributes={"capabilities": []})
    assert start(stage).data["result"] == "NOT_SUPPORTED"


def test_a_start_that_nothing_follows_ends_invalid_without_a_cdr(stage: Stage) -> None:
    Cpo.objects.unscoped().update(settings={"auto_plug": False})
    start(stage)
    stage.csms_answers({"status": "Accepted"})
    stage.outbox()
    assert not ChargerCommand.objects.unscoped().exists()  # no car comes
    session = Session.objects.unscoped().get()
    Session.objects.unscoped().update(meter=session.meter | {"expires": "2026-01-01T00:00:00Z"})
    stage.follower._swept = 0.0
    stage.look()
    assert [one.body["status"] for one in stage.outbox()] == ["INVALID"]


def test_a_virtual_car_comes_and_leaves_again(stage: Stage) -> None:
    start(stage)
    stage.csms_answers({"status": "Accepted"})
    (plug,) = ChargerCommand.objects.unscoped().all()
    assert (plug.event_type, plug.payload) == ("plug_connector", {"connector_id": 1})
    stage.stop(stage.start("CARD-1", 10_000), 1000, 10_100)
    Session.objects.unscoped().update(last_updated=timezone.now() - timedelta(seconds=10))
    for _ in range(2):
        stage.follower._swept = 0.0
        stage.look()
    assert list(ChargerCommand.objects.unscoped().order_by("created_at").values_list("event_type", flat=True)) == [
        "plug_connector",
        "unplug_connector",
    ]


# --- STOP_SESSION, UNLOCK_CONNECTOR -----------------------------------------------------------------------------------


def running_session(stage: Stage) -> str:
    start(stage)
    stage.csms_answers({"status": "Accepted"})
    stage.start("CARD-1", 10_000)
    stage.outbox()
    return Session.objects.unscoped().get().session_id


def test_a_stop_becomes_a_remote_stop(stage: Stage) -> None:
    session_id = running_session(stage)
    assert command(stage, "STOP_SESSION", session_id=session_id).data["result"] == "ACCEPTED"
    assert queued() == [("RemoteStopTransaction", {"transactionId": 7})]
    stage.csms_answers({"status": "Accepted"})
    assert result(stage) == "ACCEPTED"


def test_a_session_that_is_not_the_callers_is_as_unknown_as_none(stage: Stage, register: Any) -> None:
    session_id = running_session(stage)
    other = register(stage.cpo, party="EM2")
    for caller, asked in ((other, session_id), (visitor_of(stage), "no-such-session")):
        body = {"response_url": RESPONSE_URL, "session_id": asked}
        answer = caller.call("POST", "/commands/STOP_SESSION", body)
        assert (answer.code, answer.data["result"]) == (1000, "UNKNOWN_SESSION")
    assert queued() == []


def test_a_completed_session_cannot_be_stopped(stage: Stage) -> None:
    session_id = running_session(stage)
    Session.objects.unscoped().update(status=SessionStatus.COMPLETED)
    assert command(stage, "STOP_SESSION", session_id=session_id).data["result"] == "REJECTED"


@pytest.mark.parametrize(
    ("status", "told"), [("Unlocked", "ACCEPTED"), ("UnlockFailed", "FAILED"), ("NotSupported", "NOT_SUPPORTED")]
)
def test_unlocking(stage: Stage, status: str, told: str) -> None:
    where = {"location_id": "LOC1", "evse_uid": "E1", "connector_id": "1"}
    assert command(stage, "UNLOCK_CONNECTOR", **where).data["result"] == "ACCEPTED"
    assert queued() == [("UnlockConnector", {"connectorId": 1})]
    stage.csms_answers({"status": status})
    assert result(stage) == told


def test_2_0_1_unlocks_no_connector_in_use(stage_201: Stage) -> None:
    command(stage_201, "UNLOCK_CONNECTOR", location_id="LOC1", evse_uid="E1", connector_id="1")
    assert queued() == [("UnlockConnector", {"evseId": 1, "connectorId": 1})]
    stage_201.csms_answers({"status": "OngoingAuthorizedTransaction"})
    assert result(stage_201) == "REJECTED"


# --- charging profiles ------------------------------------------------------------------------------------------------

PROFILE = {
    "charging_rate_unit": "W",
    "charging_profile_period": [{"start_period": 0, "limit": 4000.0}, {"start_period": 600, "limit": 2000.0}],
}


def profile(stage: Stage, method: str, session_id: str, **query: Any) -> Any:
    path = f"/chargingprofiles/{session_id}"
    if method == "PUT":
        body = {"charging_profile": PROFILE, "response_url": RESPONSE_URL}
        return visitor_of(stage).call("PUT", path, body)
    words = "&".join(f"{name}={value}" for name, value in {**query, "response_url": RESPONSE_URL}.items())
    return visitor_of(stage).call(method, f"{path}?{words}")


def test_a_profile_is_set_asked_for_and_cleared(stage: Stage) -> None:
    session_id = running_session(stage)
    assert profile(stage, "PUT", session_id).data["result"] == "ACCEPTED"
    ((action, payload),) = queued()
    sent = payload["csChargingProfiles"]
    assert (action, payload["connectorId"]) == ("SetChargingProfile", 1)
    assert (sent["chargingProfilePurpose"], sent["transactionId"]) == ("TxProfile", 7)
    assert sent["chargingSchedule"]["chargingSchedulePeriod"][1] == {"startPeriod": 600, "limit": 2000.0}
    stage.csms_answers({"status": "Accepted"})
    assert result(stage) == "ACCEPTED"

    assert profile(stage, "GET", session_id, duration=3600).data["result"] == "ACCEPTED"
    assert queued() == [("GetCompositeSchedule", {"connectorId": 1, "duration": 3600})]
    periods = [{"startPeriod": 0, "limit": 4000.0}]
    schedule = {"chargingRateUnit": "W", "duration": 3600, "chargingSchedulePeriod": periods}
    stage.csms_answers({"status": "Accepted", "scheduleStart": "2026-03-01T08:00:00Z", "chargingSchedule": schedule})
    (told,) = [one.body for one in stage.outbox() if one.url == RESPONSE_URL]
    assert told["result"] == "ACCEPTED"
    assert told["profile"]["start_date_time"] == "2026-03-01T08:00:00Z"
    assert told["profile"]["charging_profile"]["charging_profile_period"] == [{"start_period": 0, "limit": 4000.0}]

    assert profile(stage, "DELETE", session_id).data["result"] == "ACCEPTED"
    assert queued() == [("ClearChargingProfile", {"id": sent["chargingProfileId"]})]
    stage.csms_answers({"status": "Accepted"})
    assert result(stage) == "ACCEPTED"
    profile(stage, "DELETE", session_id)
    stage.look()
    assert result(stage) == "UNKNOWN"


def test_a_peer_that_wants_to_hear_is_told_what_the_charger_makes_of_a_profile(stage: Stage) -> None:
    told_there = {"sessions": "RECEIVER", "chargingprofiles": "SENDER"}
    Peer.objects.unscoped().update(endpoints=endpoints_at("http://127.0.0.1:9", told_there))
    session_id = running_session(stage)
    profile(stage, "PUT", session_id)
    stage.csms_answers({"status": "Accepted"})
    assert result(stage) == "ACCEPTED"
    periods = [{"startPeriod": 0, "limit": 3999.96}]
    schedule = {"chargingRateUnit": "W", "duration": 86400, "chargingSchedulePeriod": periods}
    stage.csms_answers({"status": "Accepted", "scheduleStart": "2026-03-01T08:00:00Z", "chargingSchedule": schedule})
    (call,) = stage.outbox()
    assert (call.method, call.url) == ("PUT", f"http://127.0.0.1:9/chargingprofiles/{session_id}")
    assert call.body["charging_profile"]["charging_profile_period"] == [{"start_period": 0, "limit": 4000.0}]


def test_a_profile_without_periods_says_nothing_to_a_charger(stage: Stage) -> None:
    body = {"charging_profile": {"charging_rate_unit": "W"}, "response_url": RESPONSE_URL}
    answer = visitor_of(stage).call("PUT", f"/chargingprofiles/{running_session(stage)}", body)
    assert (answer.code, answer.data["result"]) == (1000, "REJECTED")
    assert queued() == []


def test_profiles_of_unknown_sessions_and_of_those_under_way(stage: Stage) -> None:
    session_id = running_session(stage)
    assert profile(stage, "PUT", "nope").data["result"] == "UNKNOWN_SESSION"
    profile(stage, "PUT", session_id)
    assert profile(stage, "PUT", session_id).data["result"] == "TOO_OFTEN"
    stage.csms_answers({"status": "Rejected"})
    assert result(stage) == "REJECTED"


# --- a CSMS that is not ours ------------------------------------------------------------------------------------------


def test_with_an_external_csms_the_machine_itself_is_told(stage: Stage) -> None:
    Cpo.objects.unscoped().update(ws_url="ws://csms.example/ocpp")
    assert start(stage).data["result"] == "ACCEPTED"
    act = ChargerCommand.objects.unscoped().get()
    assert (act.event_type, act.payload) == ("start_session", {"id_tag": "CARD-1", "connector_id": 1})
    assert queued() == []
    ChargerCommand.objects.unscoped().update(state=CommandState.ACCEPTED)
    stage.look()
    assert result(stage) == "ACCEPTED"
    stage.start("CARD-1", 10_000, number=99)
    session = Session.objects.unscoped().get()
    assert (session.status, session.auth_method) == ("ACTIVE", "COMMAND")
    assert command(stage, "STOP_SESSION", session_id=session.session_id).data["result"] == "ACCEPTED"
    stop = ChargerCommand.objects.unscoped().get(event_type="stop_transaction")
    assert stop.payload == {"transaction_id": "99"}
    ChargerCommand.objects.unscoped().filter(pk=stop.pk).update(state=CommandState.TIMED_OUT)
    stage.look()
    assert result(stage) == "TIMEOUT"
    assert reserve(stage).data["result"] == "NOT_SUPPORTED"


def test_a_location_that_is_gone_takes_no_commands(stage: Stage) -> None:
    CpoLocation.objects.unscoped().update(removed_at=timezone.now())
    assert start(stage).code == 2003


# --- charging preferences ---------------------------------------------------------------------------------------------


def test_preferences(stage: Stage) -> None:
    session_id = running_session(stage)
    path = f"/sessions/{session_id}/charging_preferences"
    visitor = visitor_of(stage)
    answer = visitor.call("PUT", path, {"profile_type": "CHEAP"})
    assert (answer.http, answer.code) == (404, 2001)
    able = {"capabilities": ["CHARGING_PREFERENCES_CAPABLE", "REMOTE_START_STOP_CAPABLE"]}
    Evse.objects.unscoped().update(attributes=able)
    assert visitor.call("PUT", path, {"profile_type": "CHEAP"}).data == "DEPARTURE_REQUIRED"
    leaving = {"profile_type": "CHEAP", "departure_time": "2030-01-01T08:00:00Z"}
    assert visitor.call("PUT", path, leaving).data == "ENERGY_NEED_REQUIRED"
    assert visitor.call("PUT", path, leaving | {"energy_need": 20}).data == "ACCEPTED"
    assert visitor.call("PUT", "/sessions/nope/charging_preferences", leaving).http == 404
