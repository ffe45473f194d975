"""OCPP 2.0.1: variables and reports (behaviour contract, 5.4 and 6.2)."""

from typing import Any

import pytest

from simulator.core.credentials import Security
from tests.core.rig import Rig
from tests.core.v201 import entry, got

ACCEPTED, REJECTED = "Accepted", "Rejected"


@pytest.fixture
def rig() -> Rig:
    rig = Rig("ocpp2.0.1").boot()
    rig.forget()
    return rig


def put(rig: Rig, name: str, value: str, **more: Any) -> str:
    answer = rig.csms("SetVariables", setVariableData=[entry(name, attributeValue=value, **more)])
    return str(answer["setVariableResult"][0]["attributeStatus"])


def test_get_variables_gives_one_result_for_each_entry(rig: Rig) -> None:
    attempts = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "MessageAttempts", "instance": "TransactionEvent"},
    }
    state = {
        "component": {"name": "Connector", "evse": {"id": 2, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"},
    }
    assert got(
        rig,
        entry("ocppcommctrlr.heartbeatinterval"),
        entry("Nowhere.HeartbeatInterval"),
        entry("TxCtrlr.HeartbeatInterval"),
        entry("TxCtrlr.TxStartPoint", attributeType="Target"),
        entry("SecurityCtrlr.BasicAuthPassword"),
        attempts,
        state,
    ) == [
        ("Accepted", "300"),
        ("UnknownComponent", None),
        ("UnknownVariable", None),
        ("NotSupportedAttributeType", None),
        ("Rejected", None),
        ("Accepted", "3"),
        ("Accepted", "Available"),
    ]


def test_variables_show_the_station_as_it_is(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(20)
    evse = {"component": {"name": "EVSE", "evse": {"id": 1}}}
    power, state = got(
        rig, {**evse, "variable": {"name": "Power"}}, {**evse, "variable": {"name": "AvailabilityState"}}
    )
    assert int(power[1] or 0) > 1000
    assert state[1] == "Occupied"
    rig.command("inject_fault", fault_type="GroundFailure", evse_id=1)
    rcd = {"component": {"name": "RCD", "evse": {"id": 1}}, "variable": {"name": "Tripped"}}
    assert got(rig, entry("ChargingStation.Problem"), rcd) == [("Accepted", "true"), ("Accepted", "true")]


def test_set_variables_says_why_not(rig: Rig) -> None:
    assert put(rig, "Nowhere.X", "1") == "UnknownComponent"
    assert put(rig, "TxCtrlr.X", "1") == "UnknownVariable"
    assert put(rig, "TxCtrlr.TxStartPoint", "Authorized", attributeType="MinSet") == "NotSupportedAttributeType"
    assert put(rig, "ChargingStation.Model", "x") == REJECTED
    assert put(rig, "OCPPCommCtrlr.HeartbeatInterval", "soon") == REJECTED
    assert put(rig, "TxCtrlr.TxStartPoint", "Authorized,DataSigned") == REJECTED
    assert put(rig, "SecurityCtrlr.BasicAuthPassword", "short") == REJECTED
    assert put(rig, "TxCtrlr.TxStartPoint", "Authorized") == ACCEPTED
    assert got(rig, entry("TxCtrlr.TxStartPoint")) == [("Accepted", "Authorized")]


def test_entries_of_one_set_request_are_independent(rig: Rig) -> None:
    data = [
        entry("TxCtrlr.EVConnectionTimeOut", attributeValue="20"),
        entry("ChargingStation.Model", attributeValue="x"),
        entry("OCPPCommCtrlr.HeartbeatInterval", attributeValue="20"),
    ]
    results = rig.csms("SetVariables", setVariableData=data)["setVariableResult"]
    assert [one["attributeStatus"] for one in results] == [ACCEPTED, REJECTED, ACCEPTED]
    assert results[1]["attributeStatusInfo"]["reasonCode"] == "ReadOnly"
    rig.run(21)
    assert rig.actions() == ["Heartbeat"]


def test_more_entries_than_allowed_are_an_error(rig: Rig) -> None:
    entries = [entry("OCPPCommCtrlr.HeartbeatInterval")] * 51
    assert rig.csms("GetVariables", getVariableData=entries) == {"error": "OccurrenceConstraintViolation"}


def test_a_new_password_is_never_shown_and_makes_the_station_reconnect(rig: Rig) -> None:
    secret = "a-very-secret-password"
    rig.security = Security(profile=1)
    rig.restart()
    assert put(rig, "SecurityCtrlr.BasicAuthPassword", secret) == ACCEPTED
    rig.run(1)
    assert rig.closed[-1].reason == "new password"
    assert not any(secret in frame.text for frame in rig.frames)


def test_changed_variables_outlive_a_restart(rig: Rig) -> None:
    put(rig, "TxCtrlr.EVConnectionTimeOut", "25")
    rig.restart(killed=True)
    assert got(rig, entry("TxCtrlr.EVConnectionTimeOut")) == [("Accepted", "25")]


def test_an_installer_changes_variables_by_their_key(rig: Rig) -> None:
    changes = {"txctrlr.evconnectiontimeout": "33", "Nowhere.X": "1", "TxCtrlr.TxStartPoint": "Nonsense"}
    result = rig.outcome(rig.command("update_configuration", configuration=changes)).result or {}
    assert result["status"] == ACCEPTED
    assert result["results"] == {
        "txctrlr.evconnectiontimeout": ACCEPTED,
        "Nowhere.X": REJECTED,
        "TxCtrlr.TxStartPoint": REJECTED,
    }


# --- reports ----------------------------------------------------------------------------------------------------------


def report(rig: Rig) -> list[dict[str, Any]]:
    parts = rig.calls("NotifyReport")
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    assert all(part["requestId"] == 77 and len(part["reportData"]) <= 50 for part in parts)
    return [one for part in parts for one in part["reportData"]]


def names(rows: list[dict[str, Any]]) -> set[str]:
    return {f"{one['component']['name']}.{one['variable']['name']}" for one in rows}


def test_a_full_inventory_comes_in_numbered_parts(rig: Rig) -> None:
    assert rig.csms("GetBaseReport", requestId=77, reportBase="FullInventory") == {"status": ACCEPTED}
    rows = report(rig)
    assert len(rig.calls("NotifyReport")) > 1
    assert {"ChargingStation.Model", "EVSE.Power", "Connector.ConnectorType", "TxCtrlr.TxStartPoint"} <= names(rows)
    start = next(one for one in rows if one["variable"]["name"] == "TxStartPoint")
    assert start["variableCharacteristics"]["dataType"] == "MemberList"
    assert "PowerPathClosed" in start["variableCharacteristics"]["valuesList"]
    password = next(one for one in rows if one["variable"]["name"] == "BasicAuthPassword")
    assert password["variableAttribute"][0]["mutability"] == "WriteOnly"
    assert "value" not in password["variableAttribute"][0]


def test_a_configuration_inventory_has_what_can_be_changed(rig: Rig) -> None:
    rig.csms("GetBaseReport", requestId=77, reportBase="ConfigurationInventory")
    rows = report(rig)
    assert {one["variableAttribute"][0]["mutability"] for one in rows} == {"ReadWrite", "WriteOnly"}


def test_a_summary_shows_states_and_problems(rig: Rig) -> None:
    rig.command("inject_fault", fault_type="GroundFailure", evse_id=1)
    rig.csms("GetBaseReport", requestId=77, reportBase="SummaryInventory")
    assert {"ChargingStation.AvailabilityState", "RCD.Tripped", "EVSE.Problem"} <= names(report(rig))


def test_a_second_report_must_wait(rig: Rig) -> None:
    rig.answers["NotifyReport"] = None
    rig.csms("GetBaseReport", requestId=77, reportBase="FullInventory")
    assert rig.csms("GetBaseReport", requestId=78, reportBase="FullInventory")["status"] == REJECTED


def test_get_report_by_component_and_by_criterion(rig: Rig) -> None:
    asked = [
        {"component": {"name": "TxCtrlr"}},
        {"component": {"name": "EVSE", "evse": {"id": 2}}, "variable": {"name": "Power"}},
    ]
    rig.csms("GetReport", requestId=77, componentVariable=asked)
    rows = report(rig)
    assert [one["component"]["evse"] for one in rows if one["component"]["name"] == "EVSE"] == [{"id": 2}]
    assert "TxCtrlr.StopTxOnInvalidId" in names(rows)
    assert rig.csms("GetReport", requestId=77, componentCriteria=["Problem"])["status"] == "EmptyResultSet"
    assert rig.csms("GetReport", requestId=77, componentVariable=[entry("No.X")])["status"] == "EmptyResultSet"
