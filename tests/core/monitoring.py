"""What tests of monitors say over and over (OCPP 2.0.1, N02 to N08)."""

from typing import Any

from tests.core.rig import Rig
from tests.core.v201 import entry

STATE, POWER = "AvailabilityState", "Power"
EVSE = {"name": "EVSE", "evse": {"id": 1}}
CONNECTOR = {"name": "Connector", "evse": {"id": 1, "connectorId": 1}}
SENSOR = {"name": "TemperatureSensor", "evse": {"id": 1}}
NUMERIC = "OCPPCommCtrlr.OfflineThreshold"
UPPER, LOWER, DELTA, PERIODIC, ALIGNED = (
    "UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned",
)  # fmt: skip


def monitor(
    component: dict[str, Any], variable: str, kind: str = DELTA, value: float = 1, **more: Any
) -> dict[str, Any]:
    data = {"component": component, "variable": {"name": variable}, "type": kind, "value": value, "severity": 5}
    return data | more


def of(name: str, kind: str = DELTA, value: float = 1, **more: Any) -> dict[str, Any]:
    """A monitor of `Component.Variable`."""
    component, _, variable = name.partition(".")
    return monitor({"name": component}, variable, kind, value, **more)


def put(rig: Rig, *data: dict[str, Any]) -> list[dict[str, Any]]:
    results = rig.csms("SetVariableMonitoring", setMonitoringData=list(data))["setMonitoringResult"]
    assert [one["variable"] for one in results] == [one["variable"] for one in data]
    return list(results)


def placed(rig: Rig, data: dict[str, Any]) -> int:
    [result] = put(rig, data)
    assert result["status"] == "Accepted", result
    return int(result["id"])


def refusal(rig: Rig, data: dict[str, Any]) -> str:
    [result] = put(rig, data)
    assert "id" not in result
    reason = result.get("statusInfo", {}).get("reasonCode")
    return str(result["status"]) + (f" {reason}" if reason else "")


def told(rig: Rig) -> list[dict[str, Any]]:
    return [event for one in rig.calls("NotifyEvent") for event in one["eventData"]]


def story(rig: Rig) -> list[str]:
    """Each event as `trigger value`, and `cleared` where it is."""
    return [f"{one['trigger']} {one['actualValue']}" + (" cleared" if one.get("cleared") else "") for one in told(rig)]


def report(rig: Rig, **asked: Any) -> list[tuple[str, dict[str, Any]]]:
    """The monitors that a report names, each with its `Component.Variable`."""
    rig.forget()
    status = rig.csms("GetMonitoringReport", requestId=7, **asked)["status"]
    parts = rig.calls("NotifyMonitoringReport")
    assert [one["seqNo"] for one in parts] == list(range(len(parts)))
    assert [one["tbc"] for one in parts] == [True] * (len(parts) - 1) + [False] * bool(parts)
    assert {one["requestId"] for one in parts} <= {7}
    assert status == ("Accepted" if parts else "EmptyResultSet")
    rows = [row for part in parts for row in part["monitor"]]
    return [
        (f"{row['component']['name']}.{row['variable']['name']}", one)
        for row in rows
        for one in row["variableMonitoring"]
    ]


def custom(rig: Rig, **asked: Any) -> list[str]:
    """Names of what is monitored, but for the factory's sensors."""
    return [name for name, _ in report(rig, **asked) if name != "TemperatureSensor.Temperature"]


def set_variable(rig: Rig, name: str, value: str) -> None:
    results = rig.csms("SetVariables", setVariableData=[entry(name, attributeValue=value)])["setVariableResult"]
    assert results[0]["attributeStatus"] == "Accepted"


def clear(rig: Rig, *numbers: int) -> list[str]:
    results = rig.csms("ClearVariableMonitoring", id=list(numbers))["clearMonitoringResult"]
    assert [one["id"] for one in results] == list(numbers)
    return [one["status"] for one in results]


def factory(rig: Rig) -> dict[str, int]:
    """Ids of the monitors of the first EVSE's sensor: `hard` wired, and `preset`."""
    rows = [one for _, one in report(rig, componentVariable=[{"component": SENSOR}])]
    hard, preset = sorted(rows, key=lambda one: int(one["severity"]))
    return {"hard": hard["id"], "preset": preset["id"]}


def base(rig: Rig, wanted: str) -> str:
    return str(rig.csms("SetMonitoringBase", monitoringBase=wanted)["status"])


def level(rig: Rig, severity: int) -> str:
    return str(rig.csms("SetMonitoringLevel", severity=severity)["status"])
