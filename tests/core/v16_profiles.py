"""Charging profiles of OCPP 1.6 for scenarios: sent to a rig's station, and what its cars make of them."""

from typing import Any

from tests.core.rig import Rig

Periods = list[tuple[int, float]]
MEASURANDS = "Power.Active.Import,Current.Import,Current.Offered,Power.Offered"


def schedule(periods: Periods, unit: str = "A", **fields: Any) -> dict[str, Any]:
    steps = [{"startPeriod": start, "limit": limit} for start, limit in periods]
    return {"chargingRateUnit": unit, "chargingSchedulePeriod": steps, **fields}


def profile(purpose: str, periods: Periods, unit: str = "A", **fields: Any) -> dict[str, Any]:
    """A csChargingProfiles; fields that belong to the schedule are put there."""
    inner = {name: fields.pop(name) for name in ("duration", "startSchedule", "minChargingRate") if name in fields}
    usual: dict[str, Any] = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule(periods, unit, **inner),
    }
    return usual | fields


def put(rig: Rig, number: int, purpose: str, periods: Periods, **fields: Any) -> str:
    answer = rig.csms("SetChargingProfile", connectorId=number, csChargingProfiles=profile(purpose, periods, **fields))
    return answer.get("status") or answer["error"]


def composite(rig: Rig, number: int = 1, duration: int = 600, **fields: Any) -> Periods:
    answer = rig.csms("GetCompositeSchedule", connectorId=number, duration=duration, **fields)
    assert answer["status"] == "Accepted"
    return [(one["startPeriod"], one["limit"]) for one in answer["chargingSchedule"]["chargingSchedulePeriod"]]


def charging(rig: Rig | None = None, *, connectors: tuple[int, ...] = (1,)) -> Rig:
    """A station whose cars, hungry and able to take all, have charged for half a minute."""
    rig = rig or Rig().boot()
    for connector in rig.station.connectors:
        connector.vehicle.profile = type(connector.vehicle.profile)("bus", 500_000, 80, 3, 400_000, 1.0)
        connector.vehicle.soc = 0.2
    for number in connectors:
        rig.command("start_session", id_tag=f"TAG{number}", connector_id=number)
    rig.run(30)
    return rig


def measured(rig: Rig, number: int = 1) -> dict[str, float]:
    """The values of a triggered sample: the highest phase's of each measurand."""
    rig.csms("ChangeConfiguration", key="MeterValuesSampledData", value=MEASURANDS)
    rig.csms("TriggerMessage", requestedMessage="MeterValues", connectorId=number)
    found: dict[str, float] = {}
    for one in rig.calls("MeterValues")[-1]["meterValue"][0]["sampledValue"]:
        found[one["measurand"]] = max(found.get(one["measurand"], 0.0), float(one["value"]))
    return found


def power(rig: Rig, number: int = 1) -> float:
    rig.station.picture(rig.now)  # brings the energy up to date
    return rig.station.connectors[number - 1].power_w


def amps(rig: Rig) -> list[float]:
    return [round(connector.offered_a, 1) for connector in rig.station.connectors]
