"""OCPP 2.0.1: boot, heartbeat, status, frames that are none (behaviour contract, 1.5, 2, 3.4)."""

import json
from typing import Any

import pytest

from tests.core.rig import NOW, Rig


def boot_answer(status: str, interval: int = 30) -> dict[str, Any]:
    return {"status": status, "interval": interval, "currentTime": NOW}


def test_an_accepted_boot_is_followed_by_every_connectors_status() -> None:
    rig = Rig("ocpp2.0.1").boot()
    assert rig.actions() == ["BootNotification", "1 Available", "2 Available", "SecurityEventNotification"]
    boot = rig.calls("BootNotification")[0]
    assert boot["reason"] == "PowerUp"
    assert boot["chargingStation"] == {
        "vendorName": "Acme",
        "model": "Post 22",
        "serialNumber": "SN-0001",
        "firmwareVersion": "1.2.3",
    }


def test_the_boots_interval_becomes_the_heartbeat_interval() -> None:
    rig = Rig("ocpp2.0.1")
    rig.answers["BootNotification"] = boot_answer("Accepted", 40)
    rig.boot()
    rig.forget()
    rig.run(85)
    assert rig.actions() == ["Heartbeat", "Heartbeat"]


def test_while_pending_only_what_the_csms_asks_for_goes_out() -> None:
    rig = Rig("ocpp2.0.1")
    rig.answers["BootNotification"] = boot_answer("Pending", 100)
    rig.boot()
    rig.command("inject_fault", fault_type="GroundFailure", evse_id=1)
    token = {"idToken": "A", "type": "ISO14443"}
    assert rig.csms("RequestStartTransaction", idToken=token, remoteStartId=1)["status"] == "Rejected"
    assert rig.csms("GetBaseReport", requestId=3, reportBase="FullInventory") == {"status": "Accepted"}
    assert set(rig.actions()) == {"BootNotification", "NotifyReport"}
    assert rig.csms("TriggerMessage", requestedMessage="BootNotification") == {"status": "Accepted"}
    assert rig.calls("BootNotification")[-1]["reason"] == "Triggered"


def test_a_pending_boot_is_repeated_after_its_interval() -> None:
    rig = Rig("ocpp2.0.1")
    rig.answers["BootNotification"] = boot_answer("Pending", 100)
    rig.boot()
    rig.run(99)
    assert len(rig.calls("BootNotification")) == 1
    rig.run(2)
    assert len(rig.calls("BootNotification")) == 2


def test_while_rejected_a_call_is_answered_with_security_error() -> None:
    rig = Rig("ocpp2.0.1")
    rig.answers["BootNotification"] = boot_answer("Rejected", 100)
    rig.boot()
    assert rig.csms("GetTransactionStatus") == {"error": "SecurityError"}
    rig.run(60)
    assert rig.actions() == ["BootNotification"]


def test_a_short_time_offline_brings_only_changed_statuses() -> None:
    rig = Rig("ocpp2.0.1").boot()
    rig.drop()
    rig.command("plug_connector", evse_id=2)
    rig.forget()
    rig.reconnect()
    assert [action for action in rig.actions() if action[0].isdigit()] == ["2 Occupied"]


def test_a_long_time_offline_brings_every_status() -> None:
    rig = Rig("ocpp2.0.1").boot()
    rig.drop()
    rig.mono += 61
    rig.forget()
    rig.reconnect()
    assert [action for action in rig.actions() if action[0].isdigit()] == ["1 Available", "2 Available"]


@pytest.mark.parametrize(
    ("fault", "component", "variable", "value"),
    [
        ("GroundFailure", "RCD", "Tripped", "true"),
        ("OverVoltage", "ElectricalFeed", "ACVoltage", "276.0"),
        ("EmergencyStop", "EmergencyStopSensor", "Active", "true"),
    ],
)
def test_a_blocking_fault_is_a_status_and_an_event(fault: str, component: str, variable: str, value: str) -> None:
    rig = Rig("ocpp2.0.1").boot()
    rig.forget()
    rig.command("inject_fault", fault_type=fault, evse_id=1)
    rig.command("clear_fault", evse_id=1)
    assert rig.actions() == ["1 Faulted", "NotifyEvent", "1 Available", "NotifyEvent"]
    raised, cleared = (one["eventData"][0] for one in rig.calls("NotifyEvent"))
    assert (raised["component"]["name"], raised["variable"]["name"]) == (component, variable)
    assert raised["actualValue"] == value
    assert (raised["cleared"], cleared["cleared"]) == (False, True)
    assert cleared["eventId"] > raised["eventId"]


def test_a_warning_is_an_event_without_a_status() -> None:
    rig = Rig("ocpp2.0.1").boot()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.forget()
    rig.command("inject_fault", fault_type="HighTemperature", evse_id=1)
    assert rig.actions() == ["NotifyEvent"]
    assert "transactionId" in rig.calls("NotifyEvent")[0]["eventData"][0]


def test_a_fault_of_the_time_offline_is_told_after_the_reconnect() -> None:
    rig = Rig("ocpp2.0.1").boot()
    rig.drop()
    rig.command("inject_fault", fault_type="PowerMeterFailure", evse_id=1)
    assert not rig.calls("NotifyEvent")
    rig.reconnect()
    assert rig.calls("NotifyEvent")[0]["eventData"][0]["techCode"] == "PowerMeterFailure"


def test_heartbeat_leaves_the_clock_alone_where_settings_say_so() -> None:
    rig = Rig("ocpp2.0.1").boot()
    rig.command("update_configuration", configuration={"ClockCtrlr.TimeSource": "RealTimeClock"})
    offset = rig.station.clock_offset
    rig.answers["Heartbeat"] = {"currentTime": "2031-01-01T00:00:00Z"}
    rig.run(301)
    assert rig.calls("Heartbeat")
    assert rig.station.clock_offset == offset


@pytest.mark.parametrize(
    ("text", "message_id", "code"),
    [
        ("not json", "-1", "RpcFrameworkError"),
        ("{}", "-1", "RpcFrameworkError"),
        ('[2,"a1"]', "a1", "RpcFrameworkError"),
        ('[9,"a2",{}]', "a2", "MessageTypeNotSupported"),
        ('[2,"a3","NoSuchAction",{}]', "a3", "NotImplemented"),
        ('[2,"a4","reset",{"type":"OnIdle"}]', "a4", "NotImplemented"),
        ('[2,"a5","TransactionEvent",{}]', "a5", "NotSupported"),
        ('[2,"a6","SignCertificate",{}]', "a6", "NotSupported"),
        ('[2,"a7","Reset",[]]', "a7", "FormatViolation"),
        ('[2,"a8","Reset",{"type":"OnIdle","x":1}]', "a8", "FormatViolation"),
        ('[2,"a9","Reset",{}]', "a9", "OccurrenceConstraintViolation"),
        ('[2,"b1","GetVariables",{"getVariableData":[]}]', "b1", "OccurrenceConstraintViolation"),
        ('[2,"b2","Reset",{"type":1}]', "b2", "TypeConstraintViolation"),
        ('[2,"b3","Reset",{"type":"Soft"}]', "b3", "PropertyConstraintViolation"),
    ],
)
def test_a_wrong_call_gets_its_error_code(text: str, message_id: str, code: str) -> None:
    rig = Rig("ocpp2.0.1").boot()
    rig.station.receive(text, rig.now)
    rig.collect()
    answer = json.loads(rig.frames[-1].text)
    assert answer[:3] == [4, message_id, code]
    rig.run(310)
    assert rig.actions()[-1] == "Heartbeat"
