"""OCPP 1.6: what the CSMS asks, and what it gets wrong (behaviour contract, 1.5 and 5)."""

import json

import pytest

from tests.core.rig import CABLE, Rig


def test_availability_waits_for_the_transaction() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(5)
    assert rig.csms("ChangeAvailability", connectorId=1, type="Inoperative") == {"status": "Scheduled"}
    assert rig.csms("ChangeAvailability", connectorId=2, type="Inoperative") == {"status": "Accepted"}
    assert rig.csms("ChangeAvailability", connectorId=9, type="Inoperative") == {"status": "Rejected"}
    assert rig.actions()[-1] == "2 Unavailable"
    rig.command("stop_session", connector_id=1)
    assert rig.actions()[-1] == "1 Unavailable"
    assert rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1) == {"status": "Rejected"}
    rig.restart()
    assert rig.csms("ChangeAvailability", connectorId=0, type="Operative") == {"status": "Accepted"}
    assert rig.actions()[-2:] == ["1 Available", "2 Available"]


def test_configuration_is_read_changed_and_kept() -> None:
    rig = Rig().boot()
    assert rig.csms("ChangeConfiguration", key="meterValueSampleInterval", value="15") == {"status": "Accepted"}
    assert rig.csms("ChangeConfiguration", key="MeterValueSampleInterval", value="-1") == {"status": "Rejected"}
    assert rig.csms("ChangeConfiguration", key="NumberOfConnectors", value="3") == {"status": "Rejected"}
    assert rig.csms("ChangeConfiguration", key="Nonsense", value="3") == {"status": "NotSupported"}
    assert rig.csms("ChangeConfiguration", key="MeterValuesSampledData", value="Voltage,Nope") == {"status": "Rejected"}
    rig.restart()
    answer = rig.csms("GetConfiguration", key=["METERVALUESAMPLEINTERVAL", "Nonsense"])
    assert answer == {
        "configurationKey": [{"key": "MeterValueSampleInterval", "readonly": False, "value": "15"}],
        "unknownKey": ["Nonsense"],
    }
    assert len(rig.csms("GetConfiguration")["configurationKey"]) > 30


def test_the_local_list_is_all_or_nothing() -> None:
    rig = Rig().boot()
    good = [{"idTag": "A", "idTagInfo": {"status": "Accepted"}}, {"idTag": "B", "idTagInfo": {"status": "Blocked"}}]

    def send(version: int, update: str, entries: list[dict]) -> str:
        answer = rig.csms("SendLocalList", listVersion=version, updateType=update, localAuthorizationList=entries)
        return answer["status"]

    assert rig.csms("GetLocalListVersion") == {"listVersion": 0}
    assert send(3, "Full", good) == "Accepted"
    assert send(3, "Differential", [good[0]]) == "VersionMismatch"
    assert send(4, "Full", [good[0], good[0]]) == "Failed"
    assert send(4, "Full", [{"idTag": "C"}]) == "Failed"
    assert send(4, "Differential", [{"idTag": "a"}]) == "Accepted"
    assert rig.csms("GetLocalListVersion") == {"listVersion": 4}
    assert [one["token"] for one in rig.station.memory["local_list"]["entries"].values()] == ["B"]


def test_a_listed_tag_needs_no_authorize_when_the_settings_say_so() -> None:
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="LocalPreAuthorize", value="true")
    rig.command("set_local_auth_list", list_version=1, entries=[{"id_tag": "TAG"}])
    rig.forget()
    rig.command("start_session", id_tag="tag", connector_id=1)
    assert rig.actions() == ["1 Preparing", "StartTransaction"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('[2,"m","Nonsense",{}]', "NotImplemented"),
        ('[2,"m","getconfiguration",{}]', "NotImplemented"),
        ('[2,"m","BootNotification",{"chargePointVendor":"a","chargePointModel":"b"}]', "NotSupported"),
        ('[2,"m","Reset",[]]', "FormationViolation"),
        ('[2,"m","Reset",{"type":"Soft","more":1}]', "FormationViolation"),
        ('[2,"m","Reset",{}]', "ProtocolError"),
        ('[2,"m","UnlockConnector",{"connectorId":"1"}]', "TypeConstraintViolation"),
        ('[2,"m","Reset",{"type":"Gentle"}]', "PropertyConstraintViolation"),
        ('[2,"m","ChangeConfiguration",{"key":"' + "k" * 51 + '","value":"1"}]', "PropertyConstraintViolation"),
    ],
)
def test_a_wrong_call_gets_the_right_error(message: str, expected: str) -> None:
    rig = Rig().boot()
    rig.forget()
    rig.station.receive(message, rig.now)
    rig.collect()
    answer = json.loads(rig.frames[-1].text)
    assert answer[:3] == [4, "m", expected]


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[]", '[9,"x"]', "[2]", '[2,5,"Reset",{}]', '[3,"q",{}]'])
def test_what_is_no_call_is_logged_and_kills_nothing(text: str) -> None:
    rig = Rig().boot()
    rig.forget()
    rig.station.receive(text, rig.now)
    rig.collect()
    assert [frame.direction for frame in rig.frames] == ["csms_to_cp"]
    assert rig.frames[0].note
    assert rig.csms("TriggerMessage", requestedMessage="Heartbeat") == {"status": "Accepted"}
    assert rig.actions() == ["Heartbeat"]


def test_the_answer_goes_out_before_what_it_causes() -> None:
    rig = Rig().boot()
    rig.forget()
    rig.csms("TriggerMessage", requestedMessage="StatusNotification")
    out = [frame.message_type + frame.action for frame in rig.frames if frame.direction == "cp_to_csms"]
    assert out == ["CALLRESULTTriggerMessage"] + ["CALLStatusNotification"] * 3


def test_a_repeated_id_gets_the_same_answer_and_nothing_happens_twice() -> None:
    rig = Rig().boot()
    message = '[2,"same","ChangeAvailability",{"connectorId":1,"type":"Inoperative"}]'
    rig.station.receive(message, rig.now)
    rig.settle()
    rig.forget()
    rig.station.receive(message, rig.now)
    rig.settle()
    assert [json.loads(frame.text)[0] for frame in rig.frames] == [2, 3]


def test_unlocking_a_socket_stops_and_a_fixed_cable_has_no_lock() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(5)
    assert rig.csms("UnlockConnector", connectorId=1) == {"status": "Unlocked"}
    assert rig.calls("StopTransaction")[0]["reason"] == "UnlockCommand"
    assert Rig(outlets=(CABLE,)).boot().csms("UnlockConnector", connectorId=1) == {"status": "NotSupported"}


def test_triggered_meter_values_come_for_each_connector() -> None:
    rig = Rig().boot()
    rig.csms("TriggerMessage", requestedMessage="MeterValues")
    contexts = [call["meterValue"][0]["sampledValue"][0]["context"] for call in rig.calls("MeterValues")]
    assert contexts == ["Trigger", "Trigger"]


def test_two_calls_without_an_answer_end_the_connection() -> None:
    rig = Rig().boot()
    rig.answers = {"Heartbeat": None, "StatusNotification": None}
    rig.csms("TriggerMessage", requestedMessage="StatusNotification")
    rig.run_until(lambda: bool(rig.closed) or _forget_open(rig))
    assert [order.code for order in rig.closed] == [1001]


def _forget_open(rig: Rig) -> bool:
    rig.open_call = None  # the CSMS will never answer it
    return False


def test_a_missing_pong_ends_the_connection() -> None:
    rig = Rig().boot()
    rig.mono += 31
    rig.station.tick(rig.now)
    rig.collect()
    rig.mono += 11
    rig.station.tick(rig.now)
    rig.collect()
    assert [order.code for order in rig.closed] == [1001]


def test_a_fault_stops_charging_and_clears() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(5)
    rig.forget()
    command = rig.command("inject_fault", fault_type="OverCurrent", connector_id=1)
    assert rig.actions() == ["StopTransaction", "1 Faulted"]
    assert rig.calls("StatusNotification")[0]["errorCode"] == "OverCurrentFailure"
    assert rig.outcome(command).result["status"] == "Faulted"
    assert rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1) == {"status": "Rejected"}
    rig.command("clear_fault")
    assert rig.actions()[-1] == "1 Finishing"


def test_a_fault_with_a_duration_clears_itself() -> None:
    rig = Rig().boot()
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=2, duration_seconds=20)
    rig.run(21)
    assert rig.actions()[-2:] == ["2 Faulted", "2 Available"]


def test_an_unknown_fault_is_an_other_error_and_names_the_nearest() -> None:
    rig = Rig().boot()
    command = rig.command("inject_fault", fault_type="GroundFailur", connector_id=1)
    assert "GroundFailure" in rig.outcome(command).result["msg"]
    assert rig.calls("StatusNotification")[-1]["vendorErrorCode"] == "GroundFailur"


def test_secrets_never_reach_the_log() -> None:
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="AuthorizationKey", value="0123456789abcdef0123")
    logged = [frame for frame in rig.frames if "ChangeConfiguration" in frame.text]
    assert all("0123456789abcdef0123" not in frame.text for frame in rig.frames)
    assert logged[0].masked
