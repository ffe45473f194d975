"""The CSMS on trial: every frame of it is judged, and told in words what is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core.facts import CallUnanswered, Frame
from simulator.core.setup import Options
from tests.core.rig import Rig


def judged(rig: Rig, text: str) -> Frame:
    """The frame as the log gets it."""
    rig.forget()
    rig.station.receive(text, rig.now)
    rig.collect()
    return next(frame for frame in rig.frames if frame.direction == "csms_to_cp")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "not_json", "an array such as"),
        ("nonsense", "not_json", "no JSON"),
        ("{}", "not_a_frame", "an object"),
        ("[2]", "not_a_frame", "an array of 1"),
        ('[9,"x"]', "message_type", "9, but must be 2 (CALL), 3 (CALLRESULT) or 4 (CALLERROR)"),
        ('[[],"x"]', "message_type", "[], but must be"),
        ('[2,5,"Reset",{}]', "message_id", "5, but must be a string"),
        ('[2,"m"]', "no_action", "without an action"),
        ('[2,"m","Reset"]', "frame_length", "4 elements"),
        ('[2,"m","Reset",{"type":"Soft"},1]', "frame_length", "this one has 5"),
        ('[2,"' + "m" * 37 + '","Reset",{"type":"Soft"}]', "message_id", "37 characters"),
        ('[2,"m","Nonsense",{}]', "unknown_action", '"Nonsense" is no action of OCPP 1.6.'),
        ('[2,"m","getconfiguration",{}]', "unknown_action", "It is spelled GetConfiguration."),
        ('[2,"m","Heartbeat",{}]', "wrong_direction", "from the station to the CSMS"),
        ('[2,"m","ClearCache",null]', "wrong_type", "the payload is null"),
        ('[2,"m","Reset",[]]', "wrong_type", "the payload is an array ([]), but must be of type object"),
        ('[2,"m","Reset",{}]', "missing_property", "Reset: type is missing."),
        ('[2,"m","Reset",{"type":"Soft","more":1}]', "unknown_property", "more is no property"),
        ('[2,"m","Reset",{"type":"Soft","\\u0000ü":1}]', "unknown_property", "\\x00ü is no property"),
        ('[2,"m","Reset",{"type":"soft"}]', "unknown_value", 'type is "soft", but must be one of Hard, Soft'),
        ('[2,"m","UnlockConnector",{"connectorId":"1"}]', "wrong_type", 'a string ("1"), but must be of type integer'),
        (
            '[2,"m","ReserveNow",{"connectorId":1,"expiryDate":"tomorrow","idTag":"TAG","reservationId":1}]',
            "bad_format",
            'expiryDate is "tomorrow", but must be a date-time with its zone',
        ),
        ('[3,"never",{}]', "unknown_id", "No CALL with this message id is open"),
        ('[4,"never","Error","",{}]', "unknown_id", "No CALL"),
    ],
)  # fmt: skip
def test_what_a_csms_gets_wrong_is_explained(text: str, code: str, words: str) -> None:
    frame = judged(Rig().boot(), text)
    assert frame.violation_code == code, frame.violation
    assert words in frame.violation
    assert len(frame.violation) <= 500


def test_the_path_leads_to_the_field_and_every_fault_is_named() -> None:
    period = {"startPeriod": 0, "limit": "16"}
    schedule = {"chargingRateUnit": "kW", "chargingSchedulePeriod": [period]}
    profile = {
        "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative", "chargingSchedule": schedule,
    }  # fmt: skip
    payload = {"connectorId": 1, "csChargingProfiles": profile}
    frame = judged(Rig().boot(), json.dumps([2, "m", "SetChargingProfile", payload]))
    assert 'csChargingProfiles.chargingSchedule.chargingRateUnit is "kW", but must be one of A, W' in frame.violation
    where = "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit"
    assert f'{where} is a string ("16"), but must be of type number' in frame.violation


def test_a_lenient_station_obeys_and_still_tells() -> None:
    rig = Rig(options=Options(strict_schema=False)).boot()
    frame = judged(rig, '[2,"m","Reset",{"type":"Soft","more":1}]')
    assert frame.violation_code == "unknown_property"
    assert json.loads(rig.frames[1].text) == [3, "m", {"status": "Accepted"}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[2,"m","Reset",{"type":"Immediate"}]', ""),
        ('[2,"m","Reset",{"type":"Hard"}]', "unknown_value"),
        ('[2,"m","GetLocalListVersion",{"customData":{"vendorId":"x"}}]', ""),
        ('[2,"m","RemoteStartTransaction",{}]', "unknown_action"),
        ('[2,"m","NotifyEvent",{}]', "wrong_direction"),
        ('[2,"m","GetVariables",{"getVariableData":[]}]', "too_few"),
    ],
)
def test_each_version_has_its_own_law(text: str, code: str) -> None:
    assert judged(Rig("ocpp2.0.1").boot(), text).violation_code == code


def test_an_answer_is_judged_by_the_call_it_answers() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = {"status": "accepted", "interval": 300, "currentTime": "2026-04-02 09:15"}
    rig.boot()
    answer = next(frame for frame in rig.frames if frame.direction == "csms_to_cp")
    assert (answer.action, answer.violation_code) == ("BootNotification", "unknown_value")
    assert answer.violation == (
        'BootNotification answer: status is "accepted", but must be one of Accepted, Pending, Rejected; currentTime is '
        '"2026-04-02 09:15", but must be a date-time with its zone, such as 2026-04-02T09:15:00Z.'
    ), answer.violation


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ('"NotSupported","",{}]', ""),
        ('"FormationViolation","no",{"a":1}]', ""),
        ('"Nope","",{}]', "error_code"),
        ('["x"],"",{}]', "error_code"),
        ('"NotSupported"]', "frame_length"),
        ('"NotSupported",5,{}]', "error_description"),
        ('"NotSupported","",null]', "error_details"),
    ],
)
def test_an_error_has_its_form_too(rest: str, code: str) -> None:
    rig = Rig().boot()
    rig.answers["Heartbeat"] = None
    rig.run(400)
    assert judged(rig, f'[4,"{rig.open_call[1]}",{rest}').violation_code == code


def test_answers_are_timed_and_the_late_ones_are_no_violation() -> None:
    rig = Rig().boot()
    rig.answers["Heartbeat"] = None
    rig.run_until(lambda: rig.open_call is not None)
    message_id = rig.open_call[1]
    rig.mono += 1.25
    answer = f'[3,"{message_id}",{{"currentTime":"2026-04-02T09:20:00Z"}}]'
    frame = judged(rig, answer)
    assert (frame.violation_code, frame.answer_ms) == ("", 1250.0)
    twice = judged(rig, answer)
    assert (twice.violation_code, twice.answer_ms) == ("answered_twice", None)


def test_a_call_that_times_out_is_told_with_its_frame() -> None:
    rig = Rig().boot()
    rig.answers["Heartbeat"] = None
    rig.run_until(lambda: rig.open_call is not None)
    message_id, sent = rig.open_call[1], rig.frames[-1]
    rig.run_until(lambda: any(isinstance(fact, CallUnanswered) for fact in rig.facts))
    told = next(fact for fact in rig.facts if isinstance(fact, CallUnanswered))
    assert (told.sequence, told.at) == (sent.sequence, sent.at)
    late = judged(rig, f'[3,"{message_id}",{{"currentTime":"2026-04-02T09:20:00Z"}}]')
    assert (late.action, late.violation_code) == ("Heartbeat", "")
    assert "late" in late.note


def test_a_csms_is_not_blamed_for_answers_to_what_a_fault_or_a_user_sent() -> None:
    for name, params in (
        ("raw_frame", {"text": '[2,"mine","Heartbeat",{}]'}),
        ("inject_fault", {"fault_type": "malformed-frames", "parameters": {"kind": "truncated"}}),
    ):
        rig = Rig().boot()
        assert judged(rig, '[3,"mine",{"currentTime":"2026-04-02T09:20:00Z"}]').violation_code == "unknown_id"
        rig.command(name, **params)
        assert judged(rig, '[3,"mine",{"currentTime":"2026-04-02T09:20:00Z"}]').violation_code == ""
        rig.drop()
        rig.reconnect()
        assert judged(rig, '[3,"mine",{}]').violation_code == "unknown_id"


def test_a_secret_is_in_no_explanation_and_in_no_answer() -> None:
    rig = Rig().boot()
    secret = "S3CRET" * 100
    frame = judged(rig, json.dumps([2, "m", "ChangeConfiguration", {"key": "AuthorizationKey", "value": secret}]))
    assert frame.violation_code == "too_long"
    assert not [one for one in rig.frames if "S3CRET" in one.text + one.violation]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
frames = st.one_of(
    json_values,
    st.tuples(st.sampled_from([2, 3, 4]), st.text(max_size=40), json_values, json_values, json_values),
    st.tuples(st.just(2), st.text(max_size=5), st.sampled_from(["Reset", "SetChargingProfile"]), json_values),
)


@settings(max_examples=200, deadline=None)
@given(frames)
def test_nothing_a_csms_sends_is_beyond_words(frame: Any) -> None:
    rig = Rig().boot()
    found = judged(rig, json.dumps(frame))
    assert bool(found.violation) == bool(found.violation_code)
    assert len(found.violation) <= 500
    assert found.violation.isprintable()
