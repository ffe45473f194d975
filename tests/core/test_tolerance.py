"""A CSMS that breaks a schema in form only is understood, and told of it."""

import json
from typing import Any

import pytest

from simulator.core.setup import Options
from tests.core.rig import WALL, Rig
from tests.core.test_verdicts import judged

GRANTED = {"status": "Accepted"}
LENIENT = Options(strict_schema=False)
RESERVATION = {"connectorId": 1, "idTag": "TAG", "reservationId": 5}


def raw(rig: Rig, text: str) -> list[Any]:
    """The station's answer to this text."""
    rig.forget()
    rig.receive(text)
    answer: list[Any] = json.loads(next(one.text for one in rig.frames if one.direction == "cp_to_csms"))
    return answer


@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize(
    "time",
    [
        "2026-04-02T09:15:00",  # without a zone: UTC
        "2026-04-02T09:15:00.000000",
        "2026-04-02T09:15:00.000000000Z",
        "2026-04-02t09:15:00z",
        "2026-04-02 09:15:00+00:00",
        "2026-04-02T11:15:00.000+0200",
        "2026-04-02T11:15+02",
    ],
)
def test_a_station_boots_whatever_form_of_iso_8601_the_time_has(subprotocol: str, time: str) -> None:
    rig = Rig(subprotocol)
    rig.answers["BootNotification"] = {"status": "Accepted", "interval": 300, "currentTime": time}
    rig.boot()
    assert "1 Available" in rig.actions()
    assert rig.station.clock == pytest.approx(WALL, abs=5)


def test_the_log_tells_what_the_station_has_put_up_with() -> None:
    rig = Rig(options=LENIENT)
    rig.answers["BootNotification"] = {"status": "Accepted", "interval": "300", "currentTime": "2026-04-02T09:15:00"}
    rig.boot()
    answer = next(frame for frame in rig.frames if frame.direction == "csms_to_cp")
    assert (answer.violation_code, answer.note) == ("wrong_type", "")
    assert "currentTime is" in answer.violation


@pytest.mark.parametrize(
    "answer",
    [
        {"transactionId": 42, "idTagInfo": {**GRANTED, "expiryDate": None, "parentIdTag": None}},
        {"transactionId": 42, "idTagInfo": {**GRANTED, "expiryDate": ""}, "message": "welcome"},
        {"transactionId": 42, "idTagInfo": {**GRANTED, "expiryDate": "2030-01-01T00:00:00.000+0000"}},
        {"transactionId": 42, "idTagInfo": {**GRANTED, "parentIdTag": 4711}},
        {"transactionId": 42, "idTagInfo": {**GRANTED, "parentIdTag": "P" * 30}},
        {"transactionId": "42", "idTagInfo": GRANTED},
        {"transactionId": 42.0, "idTagInfo": GRANTED},
    ],
)
def test_a_start_that_was_granted_is_not_sent_again_by_a_lenient_station(answer: dict[str, Any]) -> None:
    rig = Rig(options=LENIENT).boot()
    rig.answers["StartTransaction"] = answer
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(120)
    assert len(rig.calls("StartTransaction")) == 1
    assert {values["transactionId"] for values in rig.calls("MeterValues")} == {42}


@pytest.mark.parametrize("payload", ["null", "[]"])
def test_an_answer_that_says_nothing_may_say_it_in_other_ways(payload: str) -> None:
    rig = Rig(options=LENIENT).boot()
    rig.answers["StopTransaction"] = None
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.command("stop_session", connector_id=1)
    rig.run(1)
    assert rig.open_call is not None
    message_id, rig.open_call = rig.open_call[1], None
    rig.receive(f'[3,"{message_id}",{payload}]')
    rig.settle()
    rig.run(400)
    assert len(rig.calls("StopTransaction")) == 1


@pytest.mark.parametrize("time", ["2026-04-02T10:15:00", "2026-04-02T12:15:00.5+0200"])
def test_a_strict_station_reads_any_form_of_iso_8601(time: str) -> None:
    rig = Rig().boot()
    rig.forget()
    assert rig.csms("ReserveNow", expiryDate=time, **RESERVATION) == {"status": "Accepted"}
    rig.run(3590)
    assert "1 Available" not in rig.actions()
    rig.run(20)
    assert "1 Available" in rig.actions()


def test_a_time_is_given_back_as_the_schema_has_it() -> None:
    rig = Rig("ocpp2.0.1").boot()
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
    profile = {
        "id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute",
        "validTo": "2027-01-01T00:00:00", "chargingSchedule": [{**schedule, "startSchedule": "2026-04-02T00:00"}],
    }  # fmt: skip
    assert rig.csms("SetChargingProfile", evseId=1, chargingProfile=profile) == {"status": "Accepted"}
    rig.csms("GetChargingProfiles", requestId=1, evseId=1, chargingProfile={"chargingProfileId": [1]})
    [reported] = rig.calls("ReportChargingProfiles")[0]["chargingProfile"]
    assert reported["validTo"] == "2027-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("payload", "strict", "lenient"),
    [
        ({"connectorId": "1"}, "TypeConstraintViolation", None),
        ({"connectorId": 1, "reason": None}, "FormationViolation", None),
        ({"connectorId": "one"}, "TypeConstraintViolation", "TypeConstraintViolation"),
        ({"connectorId": "nan"}, "TypeConstraintViolation", "TypeConstraintViolation"),
        ({"connectorId": None}, "TypeConstraintViolation", "ProtocolError"),
        ({}, "ProtocolError", "ProtocolError"),
        ([], "FormationViolation", "ProtocolError"),
        ("1", "FormationViolation", "FormationViolation"),
    ],
)
def test_how_much_a_call_may_lack_in_form_is_the_stations_choice(
    payload: Any, strict: str, lenient: str | None
) -> None:
    text = json.dumps([2, "m", "UnlockConnector", payload])
    for is_strict, code in ((True, strict), (False, lenient)):
        answer = raw(Rig(options=Options(strict_schema=is_strict)).boot(), text)
        assert (answer[2] if answer[0] == 4 else None) == code


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00Z",  # what some languages write for none
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999",
        "2026-13-01T00:00",
        "\u0661",
    ],
)
def test_times_beyond_all_calendars_harm_nobody(time: str) -> None:
    rig = Rig().boot()
    answer = raw(rig, json.dumps([2, "m", "ReserveNow", {"expiryDate": time, **RESERVATION}]))
    assert answer[0] == 3 or answer[2] == "PropertyConstraintViolation"
    rig.answers["Heartbeat"] = {"currentTime": time}
    rig.run(700)
    assert rig.station.clock == pytest.approx(rig.now.wall, abs=5)
    assert rig.csms("ClearCache") == {"status": "Accepted"}


def test_what_was_put_up_with_is_a_violation_all_the_same() -> None:
    rig = Rig().boot()
    payload = {"expiryDate": "2026-04-02T10:15:00", **RESERVATION}
    frame = judged(rig, json.dumps([2, "m", "ReserveNow", payload]))
    assert frame.violation_code == "bad_format"
