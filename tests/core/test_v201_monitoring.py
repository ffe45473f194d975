"""OCPP 2.0.1: which monitors there are, and the variables that they can watch (behaviour contract, 5.8 and 6.2)."""

from typing import Any

import msgspec
import pytest

from simulator.core.setup import VendorKey
from tests.core.monitoring import (
    ALIGNED,
    DELTA,
    EVSE,
    LOWER,
    NUMERIC,
    PERIODIC,
    POWER,
    SENSOR,
    STATE,
    UPPER,
    base,
    clear,
    custom,
    factory,
    monitor,
    of,
    placed,
    put,
    refusal,
    report,
    told,
)
from tests.core.rig import Rig
from tests.core.v201 import entry, got, station

# --- SetVariableMonitoring --------------------------------------------------------------------------------------------


def test_several_monitors_at_once_each_with_an_id_of_its_own() -> None:
    rig = station()
    results = put(
        rig,
        monitor(EVSE, STATE, severity=8),
        monitor(EVSE, STATE, severity=7),
        of(f"ChargingStation.{STATE}"),
        monitor(EVSE, POWER, UPPER, 5000.5, transaction=True),
    )
    assert {one["status"] for one in results} == {"Accepted"}
    assert len({one["id"] for one in results}) == 4
    assert [(one["type"], one["severity"]) for one in results] == [(DELTA, 8), (DELTA, 7), (DELTA, 5), (UPPER, 5)]
    [(name, shown)] = report(rig, componentVariable=[{"component": EVSE, "variable": {"name": POWER}}])
    assert name == "EVSE.Power"
    assert shown == {"id": results[3]["id"], "transaction": True, "value": 5000.5, "type": UPPER, "severity": 5}


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (monitor({"name": "EVSE", "evse": {"id": 99}}, STATE), "UnknownComponent"),
        (of("NonExistent.Power", UPPER, 1234.0), "UnknownComponent"),
        (monitor(EVSE, "unknownVariable"), "UnknownVariable"),
        (monitor(EVSE, STATE, UPPER), "UnsupportedMonitorType"),
        (of("ClockCtrlr.DateTime"), "UnsupportedMonitorType"),
        (of("SecurityCtrlr.BasicAuthPassword"), "UnsupportedMonitorType"),
        (monitor(EVSE, STATE, value=-1), "Rejected ValuePositiveOnly"),
        (monitor(EVSE, POWER, UPPER, 22_001), "Rejected ValueOutOfRange"),
        (monitor(EVSE, POWER, LOWER, -0.1), "Rejected ValueOutOfRange"),
        (monitor(EVSE, POWER, PERIODIC, 0.5), "Rejected ValueTooLow"),
        (monitor(EVSE, POWER, ALIGNED, 1e300), "Rejected ValueTooHigh"),
        (monitor(EVSE, POWER, severity=10), "Rejected ValueOutOfRange"),
        (monitor(EVSE, POWER, severity=-1), "Rejected ValueOutOfRange"),
        (monitor(EVSE, POWER, id=123456), "Rejected NotFound"),
    ],
)
def test_what_cannot_be_monitored_so(data: dict[str, Any], answer: str) -> None:
    assert refusal(station(), data) == answer


def test_results_are_independent() -> None:
    results = put(
        station(), monitor(EVSE, POWER, UPPER, 9000), monitor(EVSE, POWER, DELTA, -1), monitor(EVSE, POWER, LOWER, 10)
    )
    assert [one["status"] for one in results] == ["Accepted", "Rejected", "Accepted"]


def test_one_monitor_for_each_type_and_severity() -> None:
    rig = station()
    number = placed(rig, monitor(EVSE, POWER, UPPER, 100))
    assert refusal(rig, monitor(EVSE, POWER, UPPER, 200)) == "Duplicate"
    other = placed(rig, monitor(EVSE, POWER, UPPER, 200, severity=6))
    assert refusal(rig, monitor(EVSE, POWER, UPPER, 300, id=other)) == "Duplicate"
    assert placed(rig, monitor(EVSE, POWER, UPPER, 300, id=number)) == number
    assert [one["value"] for name, one in report(rig) if name == "EVSE.Power"] == [300, 200]


def test_a_monitor_is_replaced_but_never_moved_to_another_variable() -> None:
    rig = station()
    number = placed(rig, monitor(EVSE, STATE))
    assert refusal(rig, monitor(EVSE, POWER, UPPER, 10, id=number)) == "Rejected InvalidValue"
    assert refusal(rig, of("ChargingStation.Power", UPPER, 10, id=number)) == "Rejected InvalidValue"
    assert placed(rig, monitor(EVSE, STATE, severity=4, id=number)) == number
    [(_, shown)] = report(rig, componentVariable=[{"component": EVSE}], monitoringCriteria=["DeltaMonitoring"])
    assert shown["severity"] == 4


def test_more_entries_than_allowed_are_an_error() -> None:
    rig = station()
    error = {"error": "OccurrenceConstraintViolation"}
    assert rig.csms("SetVariableMonitoring", setMonitoringData=[monitor(EVSE, STATE)] * 51) == error
    assert rig.csms("ClearVariableMonitoring", id=list(range(51))) == error


def test_there_is_an_end_to_monitors() -> None:
    rig = station()
    names = [f"OCPPCommCtrlr.{one}" for one in ("HeartbeatInterval", "OfflineThreshold", "WebSocketPingInterval")]
    every = [
        of(name, kind, 50, severity=severity) for name in names for kind in (UPPER, LOWER, DELTA, PERIODIC)
        for severity in range(10)
    ]  # fmt: skip
    statuses = [one["status"] for start in range(0, 120, 40) for one in put(rig, *every[start : start + 40])]
    assert statuses == ["Accepted"] * 100 + ["Rejected"] * 20
    assert refusal(rig, every[-1]) == "Rejected TooManyElements"


# --- ClearVariableMonitoring, SetMonitoringBase -----------------------------------------------------------------------


def test_monitors_are_cleared_by_id() -> None:
    rig = station()
    state, power = placed(rig, monitor(EVSE, STATE)), placed(rig, monitor(EVSE, POWER, UPPER, 100))
    assert clear(rig, state, 123456, power, state) == ["Accepted", "NotFound", "Accepted", "NotFound"]
    assert custom(rig) == []
    rig.forget()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(20)
    assert told(rig) == []


def test_what_is_hard_wired_can_be_neither_cleared_nor_changed() -> None:
    rig = station()
    hard = factory(rig)["hard"]
    assert clear(rig, hard) == ["Rejected"]
    assert refusal(rig, monitor(SENSOR, "Temperature", UPPER, 30, id=hard)) == "Rejected ReadOnly"


def test_the_base_all_leaves_what_was_set() -> None:
    rig = station()
    ids = factory(rig)
    placed(rig, monitor(EVSE, STATE))
    placed(rig, monitor(SENSOR, "Temperature", UPPER, 45, id=ids["preset"]))
    assert base(rig, "All") == "Accepted"
    assert got(rig, entry("MonitoringCtrlr.ActiveMonitoringBase")) == [("Accepted", "All")]
    assert custom(rig) == ["EVSE.AvailabilityState"]
    assert [one["value"] for _, one in report(rig, componentVariable=[{"component": SENSOR}])] == [110, 45]
    assert clear(rig, ids["preset"]) == ["Accepted"]
    base(rig, "All")
    assert factory(rig) == ids


def test_the_factory_default_restores_what_was_overruled() -> None:
    rig = station()
    before = report(rig)
    placed(rig, monitor(EVSE, STATE))
    preset = factory(rig)["preset"]
    placed(rig, monitor(SENSOR, "Temperature", UPPER, 45, id=preset))
    assert base(rig, "FactoryDefault") == "Accepted"
    assert sorted(report(rig), key=lambda row: int(row[1]["id"])) == sorted(before, key=lambda row: int(row[1]["id"]))


def test_hard_wired_only_leaves_nothing_else() -> None:
    rig = station()
    placed(rig, of(f"ChargingStation.{STATE}"))
    assert base(rig, "HardWiredOnly") == "Accepted"
    assert report(rig, componentVariable=[entry(f"ChargingStation.{STATE}")]) == []
    assert {one["severity"] for _, one in report(rig)} == {2}


def test_a_base_outlives_a_restart() -> None:
    rig = station()
    base(rig, "HardWiredOnly")
    rig.restart(killed=True)
    assert {one["severity"] for _, one in report(rig)} == {2}


# --- GetMonitoringReport ----------------------------------------------------------------------------------------------


def test_a_report_by_criterion_and_by_component() -> None:
    rig = station()
    for kind in (UPPER, LOWER, DELTA, PERIODIC, ALIGNED):
        placed(rig, of(NUMERIC, kind, 60))

    def types(*criteria: str, **more: Any) -> set[str]:
        return {one["type"] for _, one in report(rig, monitoringCriteria=list(criteria), **more)}

    assert types("ThresholdMonitoring") == {UPPER, LOWER}
    assert types("ThresholdMonitoring", "DeltaMonitoring") == {UPPER, LOWER, DELTA}
    assert types("PeriodicMonitoring", "DeltaMonitoring") == {DELTA, PERIODIC, ALIGNED}
    assert types("PeriodicMonitoring", componentVariable=[entry(NUMERIC)]) == {PERIODIC, ALIGNED}
    assert len(custom(rig)) == 5
    assert report(rig, componentVariable=[entry("OCPPCommCtrlr.HeartbeatInterval")]) == []


def test_a_long_report_comes_in_parts() -> None:
    rig = station()
    names = [one for one, variable in variables(rig).items() if variable["supportsMonitoring"]][:60]
    for start in range(0, 60, 30):
        assert {one["status"] for one in put(rig, *(of(name) for name in names[start : start + 30]))} == {"Accepted"}
    assert len(custom(rig)) == 60
    assert len(rig.calls("NotifyMonitoringReport")) == 2
    rig.answers["NotifyMonitoringReport"] = None
    rig.csms("GetMonitoringReport", requestId=7)
    assert rig.csms("GetMonitoringReport", requestId=8)["status"] == "Rejected"


def variables(rig: Rig) -> dict[str, dict[str, Any]]:
    """Characteristics of the variables of the controllers, by name."""
    rig.csms("GetBaseReport", requestId=1, reportBase="FullInventory")
    rows = [row for part in rig.calls("NotifyReport") for row in part["reportData"]]
    return {
        f"{row['component']['name']}.{row['variable']['name']}": row["variableCharacteristics"]
        for row in rows
        if "evse" not in row["component"] and "instance" not in row["variable"]
    }


def test_the_inventory_says_what_can_be_monitored() -> None:
    shown = variables(station())
    unsupported = {name for name, one in shown.items() if not one["supportsMonitoring"]}
    assert unsupported == {"ClockCtrlr.DateTime", "SecurityCtrlr.BasicAuthPassword"}


def test_a_monitor_goes_with_its_variable() -> None:
    rig = station()
    placed(rig, of("DataLink.SignalStrength", LOWER, -100))
    placed(rig, monitor({"name": "EVSE", "evse": {"id": 2}}, POWER, UPPER, 100))
    replaced = VendorKey("DataLink.SignalStrength", "good")
    rig.setup = msgspec.structs.replace(rig.setup, outlets=rig.setup.outlets[:1], vendor_keys=(replaced,))
    rig.restart()
    assert custom(rig) == []
    assert got(rig, entry("DataLink.SignalStrength")) == [("Accepted", "good")]


# --- the device model -------------------------------------------------------------------------------------------------


def test_the_settings_of_monitoring() -> None:
    rig = station()
    shown = {
        "Available": "true", "Enabled": "true", "OfflineQueuingSeverity": "5",
        "ActiveMonitoringBase": "FactoryDefault", "ActiveMonitoringLevel": "9",
    }  # fmt: skip
    assert got(rig, *(entry(f"MonitoringCtrlr.{name}") for name in shown)) == [
        ("Accepted", value) for value in shown.values()
    ]
    limits = [
        {"component": {"name": "MonitoringCtrlr"}, "variable": {"name": name, "instance": instance}}
        for name in ("ItemsPerMessage", "BytesPerMessage")
        for instance in ("SetVariableMonitoring", "ClearVariableMonitoring")
    ]
    assert {status for status, _ in got(rig, *limits)} == {"Accepted"}


def test_what_the_station_measures() -> None:
    rig = station()
    names = ("TemperatureSensor.Temperature", "ElectricalFeed.ACVoltage", "CPPWMController.State")
    sensors = [{"component": {"name": one, "evse": {"id": 1}}, "variable": {"name": two}} for one, two in
               (name.split(".") for name in names)]  # fmt: skip
    assert got(rig, *sensors) == [("Accepted", "28.0"), ("Accepted", "230.0"), ("Accepted", "A")]
    rig.command("plug_connector", evse_id=1)
    assert got(rig, sensors[2]) == [("Accepted", "B")]
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(20)
    assert got(rig, sensors[2]) == [("Accepted", "C")]
    assert float(got(rig, sensors[0])[0][1] or 0) > 35
    assert got(rig, entry("DataLink.SignalStrength")) == [("Accepted", "-67")]
