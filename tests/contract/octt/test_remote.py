"""OCTT for OCPP 1.6: what the CSMS does from afar: starts, stops, resets, unlocks, keys, triggers."""

import pytest

from tests.contract.octt.cases import octt
from tests.contract.octt.driver import (
    ACCEPTED,
    REJECTED,
    charging,
    fault,
    plug,
    set_key,
    station,
    statuses,
    unplug,
)
from tests.core.rig import CABLE


@octt("TC_010_CS")
def test_a_remote_start_with_the_cable_first() -> None:
    rig = station(AuthorizeRemoteTxRequests="false")
    plug(rig)
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]
    asking = station(AuthorizeRemoteTxRequests="true")
    plug(asking)
    asking.csms("RemoteStartTransaction", idTag="A", connectorId=1)
    assert asking.actions() == ["1 Preparing", "Authorize", "StartTransaction"]


@octt("TC_011_1_CS")
def test_a_remote_start_and_then_the_cable() -> None:
    rig = station()
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    assert rig.actions() == ["1 Preparing"]
    plug(rig)
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]


@octt("TC_011_2_CS")
def test_a_remote_start_without_a_cable_is_forgotten() -> None:
    rig = station(ConnectionTimeOut="20")
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    rig.run(21)
    assert rig.actions() == ["1 Preparing", "1 Available"]


@octt("TC_012_CS")
def test_a_remote_stop() -> None:
    rig = charging()
    assert rig.csms("RemoteStopTransaction", transactionId=501) == ACCEPTED
    assert rig.actions() == ["StopTransaction", "1 Finishing"]
    assert rig.calls("StopTransaction")[0]["reason"] == "Remote"
    unplug(rig)
    assert statuses(rig) == ["Finishing", "Available"]


@octt("TC_013_CS", "TC_014_CS")
@pytest.mark.parametrize("kind", ["Hard", "Soft"])
def test_a_reset_boots(kind: str) -> None:
    rig = station()
    assert rig.csms("Reset", type=kind) == ACCEPTED
    rig.reconnect()
    assert rig.actions() == ["BootNotification", "0 Available", "1 Available", "2 Available"]


@octt("TC_015_CS", "TC_016_CS")
@pytest.mark.parametrize("kind", ["Hard", "Soft"])
def test_a_reset_ends_what_runs_and_boots(kind: str) -> None:
    rig = charging()
    assert rig.csms("Reset", type=kind) == ACCEPTED
    rig.reconnect()
    assert [one["reason"] for one in rig.calls("StopTransaction")] == [f"{kind}Reset"]
    assert rig.actions().index("StopTransaction") < rig.actions().index("BootNotification")
    assert statuses(rig)[-1] in ("Preparing", "Finishing"), "the cable is in still"
    unplug(rig)
    assert statuses(rig)[-1] == "Available"


@octt("TC_017_1_CS")
def test_a_socket_is_unlocked() -> None:
    assert station().csms("UnlockConnector", connectorId=1) == {"status": "Unlocked"}


@octt("TC_017_2_CS")
def test_a_fixed_cable_has_no_lock() -> None:
    assert station((CABLE,)).csms("UnlockConnector", connectorId=1) == {"status": "NotSupported"}


@octt("TC_018_1_CS")
def test_unlocking_a_socket_ends_what_runs() -> None:
    rig = charging()
    assert rig.csms("UnlockConnector", connectorId=1) == {"status": "Unlocked"}
    assert rig.actions() == ["StopTransaction", "1 Finishing"]
    assert rig.calls("StopTransaction")[0]["reason"] == "UnlockCommand"
    unplug(rig)
    assert statuses(rig) == ["Finishing", "Available"]


@octt("TC_018_2_CS")
def test_unlocking_a_fixed_cable_changes_nothing() -> None:
    rig = charging(station((CABLE,)))
    assert rig.csms("UnlockConnector", connectorId=1) == {"status": "NotSupported"}
    rig.run(5)
    assert rig.actions() == []


@octt("TC_019_CS")
def test_keys_are_told() -> None:
    rig = station()
    every = {one["key"]: one for one in rig.csms("GetConfiguration")["configurationKey"]}
    assert {"HeartbeatInterval", "NumberOfConnectors", "SupportedFeatureProfiles", "ConnectionTimeOut"} <= set(every)
    assert "value" not in every.get("AuthorizationKey", {})
    answer = rig.csms("GetConfiguration", key=["SupportedFeatureProfiles"])
    assert answer == {"configurationKey": [every["SupportedFeatureProfiles"]]}


@octt("TC_021_CS")
def test_a_key_is_changed() -> None:
    rig = station()
    assert set_key(rig, "MeterValueSampleInterval", "45") == "Accepted"
    [found] = rig.csms("GetConfiguration", key=["MeterValueSampleInterval"])["configurationKey"]
    assert (found["value"], found["readonly"]) == ("45", False)


@octt("TC_026_CS")
def test_a_remote_start_where_something_runs_is_rejected() -> None:
    rig = charging()
    assert rig.csms("RemoteStartTransaction", idTag="B", connectorId=1) == REJECTED
    rig.run(5)
    assert rig.actions() == []


@octt("TC_027_CS")
def test_a_remote_start_at_connector_0_is_rejected() -> None:
    rig = station()
    plug(rig)
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=0) == REJECTED
    assert not rig.calls("StartTransaction")


@octt("TC_028_CS")
def test_a_remote_stop_of_an_unknown_transaction_is_rejected() -> None:
    rig = charging()
    assert rig.csms("RemoteStopTransaction", transactionId=7) == REJECTED
    rig.run(5)
    assert rig.actions() == []


@octt("TC_030_CS")
def test_a_lock_that_does_not_open() -> None:
    rig = station()
    fault(rig, "ConnectorLockFailure")
    assert rig.csms("UnlockConnector", connectorId=1) == {"status": "UnlockFailed"}


@octt("TC_031_CS")
def test_an_unknown_connector_is_not_unlocked() -> None:
    assert station().csms("UnlockConnector", connectorId=9) == {"status": "NotSupported"}


@octt("TC_040_1_CS")
def test_an_unknown_key() -> None:
    assert set_key(station(), "Nonsense", "1") == "NotSupported"


@octt("TC_040_2_CS")
def test_a_value_that_does_not_fit() -> None:
    rig = station()
    assert set_key(rig, "MeterValueSampleInterval", "-1") == "Rejected"
    assert set_key(rig, "MeterValueSampleInterval", "often") == "Rejected"


@octt("TC_041_CS")
def test_a_fault_and_its_end() -> None:
    rig = station()
    fault(rig, "GroundFailure")
    told = rig.calls("StatusNotification")[-1]
    assert (told["connectorId"], told["status"], told["errorCode"]) == (1, "Faulted", "GroundFailure")
    rig.command("clear_fault")
    told = rig.calls("StatusNotification")[-1]
    assert (told["connectorId"], told["status"], told["errorCode"]) == (1, "Available", "NoError")


MESSAGES = {
    "MeterValues": "MeterValues",
    "Heartbeat": "Heartbeat",
    "StatusNotification": "1 Available",
    "DiagnosticsStatusNotification": "DiagnosticsStatusNotification",
    "FirmwareStatusNotification": "FirmwareStatusNotification",
}


@octt("TC_054_CS")
def test_every_message_can_be_triggered() -> None:
    rig = station()
    for message, action in MESSAGES.items():
        rig.forget()
        where = {"connectorId": 1} if message in ("MeterValues", "StatusNotification") else {}
        assert rig.csms("TriggerMessage", requestedMessage=message, **where) == ACCEPTED
        assert rig.actions() == [action]


@octt("TC_055_CS")
def test_no_trigger_for_a_connector_that_is_not_there() -> None:
    rig = station()
    assert rig.csms("TriggerMessage", requestedMessage="MeterValues", connectorId=9) == REJECTED
    assert rig.actions() == []


@octt("TC_062_CS")
def test_a_vendor_that_nobody_knows() -> None:
    answer = station().csms("DataTransfer", vendorId="com.example", messageId="m", data="d")
    assert answer == {"status": "UnknownVendorId"}
