"""What the cases' preparations and drivers do at a station."""

from typing import Any

from simulator.core.setup import Options, Outlet
from tests.core.rig import NOW, Rig

ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}
SOON, LATER, LONG_AGO = "2026-04-02T09:20:00Z", "2026-04-02T12:00:00Z", "2026-04-02T08:00:00Z"
OK: dict[str, Any] = {"status": "Accepted"}


def station(outlets: tuple[Outlet, ...] | None = None, options: Options | None = None, **keys: str) -> Rig:
    """It has booted and has these keys set."""
    rig = (Rig(outlets=outlets, options=options) if outlets else Rig(options=options)).boot()
    for key, value in keys.items():
        assert set_key(rig, key, value) == "Accepted", key
    rig.forget()
    return rig


def set_key(rig: Rig, key: str, value: str) -> str:
    status: str = rig.csms("ChangeConfiguration", key=key, value=value)["status"]
    return status


def charging(rig: Rig | None = None, token: str = "A", **keys: str) -> Rig:
    """A session with the cable first; it charges, and so far nothing is remembered."""
    rig = rig or station(None, None, **keys)
    plug(rig)
    present(rig, token)
    rig.run(10)
    assert statuses(rig)[-1] == "Charging"
    rig.forget()
    return rig


def plug(rig: Rig, number: int = 1) -> None:
    rig.command("plug_connector", connector_id=number)


def unplug(rig: Rig, number: int = 1) -> None:
    rig.command("unplug_connector", connector_id=number)


def present(rig: Rig, token: str = "A", number: int = 1) -> None:
    rig.command("present_tag", id_tag=token, connector_id=number)
    rig.run(1)


def fault(rig: Rig, code: str, number: int = 1) -> None:
    rig.command("inject_fault", fault_type=code, connector_id=number)


def statuses(rig: Rig, number: int = 1) -> list[str]:
    return [one["status"] for one in rig.calls("StatusNotification") if one["connectorId"] == number]


def refuse(rig: Rig, status: str = "Invalid") -> None:
    """The CSMS says no to every token from now on."""
    rig.answers["Authorize"] = {"idTagInfo": {"status": status}}


def listed(rig: Rig, *tokens: str, version: int = 1, update: str = "Full", parent: str = "") -> dict[str, Any]:
    info = OK | ({"parentIdTag": parent} if parent else {})
    entries = [{"idTag": token, "idTagInfo": info} for token in tokens]
    return rig.csms("SendLocalList", listVersion=version, updateType=update, localAuthorizationList=entries)


def reserve(rig: Rig, number: int = 1, token: str = "A", reservation: int = 7, **more: Any) -> str:
    place = {"connectorId": number, "idTag": token, "reservationId": reservation, "expiryDate": LATER}
    status: str = rig.csms("ReserveNow", **place | more)["status"]
    return status


def profile(purpose: str, *limits: tuple[int, float], **more: Any) -> dict[str, Any]:
    """`limits` in A, by seconds from now on; `duration` and `startSchedule` in `more` belong to the schedule."""
    periods = [{"startPeriod": start, "limit": limit} for start, limit in limits]
    schedule = {"chargingRateUnit": "A", "startSchedule": NOW, "chargingSchedulePeriod": periods}
    schedule |= {name: more.pop(name) for name in ("duration", "startSchedule") if name in more}
    usual = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfileKind": "Absolute"}
    return usual | {"chargingProfilePurpose": purpose, "chargingSchedule": schedule} | more


def limit(rig: Rig, number: int, sent: dict[str, Any]) -> str:
    answer = rig.csms("SetChargingProfile", connectorId=number, csChargingProfiles=sent)
    return str(answer.get("status", answer.get("error")))


def composite(rig: Rig, number: int = 1, duration: int = 350) -> list[tuple[int, float]]:
    answer = rig.csms("GetCompositeSchedule", connectorId=number, duration=duration, chargingRateUnit="A")
    assert answer["status"] == "Accepted"
    periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
    return [(one["startPeriod"], one["limit"]) for one in periods]


def offered(rig: Rig, number: int = 1) -> float:
    """The current that a triggered sample shows on the wire, A."""
    rig.csms("TriggerMessage", requestedMessage="MeterValues", connectorId=number)
    values = rig.calls("MeterValues")[-1]["meterValue"][0]["sampledValue"]
    return next(float(one["value"]) for one in values if one["measurand"] == "Current.Offered")
